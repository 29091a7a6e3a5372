"""A text taken apart into what each of its sentences, lines and rows says, to hold claims against."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dlm.corpus import sentences

from .spans import is_content, stem, stems, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

POINTERS = frozenset("it its they them their he she his her him this that these those there".split())
"""Words that stand for something said before."""
_DETERMINERS = frozenset("a an the our my your every each all both some any".split())
_FENCE = re.compile(r"\s*(?:```|~~~)")
_SUBJECT = 4


@dataclass(frozen=True)
class Unit:
    """One sentence, list item or row: what it says must be said by it, not by its neighbours."""

    text: str
    inherited: frozenset[str] = frozenset()
    """Words of what its pronouns stand for, or of the line that its list or table starts with."""

    @cached_property
    def tokens(self) -> frozenset[str]:
        return frozenset(tokens(self.text)) | self.inherited

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(stem(token) for token in self.tokens)


@dataclass(frozen=True)
class Source:
    """A text with the headings above it."""

    title: str
    text: str

    @property
    def near(self) -> str:
        return f"{self.title}\n{self.text}"

    @cached_property
    def tokens(self) -> frozenset[str]:
        """Words of the text and of the headings."""
        return frozenset(tokens(self.near))

    @cached_property
    def stems(self) -> frozenset[str]:
        """Content words of both without endings."""
        return stems(self.near)

    @cached_property
    def title_tokens(self) -> frozenset[str]:
        return frozenset(tokens(self.title))

    @cached_property
    def title_stems(self) -> frozenset[str]:
        return stems(self.title)

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        found: list[Unit] = []
        lead = ""
        for paragraph in sentences.paragraphs(self.text):
            if paragraph.running:
                found += _sentences(paragraph.text)
            elif _FENCE.match(paragraph.text):
                found.append(Unit(paragraph.text, frozenset(tokens(lead))))
            else:
                found += _lines(paragraph.text, lead)
            lead = _lead(paragraph.text)
        return tuple(found)


def _sentences(text: str) -> Iterator[Unit]:
    subject: frozenset[str] = frozenset()
    for sentence in sentences.sentences(text):
        words = tokens(sentence)
        points_back = not POINTERS.isdisjoint(words)
        yield Unit(sentence, subject if points_back else frozenset())
        subject = _subject(words) | (subject if words and words[0] in POINTERS else frozenset())


def _subject(words: Sequence[str]) -> frozenset[str]:
    """The words that a sentence starts with, up to its first function word: what the next one may call ``it``."""
    start = next((at for at, word in enumerate(words) if word not in _DETERMINERS), len(words))
    end = next((at for at in range(start, len(words)) if not is_content(words[at])), len(words))
    return frozenset(words[start : min(end, start + _SUBJECT)])


def _lines(text: str, lead: str) -> Iterator[Unit]:
    """Each line of a list or table, with the line that it starts with and the sentence that announces it."""
    lines = [line for line in text.splitlines() if line.strip()]
    first = frozenset(tokens(f"{lead} {lines[0]}")) if lines else frozenset[str]()
    yield from (Unit(line, first) for line in lines)


def _lead(paragraph: str) -> str:
    """The sentence at the end of a paragraph that announces the next one."""
    said = paragraph.rstrip()
    return re.split(r"(?<=[.!?])\s", said)[-1] if said.endswith(":") else ""
