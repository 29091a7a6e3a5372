"""A learning report for people, in 80 columns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from .visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..learning.report import Change, LearningReport, Missed, Score

WIDTH = 79
MOST_MISSED = 5
"""Questions named after a training; ``dlm report`` names all."""
HEADING = 26
SOURCES = {
    "user": "your own questions",
    "probe": "the document's probes",
    "held_out": "held-out wordings",
}


def report_text(report: LearningReport, missed: int | None = MOST_MISSED) -> str:
    """The verdict, the table by section, what became of the base, and at most ``missed`` questions not learned."""
    return visible("\n".join(_lines(report, missed)))


def _lines(report: LearningReport, missed: int | None) -> Iterator[str]:
    yield from textwrap.wrap(report.verdict, WIDTH, break_long_words=False, break_on_hyphens=False)
    if report.total:
        yield ""
        yield from _table(report, report.total)
        yield from _origins(report)
    yield ""
    yield _change("general knowledge", report.general, "general questions answered")
    yield _change("bleed", report.bleed, "answers near the subject that bring it up")
    yield _change("confabulation", report.confabulation, "questions it cannot answer, answered")
    for conflict in report.contradictions:
        yield from _entry("contradiction", f"{conflict.what}: {conflict.first} / {conflict.second}")
    if report.not_asked:
        yield from _entry("not asked", f"{len(report.not_asked)}: `dlm report --json` says why")
    yield from _not_learned(report, missed)


def _table(report: LearningReport, total: Score) -> Iterator[str]:
    yield f"{'questions in other words':<{HEADING}}  asked  before  after  95% CI      open book"
    for section in report.sections:
        yield _row(textwrap.shorten(section.heading or "found nowhere", HEADING, placeholder="..."), section.score)
    # In the order in which they were asked: a file's keys are sorted.
    for name in dict.fromkeys(item.adapter for item in report.items if item.adapter in report.adapters):
        yield _row(textwrap.shorten(f"adapter {name}", HEADING, placeholder="..."), report.adapters[name])
    if len(report.sections) > 1 or len(report.adapters) > 1:
        yield _row("all", total)


def _row(name: str, score: Score) -> str:
    interval = f"{100 * score.low:.0f}-{100 * score.high:.0f}%"
    opened = f"{score.open_right} of {score.open_asked}" if score.open_asked else "-"
    return f"{name:<{HEADING}}  {score.asked:>5}  {score.before:>6}  {score.after:>5}  {interval:<10}  {opened}"


def _origins(report: LearningReport) -> Iterator[str]:
    parts = [f"{SOURCES[name]} {score.after} of {score.asked}" for name, score in report.sources.items()]
    if "prose" in report.taught and "pair" in report.taught:
        prose = report.taught["prose"]
        parts.append(f"facts that only the text states {prose.after} of {prose.asked}")
    if report.total and report.total.loose:
        parts.append(f"{report.total.loose} judged loosely")
    yield from textwrap.wrap("; ".join(parts), WIDTH, initial_indent="  ", subsequent_indent="  ")


def _change(name: str, change: Change, what: str) -> str:
    if not change.asked:
        return f"{name:<18} not asked: the document has nothing to ask it with"
    return f"{name:<18} {change.before} -> {change.after} of {change.asked} {what}"


def _entry(name: str, text: str) -> list[str]:
    indent = " " * 19
    return textwrap.wrap(text, WIDTH, initial_indent=f"{name:<18} ", subsequent_indent=indent, break_on_hyphens=False)


def _not_learned(report: LearningReport, most: int | None) -> Iterator[str]:
    if not report.not_learned:
        return
    shown = report.not_learned[:most]
    yield ""
    yield "not learned" if len(shown) == len(report.not_learned) else f"not learned, {len(shown)} of {_count(report)}"
    for missed in shown:
        yield from _missed(missed)


def _count(report: LearningReport) -> str:
    return f"{len(report.not_learned)} (`dlm report` names all)"


def _missed(missed: Missed) -> Iterator[str]:
    lost = " (the base answers it)" if missed.right_before else ""
    yield from textwrap.wrap(missed.question + lost, WIDTH, initial_indent="  ", subsequent_indent="    ")
    expected = textwrap.shorten(missed.expected, 30, placeholder="...")
    said = f"expected {expected}; said: {' '.join(missed.said.split()) or 'nothing'}"
    yield "    " + textwrap.shorten(said, WIDTH - 4, placeholder="...")
