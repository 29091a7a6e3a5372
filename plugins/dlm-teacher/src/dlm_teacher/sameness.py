"""Whether a wording asks what a question asks: by names, numbers, kind of answer, negation and nearest question.

Meaning is not looked at, so a wording must keep what can be compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dlm.corpus.sentences import key_span

from .spans import likeness, missing, negated, plain, spans, stem, stems, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Kind = Literal["person", "time", "place", "amount", "reason", "manner", "thing", "yes or no"]

NEAR_COPY = 0.8
"""Share of words in common from which a wording is another question, retyped."""
CLEARLY = 0.2
"""By how much more words in common another question is the nearer one."""
_KINDS: tuple[tuple[str, Kind], ...] = (
    (
        r"\bhow (?:many|much|long|often|far|old|big|large|high|deep|fast|wide|tall|soon|late|early|few|heavy)\b",
        "amount",
    ),
    (r"\b(?:at )?what (?:time|date|day|year|month|hour)\b|\bwhen\b", "time"),
    (r"\bwho(?:m|se)?\b|\bwho's\b", "person"),
    (r"\bwhere\b|\bwhere's\b", "place"),
    (r"\bwhy\b|\bhow come\b|\bwhat for\b", "reason"),
    (r"\bwhat(?:'s)?\b|\bwhich\b", "thing"),
    (r"\bhow\b", "manner"),
)
_YES_NO = re.compile(
    r"^(?:is|are|was|were|do|does|did|can|could|should|would|will|has|have|had|may|must|might)\b", re.I
)
_REQUEST = re.compile(
    r"^(?:can|could|would|will|may) (?:you|i|someone|anyone|anybody|we)\b|^do you (?:know|happen|have|remember|mind)\b"
    r"|^(?:is|are) (?:there|it possible)\b|^does any(?:one|body)\b|^have you\b|^any (?:idea|chance)\b|^do we\b",
    re.I,
)
_TIME = re.compile(
    r"\d|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:january|february|march|april|may|june|july|august"
    r"|september|october|november|december|morning|noon|evening|night|midnight|daily|weekly|monthly|yearly|annually"
    r"|hourly|week|month|year|day|hour|minute|second|spring|summer|autumn|fall|winter|after|before|until|during|once"
    r"|every|as soon as|when|while|immediately|always|never|today|tomorrow)s?\b",
    re.I,
)
_AMOUNT = re.compile(
    r"\d|\b(?:one|once|twice|half|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|twenty|thirty|forty|fifty"
    r"|sixty|seventy|eighty|ninety|hundred|thousand|million|no|none|every|each|daily|weekly|monthly|yearly|hourly|always"
    r"|never|until|all|several|few|many|most)\b",
    re.I,
)
_REASON = re.compile(r"\b(?:because|since|so that|to|due|as|for|otherwise|reason|would|by)\b", re.I)
_OPPOSITES = tuple(
    (one, other)
    for pair in (
        "first/last before/after open/close start/stop start/end begin/end maximum/minimum most/least highest/lowest "
        "longest/shortest largest/smallest oldest/newest earliest/latest more/less above/below inside/outside "
        "allow/forbid enable/disable add/remove buy/sell arrive/leave arrival/departure enter/exit import/export "
        "upload/download "
        "send/receive lend/borrow north/south east/west left/right up/down top/bottom input/output read/write "
        "win/lose"
    ).split()
    for one, other in (tuple(stem(word) for word in pair.split("/")),)
)


@dataclass(frozen=True)
class Asked:
    """A question of the document, with its answer and the words that stand before it."""

    question: str
    answer: str
    about: str = ""
    """The document's title and the turns before: names from there may be added."""


def kind_of(question: str) -> Kind:
    """What sort of answer ``question`` wants. A request or a bare topic wants a thing."""
    for pattern, kind in _KINDS:
        if re.search(pattern, question, re.I):
            return kind
    return "yes or no" if _YES_NO.match(question) and not _REQUEST.match(question) else "thing"


@dataclass(frozen=True)
class Rival:
    """A question as it is compared with many."""

    words: frozenset[str]
    stems: frozenset[str]
    plain: str

    @classmethod
    def of(cls, question: str) -> Rival:
        found = tokens(question)
        return cls(frozenset(found), stems(question), " ".join(found))


def rivals(question: str, others: Iterable[Rival]) -> list[Rival]:
    """Those of ``others`` that name what ``question`` names, and so could be what a wording of it asks."""
    named = spans(question).all
    return [other for other in others if not missing(named, other.words)]


def fault(wording: str, asked: Asked, others: Sequence[Rival]) -> str | None:
    """Why ``wording`` does not ask what ``asked`` does, as a reason to count; ``None`` when nothing speaks against it.

    ``others`` are the :func:`rivals` of the question among those of other pairs.
    """
    if plain(wording) == plain(asked.question):
        return "repeated"
    if missing(spans(asked.question).all, tokens(wording)):
        return "names or numbers left out"
    if missing(spans(wording).all, tokens(f"{asked.question} {asked.about}")):
        return "names or numbers added"
    if _tells(wording, asked):
        return "gives the answer away"
    if not _same_kind(wording, asked) or negated(wording) != negated(asked.question) or _opposed(wording, asked):
        return "asks something else"
    return "asks something else" if _nearer(wording, asked, others) else None


def near_copy(question: str, reserved: Sequence[Rival], trained: Sequence[Rival] = ()) -> bool:
    """Whether ``question`` is one of ``reserved``, holds one, or has nearly the same words.

    A reserved question may be one of ``trained`` in a frame; what is no farther from that one gives nothing away.
    """
    mine = Rival.of(question)
    least = max((likeness(mine.words, one.words) for one in trained), default=0.0)
    return any(
        f" {one.plain} " in f" {mine.plain} " or NEAR_COPY <= likeness(mine.words, one.words) > least
        for one in reserved
        if one.plain
    )


def _tells(wording: str, asked: Asked) -> bool:
    gap = key_span(asked.answer, frozenset(tokens(f"{asked.question} {asked.about}")))
    if gap is None:
        return False
    value, given = frozenset(tokens(gap.span)), tokens(asked.question)
    # A span that shares a word with the question is not what it asks for.
    return missing(value, given) == sorted(value) and not missing(value, tokens(wording))


def _same_kind(wording: str, asked: Asked) -> bool:
    mine, theirs = kind_of(wording), kind_of(asked.question)
    if mine == theirs:
        return True
    if "yes or no" in (mine, theirs):
        return False
    return ("thing" in (mine, theirs) or {mine, theirs} == {"time", "amount"}) and _fits(mine, asked)


def _fits(kind: Kind, asked: Asked) -> bool:
    """Whether the answer, without what the question says already, may be one to a question of ``kind``."""
    wanted = {"time": _TIME, "amount": _AMOUNT, "reason": _REASON}
    given = set(tokens(asked.question))
    new = " ".join(token for token in tokens(asked.answer) if token not in given)
    return kind not in wanted or wanted[kind].search(new) is not None


def _opposed(wording: str, asked: Asked) -> bool:
    mine, theirs = stems(wording), stems(asked.question)
    for one, other in _OPPOSITES:
        for here, there in ((one, other), (other, one)):
            if here in theirs - mine and there in mine - theirs:
                return True
    return False


def _nearer(wording: str, asked: Asked, others: Sequence[Rival]) -> bool:
    """Whether a question about something else has clearly more of the wording's words."""
    mine = Rival.of(wording)
    least = likeness(mine.stems, stems(asked.question)) + CLEARLY
    return any(other.plain == mine.plain or likeness(mine.stems, other.stems) > least for other in others)
