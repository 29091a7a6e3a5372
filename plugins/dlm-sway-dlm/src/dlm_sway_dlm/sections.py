"""A document's sections in the shape that sway's probes are given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from dlm._plugkit.errors import PluginError
from dlm.document import Block, Pair, Section
from dlm.document.formats import Triple
from dlm.errors import DlmError
from dlm_sway.errors import TargetError
from dlm_sway.scoring.types import Item
from dlm_sway.sections import Kind, SectionData, SectionPair, SectionPreference

if TYPE_CHECKING:
    from dlm.corpus.records import Record

_KINDS = get_args(Kind)


def read(path: Path, adapter: str | None = None) -> tuple[SectionData, ...]:
    """The sections of the document at ``path``, with what its current version never saw; untrained, its probes. Of a
    document that names adapters, what trains ``adapter``, else the first.

    Raises:
        TargetError: the document cannot be read.
    """
    from .target import learned, studied, turned

    try:
        found = learned(path, adapter)
        if found is None:
            return sections(_read_alone(path, adapter), ())
        study = studied(found)
        return sections((*found.document.sections, *found.more.change.sources), study.probes, turned(found, study))
    except (DlmError, PluginError) as error:
        # sway prints only its own errors without a traceback.
        raise TargetError(str(error)) from error


def _read_alone(path: Path, adapter: str | None) -> Sequence[Section]:
    """What the document holds before its first training, for every adapter or for ``adapter``."""
    from dlm.document import read as read_document
    from dlm.document.routing import declared, view

    document = read_document(path)
    if adapter is None:
        return document.sections
    if adapter not in (names := declared(document)):
        has = ", ".join(names) or "none"
        raise TargetError(f"{path} declares no adapter {adapter!r} ({has}): correct the name after the #")
    return view(document, adapter).sections


def sections(
    found: Iterable[Section], held_out: Iterable[Record], backwards: Iterable[Record] = ()
) -> tuple[SectionData, ...]:
    """``found``, each with the records of ``held_out`` and ``backwards`` that ask about it. Types that hold no text are
    left out."""
    unseen, back = _by_section(held_out), _by_section(backwards)
    return tuple(
        replace(_section(section, unseen[section.id]), reversed=tuple(back[section.id]))
        for section in found
        if section.type in _KINDS
    )


def _by_section(records: Iterable[Record]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = defaultdict(list)
    for record in records:
        found[record.section_id] += items([record])
    return found


def items(records: Iterable[Record]) -> Iterable[Item]:
    """Records that ask one question and answer it. Longer conversations have no single prompt to score.

    Wordings of one fact are one cluster: they are learned together, so they are not independent evidence.
    """
    for record in records:
        turns = [message for message in record.messages if message.role != "system"]
        if [turn.role for turn in turns] == ["user", "assistant"]:
            yield Item(prompt=turns[0].content, reference=turns[1].content, group=record.group)


def _section(section: Section, unseen: Sequence[Item]) -> SectionData:
    body = section.body if isinstance(section.body, tuple) else ()
    pairs = tuple(
        SectionPair(part.questions, part.answer, part.probe, part.id)
        for part in body
        if isinstance(part, Pair) and not part.before
    )
    # A document that was never trained has no study; its probes are held out all the same.
    probes = (Item(pair.questions[0], pair.answer, pair.group) for pair in pairs if pair.probe)
    return SectionData(
        id=section.id,
        kind=section.type,  # type: ignore[arg-type]
        text=section.content,
        tag=section.adapter or section.attributes.get("tag"),
        headings=tuple(part.headings[-1] for part in body if isinstance(part, Block) and part.headings),
        pairs=pairs,
        preferences=tuple(
            SectionPreference(part.prompt, part.chosen, part.rejected) for part in body if isinstance(part, Triple)
        ),
        held_out=tuple(unseen) or tuple(probes),
    )
