"""Before the first question: does the model answer with numbers at all?

Weights that hold NaN give no measurement, and a suite of skips and errors must not look like one of passes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ..data import general_items
from ..result import ProbeResult
from ..scoring.types import FT

if TYPE_CHECKING:
    from ..probes.base import Scoring
    from ..scoring.types import Comparison

NAME: Final = "__preflight__"
KIND: Final = "preflight"


def preflight(scoring: Scoring) -> ProbeResult | None:
    """An error to put before all other results, or ``None`` when base and adapted model answer one plain question.

    Raises:
        SwayError: the models cannot be loaded or compared.
    """
    item = general_items()[0]
    (seen,) = scoring.compare([item], FT)
    reason = _reason(seen)
    if reason is None:
        return None
    return ProbeResult(
        name=NAME,
        kind=KIND,
        verdict="error",
        message=f"{reason}; nothing else was measured",
        category="baseline",
        seeks="harm",
        evidence={"preflight_reason": reason, "prompt": item.prompt},
    )


def _reason(seen: Comparison) -> str | None:
    if not math.isfinite(seen.base_logprob):
        return "the base model's own outputs are not finite numbers: try dtype: fp32, or load the base again"
    if not all(map(math.isfinite, (seen.view_logprob, seen.kl, seen.js))):
        return (
            "the adapted model's outputs are not finite numbers: its weights hold NaN, or overflow in this precision; "
            "train again, or try dtype: fp32"
        )
    return None
