"""What a learning report concludes: four states, their thresholds, and the sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .report import Change, Score, State

LEAST_FACTS = 6
"""Fewer can show no gain at the 5% level, whatever the answers."""
ENOUGH = 0.5
"""Share of questions answered that makes a document learned."""
P = 0.05


def state_of(total: Score | None) -> State:
    """``learned`` or ``partly learned``: more facts are answered than before, beyond chance, and half of the questions,
    or fewer, are. ``not learned``: no such gain, and fewer than half even at the interval's upper end. Everything else
    could not be told: too few questions, or the base knew it all along."""
    if total is None or total.facts < LEAST_FACTS:
        return "could not tell"
    if total.p_value <= P and total.after > total.before:
        return "learned" if total.share >= ENOUGH else "partly learned"
    return "not learned" if total.high < ENOUGH or total.after < total.before else "could not tell"


def sentence(state: State, total: Score | None, general: Change, location: str) -> str:
    """The report in a sentence or two."""
    if total is None:
        return (
            "Could not tell: there is no question in other words that can be judged. Write some into "
            f"{location} as `### Q !probe`, or into a questions.jsonl beside it."
        )
    counted = f"{total.after} of {total.asked} questions in other words {'is' if total.after == 1 else 'are'} answered"
    interval = f"(95% CI {100 * total.low:.0f}-{100 * total.high:.0f}%)"
    found = f"{state.capitalize()}: {counted} {interval}, {total.before} of {total.asked} before; {_general(general)}."
    return found + (_why_not(total) if state == "could not tell" else "")


def _general(general: Change) -> str:
    fell = "general knowledge fell:" if general.after < general.before and general.p_value <= P else "general knowledge"
    return f"{fell} {general.before} -> {general.after} of {general.asked}"


def _why_not(total: Score) -> str:
    if total.facts < LEAST_FACTS:
        return f" Ask about {LEAST_FACTS} facts or more to be sure: add `### Q !probe` pairs or a questions.jsonl."
    if total.before >= ENOUGH * total.asked:
        return " The base answers most of them without any training."
    return " So few questions do not show whether this is more than chance: add some."
