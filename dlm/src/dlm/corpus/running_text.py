"""The text of a document as text: whether a phase of its own learns it, and which parts of it are never trained.

The records are those of the kind :data:`KIND`. How they are trained is the phase's: :mod:`dlm.training.continued`.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from .sentences import sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..document.frontmatter import Frontmatter
    from .records import Record, StudySet

KIND = "text"
MOSTLY = 0.7
"""Share of prose in what is written from which a document counts as prose."""
LARGE = 200_000
"""Characters of prose, about 50,000 tokens: what `normal` effort, at its upper bound, still studies to the full. A
shorter text is learned better through the questions that are made of it."""
APART = 0.05
"""Share of the prose that is never trained."""
MOST_APART = 40_000
"""Characters of it, of a long document: scoring more at every evaluation would tell no more."""
PIECE = 1500
"""Characters that are held out at once, about: some paragraphs."""
LEAST_PIECES = 12
"""Of fewer, none is held out: too much of the document would not be learned."""
LONG = 40
"""Characters of a sentence that would give a held-out text away if it stood elsewhere too."""
_WORD = re.compile(r"[\w-]*\w")
_BLANK = re.compile(r"\n[ \t]*\n+")


class Wanted(NamedTuple):
    """Whether the text is learned as text first."""

    really: bool
    why: str
    """In one line, without the name of the phase."""


class RunningText(NamedTuple):
    """What the writer wrote, less what is never trained, and that."""

    primary: tuple[Record, ...]
    trained: tuple[Record, ...]
    """The text of every block as it is written; empty when no phase learns it."""
    held_out: tuple[Record, ...]


def wanted(frontmatter: Frontmatter, primary: Sequence[Record]) -> Wanted:
    """What ``training.cpt.schedule`` means for a document with the records ``primary``."""
    prose = sum(len(record.text) for record in primary if not record.messages)
    written = prose + sum(len(turn.content) for record in primary for turn in record.messages)
    size = f"{prose / 1000:,.{0 if prose >= 10_000 else 1}f} kB of prose"
    schedule = frontmatter.training.cpt.schedule
    if not prose:
        return Wanted(False, "the document has no prose")
    if schedule == "dapt":
        return Wanted(True, f"training.cpt.schedule is dapt; {size}")
    if schedule == "sft":
        return Wanted(False, "training.cpt.schedule is sft")
    if prose < MOSTLY * written:
        return Wanted(False, f"{prose / written:.0%} of the text is prose, and schedule: auto wants {MOSTLY:.0%}")
    if prose < LARGE:
        return Wanted(False, f"{size}, and schedule: auto wants {LARGE / 1000:,.0f} kB")
    return Wanted(True, f"{size}, {prose / written:.0%} of the text")


def told(frontmatter: Frontmatter, primary: Sequence[Record]) -> str:
    """One line about what was decided and why; empty where nobody asked and nothing is done."""
    found = wanted(frontmatter, primary)
    if found.really:
        return f"phase cpt: the text is learned as text first: {found.why}"
    asked = "schedule" in frontmatter.training.cpt.model_fields_set
    return f"phase cpt: left out: {found.why}" if asked else ""


def set_apart(primary: Sequence[Record], seed: int) -> RunningText:
    """Hold out some pieces of the text, chosen by a hash of each: an edit elsewhere changes no other choice.

    A piece that shares a long sentence with anything else that is written is never chosen, so no copy of it is trained.
    """
    pieces = [(at, piece) for at, record in enumerate(primary) if not record.messages for piece in _pieces(record)]
    texts = [text for _, text in pieces] + [turn.content for record in primary for turn in record.messages]
    said = Counter(sentence for text in texts for sentence in set(long_sentences(text)))
    chosen = _chosen(pieces, said, seed) if len(pieces) >= LEAST_PIECES else {}
    kept = [_without(record, chosen.get(at, [])) for at, record in enumerate(primary)]
    rest = tuple(record for record in kept if record is not None)
    return RunningText(
        rest,
        tuple(replace(record, kind=KIND, objective="text") for record in rest if not record.messages),
        tuple(
            replace(primary[at], kind="held_out_text", objective="text", text=text)
            for at, texts in chosen.items()
            for text in texts
        ),
    )


def added(study: StudySet, running: RunningText) -> StudySet:
    """``study`` and, for a phase of its own, the running text.

    Nothing else changes, but that no record says of what only a held-out text names that the document does not.
    """
    if not running.trained:
        return study
    apart = _words(running.held_out) - _words(running.primary)
    train = [record for record in study.train if record.kind != "absent" or not apart & _words([record])]
    return replace(
        study,
        train=(*train, *running.trained),
        mixture={KIND: 1.0, **study.mixture},
        held_out_text=running.held_out,
    )


def _chosen(pieces: Sequence[tuple[int, str]], said: Counter[str], seed: int) -> dict[int, list[str]]:
    """Texts to hold out, by the index of their record."""
    room = min(APART * sum(len(text) for _, text in pieces), MOST_APART)
    found: dict[int, list[str]] = {}
    for at, text in sorted(pieces, key=lambda piece: _luck(piece[1], seed)):
        if room <= 0:
            break
        long = long_sentences(text)
        if long and all(said[sentence] == 1 for sentence in long):
            found.setdefault(at, []).append(text)
            room -= len(text)
    return {at: found[at] for at in sorted(found)}


def _pieces(record: Record) -> Iterator[str]:
    """The paragraphs of a block, some together; a short block is one piece."""
    piece: list[str] = []
    for paragraph in _paragraphs(record.text):
        if piece and sum(map(len, piece)) + len(paragraph) > PIECE:
            yield "\n\n".join(piece)
            piece = []
        piece.append(paragraph)
    if piece:
        yield "\n\n".join(piece)


def _without(record: Record, texts: Iterable[str]) -> Record | None:
    """``record`` without the paragraphs of ``texts``; ``None`` when nothing is left of it."""
    gone = {paragraph for text in texts for paragraph in _paragraphs(text)}
    if not gone:
        return record
    left = [paragraph for paragraph in _paragraphs(record.text) if paragraph not in gone]
    return replace(record, text="\n\n".join(left)) if left else None


def _paragraphs(text: str) -> list[str]:
    return [paragraph for paragraph in _BLANK.split(text) if paragraph.strip()]


def long_sentences(text: str) -> list[str]:
    """The sentences of ``text`` that would give it away where they stand too, in one spelling."""
    plain = (" ".join(one.casefold().split()) for part in _paragraphs(text) for one in sentences(part))
    return [one for one in plain if len(one) >= LONG]


def _words(records: Iterable[Record]) -> set[str]:
    said = (text for record in records for text in (record.text, *(turn.content for turn in record.messages)))
    return {match.group().casefold() for text in said for match in _WORD.finditer(text)}


def _luck(text: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\napart\n{text}".encode("utf-8", "surrogatepass")).digest()
