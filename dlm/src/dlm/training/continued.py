"""The phase ``cpt``: the text is learned as text, every token of it, before anything is learned from questions.

What it trains and what is held out of it: :mod:`dlm.corpus.running_text`. Its learning rate falls along a cosine to a
floor, so that the last texts of a pass are learned too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..corpus.running_text import KIND
from .phases import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..corpus.records import StudySet
    from ..document.frontmatter import Frontmatter
    from .plan import Row
    from .recipe import Recipe
    from .resolve import Effort

NAME = "cpt"
FLOOR = 0.1
"""Of the peak of the learning rate."""
PASSES: dict[Effort, int] = {"quick": 1, "normal": 3, "thorough": 6}
"""How often the text is read."""


class ContinuedPretraining(Phase):
    """Reads the text a few times, with anchors beside it as everywhere."""

    def recipe_for(self, frontmatter: Frontmatter, recipe: Recipe) -> Recipe:
        """A cosine with a floor; the held-out text picks the weights."""
        steps = frontmatter.training.cpt.embed_warmup_steps
        return replace(recipe, schedule="cosine", floor=FLOOR, judged_by="text", embed_warmup_steps=steps)

    def with_length(self, frontmatter: Frontmatter, recipe: Recipe, study: StudySet, rows: Sequence[Row]) -> Recipe:
        """Tokens for ``num_epochs`` readings of the text, or as many as the effort gives, anchors included. A budget
        that somebody gave is not exceeded."""
        training = frontmatter.training
        passes = training.num_epochs or PASSES[training.recipe.effort]
        sizes: dict[str, list[int]] = {}
        for row in rows:
            sizes.setdefault(study.train[row.record].kind, []).append(row.tokens)
        draws = passes * len(sizes[KIND]) / study.mixture[KIND]
        wanted = round(draws * sum(study.mixture[kind] * sum(own) / len(own) for kind, own in sizes.items()))
        return replace(recipe, token_budget=min(wanted, training.token_budget or wanted))


def read_first(facts: Mapping[str, Any]) -> bool | None:
    """Whether the version with these ``facts`` learned the text as text, though nothing but a flag may have asked for
    it; ``None`` leaves it to the document."""
    return True if any(phase.get("phase") == NAME for phase in facts.get("phases") or ()) else None


CPT = ContinuedPretraining(NAME, frozenset({KIND}), sized=True)
