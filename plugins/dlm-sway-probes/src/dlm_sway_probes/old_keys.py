"""Keys of older suite files: accepted, and told apart from those that decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlm_sway.probes.base import ProbeSpec

EXACT = "divergences are exact over the whole vocabulary"
OWN_TEST = "this probe is not compared with random adapters"


def no_effect(spec: ProbeSpec, **reasons: str) -> list[str]:
    """A note for each of these keys that the suite sets, and why nothing follows from it."""
    return [f"{key} has no effect: {why}" for key, why in reasons.items() if key in spec.model_fields_set]
