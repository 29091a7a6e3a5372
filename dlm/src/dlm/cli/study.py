"""``dlm study``."""

from __future__ import annotations

import json
import textwrap
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..corpus.records import Record, StudySet
    from ..document import Document

SAMPLES = 2
TEXT_APART = "never trained in any phase; the weights that expect them best end the phase cpt"
PAIRS_APART = "never trained; the weights that prefer their better answers are kept"
PAIRS = "A better and a worse answer, for a phase of their own."


@click.command(short_help="Show what will be trained, and why.")
@click.argument("doc", type=click.Path())
@click.option("--seed", type=int, help="Over training.seed of the document.")
@click.option("--adapter", metavar="NAME", help="What trains this adapter of the document. Default: its first.")
@click.option("--limit", type=click.IntRange(min=0), help=f"Records shown of each kind. Default: {SAMPLES}; JSON: all.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def study(doc: str, seed: int | None, adapter: str | None, limit: int | None, as_json: bool) -> None:
    """Show the records that would be trained from DOC, by kind, and what is held out. Needs no model.

    Files of its sources, sections that are replayed from the store, and what its augmenters write are among them.
    """
    from pathlib import Path

    from ..document import read

    document = read(Path(doc))
    found, why, chosen = _studied(document, seed, _named(document, adapter))
    if as_json:
        click.echo(json.dumps(_record(found, why, limit, chosen), indent=2, ensure_ascii=False))
    else:
        click.echo(_text(found, why, SAMPLES if limit is None else limit))


def _named(document: Document, adapter: str | None) -> str | None:
    """The adapter whose records are shown."""
    from ..document.routing import chosen, declared

    names = declared(document)
    if adapter is not None or not names:
        return None if adapter is None else chosen(document, adapter)
    if len(names) > 1:
        _say(f"note: this is what trains {names[0]}; --adapter shows {', '.join(names[1:])}")
    return names[0]


def _studied(document: Document, seed: int | None, adapter: str | None) -> tuple[StudySet, dict[str, str], int]:
    """The study set, why there is each kind, and the seed."""
    from ..bases.cache import find
    from ..bases.resolve import resolve
    from ..bases.similar import found_before
    from ..corpus.preferred import is_pair
    from ..corpus.similar import NONE
    from ..corpus.study import WHY, build
    from ..document.routing import declared, sections_of, view
    from ..errors import LicenceNotAccepted
    from ..plugins import manager
    from ..store import home
    from ..training.augmenting import augmenters_of
    from ..training.material import collect
    from ..training.phases import by_phase
    from ..training.resolve import TrainOptions, recipe_for

    root = home()
    chosen = recipe_for(document.frontmatter, TrainOptions(seed=seed)).seed
    base = None
    with suppress(LicenceNotAccepted):
        base = find(resolve(document.frontmatter.base_model, document.folder), root)
    similar = found_before(base, root) if base else None
    if similar is None and document.frontmatter.training.recipe.name != "plain":
        _say("note: questions with similar words are left out here: the first training finds those of the base")
    more = collect(document, root, chosen).more
    if adapter is not None:
        document, more = view(document, adapter), sections_of(more, declared(document), adapter)
    augmenters = augmenters_of(document, root, manager(), _say)
    found = by_phase(build(document, chosen, more, augmenters, similar or NONE), manager())
    why = {**WHY, **{record.kind: PAIRS for record in found.train if is_pair(record)}}
    return found, {**why, **{kind: line for augmenter in augmenters for kind, line in augmenter.why.items()}}, chosen


def _say(line: str) -> None:
    click.echo(line, err=True)


def _record(found: StudySet, why: dict[str, str], limit: int | None, seed: int) -> dict[str, Any]:
    kinds = [
        {
            "kind": kind,
            "why": why.get(kind, ""),
            "share": round(share, 4),
            "count": len(records),
            "records": [_plain(record) for record in records[:limit]],
        }
        for kind, share, records in _by_kind(found)
    ]
    aside = {
        "held_out": found.held_out,
        "held_out_pairs": found.held_out_pairs,
        "held_out_text": found.held_out_text,
        "probes": found.probes,
    }
    return {"seed": seed, "kinds": kinds, **{name: [_plain(r) for r in records] for name, records in aside.items()}}


def _plain(record: Record) -> dict[str, Any]:
    plain: dict[str, Any] = {"group": record.group, "section_id": record.section_id, "objective": record.objective}
    if record.messages:
        worse = {"rejected": record.rejected} if record.rejected else {}
        return {**plain, "messages": [message._asdict() for message in record.messages], **worse}
    return {**plain, "title": record.title, "text": record.text}


def _text(found: StudySet, why: dict[str, str], limit: int) -> str:
    parts = []
    for kind, share, records in _by_kind(found):
        head = f"{kind}: {len(records):,} records, {_percent(share)} of the rows. {why.get(kind, '')}"
        parts.append(textwrap.fill(head, 80))
        parts += [_sample(record) for record in records[:limit]]
        parts.append("")
    for name, records, reason in (
        ("held out", found.held_out, "never trained; the best answers to them pick the weights"),
        *([("held-out pairs", found.held_out_pairs, PAIRS_APART)] if found.held_out_pairs else ()),
        *([("held-out text", found.held_out_text, TEXT_APART)] if found.held_out_text else ()),
        ("probes", found.probes, "never trained, and kept from picking the weights too: `sway check` asks them"),
    ):
        head = f"{name}: {len(records):,} record{'s' if len(records) != 1 else ''}, {reason}."
        parts.append(textwrap.fill(head, 80))
        parts += [*(_sample(record) for record in records[:limit]), ""]
    return "\n".join(parts).rstrip()


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "under 1%"


def _by_kind(found: StudySet) -> list[tuple[str, float, Sequence[Record]]]:
    return [
        (kind, share, [record for record in found.train if record.kind == kind])
        for kind, share in found.mixture.items()
    ]


def _sample(record: Record) -> str:
    turns = [f"{message.role}: {message.content}" for message in record.messages] or [f"text: {record.text}"]
    turns += [f"rather than: {record.rejected}"] if record.rejected else []
    return "\n".join(
        textwrap.fill(
            textwrap.shorten(turn, 300), 78, initial_indent="    ", subsequent_indent="      ", break_on_hyphens=False
        )
        for turn in turns
    )
