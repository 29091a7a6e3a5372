"""What a probe and a suite found: plain data that becomes the result JSON (contracts/sway-report.schema.json)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["pass", "fail", "warn", "inconclusive", "skip", "error"]
Seeks = Literal["change", "harm", "neither"]


@dataclass(frozen=True)
class NullSummary:
    """The same measurement on random adapters of the same norms."""

    n: int
    mean: float
    sd: float
    largest: float
    resolution: float
    """Smallest p-value that ``n`` nulls can show: 1 / (n + 1)."""


@dataclass(frozen=True)
class ProbeResult:
    """One probe's answer. Numbers that were not measured are ``None``, never NaN."""

    name: str
    kind: str
    verdict: Verdict
    message: str
    """One line for people: the number, its uncertainty, and why the verdict."""
    score: float | None = None
    """1 pass, 0 fail, 0.5 warn; ``None`` when nothing was decided."""
    raw: float | None = None
    ci_95: tuple[float, float] | None = None
    p_value: float | None = None
    """Rank p-value against the nulls, or the probe's own test; the message says which."""
    p_adjusted: float | None = None
    """The same, given how many tests the suite makes; what the gate goes by. Filled in by the runner."""
    mde: float | None = None
    """Minimum detectable effect: the true value that this many items would find four times in five, in the unit of
    ``raw``."""
    z_score: float | None = None
    base_value: float | None = None
    ft_value: float | None = None
    n_items: int = 0
    noise_floor: float | None = None
    nulls: NullSummary | None = None
    duration_s: float = 0.0
    weight: float = 1.0
    category: str = ""
    """Empty lets the runner take it from the probe's registration."""
    seeks: Seeks | None = None
    """What a pass means; ``None`` lets the runner take it from the probe's registration."""
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SuiteResult:
    """A whole run."""

    probes: tuple[ProbeResult, ...]
    conclusion: str
    """In one word, as :func:`.suite.conclude.conclude` finds it."""
    score: dict[str, Any]
    provenance: dict[str, Any]
    started_at: str
    finished_at: str
    wall_seconds: float
    summary: tuple[str, ...] = ()
    """The conclusion in words, one sentence a line."""
    status: Literal["finished", "interrupted"] = "finished"
    """``interrupted``: some entries were not asked, and stand among ``probes`` as skipped."""
