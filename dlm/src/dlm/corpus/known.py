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
from .sentences import FUNCTION_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .makers import Block
    from .records import Record

_WORD = re.compile(r"[^\W_]+")
_CAPITAL = r"[^\W\d_a-zß-öø-ÿ][\w]*[^\W\d_A-Z][\w]*(?:[-’'](?!s\b)\w+)*"
_NAMED = re.compile(rf"(?<![\w#@/.-]){_CAPITAL}(?:[ ]{_CAPITAL})*(?: \d+\b(?![:.,]\d))?")
_CODE = re.compile(r"(?<![\w#@/.`-])(?:[A-Za-z]+-?\d+|[A-Za-z]+(?:-[A-Za-z]+)+-\d+)(?![\w/-])")
_OPENS = re.compile(r"(?:^|[.!?:;…\n]|[-*+>|#]|\d[.)])[\s\"'“‘(\[*_]*$")
_CALENDAR = frozenset(
    (
        "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
        "september october november december"
    ).split()
)


def blurred(word: str) -> set[str]:
    """``word`` and what is left of it without any one letter: two words that share one of these look alike."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


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
        return frozenset(word.casefold() for word in self._as_written)

    @cached_property
    def _as_written(self) -> frozenset[str]:
        return frozenset(word for text in (*self.texts, *self.titles) for word in _WORD.findall(text))

    @cached_property
    def _forms(self) -> frozenset[str]:
        return frozenset(form for word in self.words if len(word) > 3 for form in blurred(word))

    @cached_property
    def _proper(self) -> frozenset[str]:
        """Words that are capitalised where nothing but being a name explains it."""
        found = {
            word.casefold()
            for text in self.texts
            for match in _NAMED.finditer(text)
            for word in _WORD.findall(match[0])[bool(_OPENS.search(text[max(0, match.start() - 8) : match.start()])) :]
        }
        return frozenset(found - self._as_written)

    def resembles(self, word: str) -> bool:
        """Whether ``word`` stands in the document or could be mistaken for a word that does."""
        small = word.casefold()
        return small in self.words or not self._forms.isdisjoint(blurred(small))

    def names(self, text: str) -> list[str]:
        """The names in ``text``, in order, each once; days and months are none."""
        found = [(match.start(), match[0]) for match in _CODE.finditer(text)]
        found += [(start, name) for start, name in self._capitalised(text)]
        inside = [name for _, name in sorted(found)]
        return list(dict.fromkeys(n for n in inside if not any(n != other and n in other.split() for other in inside)))

    def _capitalised(self, text: str) -> Iterator[tuple[int, str]]:
        for match in _NAMED.finditer(text):
            start, words = match.start(), match[0].split(" ")
            while words and not self._names(words[0]):
                start += len(words[0]) + 1
                words = words[1:]
            if words:
                yield start, " ".join(words)

    def _names(self, word: str) -> bool:
        small = word.casefold()
        parts = _WORD.findall(small)
        if not parts or small in OPENERS or small in FUNCTION_WORDS or small in _CALENDAR or parts[0].isdigit():
            return False
        return not self._proper.isdisjoint(parts)
