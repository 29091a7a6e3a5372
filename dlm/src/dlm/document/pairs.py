"""The grammar of instruction sections: ``### Q`` blocks, one or more wordings, then the ``### A`` that answers them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .headed import Grammar, Part, parts
from .model import Pair

if TYPE_CHECKING:
    from .findings import Report

GRAMMAR = Grammar(
    {"Q": frozenset({"probe", "followup"}), "A": frozenset()}, "write `### Q`, the question, `### A`, the answer"
)
LONGEST_CONVERSATION = 200
"""Pairs that may continue each other. Each is trained with all turns before it, so the cost is the square of this."""
_ALL_OR_NONE: Mapping[str, str] = {
    "probe": "mark every wording of this question with !probe, or none: a probe must not be trained in other words",
    "followup": "mark every wording of this question with !followup, or none",
}


def parse_pairs(content: str, line: int, report: Report) -> tuple[Pair, ...]:
    """The pairs of ``content``, whose first line is ``line`` of the file; mistakes go to ``report``.

    Several ``### Q`` in a row are wordings of one question. ``### Q !probe`` holds the pair out of training;
    ``### Q !followup`` continues the conversation of the pair above. A header inside a code block is text.
    """
    found: list[Pair | None] = []
    wordings: list[Part] = []
    headed = parts(content, line, GRAMMAR, report)
    for part in headed:
        if part.name == "Q":
            wordings.append(part)
            continue
        if wordings:
            found.append(_pair(wordings, part, found, report))
        else:
            report(part.line, part.col, "an answer without a question", GRAMMAR.order)
        wordings = []
    if wordings:
        fix = "write `### A` and the answer below it"
        report(wordings[0].line, wordings[0].col, "a question without an answer", fix)
    if not headed:
        report(max(line - 1, 1), 1, "an instruction section without a question", GRAMMAR.order)
    return tuple(pair for pair in found if pair is not None)


def _pair(wordings: list[Part], answer: Part, above: list[Pair | None], report: Report) -> Pair | None:
    """One pair, or ``None`` after a report; ``above`` are those of the section so far."""
    sound = [_filled(part, "question", report) for part in wordings] + [_filled(answer, "answer", report)]
    sound += [_alike(wordings, flag, fix, report) for flag, fix in _ALL_OR_NONE.items()]
    first = wordings[0]
    before: tuple[tuple[str, str], ...] = ()
    probe = "probe" in first.flags
    if all(sound) and "followup" in first.flags:
        if not _continues(first, above, report):
            return None
        pair = above[-1]
        before = (*pair.before, (pair.questions[0], pair.answer)) if pair else ()
    questions = tuple(part.text for part in wordings)
    return Pair(questions, answer.text, probe, first.line, before) if all(sound) else None


def _filled(part: Part, name: str, report: Report) -> bool:
    if not part.text:
        fix = f"write the {name} on the lines below, or remove the header"
        report(part.line, part.col, f"an empty {name}", fix)
    return bool(part.text)


def _alike(wordings: list[Part], flag: str, fix: str, report: Report) -> bool:
    """Whether all wordings bear ``flag``, or none."""
    odd = next((part for part in wordings if (flag in part.flags) != (flag in wordings[0].flags)), None)
    if odd is not None:
        report(odd.line, odd.col, f"wordings of one question with and without !{flag}", fix)
    return odd is None


def _continues(first: Part, above: list[Pair | None], report: Report) -> bool:
    """Whether there is a conversation that the follow-up ``first`` may continue; one with mistakes of its own may."""
    if not above:
        fix = "write the question that it continues above it in this section, or remove !followup"
        report(first.line, first.col, "a follow-up without a question above it", fix)
        return False
    pair = above[-1]
    if pair is not None and len(pair.before) + 1 >= LONGEST_CONVERSATION:
        what = f"this conversation has more than {LONGEST_CONVERSATION} turns"
        report(first.line, first.col, what, "begin another one here: write `### Q` without !followup")
        return False
    if pair is not None and pair.probe and "probe" not in first.flags:
        what = f"this follow-up would train the text of the probe on line {pair.line}, which it continues"
        report(first.line, first.col, what, "write `### Q !followup !probe`, or let it continue a trained question")
        return False
    return True
