"""How a text is written, in six numbers that need nothing but the text. No number grows with the text's length."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Final

DIMENSIONS: Final = (
    "sentence_length",
    "sentence_length_spread",
    "type_token_ratio",
    "word_length",
    "punctuation",
    "paragraph_density",
)
FEWEST_WORDS: Final = 5
"""A text of fewer words has no style to speak of."""
_WINDOW: Final = 25
"""Words among which repeated ones are looked for; over a whole text, longer ones would always have more."""
_LONGEST_TURN: Final = 40
_WORD = re.compile(r"\w+(?:['’\-]\w+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]”’]*\s+(?=[\"'(\[“‘]?[^\Wa-z_])|(?<=[。！？])|\n+")
_PARAGRAPH_END = re.compile(r"\n\s*\n")


def measure(text: str) -> tuple[float, ...]:
    """The six numbers, in the order of :data:`DIMENSIONS`; of about the same size, so that tables can be read.

    Words in a sentence / 30 and their standard deviation / 30; the share of different words among 25 that follow each
    other; letters in a word / 10; punctuation marks in ten characters; 30 / words in a paragraph.

    Raises:
        ValueError: the text has no words.
    """
    words = words_of(text)
    if not words:
        raise ValueError("a text without words has no style")
    lengths = [len(words_of(sentence)) for sentence in sentences(text)]
    paragraphs = [count for part in _PARAGRAPH_END.split(text) if (count := len(words_of(part)))]
    mean = _mean(lengths)
    marks = sum(unicodedata.category(char).startswith("P") for char in text)
    return (
        mean / 30,
        math.sqrt(_mean([(length - mean) ** 2 for length in lengths])) / 30,
        _variety([word.lower() for word in words]),
        _mean([len(word) for word in words]) / 10,
        10 * marks / len(text),
        30 / _mean(paragraphs),
    )


def words_of(text: str) -> list[str]:
    """Runs of letters and digits, with the apostrophes and hyphens inside them."""
    return _WORD.findall(text)


def sentences(text: str) -> list[str]:
    """Parts that hold a word. A line is a sentence of its own, as in lists."""
    return [part for part in _SENTENCE_END.split(text) if part and _WORD.search(part)]


def unlooped(text: str) -> str:
    """``text`` up to where it goes round in circles: of three turns or more at its end, the first is kept.

    Small models loop, with and without an adapter; a loop is no style, and would count as one over and over.
    """
    spans = [match.span() for match in re.finditer(r"\S+", text)]
    words = [text[start:end] for start, end in spans]
    for turn in range(1, min(_LONGEST_TURN, len(words) // 3) + 1):
        first = _loop_start(words, turn)
        if len(words) - first >= max(3 * turn, 8):
            return text[: spans[first + turn - 1][1]]
    return text


def _loop_start(words: Sequence[str], turn: int) -> int:
    """Where the words begin that are followed, a turn later, by themselves. The last may have been cut off."""
    at = len(words)
    while at > turn and (
        words[at - 1] == words[at - 1 - turn] or (at == len(words) and words[at - 1 - turn].startswith(words[at - 1]))
    ):
        at -= 1
    return at - turn


def pieces(text: str, words: int) -> list[str]:
    """``text`` in pieces of about as many words, of whole paragraphs where they are short and whole sentences else."""
    parts: list[tuple[str, str]] = []
    for paragraph in filter(str.strip, _PARAGRAPH_END.split(text)):
        inner = [paragraph] if len(words_of(paragraph)) <= 2 * words else sentences(paragraph)
        parts += [("\n\n" if at == 0 else " ", part.strip()) for at, part in enumerate(inner)]
    found, size = [""], 0
    for joint, part in parts:
        if size >= words:
            found.append("")
            size = 0
        found[-1] = f"{found[-1]}{joint}{part}" if found[-1] else part
        size += len(words_of(part))
    if len(found) > 1 and size < words / 2:
        last = found.pop()
        found[-1] = f"{found[-1]}\n\n{last}"
    return [piece for piece in found if len(words_of(piece)) >= FEWEST_WORDS]


def _variety(words: Sequence[str]) -> float:
    """Share of different words, on average over all windows of :data:`_WINDOW` words (Covington and McFall 2010)."""
    starts = range(max(1, len(words) - _WINDOW + 1))
    windows = [words[start : start + _WINDOW] for start in starts]
    return _mean([len(set(window)) / len(window) for window in windows])


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
