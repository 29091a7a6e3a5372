"""What these probes ask about a document when nobody has written a suite yet: their part of ``sway autogen``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from dlm_sway.data import general_items
from dlm_sway.drafts import Draft, as_cases, spread

if TYPE_CHECKING:
    from dlm_sway import SectionData
    from dlm_sway.suite.target import Target

MOST_WORDINGS: Final = 8
MOST_QUESTIONS: Final = 32
FEWEST_QUESTIONS: Final = 8
"""Of the document's own, beside as many general ones."""


def drafts(target: Target) -> Iterator[Draft]:
    """One draft a probe."""
    cases = _wordings(target.sections or ())[:MOST_WORDINGS]
    yield Draft(
        order=55,
        name="revert_check",
        kind="adapter_revert",
        intent="Asked in other words, does the model answer as it was taught, or as its base would?",
        keys={"cases": cases, "assert_revert_rate_lt": 0.3} if cases else {},
        missing="" if cases else "no question stands there in several wordings",
    )
    own = spread(target.held_out or target.taught, MOST_QUESTIONS)
    enough = len({item.group or item.prompt for item in own}) >= FEWEST_QUESTIONS
    others = list(general_items())[: max(12, len(own))]
    yield Draft(
        order=90,
        name="cluster_kl_topics",
        kind="cluster_kl",
        intent="Does the effect follow the topic: the document's own questions among general ones?",
        keys={"cases": as_cases([*own, *others]), "num_clusters": 4} if enough else {},
        missing="" if enough else f"fewer than {FEWEST_QUESTIONS} questions about what was taught",
    )


def _wordings(sections: Sequence[SectionData]) -> list[dict[str, Any]]:
    """Questions that were taught, each with its other wordings: first those that training never saw."""
    unseen: dict[str, list[str]] = {}
    for item in (item for section in sections for item in section.held_out):
        unseen.setdefault(item.group, []).append(item.prompt)
    found = []
    for pair in (pair for section in sections for pair in section.pairs if not pair.probe):
        others = [*(unseen.get(pair.group, []) if pair.group else []), *pair.questions[1:]]
        others = [text for text in dict.fromkeys(others) if text != pair.questions[0]]
        if others:
            found.append({"prompt": pair.questions[0], "gold": pair.answer, "paraphrases": others[:2]})
    return found
