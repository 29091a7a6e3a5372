"""The keys of ``sway.yaml``, version 1. Suite entries belong to their probes; files and lines to :mod:`.load`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

DEFAULT_WEIGHTS: Final = {
    "adherence": 0.30,
    "attribution": 0.35,
    "calibration": 0.20,
    "ablation": 0.15,
    "baseline": 0.0,
}
"""Share of each category in the overall score."""


def merged_weights(given: dict[str, float] | None) -> dict[str, float]:
    """``given`` over the default category weights.

    Raises:
        ValueError: an unknown category, a negative or non-finite weight, or nothing above zero.
    """
    for category, weight in (given or {}).items():
        if category not in DEFAULT_WEIGHTS:
            raise ValueError(f"no category is called {category!r}; they are {', '.join(DEFAULT_WEIGHTS)}")
        if not 0 <= weight < float("inf"):
            raise ValueError(f"the weight of {category} is {weight}; it must be 0 or more")
    merged = {**DEFAULT_WEIGHTS, **(given or {})}
    if sum(merged.values()) <= 0:
        raise ValueError("every category weighs 0; at least one must count")
    return merged


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSpec(_Strict):
    """One side of the comparison."""

    kind: str = "hf"
    """Name of a scoring backend that an installed plugin offers."""
    base: str
    """Folder of a model, or a hub id."""
    adapter: Path | None = None
    """Folder of the adapter; a relative path counts from the suite file's folder."""
    dtype: Literal["auto", "fp16", "bf16", "fp32"] = "auto"
    device: str = "auto"
    trust_remote_code: bool = False
    """Kept so that old files are understood; ``true`` is refused."""
    entry_point: str | None = None
    """Kept for ``kind: custom`` of earlier versions; backends are plugins now."""
    endpoint: str | None = None
    """For backends that talk to a server."""

    @field_validator("trust_remote_code")
    @classmethod
    def _never(cls, value: bool) -> bool:
        if value:
            raise ValueError("sway never runs code that comes with a model")
        return value


class Models(_Strict):
    """What is compared with what."""

    base: ModelSpec
    ft: ModelSpec


class SuiteDefaults(_Strict):
    """What every probe of a suite shares."""

    seed: int = 0
    top_k: int = 256
    """How many tokens a position a served model is asked to show. Accepted for old files elsewhere: there divergences
    are exact over the whole vocabulary."""
    differential: bool = True
    """One base with the adapter switched on and off, rather than two models."""
    coverage_threshold: float = Field(default=0.6, ge=0, le=1)
    """Overall score below which the gate fails."""
    concurrent_probes: int = Field(default=1, ge=1, le=32)
    """Accepted for old files. Probes run one after another; each one batches its own work."""
    score_weights: dict[str, float] | None = None
    """Category weights, merged over the defaults."""
    template: Literal["auto", "chat", "raw"] = "auto"
    """How prompts become tokens: ``auto`` uses the chat template where the model has one."""
    system_prompt: str | None = None
    """System message in front of every chat prompt."""
    alpha: float = Field(default=0.05, gt=0, lt=1)
    """Level of the suite: see ``multiplicity``."""
    multiplicity: Literal["holm", "bh", "none"] = "holm"
    """What ``alpha`` promises about all effects that were meant, together. ``holm``: one false alarm in the whole suite
    is no likelier than alpha. ``bh``: of the effects found, a share of at most alpha is false on average. ``none``:
    each test by itself."""

    @field_validator("score_weights")
    @classmethod
    def _weights(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        merged_weights(value)
        return value


class Suite(_Strict):
    """A whole file. Entries of ``suite`` are plain mappings here: each probe validates its own."""

    version: Literal[1] = 1
    models: Models
    defaults: SuiteDefaults = SuiteDefaults()
    suite: tuple[dict[str, Any], ...] = ()
    dlm_source: str | None = None
    """Path of a ``.dlm`` document, for probes that ask about its sections."""
