"""``dlm base list | show | accept | pull``: base models, their licences, and whether they lie on this disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from ..bases import BaseModel, LocalBase

_TO_ACCEPT = "Licence to be accepted first, once: dlm base accept KEY"
_MEDIA = "Known from other documents; no installed plugin trains them"


@click.group(short_help="List, show, accept and fetch base models.")
def base() -> None:
    """List, show, accept and fetch base models.

    A document names its base in base_model: a key of this list, a folder on this disk (path:DIR), or a repository on
    the Hugging Face Hub (hf:org/name).
    """


@base.command("list", short_help="List the bases a document can name.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_bases(as_json: bool) -> None:
    """List the bases a document can name by their key."""
    import json

    from .._plugkit.errors import PluginError
    from ..bases.resolve import resolve
    from ..plugins import manager
    from ..store import home

    rows, broken = [], []
    for key in manager().offers("dlm_bases"):
        try:
            rows.append(_facts(resolve(key), home()))
        except PluginError as problem:
            broken.append(f"{key}: {problem}")
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print_table(sorted(rows, key=lambda row: (row["parameters"] or 0, row["key"])))
    for line in broken:
        click.echo(f"warning: {line}", err=True)


@base.command(short_help="Show where a base comes from and where it lies.")
@click.argument("key")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(key: str, as_json: bool) -> None:
    """Show everything about the base KEY (a key, path:DIR or hf:org/name). Asks no network."""
    import json

    from ..bases.resolve import resolve
    from ..store import home

    facts = _facts(resolve(key), home())
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    disk, sources, needed, agreed = (
        facts.pop(name) for name in ("on_disk", "sources", "requires_acceptance", "accepted")
    )
    facts["redistributable"] = {True: "yes", False: "no", None: None}[facts["redistributable"]]
    export = facts.pop("export")
    _print_lines(facts)
    _print_export(export)
    if needed:
        _print_lines({"accepted": agreed["accepted_at"] if agreed else f"no: dlm base accept {key}"})
    for number, source in enumerate(sources):
        click.echo(f"{'sources' if number == 0 else '':<15} {source}")
    _print_lines(disk if disk is not None else {"on_disk": f"no: dlm base pull {key}"})


@base.command(short_help="Accept a base's licence, once for every command.")
@click.argument("key")
@click.option("--yes", is_flag=True, help="You have read the licence and accept it: do not ask.")
def accept(key: str, yes: bool) -> None:
    """Accept the licence of the base KEY. What you agree to is at the address that is shown.

    It is recorded in licences.json under DLM_HOME and honoured by every command. Documents do not carry it.
    """
    from ..bases import licence
    from ..bases.resolve import resolve
    from ..errors import LicenceNotAccepted
    from ..store import home

    wanted = resolve(key)
    if not wanted.requires_acceptance:
        click.echo(f"{wanted.key} asks for no acceptance: its licence is {licence.licence_name(wanted)}")
        return
    if (before := licence.accepted(wanted, home())) is not None:
        click.echo(f"{wanted.key}: accepted already, {before.accepted_at}")
        return
    agreed = True if yes else licence.ask_on_terminal(licence.question(wanted))
    if not agreed:
        how = "accepted nothing" if agreed is False else "there is no terminal to ask on"
        raise LicenceNotAccepted(
            f"{how}: read {wanted.licence_url}, then run `dlm base accept {wanted.key} --yes` if you agree"
        )
    licence.accept(wanted, home(), "cli_flag" if yes else "interactive")
    click.echo(f"{wanted.key}: accepted ({licence.licence_name(wanted)}, {wanted.licence_url})")


@base.command(short_help="Fetch a base, so that training needs no network.")
@click.argument("key")
@click.option("--i-accept-license", "accepts", is_flag=True, help="You have read the base's licence and accept it.")
def pull(key: str, accepts: bool) -> None:
    """Fetch the base KEY (a key, path:DIR or hf:org/name) and convert it, unless it lies on this disk already."""
    from ..bases import licence
    from ..bases.cache import ensure, find
    from ..bases.resolve import resolve
    from ..store import home
    from ..training.choose import choose

    wanted = resolve(key)
    if accepts:
        licence.accept(wanted, home(), "cli_flag")
    found = find(wanted, home())
    if found is None:
        licence.require(wanted, home())
        found = ensure(wanted, home(), choose("train"), lambda line: click.echo(line, err=True))
    click.echo(f"{found.key} lies in {found.path}\n{found.digest}")


def _facts(wanted: BaseModel, home: Path) -> dict[str, Any]:
    from dataclasses import asdict

    from ..bases.cache import on_disk
    from ..bases.licence import accepted
    from ..bases.sources import describe

    agreed, found = accepted(wanted, home), on_disk(wanted, home)
    return {
        "key": wanted.key,
        "summary": wanted.summary,
        "note": wanted.note,
        "parameters": wanted.parameters,
        "context": wanted.context,
        "sequence": wanted.sequence,
        "architecture": wanted.architecture,
        "licence": wanted.licence,
        "licence_url": wanted.licence_url,
        "redistributable": wanted.redistributable if wanted.licence else None,
        "requires_acceptance": wanted.requires_acceptance,
        "accepted": asdict(agreed) if agreed else None,
        "sources": [describe(source) for source in wanted.sources],
        "export": _export(wanted, found),
        "on_disk": _on_disk(found),
    }


def _export(wanted: BaseModel, found: LocalBase | None) -> dict[str, str | None] | None:
    """Which installed targets can take it, and why others cannot; ``None`` where that is not known yet."""
    from ..export.ability import abilities, as_json, config_of

    config = config_of(wanted, found.path if found else None)
    return as_json(abilities(config)) if config else None


def _print_export(export: dict[str, str | None] | None) -> None:
    import textwrap

    from ..export.ability import Ability, told

    known = told([Ability(*one) for one in export.items()]) if export is not None else None
    text = "not known until it is on this disk" if known is None else known
    lines = textwrap.wrap(text, 64, break_on_hyphens=False)
    for number, line in enumerate(lines):
        click.echo(f"{'export' if number == 0 else '':<15} {line}")


def _on_disk(found: LocalBase | None) -> dict[str, Any] | None:
    from ..bases.contents import deciding_files

    if found is None:
        return None
    size = sum(path.stat().st_size for path in deciding_files(found.path))
    return {
        "path": str(found.path),
        "fetched_from": found.source,
        "revision": found.revision,
        "digest": found.digest,
        "bytes": size,
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    """Small before large, in groups by what has to be done first."""
    import textwrap

    from ..bases.registry import MEDIA

    gated = [row for row in rows if row["requires_acceptance"]]
    _print_rows([row for row in rows if not row["requires_acceptance"]])
    if gated:
        click.echo(f"\n{_TO_ACCEPT}")
        _print_rows(gated)
    offered = {row["key"] for row in rows}
    if media := [key for key in MEDIA if key not in offered]:
        click.echo(f"\n{_MEDIA}")
        click.echo(
            textwrap.fill(", ".join(media), 78, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
        )
    click.echo("\n`dlm base show KEY` says more, `dlm base pull KEY` fetches one.")


def _print_rows(rows: list[dict[str, Any]]) -> None:
    from ..bases.licence import spoken

    for row in rows:
        state = [word for word, true in (("accepted", row["accepted"]), ("on this disk", row["on_disk"])) if true]
        licence = spoken(row["licence"]) or "?"
        click.echo(f"  {row['key']:<23} {_count(row['parameters']):>6}  {licence:<14} {', '.join(state)}".rstrip())


def _count(parameters: int | None) -> str:
    if parameters is None:
        return "?"
    return f"{parameters / 1e9:.1f}B" if parameters >= 1e9 else f"{parameters / 1e6:.0f}M"


def _print_lines(facts: dict[str, Any]) -> None:
    import textwrap

    for label, value in facts.items():
        if value is None:
            continue
        text = f"{value:,}" if isinstance(value, int) else str(value)
        # Sentences are broken at 80 columns; what is to be copied is not.
        lines = textwrap.wrap(text, 64) if label in ("note", "summary") else [text]
        for number, line in enumerate(lines):
            click.echo(f"{label.replace('_', ' ') if number == 0 else '':<15} {line}")
