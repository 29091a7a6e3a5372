"""``dlm base list | show | pull``: base models, and whether they lie on this disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from ..bases import BaseModel, LocalBase


@click.group(short_help="List, show and fetch base models.")
def base() -> None:
    """List, show and fetch base models.

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
        for row in rows:
            place = "on this disk" if row["on_disk"] else f"not fetched: dlm base pull {row['key']}"
            click.echo(f"{row['key']:<16} {_count(row['parameters']):>6}  {row['licence'] or '?':<12} {place}")
            click.echo(f"{'':<16} {row['summary']}")
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
    disk, sources = facts.pop("on_disk"), facts.pop("sources")
    _print_lines(facts)
    for number, source in enumerate(sources):
        click.echo(f"{'sources' if number == 0 else '':<13} {source}")
    _print_lines(disk if disk is not None else {"on_disk": f"no: dlm base pull {key}"})


@base.command(short_help="Fetch a base, so that training needs no network.")
@click.argument("key")
def pull(key: str) -> None:
    """Fetch the base KEY (a key, path:DIR or hf:org/name) and convert it, unless it lies on this disk already."""
    from ..bases.cache import ensure, find
    from ..bases.resolve import resolve
    from ..store import home
    from ..training.choose import choose

    wanted = resolve(key)
    found = find(wanted, home())
    if found is None:
        found = ensure(wanted, home(), choose("train"), lambda line: click.echo(line, err=True))
    click.echo(f"{found.key} lies in {found.path}\n{found.digest}")


def _facts(wanted: BaseModel, home: Path) -> dict[str, Any]:
    from ..bases.cache import find
    from ..bases.sources import describe

    return {
        "key": wanted.key,
        "summary": wanted.summary,
        "parameters": wanted.parameters,
        "context": wanted.context,
        "licence": wanted.licence,
        "licence_url": wanted.licence_url,
        "sources": [describe(source) for source in wanted.sources],
        "on_disk": _on_disk(find(wanted, home)),
    }


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


def _count(parameters: int | None) -> str:
    if parameters is None:
        return "?"
    return f"{parameters / 1e9:.1f}B" if parameters >= 1e9 else f"{parameters / 1e6:.0f}M"


def _print_lines(facts: dict[str, Any]) -> None:
    for label, value in facts.items():
        if value is not None:
            click.echo(f"{label.replace('_', ' '):<13} {f'{value:,}' if isinstance(value, int) else value}")
