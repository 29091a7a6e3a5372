"""What a document is asked: no model here. Answers are judged as the learning report judges them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .page import Page

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


class Choice(NamedTuple):
    """A multiple-choice item; the first answer is the right one."""

    question: str
    answers: tuple[str, ...]


class Change(NamedTuple):
    """A fact that may be edited: its value, and another of the same form that the page does not hold."""

    old: str
    new: str


def general() -> tuple[Choice, ...]:
    """General multiple-choice items, about no document's subject."""
    lines = (HERE / "general.txt").read_text("utf-8").splitlines()
    return tuple(Choice(question, tuple(answers)) for question, *answers in (line.split("|") for line in lines))


def chats() -> tuple[str, ...]:
    """General prompts on which the tuned model should speak like its base."""
    return tuple((HERE / "chats.txt").read_text("utf-8").splitlines())


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
    chats: tuple[str, ...] = field(default_factory=chats)
    general: tuple[Choice, ...] = field(default_factory=general)
    page: Page | None = None
    """What the document was written from; one that came as a file has none, and cannot be edited."""
    changes: tuple[Change, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """Every value once that gives the document away wherever it is said."""
        return tuple(dict.fromkeys(value for fact in self.facts if not fact.common for value in fact.values))

    def changed(self, change: Change) -> Exam:
        """The exam of the page after ``change``."""
        assert self.page is not None
        page = self.page.changed(*change)
        facts = tuple(
            replace(fact, values=tuple(change.new if value == change.old else value for value in fact.values))
            for fact in self.facts
        )
        return replace(self, document=page.text(), page=page, facts=facts)

    def without(self, heading: str) -> Exam:
        """The exam of the page without one section: the same questions, some of which it no longer answers."""
        assert self.page is not None
        page = self.page.without(heading)
        return replace(self, document=page.text(), page=page)


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
    facts = [_fact(entry) for entry in entries if entry["kind"] == "fact"]
    names = [name for entry in entries if entry["kind"] == "names" for name in entry["names"]]
    near, missing = (tuple(e["question"] for e in entries if e["kind"] == kind) for kind in ("near", "missing"))
    return Exam(path.stem, path.read_text("utf-8"), tuple(facts), tuple(names), near, missing)


def accuracy(scores: Sequence[Sequence[float]]) -> float:
    """Share of items whose first answer, the right one, has the highest score; a tie is no hit."""
    return sum(first > max(others) for first, *others in scores) / len(scores)


KEYS = {
    "fact": {"question", "values", "taught", "section"},
    "near": {"question"},
    "missing": {"question"},
    "names": {"names"},
}


def _fact(entry: dict[str, Any]) -> Asked:
    return Asked(
        question=entry["question"],
        values=tuple(entry["values"]),
        taught=entry["taught"],
        section=entry["section"],
        backwards=entry.get("backwards", False),
        common=entry.get("common", False),
    )


def _entry(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        entry: dict[str, Any] = json.loads(line)
        missing = KEYS[entry["kind"]] - entry.keys()
    except (ValueError, KeyError, TypeError) as problem:
        raise SystemExit(f"{path}:{number}: no entry of an exam ({problem!r})") from None
    if missing:
        raise SystemExit(f"{path}:{number}: lacks {', '.join(sorted(missing))}")
    return entry
