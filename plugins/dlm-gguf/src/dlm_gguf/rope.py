"""Positions: how a configuration says that queries and keys are turned, in the words of all its versions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .checkpoint import Floats

_DEFAULT_BASE = 10_000.0


@dataclass(frozen=True)
class Rope:
    """The rotation of full-attention layers."""

    base: float
    kind: str
    """``default``, ``linear``, ``llama3``, ``yarn``, ``longrope``, or another that is not known here."""
    settings: Mapping[str, Any]
    """As the configuration has them."""

    def refusal(self, allowed: tuple[str, ...]) -> str | None:
        """Why these positions cannot be written; ``allowed`` are kinds beside the default."""
        if self.kind not in ("default", *allowed):
            return f"its positions are scaled by {self.kind!r}, which llama.cpp does not compute for it"
        tuned = [
            name
            for name in ("attention_factor", "mscale", "mscale_all_dim", "beta_fast", "beta_slow", "truncate")
            if self.settings.get(name) is not None
        ]
        if self.kind == "yarn" and tuned:
            return f"its YaRN scaling sets {', '.join(tuned)}, which llama.cpp computes otherwise"
        return None


def rope_of(config: Mapping[str, Any]) -> Rope:
    """The rotation that ``config`` asks for."""
    found = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    if "full_attention" in found:
        found = dict(found["full_attention"])
    base = found.get("rope_theta") or config.get("rope_theta") or _DEFAULT_BASE
    kind = str(found.get("rope_type") or found.get("type") or "default")
    return Rope(float(base), "longrope" if kind == "su" else kind, found)


def local_base(config: Mapping[str, Any]) -> float:
    """Of layers with a sliding window, where they have one of their own."""
    found = (config.get("rope_parameters") or {}).get("sliding_attention") or {}
    return float(found.get("rope_theta") or config.get("rope_local_base_freq") or _DEFAULT_BASE)


def llama3_factors(rope: Rope, dimensions: int) -> Floats:
    """By what each frequency is divided, ``[dimensions / 2]``."""
    import numpy as np

    settings = rope.settings
    factor, low, high = (float(settings[name]) for name in ("factor", "low_freq_factor", "high_freq_factor"))
    trained = float(settings["original_max_position_embeddings"])
    factors = []
    for at in range(0, dimensions, 2):
        wave = 2 * math.pi * rope.base ** (at / dimensions)
        if wave < trained / high:
            factors.append(1.0)
        elif wave > trained / low:
            factors.append(factor)
        else:
            smooth = (trained / wave - low) / (high - low)
            factors.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(factors, dtype=np.float32)


def longrope_factors(rope: Rope) -> dict[str, Floats]:
    """By what each frequency is divided, in long and in short texts."""
    import numpy as np

    return {
        f"rope_factors_{length}.weight": np.array(rope.settings[f"{length}_factor"], dtype=np.float32)
        for length in ("long", "short")
    }


def longrope_attention(rope: Rope, context: int, trained: int) -> float:
    """By what attention is multiplied for texts longer than ``trained``."""
    if (given := rope.settings.get("attention_factor")) is not None:
        return float(given)
    factor = context / trained
    return 1.0 if factor <= 1 else math.sqrt(1 + math.log(factor) / math.log(trained))
