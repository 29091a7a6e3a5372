"""What a short text says, word by word: its numbers with what they count, its names, its clauses, its denials.

English in its word lists. Nothing here compares two texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import NamedTuple

from ..corpus.asking.verbs import AUXILIARIES, DO, finite, gerund_base, participle_base
from ..corpus.frames import OPENERS
from ..corpus.nouns import singular
from ..corpus.sentences import FUNCTION_WORDS

_SMALL = frozenset(
    (
        "he she him his hers us me myself itself himself herself themselves not no never nor neither none cannot "
        "up out over under after before above below off again once until since because unless though although "
        "during between through against about approximately around roughly exactly also just here very too only "
        "more less most least all any both each every some such own same other others another yes ok please upon "
        "within without per via let like even still yet now already always usually while down back away along "
        "across n't don't doesn't didn't isn't aren't wasn't weren't can't couldn't won't wouldn't shouldn't "
        "mustn't hasn't haven't hadn't shan't am"
    ).split()
)
GENERIC = frozenset("call name title codename locate say tell please".split())
"""Base forms of words that carry no fact of their own."""
NEGATIONS = frozenset(
    "not no never nor neither none cannot without nobody nothing nowhere hardly except unless refuse forbid".split()
)
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_ONES = {word: n for n, word in enumerate("zero one two three four five six seven eight nine".split())}
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_COUNTS = {**_ONES, **_TENS, **{word: n for n, word in enumerate(_TEENS, start=10)}}
_NO_ONE = frozenset("no the that this any each which some every another other".split())
CALENDAR = frozenset(
    (
        "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
        "september october november december"
    ).split()
)
PICKING = frozenset(
    (
        "second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth 2nd 3rd red green blue yellow "
        "white black brown grey gray orange purple pink north south east west northern southern eastern western"
    ).split()
) | (CALENDAR - {"may"})
"""Words that pick one of several: of another day or colour a question asks something else."""
TELLING = PICKING | frozenset(
    (
        "first last 1st spring summer autumn winter hundred thousand million billion dozen half quarter double triple "
        "once twice thrice daily weekly monthly yearly hourly nightly annually morning afternoon evening night noon "
        "midnight am pm utc gmt only hour minute day week month year percent degree"
    ).split()
)
"""Words of which another of the same sort makes another fact."""
_UNITS = {"%": "percent", "$": "dollar", "€": "euro", "£": "pound", "°": "degree"}
_PIECE = re.compile(
    r"`(?P<code>[^`\n]+)`|(?P<tag>(?<!\w)[#@][\w-]*\w)|(?P<sign>(?<![\w)])[-−<>≤≥±](?=[$€£]?\d))?"
    r"(?P<number>(?<![^\W\d_])\d+(?:[.,:/]\d+)*)(?P<tail>[^\W_]*)|(?P<word>[^\W_](?:[\w’']*\w)?)|(?P<mark>[$€£%°])"
    r"|(?P<stop>[,;:.!?()\[\]|—–\n\"“”/]+)"
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_JOINTS = frozenset(
    "and or but if when because since unless while until which who whose where as so although though than".split()
)
_QUOTED = re.compile(r"[\"“]([^\"“”\n]{2,80})[\"”]")
_URL = re.compile(r"https?://[^\s)>\]]*[^\s)>\].,;:!?]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ENDINGS = ("ing", "ies", "es", "ed", "s", "e", "y")


class Word(NamedTuple):
    """One token."""

    low: str
    stem: str
    clause: int
    name: bool
    number: str
    """As digits; empty for what is none."""
    joined: bool
    """No punctuation stands before it."""

    @property
    def content(self) -> bool:
        """Whether it carries meaning by itself."""
        return (
            not self.number and self.low not in FUNCTION_WORDS and self.low not in _SMALL and self.stem not in _GENERIC
        )

    @property
    def denies(self) -> bool:
        return self.low in NEGATIONS or self.low.endswith(("n't", "n’t"))


class Number(NamedTuple):
    """A number with the words directly beside it; empty where none stands."""

    value: str
    before: str
    after: str
    clause: int


@dataclass(frozen=True)
class Vocabulary:
    """How a document writes its words."""

    proper: frozenset[str] = frozenset()
    """Lower-case forms of words that it writes with a capital inside a sentence, and nowhere small."""
    small: frozenset[str] = frozenset()
    """Words that it writes small."""
    terms: frozenset[str] = frozenset()
    """Small words that are names all the same: those called something."""

    def opens_with_name(self, word: str) -> bool:
        """Whether ``word``, the first of a sentence, is a name and not an ordinary word with a capital."""
        low = word.casefold()
        if low in self.proper:
            return True
        return not (low in self.small or ordinary(low))


@dataclass(frozen=True)
class Reading:
    """A text, read with a document's ``vocabulary``."""

    text: str
    vocabulary: Vocabulary = field(default_factory=Vocabulary, repr=False)

    @cached_property
    def words(self) -> tuple[Word, ...]:
        return tuple(self._words())

    @cached_property
    def stems(self) -> frozenset[str]:
        """Of all words, function words too; numbers as their digits."""
        return frozenset(word.number or word.stem for word in self.words)

    @cached_property
    def lows(self) -> frozenset[str]:
        """All words in lower case."""
        return frozenset(word.low for word in self.words)

    @cached_property
    def content(self) -> tuple[str, ...]:
        """The stems of content words, each once, in order."""
        return tuple(dict.fromkeys(word.stem for word in self.words if word.content))

    @cached_property
    def numbers(self) -> tuple[Number, ...]:
        found = []
        for at, word in enumerate(self.words):
            if word.number:
                found.append(Number(word.number, self._beside(at, -1), self._beside(at, 1), word.clause))
        return tuple(found)

    @cached_property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """Runs of capitalised words, in lower case."""
        runs: list[list[str]] = []
        open_run = False
        for word in self.words:
            if word.name and open_run and word.joined:
                runs[-1].append(word.low)
            elif word.name:
                runs.append([word.low])
            open_run = word.name
        return tuple(tuple(run) for run in runs)

    @cached_property
    def exact(self) -> tuple[str, ...]:
        """Code, tags, addresses and quoted words: said as they are written or not at all."""
        tags = (match["code"] or match["tag"] for match in _PIECE.finditer(self.text))
        return tuple(dict.fromkeys((*filter(None, tags), *_QUOTED.findall(self.text), *_URL.findall(self.text))))

    @cached_property
    def code(self) -> tuple[str, ...]:
        return tuple(match["code"] for match in _PIECE.finditer(self.text) if match["code"])

    @cached_property
    def clauses(self) -> tuple[tuple[Word, ...], ...]:
        count = max((word.clause for word in self.words), default=-1) + 1
        return tuple(tuple(word for word in self.words if word.clause == n) for n in range(count))

    @property
    def asserts(self) -> bool:
        """Whether it has a verb besides *be*."""
        return any(is_verb(word.low) for word in self.words if not word.name)

    def _beside(self, at: int, step: int) -> str:
        other = at + step
        if not 0 <= other < len(self.words):
            return ""
        word, joined = self.words[other], self.words[max(at, other)].joined
        return word.stem if joined and (word.content or word.stem in TELLING) else ""

    def _words(self) -> list[Word]:
        found: list[Word] = []
        clause, opening, joined = 0, True, True
        for match in _PIECE.finditer(self.text):
            if match["stop"]:
                joined = False
                opening = opening or any(mark in ".!?\n" for mark in match["stop"])
                clause += bool(found) and found[-1].clause == clause
                continue
            if match["number"] is not None:
                _add_number(found, match, clause, joined)
            elif match["mark"]:
                found.append(Word(_UNITS[match["mark"]], _UNITS[match["mark"]], clause, False, "", joined))
            else:
                inside = match["code"] or match["tag"] or match["word"]
                for part in re.findall(r"[^\W_](?:[\w’']*\w)?", inside):
                    clause += bool(found) and part.lower() in _JOINTS and found[-1].clause == clause
                    found.append(self._word(part, clause, opening, joined, match["word"] is None))
                    opening = False
                    joined = True
            opening, joined = False, True
        return _counted(found)

    def _word(self, part: str, clause: int, opening: bool, joined: bool, exact: bool) -> Word:
        low = part.casefold().replace("’", "'")
        bare = low.removesuffix("'s")
        capital = part[:1].isupper() and not exact and bare not in CALENDAR and part != "I"
        small = bare in FUNCTION_WORDS or bare in _SMALL or bare in OPENERS
        named = capital and not small and (not opening or self.vocabulary.opens_with_name(bare))
        if any(character.isdigit() for character in low):
            return Word(bare, bare, clause, named, bare, joined)
        return Word(bare, stem(bare), clause, named or (bare in self.vocabulary.terms), "", joined)


