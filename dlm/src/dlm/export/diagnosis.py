"""From figures to a verdict: which floor is missed, and what the figures say is wrong with the file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from .certificate import Check
from .floors import EIGHT, LEAST_EFFECT, LEAST_POSITIONS, floor_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .certificate import PartFigures, Verdict
    from .floors import Floor
    from .parity import Estimate

NEARLY_NOTHING: Final = 0.15
"""Strength below which an adapter is as good as absent."""
AS_TRAINED: Final = 0.10
"""How far from 1 the strength of an adapter may lie that is whole, at 8 bits or more."""
COARSELY: Final = 0.35
"""The same below: rounding of all weights is no noise alone, and moves answers along the adapter's direction too."""
DAMAGED: Final = 1.0
"""Nats a position on general text that no format costs; asked where nothing is known about the adapter's effect."""
ASIDE: Final = 0.75
"""Share of the adapter's own movement by which an export moves elsewhere, that no format costs where it passes."""
AGAIN: Final = "write the export again; if it comes back, report it with certificate.json"


def figures_checks(
    quant: str | None, figures: Mapping[str, Estimate], effect: float, aside: float, parts: Mapping[str, PartFigures]
) -> list[Check]:
    """What the divergences say, held against the floor of ``quant``; ``aside`` as :func:`.parity.aside` has it."""
    floor = floor_of(quant)
    diverged, tail, agreed = figures["divergence"], figures["tail"], figures["agreement"]
    positions = sum(part.positions for part in parts.values())
    why = _why(quant, figures, aside, parts)
    checks = [
        _effect(figures["effect_kept"], effect, floor, why),
        _check(
            "KL",
            _judged(diverged, at_most=floor.divergence),
            f"{diverged.value:.4f} nats ({diverged.low:.4f}-{diverged.high:.4f}), p99 {tail.value:.3f}",
            f"at most {floor.divergence:g}",
            why,
        ),
        _check(
            "top token",
            _judged(agreed, at_least=floor.agreement),
            f"{agreed.value:.1%} agree ({100 * agreed.low:.1f}-{100 * agreed.high:.1f})",
            f"at least {floor.agreement:.0%}",
            why,
        ),
    ]
    if positions < LEAST_POSITIONS:
        few = f"only {positions} positions could be read, and {LEAST_POSITIONS} are needed to tell"
        checks.append(Check("positions", "could not tell", str(positions), f"at least {LEAST_POSITIONS}", few))
    return checks


def _effect(kept: Estimate, effect: float, floor: Floor, why: str) -> Check:
    if not effect >= LEAST_EFFECT:
        told = f"the adapter changes {effect:.4f} nats a position of the answers: too little to tell what is kept of it"
        return Check("effect kept", "could not tell", f"{effect:.4f} nats to keep", f"{LEAST_EFFECT:g} needed", told)
    found = f"{kept.value:.1%} ({100 * kept.low:.1f}-{100 * kept.high:.1f}) of {effect:.2f} nats"
    return _check("effect kept", _judged(kept, at_least=floor.effect), found, f"at least {floor.effect:.0%}", why)


def _check(name: str, verdict: Verdict, found: str, floor: str, why: str) -> Check:
    if verdict == "could not tell":
        why = f"{name}: the interval reaches over the floor, so it cannot be told; a finer format is sure to pass"
    return Check(name, verdict, found, floor, "" if verdict == "passed" else why)


def _judged(found: Estimate, *, at_least: float = -math.inf, at_most: float = math.inf) -> Verdict:
    """Passed when the whole interval does, failed when the estimate does not."""
    if not at_least <= found.value <= at_most:
        return "failed"
    return "passed" if at_least <= found.low and found.high <= at_most else "could not tell"


def _why(quant: str | None, figures: Mapping[str, Estimate], aside: float, parts: Mapping[str, PartFigures]) -> str:
    """What is wrong, as far as the figures tell it."""
    strength, kept = figures["strength"].value, figures["effect_kept"].value
    general = parts["general"].divergence.value if "general" in parts else figures["divergence"].value
    if not math.isfinite(figures["divergence"].value):
        return f"the export gives no finite numbers: its weights are damaged; {AGAIN}"
    if aside > ASIDE or (general > DAMAGED and not math.isfinite(aside)):
        return (
            f"it is another model ({general:.2f} nats away on text that has nothing to do with the document): weights "
            f"are damaged, or in another order than the program reads them, such as rows of queries and keys; {AGAIN}"
        )
    if strength < NEARLY_NOTHING:
        return (
            f"the adapter is not in it, or is not applied: it answers as the base does (strength {strength:.2f} of 1); "
            f"{AGAIN}"
        )
    acts = f"the adapter acts with {strength:.2f} of its strength"
    if floor_of(quant).effect >= EIGHT.effect and abs(strength - 1) > AS_TRAINED and kept < 0.95:
        return f"{acts}, so its scale is wrong; {AGAIN}"
    if abs(strength - 1) > COARSELY and kept < 0.95:
        return f"{acts}: its scale is wrong, or {quant} rounds its changes away; try --quant Q8_0, which tells which"
    finer = "F16" if floor_of(quant).effect >= EIGHT.effect else "Q8_0, or F16"
    return (
        f"{quant or 'this format'} rounds away too much of this model: choose a finer one (--quant {finer}), or keep "
        "it all the same with --allow-lossy"
    )
