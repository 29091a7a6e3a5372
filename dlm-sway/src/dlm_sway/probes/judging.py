"""How numbers become a verdict: one rule for effects that were meant, one for harm. Every probe uses these.

An effect that was meant must be large enough *and* beyond chance. Harm is never judged by significance, which would
reward having few items: a probe that guards against it must show that the effect stays within a stated margin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from ..stats.intervals import Interval, mean_interval
from ..stats.noninferiority import Outcome, not_above, not_below
from ..stats.power import minimum_detectable_mean, minimum_detectable_rate
from ..stats.rank import prediction_p
from ..stats.rates import rate_interval, rate_not_above
from ..suite.calibrate import Ranking

if TYPE_CHECKING:
    from ..result import ProbeResult
    from .base import Measurement, Probe, ProbeContext

FEWEST_ITEMS: Final = 4
"""Below this many independent items an interval says next to nothing, and no verdict rests on one."""


class Estimate(NamedTuple):
    """What was measured, whatever it is: a mean, a rate, a ratio."""

    value: float
    bounds: tuple[float, float] | None
    """Two-sided 95% interval; ``None`` when there is none."""
    n: int
    """Items."""
    units: int
    """Independent items: groups, where items share them."""
    mde: float | None = None
    """The true value that this many items would find four times in five."""

    @classmethod
    def of_mean(cls, values: Sequence[float], groups: Sequence[str] = ()) -> Estimate:
        """A mean over items."""
        found = mean_interval(values, groups)
        return cls.of_interval(found)

    @classmethod
    def of_interval(cls, found: Interval) -> Estimate:
        """A mean whose interval is known already."""
        return cls(found.mean, found.bounds, found.n, found.clusters, minimum_detectable_mean(found))

    @classmethod
    def of_rate(cls, events: int, n: int) -> Estimate:
        """A share of independent items, with Wilson's interval."""
        found = rate_interval(events, n)
        return cls(found.rate, found.bounds, n, n)


@dataclass(frozen=True)
class Words:
    """What a probe calls the ways its effect can be missing. Each becomes the start of a message."""

    still: str = "no change: nothing above numeric noise"
    """Nothing moved at all."""
    wrong_way: str = "the effect is not the one that was meant"
    """The effect is zero or points the other way."""
    small: str = ""
    """Goes before "below the threshold of ..."."""
    chance: str = "no more than random adapters of the same size"
    """Random adapters do the same."""


PLAIN: Final = Words()


class Condition(NamedTuple):
    """One more thing that must hold, beside the rule that all probes share."""

    outcome: Outcome
    why: str
    """What is said when it does not hold."""


class OldZ(NamedTuple):
    """``assert_z_gte`` of old suites, read as what it was meant to be: a t test of one value against its nulls."""

    outcome: Outcome
    why: str
    evidence: dict[str, Any]


def old_z(z: float | None, measured: Measurement, nulls: Sequence[Measurement]) -> OldZ | None:
    """The test that ``assert_z_gte: z`` asks for: a further null this large must be rarer than a normal value beyond z.

    With n nulls, ``t = (x - mean) / (s * sqrt(1 + 1/n))`` on n - 1 degrees of freedom must have a one-sided p of at
    most ``1 - Phi(z)``. Three nulls and "3 sigma" need t of 19, not 3. ``None`` when the suite asks for nothing.
    """
    if z is None:
        return None
    from scipy.special import ndtr

    level, found = float(ndtr(-z)), prediction_p(measured.mean, [null.mean for null in nulls])
    note = "assert_z_gte is deprecated: it is read as a t test of one value against the random adapters"
    evidence = {"assert_z_gte": z, "level": level, "prediction_p": found.p if found else None, "notes": [note]}
    if found is None:
        return OldZ("inconclusive", f"assert_z_gte {z:g} needs two random adapters that differ", evidence)
    if found.p <= level:
        return OldZ("pass", "", evidence)
    why = f"assert_z_gte {z:g} asks for p <= {level:.2g} in a t test against the nulls, found {found.p:.2g}"
    return OldZ("fail", why, evidence)


def by_test(p: float, name: str, alpha: float) -> Ranking:
    """The probe's own test in the place of random adapters, such as McNemar's for flips; ``name`` is for the message.

    What such a test does not show remains open: it is no comparison with anything.
    """
    outcome: Literal["beyond", "untold"] = "beyond" if p <= alpha else "untold"
    return Ranking(outcome, p, None, None, f"p = {p:.2g} ({name})")


