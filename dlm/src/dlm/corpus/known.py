"""Which words and which names a document holds. Nothing here writes a record.

A name is a capitalised word that does not only open a sentence and is nowhere written small, or a code such as
``pump-7``. The rule is for English and languages that write nouns small; elsewhere it finds too few names or too many.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from .frames import OPENERS
from .nouns import counted, singular
from .sentences import FUNCTION_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .makers import Block
    from .records import Record

_WORD = re.compile(r"[^\W_]+")
_NO_PROSE = re.compile(r"```.*?```|`[^`\n]*`|(?<![^\s`])(?:[^\s]*[^\s.,;:!?][@/\\][^\s]*|\S+\.\w{2,4}\b)", re.S)
_CAPITAL = r"[^\W\d_a-zß-öø-ÿ]\w*[^\W\d_A-Z]\w*(?:[-’'](?!s\b)\w+)*"
_NUMBERED = r" [A-Z]{0,3}-?\d+\b(?![:.,]\d)"
_CAN_BE_NO_PROSE = re.compile(r"[`@/\\]|\.\w")
"""Stands in whatever ``_NO_PROSE`` matches, and is found much faster."""
_BETWEEN = re.compile(r"(\W+)")
_NAMED = re.compile(rf"(?<![\w#@/.-]){_CAPITAL}(?:[ ]{_CAPITAL})*(?:{_NUMBERED})?")
_CODE = re.compile(r"(?<![\w#@/.`-])[A-Za-z]++(?:-?\d+|(?:-[A-Za-z]++)+-\d+)(?![\w/-])")
_OPENS = re.compile(r"(?:^|[.!?:;…\n]|[-*+>|#]|\d[.)])[\s\"'“‘(\[*_]*$")
_NEXT = re.compile(r" ([a-z]+)")
_CALENDAR = frozenset(
    (
        "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
        "september october november december"
    ).split()
)

_ADDRESS = frozenset("mr mrs ms dr prof st".split())


def blurred(word: str) -> set[str]:
    """``word`` and what is left of it without any one letter: two words that share one of these look alike."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def place(phrase: str, text: str) -> int:
    """Where ``phrase`` first stands in ``text``, not as part of longer words; -1 when nowhere."""
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        if not (at and _in_word(text[at - 1])) and not (end < len(text) and _in_word(text[end])):
            return at
        at = text.find(phrase, at + 1)
    return -1


def like_a_person(name: str) -> bool:
    """Whether ``name`` has the form of first and last name: two words, neither an ordinary noun."""
    words = name.split(" ")
    return len(words) == 2 and all(word.isalpha() and not singular(word.casefold()) for word in words)