def _add_number(found: list[Word], match: re.Match[str], clause: int, joined: bool) -> None:
    value = _THOUSANDS.sub("", match["number"])
    if re.fullmatch(r"0\d:\d\d", value):
        value = value[1:]
    sign = (match["sign"] or "").replace("−", "-")
    tail = match["tail"].lower()
    if any(character.isdigit() for character in tail) or tail in ("st", "nd", "rd", "th"):
        value, tail = value + tail, ""
    found.append(Word(value, value, clause, False, sign + value, joined))
    if tail:
        found.append(Word(tail, stem(tail), clause, False, "", True))


def _counted(words: list[Word]) -> list[Word]:
    """``words`` with those that are numbers told as such: ``sixty-three`` is one word, 63."""
    found: list[Word] = []
    for at, word in enumerate(words):
        count = _COUNTS.get(word.low)
        if count is None or word.name or (word.low == "one" and not _counts_one(words, at)):
            found.append(word)
        elif found and 0 < count < 10 and found[-1].low in _TENS and word.joined and found[-1].clause == word.clause:
            found[-1] = found[-1]._replace(number=str(int(found[-1].number) + count), low=f"{found[-1].low}-{word.low}")
        else:
            found.append(word._replace(number=str(count)))
    return found


def _counts_one(words: list[Word], at: int) -> bool:
    before = words[at - 1].low if at else ""
    after = words[at + 1] if at + 1 < len(words) else None
    return before not in _NO_ONE and after is not None and after.content