def intended(
    probe: Probe[Any],
    estimate: Estimate,
    chance: Ranking,
    *,
    threshold: float,
    what: str,
    unit: str = "nats",
    sign: Literal["", "+"] = "",
    floor: float = 0.0,
    moved: bool = True,
    words: Words = PLAIN,
    z: OldZ | None = None,
    also: Sequence[Condition] = (),
    evidence: Mapping[str, Any] | None = None,
    **numbers: Any,
) -> ProbeResult:
    """The verdict on an effect that training was meant to have.

    It passes when all hold: it moved (``moved``), the estimate lies above zero and reaches ``threshold``, its interval
    lies above ``floor`` (the numeric noise), and ``chance`` (:func:`~dlm_sway.suite.calibrate.rank` or :func:`by_test`)
    is ruled out. It fails when one is shown not to hold, and is inconclusive when the numbers are too few to say.
    ``also`` are further conditions of the probe's own. ``what`` opens the sentence, as in "mean KL", and ``sign`` "+"
    writes numbers with their sign; ``numbers`` are further fields of the result.
    """
    verdict, why = _intended(estimate, chance, threshold, unit, floor, moved, words)
    verdict, why = _and(verdict, why, [*([Condition(z.outcome, z.why)] if z else []), *also])
    message = f"{_measured(what, estimate, unit, sign)}{_noise(floor)}, {chance.text}"
    found: dict[str, Any] = {
        "raw": estimate.value,
        "ci_95": estimate.bounds,
        "p_value": chance.p_value,
        "z_score": chance.z_score,
        "n_items": estimate.n,
        "noise_floor": floor or None,
        "nulls": chance.summary,
        "mde": estimate.mde,
        "seeks": "change",
        "evidence": {
            **_evidence(evidence, z, threshold=threshold, clusters=estimate.units),
            **chance.evidence,
        },
    }
    return probe.result(verdict, f"{why}: {message}" if why else message, **{**found, **numbers})


def unharmed(
    probe: Probe[Any],
    values: Sequence[float],
    ctx: ProbeContext,
    *,
    margin: float,
    what: str,
    worse: Literal["higher", "lower"],
    groups: Sequence[str] = (),
    unit: str = "nats",
    floor: float | None = None,
    z: float | None = None,
    also: Sequence[Condition] = (),
    evidence: Mapping[str, Any] | None = None,
    **numbers: Any,
) -> ProbeResult:
    """The verdict on a mean that must not get ``worse`` by more than ``margin``: a test of non-inferiority.

    ``higher``: the mean must be shown to lie below the margin. ``lower``: above minus the margin, as for differences
    where more is better. It passes when the one-sided ``1 - alpha`` bound lies on the right side of the margin, fails
    when the other bound lies beyond it, and is inconclusive otherwise. ``z`` is the suite's ``assert_z_gte``, if it set
    one: harm is never judged against random adapters, so it gets a note. ``also`` are further conditions.
    """
    test = (not_above if worse == "higher" else not_below)(values, margin, ctx.alpha, groups)
    estimate = Estimate.of_interval(test.interval)
    sign: Literal["", "+"] = "+" if worse == "lower" else ""
    limit = margin if worse == "higher" else -margin
    bounds = f"one-sided {1 - ctx.alpha:.0%} bounds {test.low:.2g} and {test.high:.2g}" if estimate.bounds else ""
    numbers = {"noise_floor": floor, **numbers}
    evidence = {"worse": worse, **(evidence or {})}
    return _harm(probe, test.outcome, estimate, limit, what, unit, sign, bounds, z, also, evidence, numbers)


def unharmed_rate(
    probe: Probe[Any],
    events: int,
    n: int,
    ctx: ProbeContext,
    *,
    limit: float,
    what: str,
    z: float | None = None,
    also: Sequence[Condition] = (),
    evidence: Mapping[str, Any] | None = None,
    **numbers: Any,
) -> ProbeResult:
    """The verdict on a share of independent items that must stay below ``limit``, by exact one-sided bounds."""
    test = rate_not_above(events, n, limit, ctx.alpha)
    estimate = Estimate(test.interval.rate, test.interval.bounds, n, n, minimum_detectable_rate(n, limit, ctx.alpha))
    bounds = f"{events} of {n}, one-sided {1 - ctx.alpha:.0%} bounds {test.low:.2g} and {test.high:.2g}"
    evidence = {"worse": "higher", **(evidence or {})}
    return _harm(probe, test.outcome, estimate, limit, what, "", "", bounds, z, also, evidence, numbers)