@dataclass(frozen=True)
class Known:
    """The whole text of a document, asked about word by word."""

    texts: tuple[str, ...]
    titles: tuple[str, ...] = ()
    """Of the document and its headings, where capitals may mean nothing."""

    @classmethod
    def of(cls, questions: Iterable[Record], blocks: Iterable[Block], title: str = "") -> Known:
        """Everything that is said in the pairs and under the headings, each text once."""
        titles, said = [title], []
        for block in blocks:
            titles += block.record.title.split(" > ")
            said.append(block.record.text)
        said += [message.content for record in questions for message in record.messages]
        return cls(tuple(dict.fromkeys(said)), tuple(dict.fromkeys(titles)))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word and number, in lower case."""
        written = set().union(*map(_WORD.findall, (*self.texts, *self.titles)))
        return frozenset(map(str.casefold, written))

    @cached_property
    def in_order(self) -> list[str]:
        """:attr:`words`, sorted."""
        return sorted(self.words)

    def says(self, phrase: str) -> bool:
        """Whether ``phrase`` stands in the document, in whatever case."""
        small = phrase.casefold()
        parts = _BETWEEN.split(small)
        if not parts[0] or not parts[-1]:
            return self._holds(small)  # No word begins or ends it: the index cannot tell.
        if len(parts) == 1:
            return small in self._runs
        return self._runs.issuperset(_pairs(parts)) and (len(parts) == 3 or self._holds(small))

    def resembles(self, word: str) -> bool:
        """Whether ``word`` stands in the document or could be mistaken for a word that does."""
        small = word.casefold()
        return small in self.words or not self._forms.isdisjoint(blurred(small))

    def names(self, text: str) -> list[str]:
        """The names in ``text``, in order, each once; days, months and what is in a code span are none."""
        if (found := self._places.get(text)) is None:
            prose = _blanked(text)
            found = self._found(prose, _NAMED.finditer(prose))
        return list(dict.fromkeys(name for _, name in found))

    def is_person(self, name: str) -> bool:
        """Whether ``name`` looks like somebody's, or is part of one that does."""
        return like_a_person(name) or name in self._people

    @cached_property
    def standing_alone(self) -> frozenset[str]:
        """Names that somewhere stand before no noun: of the Calvin cycle nobody asks what Calvin costs."""
        return frozenset(name for name, after in self._followed if not after)

    @cached_property
    def standing_before(self) -> dict[str, frozenset[str]]:
        """The nouns that follow each name after an article: ``service`` in ``the Kestrel service``."""
        found: dict[str, set[str]] = {}
        for name, after in self._followed:
            if after.startswith("the "):
                found.setdefault(name, set()).add(after[4:])
        return {name: frozenset(kinds) for name, kinds in found.items()}

    @cached_property
    def _followed(self) -> frozenset[tuple[str, str]]:
        """Each name with the noun after it, with ``the`` when that stands before the name."""
        found = set()
        for text, places in zip(self._prose, self._places.values(), strict=True):
            for start, name in places:
                after = _NEXT.match(text, start + len(name))
                noun = after[1] if after and after[1] in counted() else ""
                found.add((name, f"the {noun}" if noun and text[:start].lower().endswith("the ") else noun))
        return frozenset(found)

    @cached_property
    def _small(self) -> tuple[str, ...]:
        return tuple(text.casefold() for text in (*self.texts, *self.titles))

    @cached_property
    def _runs(self) -> frozenset[str]:
        """Every word, and every two with what stands between them, in lower case; ``_`` belongs to a word."""
        found: set[str] = set()
        for text in self._small:
            parts = _BETWEEN.split(text)
            found.update(parts[::2])
            found.update(_pairs(parts))
        return frozenset(found)

    @cached_property
    def _places(self) -> dict[str, list[tuple[int, str]]]:
        """Where in each text names stand."""
        looked = zip(self.texts, self._prose, self._capitals, strict=True)
        return {text: self._found(prose, capitals) for text, prose, capitals in looked}

    @cached_property
    def _prose(self) -> tuple[str, ...]:
        return tuple(_blanked(text) for text in self.texts)

    @cached_property
    def _capitals(self) -> tuple[list[re.Match[str]], ...]:
        """What looks like a name in each text."""
        return tuple(list(_NAMED.finditer(text)) for text in self._prose)

    @cached_property
    def _forms(self) -> frozenset[str]:
        return frozenset(form for word in self.words if len(word) > 3 for form in blurred(word))

    @cached_property
    def _proper(self) -> frozenset[str]:
        """Words that are capitalised where nothing but being a name explains it."""
        found: set[str] = set()
        explained: set[str] = set()
        for text, matches in zip(self._prose, self._capitals, strict=True):
            for match in matches:
                if match[0] not in explained:
                    opens = _OPENS.search(text[max(0, match.start() - 8) : match.start()])
                    found.update(word.casefold() for word in _WORD.findall(match[0])[bool(opens) :])
                    if not opens:
                        explained.add(match[0])
        return frozenset(found.difference(*map(_WORD.findall, self._prose)))

    @cached_property
    def _people(self) -> frozenset[str]:
        names = (name for places in self._places.values() for _, name in places if like_a_person(name))
        return frozenset(word for name in names for word in name.split(" "))

    def _holds(self, small: str) -> bool:
        return any(place(small, text) >= 0 for text in self._small)

    def _found(self, prose: str, capitals: Iterable[re.Match[str]]) -> list[tuple[int, str]]:
        """The longest names with where they begin, in order."""
        codes = ((match.start(), match[0]) for match in _CODE.finditer(prose))
        found = sorted({*self._capitalised(capitals), *codes})
        names = {name for _, name in found}
        parts = {part for name in names if " " in name for part in name.split(" ")}
        return [(start, name) for start, name in found if name not in parts]

    def _capitalised(self, capitals: Iterable[re.Match[str]]) -> Iterator[tuple[int, str]]:
        for match in capitals:
            start, words = match.start(), match[0].split(" ")
            if words[-1].isdigit() and _counts(_NEXT.match(match.string, match.end())):
                words.pop()  # "Room 204" is a name; in "Osprey 70 files" the number counts the files.
            while words and not self._names(words[0]):
                start += len(words[0]) + 1
                words = words[1:]
            if words:
                yield start, " ".join(words)

    @cached_property
    def _names(self) -> Callable[[str], bool]:
        # The words of names come back in every second sentence.
        return cache(self._may_name)

    def _may_name(self, word: str) -> bool:
        small = word.casefold()
        if small in OPENERS or small in FUNCTION_WORDS or small in _ADDRESS or small.removesuffix("s") in _CALENDAR:
            return False
        return not self._proper.isdisjoint(part for part in _WORD.findall(small) if not part.isdigit())


def _blanked(text: str) -> str:
    """``text`` with code, addresses and file names replaced by as many spaces."""
    return _NO_PROSE.sub(lambda match: " " * len(match[0]), text) if _CAN_BE_NO_PROSE.search(text) else text


def _counts(after: re.Match[str] | None) -> bool:
    """Whether ``after`` is the plural that a number before it counts."""
    return after is not None and after[1] not in counted() and singular(after[1]) in counted()


def _pairs(parts: list[str]) -> Iterator[str]:
    """Of words with what stands between them, every two words as they are written."""
    return map("".join, zip(parts[:-2:2], parts[1::2], parts[2::2], strict=True))


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"