@cache
def stem(word: str) -> str:
    """``word``, lower case, without what English adds to it; irregular verbs by their base form."""
    telling = word if word in TELLING or word == "seconds" else word.removesuffix("s")
    if telling in TELLING or telling == "seconds":
        return telling
    forms = finite(word)
    base = singular(word) or (forms[0].base if forms else "") or participle_base(word) or gerund_base(word) or word
    for ending in _ENDINGS:
        if base.endswith(ending) and len(base) - len(ending) >= 3:
            return base.removesuffix(ending)
    return base


_GENERIC = frozenset(stem(word) for word in GENERIC)


@cache
def ordinary(low: str) -> bool:
    """Whether ``low`` is a word that English has, and no name."""
    if low in FUNCTION_WORDS or low in OPENERS or low in _SMALL or low in TELLING or low in _COUNTS:
        return True
    return bool(singular(low) or finite(low) or participle_base(low) or gerund_base(low)) or low.endswith("ly")


@cache
def is_noun(low: str) -> bool:
    """Whether ``low`` is a known noun that is no verb as well."""
    return bool(singular(low)) and not finite(low)


@cache
def is_verb(low: str) -> bool:
    """Whether ``low`` is a form of a verb other than *be*, and no noun."""
    if low in AUXILIARIES or low in DO:
        return low not in ("is", "are", "was", "were", "am", "can", "will", "may")
    return bool(finite(low) or participle_base(low)) and not singular(low)
