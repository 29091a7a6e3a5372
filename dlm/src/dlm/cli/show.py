"""``dlm show``: one document at a glance. Looks, and changes nothing."""

from __future__ import annotations

import re
import shlex
import textwrap
from typing import TYPE_CHECKING, Any

import click

from .visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..corpus.replay import Change
    from ..export.listing import Listed
    from ..store.overview import Overview
    from ..store.version import Version

NEWEST = 12
"""Versions named in one line."""


@click.command(short_help="Show what was trained from a document, and what has changed since.")
@click.argument("doc", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(doc: str, as_json: bool) -> None:
    """Show what was trained from DOC, what has changed since, and what of it lies on this disk.

    Makes and changes no file and needs no network. What is damaged is said, and the rest is shown all the same.
    """
    import json
    from pathlib import Path

    from ..document import read
    from ..store import home
    from ..store.overview import overview

    found = overview(read(Path(doc)), home())
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False, allow_nan=False))
        return
    click.echo(f"{doc}: {_verdict(found)}")
    for name, text in _lines(found, shlex.quote(doc)):
        begin = f"  {name:<10} "
        click.echo(
            textwrap.fill(
                visible(text),
                79,
                initial_indent=begin,
                subsequent_indent=" " * len(begin),
                break_long_words=False,
                break_on_hyphens=False,
            )
        )


def _verdict(found: Overview) -> str:
    """How things stand, in one line."""
    if found.problems:
        count = len(found.problems)
        return f"{count} {'problem' if count == 1 else 'problems'}, named below"
    if found.current is None:
        return "not trained yet"
    return f"trained as {found.current.name}{', and changed since' if found.changed else ''}"


def _lines(found: Overview, doc: str) -> Iterator[tuple[str, str]]:
    from ..document.routing import declared, sections_of

    document = found.document
    types: dict[str, int] = {}
    for section in document.sections:
        types[section.type] = types.get(section.type, 0) + 1
    for problem in found.problems:
        yield "problem", problem
    yield "title", document.title
    yield "dlm_id", document.frontmatter.dlm_id
    yield "sections", ", ".join(f"{count:,} {name}" for name, count in sorted(types.items())) or "none"
    if names := declared(document):
        own = {name: len(sections_of(document.sections, names, name)) for name in names}
        yield "adapters", ", ".join(f"{name} ({count} of the sections)" for name, count in own.items())
    for source in found.survey.summaries if found.survey else ():
        yield "source", f"{source.path}: {source.file_count:,} files, {_size(source.total_bytes)}"
    yield "base", found.base.words if found.base else document.frontmatter.base_model
    yield from _trained(found, doc)
    if found.change:
        yield "since then", _changes(found, found.change, doc)
        yield from _aside(found, doc)
    for exported in found.exported:
        yield "exported", _exported(exported, found.current)
    yield from _disk(found)


def _exported(exported: Listed, current: Version | None) -> str:
    """Target, version and certificate; where, for one that lies elsewhere."""
    from ..export.listing import is_current

    manifest = exported.manifest
    if manifest is None:
        return f"{exported.folder}: {exported.problem}"
    stale = "" if is_current(exported, current) else ", not the current version"
    return f"{exported.folder.name}, of v{manifest.adapter_version:04d}{stale}, certificate: {manifest.certified}"


def _trained(found: Overview, doc: str) -> Iterator[tuple[str, str]]:
    names = [version.name for version in found.contents.versions]
    if not names and found.current is None:
        yield "trained", f"never: `dlm train {doc}`"
        return
    older = f"{len(names) - NEWEST} older ones, " if len(names) > NEWEST else ""
    yield (
        "versions",
        f"{older}{', '.join(names[-NEWEST:])}" + (f"; {_rejected(found)}" if found.contents.rejected else ""),
    )
    if (current := found.current) is None:
        return
    facts: dict[str, Any] = current.facts
    run = f" in run {facts['run_id']}" if facts.get("run_id") else ""
    older = "" if names[-1:] == [current.name] else ", not the newest"
    yield "current", f"{current.name}{older}, trained {_time(facts.get('created_at'))}{run}"
    for name in current.adapters or (None,):
        if text := _held_out(current, name):
            yield "held out", text
    if found.learning:
        yield "learning", f"{found.learning.verdict} `dlm report {doc}` tells more"


def _held_out(current: Version, adapter: str | None) -> str:
    """How an adapter met the held-out wordings; which one, where there are several."""
    facts = current.facts_of(adapter)
    outcome = facts.get("outcome") or {}
    before, after = outcome.get("held_out_before"), outcome.get("held_out_best")
    if before is None or after is None:
        return ""
    text = f"loss {before:.3f} before, {after:.3f} after training (nats per token)"
    taken = f", taken over from v{facts['trained_in']:04d}" if facts.get("trained_in") else ""
    return text if adapter is None else f"{adapter}: {text}{taken}"


def _rejected(found: Overview) -> str:
    return f"{len(found.contents.rejected)} rejected, kept for a look"


def _changes(found: Overview, change: Change, doc: str) -> str:
    numbers = [
        (len(change.new), "new"),
        (len(change.edited), "edited"),
        (len(change.removed), "removed"),
        (found.forgotten_since, "forgotten"),
        (len(change.unchanged), "unchanged"),
    ]
    said = ", ".join(f"{count:,} {word}" for count, word in numbers if count)
    return f"{said}: `dlm train {doc}` learns the difference" if found.changed else f"nothing has changed ({said})"


def _aside(found: Overview, doc: str) -> Iterator[tuple[str, str]]:
    """Sections that are trained although they are gone, and those that must never be."""
    kept = len(found.change.kept) if found.change else 0
    forgotten = len(found.ledger.forgotten()) if found.ledger else 0
    if kept or forgotten:
        yield "replay", f"{kept:,} kept, {forgotten:,} forgotten: `dlm forget {doc} --list` names them"


def _disk(found: Overview) -> Iterator[tuple[str, str]]:
    if not found.initialised:
        return
    sizes, cache = found.sizes, found.cache
    if cache.get("entry_count"):
        rate = cache["last_run_hit_rate"]
        hits = f", {rate:.0%} hits in run {cache['last_run_id']}" if rate is not None else ""
        yield "cache", f"{cache['entry_count']:,} records, {_size(cache['bytes'])}{hits}"
    if cache.get("cache_status"):
        yield "cache", f"not used: {cache['cache_status']}"
    parts = {"versions": sizes.versions, "exports": sizes.exports, "logs": sizes.logs, "cache": sizes.cache}
    parts["ledger"] = sizes.replay
    yield "disk", f"{_size(sizes.total)}: " + ", ".join(f"{name} {_size(size)}" for name, size in parts.items() if size)
    yield "store", str(found.store)


def _size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"


def _time(moment: object) -> str:
    """``2026-11-05T12:00:00Z`` for people."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?Z", str(moment))
    return f"{found[1]} {found[2]} UTC" if found else "at an unknown time"
