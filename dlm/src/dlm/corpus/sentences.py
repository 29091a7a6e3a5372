"""Plain text to sentences, content words and the span of a sentence that carries its fact.

English in its word list, schema-free otherwise; nothing here knows about records.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_FUNCTION_WORDS = (
    "a an and are as at be been being but by can could did do does for from had has have how i if in into is it its "
    "may me might must my of on or our shall she should so than that the their them then there these they this those "
    "to was we were what when where which while who whom whose why will with would you your"
)
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|cf|vs|approx|no|mr|mrs|ms|dr|prof|st|fig|sec|min|max)|\b[A-Z])\.$", re.I
)
_END = re.compile(r"[.!?…][\"'”’)\]]*(?=\s+(?:[`#@]|[\"'“‘(\[]*[^\Wa-z_]))|[。！？]")
_FENCE = re.compile(r"(?m)^ {0,3}(?:```|~~~)")
_MARKUP = re.compile(r"^ {0,3}(?:[-*+] |\d+[.)] |#{1,6} |>|\|)|^(?: {4}|\t)")
_SPANS = (
    re.compile(r"`([^`\n]+)`"),
    re.compile(r"(?<!\w)([#@][\w-]*\w)"),
    re.compile(r"(https?://[^\s)>\]]*[^\s)>\].,;:!?]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"),
    re.compile(r"\b(\d{1,2}:\d{2}(?::\d{2})?(?: ?(?:UTC|GMT|AM|PM|am|pm))?)\b"),
    re.compile(r"([$€£]\d[\d.,]*\d|\b\d[\d.,]*\d%|\b\d%)"),
    re.compile(r"\b(?:called|named|titled|codenamed) (?!as\b|the\b|a\b|an\b)([\w-]+(?: and [\w-]+)?)"),
    re.compile(r"\b(\d[\d.,]* [^\W\d_]{2,})\b"),
    re.compile(r"[\"“]([^\"“”\n]{2,60})[\"”]"),
    re.compile(r"\b(\d+(?:[.,]\d+)*)\b"),
)
_NAME = re.compile(r"\b([A-ZÀ-ÖØ-Þ][\w-]+(?: [A-ZÀ-ÖØ-Þ][\w-]+)*)")
_NUMBER_WORD = re.compile(
    r"\b((?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|ninety)"
    r" [^\W\d_]{3,})\b",
    re.I,
)


class Paragraph(NamedTuple):
    """Text between blank lines."""

    text: str
    running: bool
    """Running prose, put on one line: no code, list, table, heading or hard line break."""


def paragraphs(text: str) -> list[Paragraph]:
    """Split ``text`` at blank lines; a fenced code block stays whole."""
    found: list[Paragraph] = []
    code: list[str] = []
    for block in re.split(r"\n(?:[ \t]*\n)+", text.strip("\n")):
        fences = len(_FENCE.findall(block))
        if code or fences:
            code.append(block)
            if sum(len(_FENCE.findall(part)) for part in code) % 2 == 0:
                found.append(Paragraph("\n\n".join(code), running=False))
                code = []
        elif block.strip():
            found.append(_paragraph(block))
    return [*found, Paragraph("\n\n".join(code), running=False)] if code else found


def _paragraph(block: str) -> Paragraph:
    lines = block.splitlines()
    if any(_MARKUP.match(line) or line.endswith(("  ", "\\")) for line in lines):
        return Paragraph(block, running=False)
    return Paragraph(" ".join(block.split()), running=True)


def sentences(paragraph: str) -> list[str]:
    """Split one running paragraph; what looks like an abbreviation or an initial ends no sentence."""
    found: list[str] = []
    ends = [0, *(match.end() for match in _END.finditer(paragraph)), len(paragraph)]
    for start, end in pairwise(ends):
        piece = paragraph[start:end].strip()
        if piece and found and _ABBREVIATION.search(found[-1]):
            found[-1] = f"{found[-1]} {piece}"
        elif piece:
            found.append(piece)
    return found


class Gap(NamedTuple):
    """A sentence around its key span."""

    before: str
    span: str
    after: str

    @property
    def sentence(self) -> str:
        return "".join(self)


def key_span(sentence: str, known: frozenset[str]) -> Gap | None:
    """Where ``sentence`` says what a reader would most likely ask for; ``None`` when nothing stands out.

    Code, tags, addresses, times and amounts come first, names last. ``known`` words, lower case (the title's), say
    nothing new and are passed over, as is the capital that only starts the sentence.
    """
    for match in candidates(sentence, known):
        gap = Gap(sentence[: match.start(1)], match[1], sentence[match.end(1) :])
        if match[1].strip() and content_words(gap.before + gap.after):
            return gap
    return None


def candidates(sentence: str, known: frozenset[str]) -> Iterator[re.Match[str]]:
    """Every span that may be the key of ``sentence``, the first group of each match, the most telling first."""
    for pattern in (*_SPANS, _NUMBER_WORD):
        yield from (match for match in pattern.finditer(sentence) if match[1].lower() not in known)
    yield from names(sentence, known)


def names(sentence: str, known: frozenset[str] = frozenset()) -> Iterator[re.Match[str]]:
    """Capitalised words that do not only start ``sentence``, the first group of each match; none of ``known`` words."""
    for match in _NAME.finditer(sentence):
        words = [word.lower() for word in match[1].split()]
        opens = match.start() == 0 and (len(words) == 1 or words[0] in FUNCTION_WORDS)
        if not opens and known.isdisjoint(words):
            yield match


def content_words(text: str) -> list[str]:
    """Lower-case words of ``text`` without function words, in order."""
    return [word for word in re.findall(r"[^\W_][\w'-]*", text.lower()) if word not in FUNCTION_WORDS]
