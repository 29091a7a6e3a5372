"""``dlm versions`` and ``dlm use``: what was trained from a document, and which of it is used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..document import Document
    from ..store import Store, Version


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

    current, problem = None, None
    try:
        current = store.current()
    except StoreError as error:
        problem = str(error)
    found = store.contents()
    return {
        "dlm_id": store.dlm_id,
        "store": str(store.layout.root),
        "current": current.number if current else None,
        "versions": [_row(version, current, document.digest) for version in found.versions],
        "rejected": [str(path) for path in found.rejected],
        "damaged": [str(path) for path in found.damaged],
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
        "document_unchanged": facts.get("document_digest") == digest,
    }


def _table(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    lines = [f"  {'version':<7} {'made':<20} {'base':<16} {'steps':>6}  {'held-out loss':<15} document"]
    for row in rows:
        loss = f"{_number(row['held_out_before'])} to {_number(row['held_out_best'])}"
        lines.append(
            f"{'*' if row['current'] else ' '} {row['name']:<7} {row['created_at'] or '':<20} {row['base'] or '':<16} "
            f"{row['steps'] if row['steps'] is not None else '':>6}  {loss:<15} "
            f"{'same' if row['document_unchanged'] else 'changed'}"
        )
    return lines


def _number(loss: float | None) -> str:
    return "?" if loss is None else f"{loss:.3f}"
