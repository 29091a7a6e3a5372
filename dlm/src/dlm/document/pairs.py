"""The grammar of instruction sections: ``### Q`` blocks, one or more wordings, then the ``### A`` that answers them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .model import Pair
from .scan import text_outside_code

if TYPE_CHECKING:
    from .findings import Report

_NEARLY = re.compile(r"###[ \t]*([QqAa])[ \t]*:?([ \t]+!?\w+)?[ \t]*")
_ORDER = "write `### Q`, the question, `### A`, the answer"


@dataclass
class _Part:
    """One header and the text below it."""

    letter: str
    probe: bool
    line: int
    col: int
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.lines).strip()


def parse_pairs(content: str, line: int, report: Report) -> tuple[Pair, ...]:
    """The pairs of ``content``, whose first line is ``line`` of the file; mistakes go to ``report``.

    Several ``### Q`` in a row are wordings of one question. ``### Q !probe`` holds the pair out of training. A header
    inside a code block is text.
    """
    parts = _parts(content, line, report)
    pairs: list[Pair] = []
    wordings: list[_Part] = []
    for part in parts:
        if part.letter == "Q":
            wordings.append(part)
            continue
        if not wordings:
            report(part.line, part.col, "an answer without a question", _ORDER)
        elif (pair := _pair(wordings, part, report)) is not None:
            pairs.append(pair)
        wordings = []
    if wordings:
        report(
            wordings[0].line, wordings[0].col, "a question without an answer", "write `### A` and the answer below it"
        )
    if not parts:
        report(max(line - 1, 1), 1, "an instruction section without a question", _ORDER)
    return tuple(pairs)


def _parts(content: str, line: int, report: Report) -> list[_Part]:
    parts: list[_Part] = []
    stray = False
    for index, text, in_code in text_outside_code(content):
        number, col = line + index, len(text) - len(text.lstrip()) + 1
        header = None if in_code else _header(text.strip(), number, col, report)
        if header is not None:
            parts.append(header)
        elif parts:
            parts[-1].lines.append(text)
        elif text.strip() and not stray:
            stray = True
            report(number, col, "text before the first `### Q`", "move it to a ::prose:: section, or below a `### Q`")
    return parts


def _header(text: str, line: int, col: int, report: Report) -> _Part | None:
    if text in ("### Q", "### A", "### Q !probe"):
        return _Part(text[4], text.endswith("!probe"), line, col)
    if not text.startswith("###") or (nearly := _NEARLY.fullmatch(text)) is None:
        return None
    letter, rest = nearly[1].upper(), (nearly[2] or "").strip()
    if rest and not rest.startswith("!"):
        return None
    known = "`### Q !probe`" if rest and letter == "Q" else f"`### {letter}`"
    report(line, col, f"`{text}` is not a header", f"write {known}, or put it in a code block if it is text")
    return _Part(letter, rest.lower() == "!probe" and letter == "Q", line, col)


def _pair(wordings: list[_Part], answer: _Part, report: Report) -> Pair | None:
    sound = True
    for part, name in [*((part, "question") for part in wordings), (answer, "answer")]:
        if not part.text:
            sound = False
            report(
                part.line, part.col, f"an empty {name}", f"write the {name} on the lines below, or remove the header"
            )
    if len({part.probe for part in wordings}) > 1:
        sound = False
        fix = "mark every wording of this question with !probe, or none: a probe must not be trained in other words"
        odd = next(part for part in wordings if part.probe != wordings[0].probe)
        report(odd.line, odd.col, "wordings of one question with and without !probe", fix)
    if not sound:
        return None
    return Pair(tuple(part.text for part in wordings), answer.text, wordings[0].probe, wordings[0].line)
