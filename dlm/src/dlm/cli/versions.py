"""``dlm versions`` and ``dlm use``: what was trained from a document, and which of it is used."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..document import Document
    from ..store import Store, Version
    from ..store.manifest import TrainingRun

MOST_RUNS = 5
"""So many runs without a version are listed to people."""


@click.command(short_help="List the trained versions of a document.")
@click.argument("doc", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def versions(doc: str, as_json: bool) -> None:
    """List the trained versions of DOC; the current one is marked with a star.

    Losses are nats per token on questions that were never trained, before and after training.
    """
    import json

    document, store = _open(doc)
    listing = _listing(document, store)
    if as_json:
        click.echo(json.dumps(listing, indent=2, ensure_ascii=False, allow_nan=False))
        return
    if not listing["versions"]:
        click.echo(f"no trained version yet: run `dlm train {doc}`")
    for line in _table(listing["versions"]):
        click.echo(line)
    for path in listing["rejected"]:
        click.echo(f"  rejected, kept for a look: {path}")
    for path in listing["damaged"]:
        click.echo(f"  damaged: {path}")
    for line in _unversioned(listing["runs"]):
        click.echo(line)
    if listing["resumable"]:
        click.echo(f"  {listing['resumable']}: `dlm train {doc} --resume` goes on")
    if listing["problem"]:
        click.echo(f"warning: {listing['problem']}", err=True)


@click.command(short_help="Make a trained version the current one.")
@click.argument("doc", type=click.Path())
@click.argument("version", metavar="vN")
def use(doc: str, version: str) -> None:
    """Make version vN of DOC the one that `dlm prompt` uses. No version is removed by this."""
    from ..errors import UsageProblem

    found = re.fullmatch(r"v?(\d{1,9})", version)
    if found is None:
        raise UsageProblem(f"{version!r} is no version: write v1, v2, ...; `dlm versions {doc}` lists them")
    _, store = _open(doc)
    store.version(int(found[1]))
    with store.lock("use"):
        chosen = store.use(int(found[1]))
    click.echo(f"{chosen.name} is current now")


def _open(doc: str) -> tuple[Document, Store]:
    from pathlib import Path

    from ..document import read
    from ..store import Store, home

    document = read(Path(doc))
    return document, Store(home(), document.frontmatter.dlm_id)


def _listing(document: Document, store: Store) -> dict[str, Any]:
    """Everything ``--json`` prints. A damaged pointer is told, and the versions to choose from are still listed."""
    from ..errors import StoreError
    from ..store.lock import is_held
    from ..training.resuming import described

    current, problem, manifest, stopped = None, None, None, None
    try:
        manifest, stopped = store.manifest(), store.checkpoint()
        current = store.current()
    except StoreError as error:
        problem = str(error)
    found, held = store.contents(), is_held(store.layout)
    return {
        "dlm_id": store.dlm_id,
        "store": str(store.layout.root),
        "current": current.number if current else None,
        "versions": [_row(version, current, document.digest) for version in found.versions],
        "rejected": [str(path) for path in found.rejected],
        "damaged": [str(path) for path in found.damaged],
        "runs": [_run(run, held=held) for run in manifest.training_runs] if manifest else [],
        "resumable": described(stopped) if stopped else None,
        "problem": problem,
    }


def _row(version: Version, current: Version | None, digest: str) -> dict[str, Any]:
    facts, outcome, base = version.facts, version.facts.get("outcome") or {}, version.facts.get("base") or {}
    return {
        "number": version.number,
        "name": version.name,
        "path": str(version.path),
        "current": current is not None and version.number == current.number,
        "created_at": facts.get("created_at"),
        "run_id": facts.get("run_id"),
        "warm_from": facts.get("warm_from"),
        "base": base.get("key"),
        "base_digest": base.get("digest"),
        "steps": outcome.get("steps"),
        "held_out_before": outcome.get("held_out_before"),
        "held_out_best": outcome.get("held_out_best"),
        "adapter_sha256": facts.get("adapter_sha256"),
        "adapters": [_adapter(version, name) for name in version.adapters],
        "document_unchanged": facts.get("document_digest") == digest,
    }


def _adapter(version: Version, name: str) -> dict[str, Any]:
    """One of several adapters of a version."""
    facts = version.facts_of(name)
    outcome = facts.get("outcome") or {}
    return {
        "name": name,
        "trained_in": facts.get("trained_in", version.number),
        "steps": outcome.get("steps"),
        "held_out_before": outcome.get("held_out_before"),
        "held_out_best": outcome.get("held_out_best"),
        "adapter_sha256": facts.get("adapter_sha256"),
    }


def _run(run: TrainingRun, *, held: bool) -> dict[str, Any]:
    """How a run ended. One that is marked running while nobody holds the lock was killed; the next training writes that
    down."""
    from ..store.recover import DIED

    died = run.status == "running" and not held
    return {
        "run_id": run.run_id,
        "status": "failed" if died else run.status,
        "version": run.adapter_version,
        "started_at": run.started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "resumed_from": run.resumed_from,
        "message": DIED if died else run.message,
    }


def _unversioned(runs: list[dict[str, Any]]) -> list[str]:
    """Runs since the last one that made a version: why there is nothing newer."""
    made = [at for at, run in enumerate(runs) if run["status"] == "ok"]
    later = runs[made[-1] + 1 :] if made else runs
    shown = [f"  run {run['run_id']:<4} {run['status']:<10} {_first(run['message'])}".rstrip() for run in later]
    left_out = len(shown) - MOST_RUNS
    return [f"  {left_out} runs without a version before these; --json lists all"] * (left_out > 0) + shown[-MOST_RUNS:]


def _first(message: str) -> str:
    line = message.partition("\n")[0]
    return line if len(line) <= 58 else line[:55] + "..."


def _table(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    lines = [f"  {'version':<7} {'made':<20} {'base':<16} {'steps':>6}  {'held-out loss':<15} document"]
    for row in rows:
        several = row["adapters"]
        lines.append(
            f"{'*' if row['current'] else ' '} {row['name']:<7} {row['created_at'] or '':<20} {row['base'] or '':<16} "
            f"{'' if several else _steps(row):>6}  {'' if several else _losses(row):<15} "
            f"{'same' if row['document_unchanged'] else 'changed'}"
        )
        for one in several:
            taken = "" if one["trained_in"] == row["number"] else f"of v{one['trained_in']:04d}"
            name = textwrap.shorten(one["name"], 36, placeholder="...")
            lines.append(f"    {'':<5} {name:<37} {_steps(one):>6}  {_losses(one):<15} {taken}".rstrip())
    return lines


def _steps(row: dict[str, Any]) -> str:
    return str(row["steps"]) if row["steps"] is not None else ""


def _losses(row: dict[str, Any]) -> str:
    return f"{_number(row['held_out_before'])} to {_number(row['held_out_best'])}"


def _number(loss: float | None) -> str:
    return "?" if loss is None else f"{loss:.3f}"
