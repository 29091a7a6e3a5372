"""Which words and which names a document holds. Nothing here writes a record.

A name is a capitalised word that does not only open a sentence and is nowhere written small, or a code such as
``pump-7``. The rule is for English and languages that write nouns small; elsewhere it finds too few names or too many.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .frames import OPENERS
from .nouns import counted, singular
from .sentences import FUNCTION_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .makers import Block
    from .records import Record

_WORD = re.compile(r"[^\W_]+")
_NO_PROSE = re.compile(r"```.*?```|`[^`\n]*`|[^\s]*[^\s.,;:!?][@/\\][^\s]*|\S+\.\w{2,4}\b", re.S)
_CAPITAL = r"[^\W\d_a-zß-öø-ÿ]\w*[^\W\d_A-Z]\w*(?:[-’'](?!s\b)\w+)*"
_NUMBERED = r" [A-Z]{0,3}-?\d+\b(?![:.,]\d)"
_NAMED = re.compile(rf"(?<![\w#@/.-]){_CAPITAL}(?:[ ]{_CAPITAL})*(?:{_NUMBERED})?")
_CODE = re.compile(r"(?<![\w#@/.`-])(?:[A-Za-z]+-?\d+|[A-Za-z]+(?:-[A-Za-z]+)+-\d+)(?![\w/-])")
_OPENS = re.compile(r"(?:^|[.!?:;…\n]|[-*+>|#]|\d[.)])[\s\"'“‘(\[*_]*$")
_NEXT = re.compile(r" ([a-z]+)")
_CALENDAR = frozenset(
    (
        "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
        "september october november december"
    ).split()
)


def blurred(word: str) -> set[str]:
    """``word`` and what is left of it without any one letter: two words that share one of these look alike."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


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
        return frozenset(word.casefold() for text in (*self.texts, *self.titles) for word in _WORD.findall(text))

    @cached_property
    def in_order(self) -> list[str]:
        """:attr:`words`, sorted."""
        return sorted(self.words)

    def says(self, phrase: str) -> bool:
        """Whether ``phrase`` stands in the document, in whatever case."""
        small = phrase.casefold()
        return small in self._all and re.search(rf"(?<!\w){re.escape(small)}(?!\w)", self._all) is not None

    def resembles(self, word: str) -> bool:
        """Whether ``word`` stands in the document or could be mistaken for a word that does."""
        small = word.casefold()
        return small in self.words or not self._forms.isdisjoint(blurred(small))

    def names(self, text: str) -> list[str]:
        """The names in ``text``, in order, each once; days, months and what is in a code span are none."""
        return list(dict.fromkeys(name for _, name in self._found(_blanked(text))))

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
        for text in self._prose:
            for start, name in self._found(text):
                after = _NEXT.match(text, start + len(name))
                noun = after[1] if after and after[1] in counted() else ""
                found.add((name, f"the {noun}" if noun and text[:start].lower().endswith("the ") else noun))
        return frozenset(found)

    @cached_property
    def _all(self) -> str:
        return "\n".join((*self.texts, *self.titles)).casefold()

    @cached_property
    def _prose(self) -> tuple[str, ...]:
        return tuple(_blanked(text) for text in self.texts)

    @cached_property
    def _forms(self) -> frozenset[str]:
        return frozenset(form for word in self.words if len(word) > 3 for form in blurred(word))

    @cached_property
    def _proper(self) -> frozenset[str]:
        """Words that are capitalised where nothing but being a name explains it."""
        found = set()
        for text in self._prose:
            for match in _NAMED.finditer(text):
                opens = _OPENS.search(text[max(0, match.start() - 8) : match.start()])
                found |= {word.casefold() for word in _WORD.findall(match[0])[bool(opens) :]}
        return frozenset(found - {word for text in self._prose for word in _WORD.findall(text)})

    @cached_property
    def _people(self) -> frozenset[str]:
        names = (name for text in self._prose for _, name in self._capitalised(text) if like_a_person(name))
        return frozenset(word for name in names for word in name.split(" "))

    def _found(self, prose: str) -> list[tuple[int, str]]:
        """The longest names with where they begin, in order."""
        codes = ((match.start(), match[0]) for match in _CODE.finditer(prose))
        found = sorted({*self._capitalised(prose), *codes})
        names = {name for _, name in found}
        parts = {part for name in names if " " in name for part in name.split(" ")}
        return [(start, name) for start, name in found if name not in parts]

    def _capitalised(self, text: str) -> Iterator[tuple[int, str]]:
        for match in _NAMED.finditer(text):
            start, words = match.start(), match[0].split(" ")
            after = _NEXT.match(text, match.end())
            if words[-1].isdigit() and after and after[1] not in counted() and singular(after[1]) in counted():
                words.pop()  # "Room 204" is a name; in "Osprey 70 files" the number counts the files.
            while words and not self._names(words[0]):
                start += len(words[0]) + 1
                words = words[1:]
            if words:
                yield start, " ".join(words)

    def _names(self, word: str) -> bool:
        small = word.casefold()
        if small in OPENERS or small in FUNCTION_WORDS or small.removesuffix("s") in _CALENDAR:
            return False
        return not self._proper.isdisjoint(part for part in _WORD.findall(small) if not part.isdigit())


def _blanked(text: str) -> str:
    """``text`` with code, addresses and file names replaced by as many spaces."""
    return _NO_PROSE.sub(lambda match: " " * len(match[0]), text)
