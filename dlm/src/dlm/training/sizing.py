"""Numbers of a recipe that depend on the base's size and on how much is trained, where the document says nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from ..document.frontmatter import Training
    from .recipe import Recipe

MEASURED_HIDDEN = 576
"""Hidden size of the base on which the learning rates were measured."""
EXPONENT = 0.781
"""How the best learning rate falls with the hidden size: the fit that the LoRA cookbook of Thinking Machines gives for
Llama models."""
LEAST_RATE = 5e-5
SHORT_RUN, LONG_RUN = 100_000, 500_000
"""Tokens. A short run needs larger steps to arrive; a long one steps over more rows, which a GPU is better at too."""
SHORT_RATE, RATE = 1e-3, 7e-4
ROWS, LONG_RUN_ROWS = 4, 16


def sized(recipe: Recipe, training: Training, folder: Path) -> Recipe:
    """``recipe``, its token budget known, for the base in ``folder``."""
    if training.learning_rate is None:
        peak = SHORT_RATE if recipe.token_budget < SHORT_RUN else RATE
        recipe = replace(recipe, learning_rate=max(LEAST_RATE, peak * rate_share(folder)))
    if training.micro_batch_size in (None, "auto") and training.grad_accum in (None, "auto"):
        recipe = replace(recipe, batch_rows=LONG_RUN_ROWS if recipe.token_budget > LONG_RUN else ROWS)
    return recipe


def hidden_size(folder: Path) -> int | None:
    """What the base's ``config.json`` says; ``None`` when it does not."""
    try:
        config: Any = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    text = config.get("text_config", config) if isinstance(config, dict) else {}
    size = text.get("hidden_size") if isinstance(text, dict) else None
    return size if isinstance(size, int) and size > 0 else None


def rate_share(folder: Path) -> float:
    """How much of the learning rate that is best on the base with :data:`MEASURED_HIDDEN` is best on the one in
    ``folder``."""
    hidden = hidden_size(folder)
    scale: float = (MEASURED_HIDDEN / hidden) ** EXPONENT if hidden else 1.0
    return min(1.0, scale)