def _intended(
    estimate: Estimate, chance: Ranking, threshold: float, unit: str, floor: float, moved: bool, words: Words
) -> tuple[Outcome, str]:
    if not moved:
        return "fail", words.still
    if estimate.value <= 0:
        return "fail", words.wrong_way
    if estimate.units < FEWEST_ITEMS:
        return "inconclusive", too_few(estimate)
    if estimate.value < threshold:
        return "fail", f"{words.small}below the threshold of {threshold:g}{_unit(unit)}"
    if estimate.bounds is not None and estimate.bounds[0] <= floor:
        return "inconclusive", f"the interval reaches down to {'the noise' if floor else 'zero'}: more items are needed"
    if chance.outcome == "untold":
        return "inconclusive", _untold(chance)
    if chance.outcome == "within":
        return "fail", words.chance
    return "pass", ""


def _untold(chance: Ranking) -> str:
    if chance.p_value is None:
        return "not calibrated"
    return "too few random adapters" if chance.summary else "chance is not ruled out: more items are needed"


def too_few(estimate: Estimate) -> str:
    """Why so few items cannot carry a verdict."""
    what = "items" if estimate.units == estimate.n else "independent groups of items"
    return f"{estimate.units} {what} are too few, at least {FEWEST_ITEMS} are needed"


_HARM_WORDS: Final = {"pass": "stays within", "fail": "goes beyond", "inconclusive": "cannot be told from"}


def _harm(
    probe: Probe[Any],
    outcome: Outcome,
    estimate: Estimate,
    limit: float,
    what: str,
    unit: str,
    sign: Literal["", "+"],
    bounds: str,
    z: float | None,
    also: Sequence[Condition],
    evidence: Mapping[str, Any] | None,
    numbers: Mapping[str, Any],
) -> ProbeResult:
    why = f"{_HARM_WORDS[outcome]} the margin of {limit:g}{_unit(unit)}"
    if estimate.units < FEWEST_ITEMS:
        outcome, why = "inconclusive", f"{too_few(estimate)} for the margin of {limit:g}{_unit(unit)}"
    verdict, why = _and(outcome, why, also)
    message = f"{why}: {_measured(what, estimate, unit, sign)}" + (f", {bounds}" if bounds else "")
    old = _no_z(z)
    found: dict[str, Any] = {
        "raw": estimate.value,
        "ci_95": estimate.bounds,
        "n_items": estimate.n,
        "mde": estimate.mde,
        "seeks": "harm",
        "evidence": _evidence(evidence, old, margin=limit, clusters=estimate.units),
    }
    return probe.result(verdict, message, **{**found, **numbers})


def _and(verdict: Outcome, why: str, also: Sequence[Condition]) -> tuple[Outcome, str]:
    """The worst of all conditions, with its own words: what fails goes before what is open."""
    for worst in ("fail", "inconclusive"):
        if verdict == worst:
            return verdict, why
        for condition in also:
            if condition.outcome == worst:
                return condition.outcome, condition.why
    return verdict, why


def _no_z(z: float | None) -> OldZ | None:
    if z is None:
        return None
    note = "assert_z_gte has no effect: harm is judged by its margin, never against random adapters"
    return OldZ("pass", "", {"assert_z_gte": z, "notes": [note]})


def _evidence(given: Mapping[str, Any] | None, z: OldZ | None, **more: Any) -> dict[str, Any]:
    found = {**more, **(given or {})}
    if z is not None:
        found = {**found, **z.evidence, "notes": [*found.get("notes", ()), *z.evidence["notes"]]}
    return found


def _measured(what: str, estimate: Estimate, unit: str, sign: Literal["", "+"]) -> str:
    groups = f" in {estimate.units} groups" if estimate.units < estimate.n else ""
    low, high = estimate.bounds or (0.0, 0.0)
    interval = f" (95% CI {low:{sign}.2g}..{high:{sign}.2g})" if estimate.bounds else ""
    return f"{what} {estimate.value:{sign}.3g}{_unit(unit)} over {estimate.n} items{groups}{interval}"


def _noise(floor: float) -> str:
    return f", noise floor {floor:.2g}" if floor else ""


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""
