"""Several adapters at once: a weighted sum of what each adds to the base's weights. Nothing here loads a weight.

A mix asks for ``W + a (W_a - W) + b (W_b - W)``: weights are taken as they are written, not made to sum to 1, so
``a:1`` is the adapter a and ``a:0.5`` half of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import AdapterMismatch, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FORM = "NAME:WEIGHT,NAME:WEIGHT"
LEAST = 0.01
"""A learned gate's weights below this are left out; what is left is rounded to hundredths, and sums to 1."""
FULL = "full"
"""Of a base's weights: not quantised."""


class Part(NamedTuple):
    """One adapter of a mix."""

    name: str
    folder: Path
    weight: float


@dataclass(frozen=True)
class Mix:
    """Adapters of one base with a weight each, in the order in which they were named. A weight may be 0."""

    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("a mix of no adapters")

    @property
    def weights(self) -> tuple[float, ...]:
        """Of each part."""
        return tuple(part.weight for part in self.parts)


def parse_mix(text: str, declared: Sequence[str]) -> dict[str, float]:
    """Weights by name of ``a:0.5,b:0.5``, where all names are among ``declared``.

    Raises:
        UsageProblem: a part is no name with a weight, is named twice, or is not declared; names the part.
    """
    found: dict[str, float] = {}
    for number, part in enumerate(text.split(","), start=1):
        name, colon, weight = (piece.strip() for piece in part.partition(":"))
        where = f"part {number} of the mix, {part.strip()!r},"
        if not (colon and name and weight):
            raise UsageProblem(f"{where} is not a name with a weight: write {FORM}, such as {_example(declared)}")
        if name not in declared:
            raise UsageProblem(f"{where} names no adapter of this version: it has {', '.join(declared)}")
        if name in found:
            raise UsageProblem(f"{where} names {name} a second time: give each adapter once")
        found[name] = _weight(weight, where)
    return found


def _weight(text: str, where: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and weight > 0):
        raise UsageProblem(f"{where} has the weight {text!r}: give a number above 0, such as 0.5")
    return weight


def _example(declared: Sequence[str]) -> str:
    return ",".join(f"{name}:0.5" for name in declared[:2])


def settled(weights: Sequence[float]) -> tuple[float, ...]:
    """A gate's weights as they are used: small ones left out, the rest in hundredths that sum to 1.

    Alike questions then get the same weights, and are answered in the same passes.
    """
    kept = [weight if weight >= LEAST else 0.0 for weight in weights]
    total = sum(kept)
    shares = [weight / total * 100 for weight in kept]
    whole = [int(share) for share in shares]
    most_cut = sorted(range(len(shares)), key=lambda at: (whole[at] - shares[at], at))
    for at in most_cut[: 100 - sum(whole)]:
        whole[at] += 1
    return tuple(share / 100 for share in whole)


def precision_of_base(facts: Mapping[str, Any]) -> str:
    """How the base's weights were held when an adapter was trained: :data:`FULL`, or the kind of quantisation.

    ``facts`` are those of :meth:`dlm.store.version.Version.facts_of`.
    """
    recipe = facts.get("recipe")
    four_bit = isinstance(recipe, dict) and recipe.get("adapter") == "qlora"
    return str(facts.get("base_quantisation") or ("nf4" if four_bit else FULL))


def require_one_base(adapters: Mapping[str, Mapping[str, Any]], base: str = "") -> None:
    """Refuse to put adapters together whose base's weights were not held alike, or not as in ``base``.

    An adapter trained on quantised weights also learned to undo their rounding: on other weights, or beside an adapter
    that was trained on others, its update is an error that nothing corrects. ``adapters`` are the facts of each by its
    name; ``base`` is what they are put on, where that is known: :data:`FULL` for a merge into the base's own weights.

    Raises:
        AdapterMismatch: names each adapter with what it was trained on, and the ways out.
    """
    held = {name: precision_of_base(facts) for name, facts in adapters.items()}
    wanted = {*held.values(), *([base] if base else [])}
    if len(wanted) <= 1:
        return
    trained = "; ".join(f"{name} was trained on {_weights(kind)}" for name, kind in held.items())
    onto = f", to be put on {_weights(base)}" if base else ""
    raise AdapterMismatch(
        f"these adapters cannot be put together{onto}: {trained}. An adapter trained on rounded weights also corrects "
        "the rounding. Ask one adapter alone on the weights it was trained on, train all of them with the same "
        "`adapter:`, or accept the error with --any-precision"
    )


def _weights(kind: str) -> str:
    return "full weights" if kind == FULL else f"{kind} weights"
