"""The phase ``preference``: what ``training.preference`` means for the optimiser."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from dlm.training.phases import Phase
from dlm.training.recipe import Preferring

from .section import KIND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlm.corpus.records import StudySet
    from dlm.document.frontmatter import Frontmatter
    from dlm.training.plan import Row
    from dlm.training.recipe import Recipe


class PreferencePhase(Phase):
    """Goes on from the adapter that knows the document, with small steps and few passes."""

    def left_out(self, frontmatter: Frontmatter) -> str:
        """``enabled: false`` leaves it out; without the key, sections are enough to ask for it."""
        wanted = frontmatter.training.preference
        said_no = "enabled" in wanted.model_fields_set and not wanted.enabled
        return "training.preference.enabled is false" if said_no else ""

    def recipe_for(self, frontmatter: Frontmatter, recipe: Recipe) -> Recipe:
        """The document's method, strength and learning rate."""
        wanted = frontmatter.training.preference
        numbers = wanted.hyperparams
        return replace(
            recipe,
            learning_rate=numbers.learning_rate,
            preferring=Preferring(
                method=wanted.method,
                loss=wanted.loss_type,
                strength=numbers.alpha if wanted.method == "orpo" else numbers.beta,
                reference=wanted.reference,
            ),
        )

    def with_length(self, frontmatter: Frontmatter, recipe: Recipe, study: StudySet, rows: Sequence[Row]) -> Recipe:
        """So many steps that every pair comes ``num_epochs`` times, anchors beside them."""
        pairs = sum(study.train[row.record].kind == KIND for row in rows)
        epochs = frontmatter.training.preference.hyperparams.num_epochs
        steps = math.ceil(epochs * pairs / study.mixture[KIND] / recipe.batch_rows)
        longest = max(row.tokens for row in rows)
        return replace(
            recipe,
            max_steps=min(steps, recipe.max_steps or steps),
            token_budget=steps * recipe.batch_rows * longest,
        )

    def for_base(self, frontmatter: Frontmatter, recipe: Recipe, share: float) -> Recipe:
        """Smaller steps on a wider base, as everywhere, unless the document says how large they are."""
        written = "learning_rate" in frontmatter.training.preference.hyperparams.model_fields_set
        return recipe if written else replace(recipe, learning_rate=recipe.learning_rate * share)


PREFERENCE = PreferencePhase(KIND, frozenset({KIND}))
