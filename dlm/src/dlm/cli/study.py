"""``dlm study``."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..corpus.records import Record, StudySet

SAMPLES = 2


@click.command(short_help="Show what will be trained, and why.")
@click.argument("doc", type=click.Path())
@click.option("--seed", type=int, help="Over training.seed of the document.")
@click.option("--limit", type=click.IntRange(min=0), help=f"Records shown of each kind. Default: {SAMPLES}; JSON: all.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def study(doc: str, seed: int | None, limit: int | None, as_json: bool) -> None:
    """Show the records that would be trained from DOC, by kind, and what is held out. Needs no model.

    Files of its sources, and sections that are replayed from the store, are among them.
    """
    from pathlib import Path

    from ..corpus.study import build
    from ..document import read
    from ..store import home
    from ..training.material import collect
    from ..training.resolve import TrainOptions, recipe_for

    document = read(Path(doc))
    recipe = recipe_for(document.frontmatter, TrainOptions(seed=seed))
    found = build(document, recipe.seed, collect(document, home(), recipe.seed).more)
    if as_json:
        click.echo(json.dumps(_record(found, limit, recipe.seed), indent=2, ensure_ascii=False))
    else:
        click.echo(_text(found, SAMPLES if limit is None else limit))


def _record(found: StudySet, limit: int | None, seed: int) -> dict[str, Any]:
    from ..corpus.study import WHY

    kinds = [
        {
            "kind": kind,
            "why": WHY.get(kind, ""),
            "share": round(share, 4),
            "count": len(records),
            "records": [_plain(record) for record in records[:limit]],
        }
        for kind, share, records in _by_kind(found)
    ]
    aside = {"held_out": found.held_out, "probes": found.probes}
    return {"seed": seed, "kinds": kinds, **{name: [_plain(r) for r in records] for name, records in aside.items()}}


def _plain(record: Record) -> dict[str, Any]:
    plain: dict[str, Any] = {"group": record.group, "section_id": record.section_id, "objective": record.objective}
    if record.messages:
        return {**plain, "messages": [message._asdict() for message in record.messages]}
    return {**plain, "title": record.title, "text": record.text}


def _text(found: StudySet, limit: int) -> str:
    from ..corpus.study import WHY

    parts = []
    for kind, share, records in _by_kind(found):
        parts.append(f"{kind}: {len(records):,} records, {share:.0%} of the rows. {WHY.get(kind, '')}".rstrip())
        parts += [_sample(record) for record in records[:limit]]
        parts.append("")
    for name, records, why in (
        ("held out", found.held_out, "never trained; their loss picks the best weights"),
        ("probes", found.probes, "never trained, and kept from picking the weights too: `sway check` asks them"),
    ):
        parts.append(f"{name}: {len(records):,} record{'s' if len(records) != 1 else ''}, {why}.")
        parts += [*(_sample(record) for record in records[:limit]), ""]
    return "\n".join(parts).rstrip()


def _by_kind(found: StudySet) -> list[tuple[str, float, Sequence[Record]]]:
    return [
        (kind, share, [record for record in found.train if record.kind == kind])
        for kind, share in found.mixture.items()
    ]


def _sample(record: Record) -> str:
    turns = [f"{message.role}: {message.content}" for message in record.messages] or [f"text: {record.text}"]
    return "\n".join(
        textwrap.fill(
            textwrap.shorten(turn, 300), 78, initial_indent="    ", subsequent_indent="      ", break_on_hyphens=False
        )
        for turn in turns
    )
