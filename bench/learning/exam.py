"""What a document is asked, and how answers are judged: no model here.

An answer is right when it says the value, whole and as a value of its own: 7413 is not said by 17413 or 7413.5. Case,
markup and thousands separators do not matter.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HERE = Path(__file__).parent

Taught = Literal["pair", "prose"]


@dataclass(frozen=True)
class Asked:
    """One question in a wording that the document does not hold, and what the answer must say."""

    question: str
    values: tuple[str, ...]
    """All of them."""
    taught: Taught
    """``pair``: the document asks for the same fact in other words; ``prose``: it only states it."""
    section: str
    """Heading under which the fact stands."""
    backwards: bool = False
    """Asks from the value to the thing."""
    common: bool = False
    """Says something that any answer may say, like a colour: not counted as content of the document elsewhere."""


@dataclass(frozen=True)
class Exam:
    """Everything one document is asked."""

    name: str
    document: str
    """The text of the ``.dlm`` file; its ``base_model`` is replaced."""
    facts: tuple[Asked, ...]
    names: tuple[str, ...]
    """What the document calls its things: content of the document, as its values are."""
    near: tuple[str, ...]
    """General questions close to the subject."""
    missing: tuple[str, ...]
    """Questions about what the document does not say."""

    @property
    def values(self) -> tuple[str, ...]:
        """Every value once that gives the document away wherever it is said."""
        return tuple(dict.fromkeys(value for fact in self.facts if not fact.common for value in fact.values))


class Choice(NamedTuple):
    """A multiple-choice item; the first answer is the right one."""

    question: str
    answers: tuple[str, ...]


def says(answer: str, value: str) -> bool:
    """Whether ``value`` stands in ``answer``."""
    text, wanted = _plain(answer), _plain(value)
    before = r"(?<![0-9a-z])(?<![0-9][.:])" if wanted[0].isalnum() else ""
    after = r"(?![0-9a-z])(?![.:][0-9])" if wanted[-1].isalnum() else ""
    return re.search(before + re.escape(wanted) + after, text) is not None


def right(answer: str, values: Iterable[str]) -> bool:
    """Whether ``answer`` says every one of ``values``."""
    return all(says(answer, value) for value in values)


def content_of(answer: str, question: str, content: Iterable[str]) -> list[str]:
    """Which of the document's ``content`` the answer brings up that the question did not."""
    return [piece for piece in content if says(answer, piece) and not says(question, piece)]


def read_exam(path: Path) -> Exam:
    """The exam of a ``.dlm`` file: what the JSON Lines file of the same name says, beside it or here.

    A line is ``{"kind": "fact", "question", "values", "taught", "section"}``, ``{"kind": "near", "question"}``,
    ``{"kind": "missing", "question"}`` or ``{"kind": "names", "names"}``. A fact may be ``"backwards": true`` and
    ``"common": true``: see :class:`Asked`.
    """
    questions = next((p for p in (path.with_suffix(".jsonl"), HERE / f"{path.stem}.jsonl") if p.is_file()), None)
    if questions is None:
        raise SystemExit(f"{path}: there is no {path.with_suffix('.jsonl').name} that says what to ask: write one")
    entries = [_entry(questions, n, line) for n, line in enumerate(questions.read_text("utf-8").splitlines(), start=1)]
    facts = [
        Asked(
            question=entry["question"],
            values=tuple(entry["values"]),
            taught=entry["taught"],
            section=entry["section"],
            backwards=entry.get("backwards", False),
            common=entry.get("common", False),
        )
        for entry in entries
        if entry["kind"] == "fact"
    ]
    names = [name for entry in entries if entry["kind"] == "names" for name in entry["names"]]
    near, missing = (tuple(e["question"] for e in entries if e["kind"] == kind) for kind in ("near", "missing"))
    return Exam(path.stem, path.read_text("utf-8"), tuple(facts), tuple(names), near, missing)


def general() -> list[Choice]:
    """General multiple-choice items, about no document's subject."""
    lines = (HERE / "general.txt").read_text("utf-8").splitlines()
    return [Choice(question, tuple(answers)) for question, *answers in (line.split("|") for line in lines)]


def chats() -> list[str]:
    """General prompts on which the tuned model should speak like its base."""
    return (HERE / "chats.txt").read_text("utf-8").splitlines()


def accuracy(scores: Sequence[Sequence[float]]) -> float:
    """Share of items whose first answer, the right one, has the highest score; a tie is no hit."""
    return sum(first > max(others) for first, *others in scores) / len(scores)


KEYS = {
    "fact": {"question", "values", "taught", "section"},
    "near": {"question"},
    "missing": {"question"},
    "names": {"names"},
}


def _entry(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        entry: dict[str, Any] = json.loads(line)
        missing = KEYS[entry["kind"]] - entry.keys()
    except (ValueError, KeyError, TypeError) as problem:
        raise SystemExit(f"{path}:{number}: no entry of an exam ({problem!r})") from None
    if missing:
        raise SystemExit(f"{path}:{number}: lacks {', '.join(sorted(missing))}")
    return entry


def _plain(text: str) -> str:
    """Lower case, one blank between words, no markup, no thousands separators, plain hyphens."""
    text = re.sub(r"[`*_\"“”]", "", text.casefold()).replace("\u2011", "-").replace("\u2010", "-")
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    return " ".join(text.split())
