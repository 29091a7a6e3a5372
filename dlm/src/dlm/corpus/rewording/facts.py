"""What the word lists may ask of a question before one word stands for another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from . import answers, parsing
from .answers import Answer
from .clause import Attribute, Clause
from .lexicon import Facts


@dataclass(frozen=True)
class Meaning:
    """A question with all that is known of it."""

    question: str
    before: str
    """Sentences that stand in front and stay there."""
    clause: Clause
    answer: Answer
    said: str
    """The whole answer."""

    @cached_property
    def facts(self) -> Facts:
        return of(self.clause, self.answer)

    @cached_property
    def attribute(self) -> Attribute | None:
        return parsing.attribute(self.clause)

    @cached_property
    def compound(self) -> bool:
        """Whether a second question hangs on the first: ``and by when``."""
        return bool(_SECOND.search(f" {self.clause.rest}")) or " and " in self.clause.wh

    @cached_property
    def turn(self) -> int:
        """Which of several frames comes first: as good as random, and the same each time."""
        from zlib import crc32

        return crc32(self.question.encode())


_SECOND = re.compile(
    r",? (?:and|or) (?:(?:by|for|at|in|on|to|from|with) )?(?:who|what|which|when|where|why|how|do|does|is)\b"
)


def of(clause: Clause, answer: Answer) -> Facts:
    """The facts that ``lexicon.Condition`` names."""
    words = clause.wh.lower().split() or ["yesno"]
    found = {words[0], answer.kind}
    if words[0] == "how" and len(words) > 1:
        found = {f"how{words[1]}", "degree", answer.kind}
    if words[0] in {"which", "what"} and len(words) > 1:
        found |= _of_noun(words[-1])
    if words[0] == "whom":
        found.add("who")
    found |= {"nonsubject"} if clause.subject else {"subject"}
    found |= {"generic"} if clause.generic else set()
    found |= {"passive"} if clause.passive else set()
    found |= {"alone"} if not clause.rest and not clause.prep else set()
    return frozenset(found - {""})


def _of_noun(noun: str) -> set[str]:
    if answers.is_group(noun):
        return {noun, "who"}
    if noun in {"time", "day", "date", "hour", "weekday", "year", "month"}:
        return {noun, "when"}
    return {noun, "where"} if noun in {"place", "location", "room", "building", "city", "town"} else {noun}
