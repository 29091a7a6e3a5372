"""The questions about a document that its training never saw, each with what a right answer says.

Three sources: the document's ``!probe`` pairs, the wordings that the study set holds out, and the user's own file.
What else is asked, about the rest of the world, lies in :mod:`.paper`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..errors import UsageProblem
from .expected import Expected, expected

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence
    from pathlib import Path

    from ..corpus.records import Record, StudySet
    from ..document import Document
    from .shelf import Shelf

Source = Literal["probe", "held_out", "user"]
Taught = Literal["pair", "prose", "unknown"]
ORDER: tuple[Source, ...] = ("user", "probe", "held_out")
"""Who is asked first, and kept when there are too many."""
FORM = '{"question": "...", "answer": "..."} or {"question": "...", "values": ["..."]}'


@dataclass(frozen=True)
class Asked:
    """One question in a wording that was never trained."""

    question: str
    expected: Expected
    source: Source
    taught: Taught = "unknown"
    """Whether a pair of the document asks for the same, or only its text states it."""
    section_id: str = ""
    heading: str = ""
    """Where the document says it; empty when it is found nowhere."""
    passage: str = ""
    """What a reader would have open to answer it."""

    @property
    def fact(self) -> tuple[str, ...]:
        """The same for all wordings of one fact: they stand or fall together."""
        said = self.expected.values or self.expected.words
        return (self.section_id, *sorted(value.casefold() for value in said))


class Own(NamedTuple):
    """A line of the user's file."""

    question: str
    expected: Expected | None
    heading: str = ""


class LeftOut(NamedTuple):
    """A question that is not asked."""

    question: str
    why: str


class Questions(NamedTuple):
    """What is asked about the document, and what is not."""

    asked: tuple[Asked, ...]
    left_out: tuple[LeftOut, ...]


def questions(
    study: StudySet,
    own: Iterable[Own],
    shelf: Shelf,
    seed: int,
    limit: int | None,
    *,
    probed: bool,
    heard: Container[str] = frozenset(),
) -> Questions:
    """All of ``own``, and at most ``limit`` of the study set's; a question that was trained as it stands is left out.

    ``heard`` are questions that were trained besides those of ``study``. ``probed``: the document has probes itself.
    Which of too many are asked depends on the seed and on each question alone.
    """
    trained = {_plain(turn.content) for record in study.train for turn in record.messages if turn.role == "user"}
    found: dict[str, Asked] = {}
    left_out: list[LeftOut] = []
    probes: Source = "probe" if probed else "held_out"
    for one in (*_own(own), *_of(study.probes, probes), *_of(study.held_out, "held_out")):
        if isinstance(one, LeftOut):
            left_out.append(one)
        elif _plain(one.question) in trained or one.question in heard:
            left_out.append(LeftOut(one.question, "it was trained in these words"))
        else:
            found.setdefault(_plain(one.question), one)
    asked = _chosen(list(found.values()), seed, limit)
    return Questions(tuple(_placed(one, shelf) for one in asked), tuple(left_out))


def own_file(folder: Path | None, stem: str) -> Path | None:
    """The user's questions beside a document: ``NAME.questions.jsonl``, else ``questions.jsonl``."""
    names = (f"{stem}.questions.jsonl", "questions.jsonl")
    return next((path for name in names if folder and (path := folder / name).is_file()), None)


def own_questions(document: Document, path: Path | None = None) -> list[Own]:
    """The user's questions about ``document``: those in ``path``, else in the file beside it, if there is one.

    Raises:
        UsageProblem: they cannot be read.
    """
    path = path or own_file(document.folder, document.path.stem if document.path else "")
    return read_own(path) if path else []


def read_own(path: Path) -> list[Own]:
    """The user's questions.

    Raises:
        UsageProblem: the file cannot be read, or lines of it are no questions with answers; names every one.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageProblem(f"{path} cannot be read as UTF-8 text: {problem}") from problem
    found, mistakes = [], []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            one = _line(line)
            if isinstance(one, str):
                mistakes.append(f"{path}:{number}: {one}: write {FORM} on the line")
            else:
                found.append(one)
    if mistakes:
        raise UsageProblem("\n".join(mistakes))
    if not found:
        raise UsageProblem(f"{path} has no question: write {FORM} on a line")
    return found


def _line(line: str) -> Own | str:
    """A question, or what is wrong with the line."""
    try:
        entry: Any = json.loads(line)
    except ValueError:
        return "this is no JSON"
    if not isinstance(entry, dict) or not _text(entry.get("question")):
        return "there is no question"
    question, heading = entry["question"].strip(), str(entry.get("section") or "")
    if "values" in entry:
        values = entry["values"]
        if not isinstance(values, list) or not values or not all(_text(value) for value in values):
            return "values is not a list of texts"
        return Own(question, Expected(tuple(value.strip() for value in values)), heading)
    if not _text(entry.get("answer")):
        return "there is neither an answer nor values"
    return Own(question, expected(question, entry["answer"]), heading)


def _own(own: Iterable[Own]) -> Iterator[Asked | LeftOut]:
    for one in own:
        if one.expected is None:
            yield LeftOut(one.question, "nothing in its answer can be told right from wrong: give values")
        else:
            yield Asked(one.question, one.expected, "user", heading=one.heading)


def _of(records: Iterable[Record], source: Source) -> Iterator[Asked | LeftOut]:
    for record in records:
        *before, question, answer = record.messages
        if any(turn.role == "user" for turn in before):
            yield LeftOut(question.content, "it goes on a conversation")
        elif found := expected(question.content, answer.content):
            yield Asked(question.content, found, source, section_id=record.section_id)
        else:
            yield LeftOut(question.content, "nothing in its answer can be told right from wrong")


def _chosen(found: list[Asked], seed: int, limit: int | None) -> list[Asked]:
    """The user's own, and as many others as ``limit`` allows, probes first; in the order in which they were found."""
    if limit is None:
        return found

    def luck(index: int) -> tuple[int, bytes]:
        one = found[index]
        return ORDER.index(one.source), hashlib.sha256(f"{seed}\nasked\n{one.question}".encode()).digest()

    others = sorted((index for index, one in enumerate(found) if one.source != "user"), key=luck)
    kept = set(others[:limit])
    return [one for index, one in enumerate(found) if one.source == "user" or index in kept]


def _placed(one: Asked, shelf: Shelf) -> Asked:
    place = shelf.find(one.question, one.expected, one.section_id, one.heading)
    if place is None:
        return one
    return replace(
        one,
        taught=place.taught,
        section_id=place.section_id,
        heading=place.heading,
        passage=place.passage,
    )


def as_lines(asked: Sequence[Asked]) -> Iterator[dict[str, Any]]:
    """What ``dlm prompt --file`` can ask, with what is expected."""
    for one in asked:
        yield {
            "question": one.question,
            "kind": "fact",
            "source": one.source,
            "section": one.heading,
            **_judged(one.expected),
        }


def _judged(wanted: Expected) -> dict[str, Any]:
    return {"expected": list(wanted.values or wanted.words), "judged": wanted.judged}


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
