"""Which of a version's adapters answers: one by name, a mix, or what a learned gate says of each question.

Reads names and facts; nothing is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from .errors import UsageProblem
from .training.mixing import Mix, Part, parse_mix, require_one_base, settled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .store.version import Version
    from .training.backend import Answerer

By = Literal["only", "option", "first", "gate"]
"""``only``: the version has one adapter, without a name. ``option``: it was asked for. ``first``: the first declared,
since nothing else was said. ``gate``: by a learned gate, question by question."""


@dataclass(frozen=True)
class Wanted:
    """What was asked for; nothing leaves it to the version: its gate, else its first adapter."""

    adapter: str | None = None
    mix: str | None = None
    """As :func:`.training.mixing.parse_mix` reads it."""
    gate: Literal["auto", "off"] | None = None
    """``auto``: the gate, and an error without one. ``off``: the first adapter, also with one."""
    any_precision: bool = False
    """Mix adapters although they were trained on a base's weights held in different ways."""

    def __post_init__(self) -> None:
        given = [
            name
            for name, value in (("--adapter", self.adapter), ("--adapter-mix", self.mix), ("--gate", self.gate))
            if value is not None
        ]
        if len(given) > 1:
            raise UsageProblem(f"{' and '.join(given)} each choose the adapter: give one of them")
        if self.adapter == "" or self.mix == "":
            raise UsageProblem(f"{given[0]} is empty: name an adapter, or leave it out")

    @property
    def anything(self) -> bool:
        """Whether a choice was made."""
        return (self.adapter, self.mix, self.gate) != (None, None, None)


class Weighed(NamedTuple):
    """Which adapters answered a question."""

    by: By
    adapters: dict[str, float]
    """Weights by name, those of 0 left out."""

    @property
    def told(self) -> str:
        """``network 0.93, kitchen 0.07``; one of weight 1 is its name alone."""
        if list(self.adapters.values()) == [1.0]:
            return next(iter(self.adapters))
        return ", ".join(f"{name} {weight:g}" for name, weight in self.adapters.items())


@dataclass(frozen=True)
class Chosen:
    """The adapters that answer, and how their weights come about."""

    by: By
    adapter: Path | Mix | None
    """What the backend puts on the base."""
    names: tuple[str, ...] = ()
    gate: Path | None = None
    """A learned gate's numbers."""
    note: str = ""
    """For people, once."""

    @property
    def first(self) -> str | None:
        """The adapter whose base is loaded; ``None`` for one without a name."""
        return self.names[0] if self.names else None

    def weigh(self, answerer: Answerer, questions: Sequence[str]) -> list[tuple[float, ...]] | None:
        """Of each question, by the gate; ``None`` where all have the same."""
        if self.gate is None:
            return None
        return [settled(weights) for weights in answerer.weigh(self.gate, questions)]

    def weighed(self, weights: tuple[float, ...] | None) -> Weighed | None:
        """What to tell of an answer that was given with ``weights``; ``None`` of an adapter without a name."""
        if not self.names:
            return None
        if weights is None:
            weights = self.adapter.weights if isinstance(self.adapter, Mix) else (1.0,) * len(self.names)
        return Weighed(self.by, {name: w for name, w in zip(self.names, weights, strict=True) if w})


UNTOUCHED = Chosen("only", None)
"""The base without any adapter."""


def choose_adapter(version: Version, wanted: Wanted) -> Chosen:
    """Which adapters of ``version`` answer.

    Raises:
        UsageProblem: it has not what is wanted; says what it has.
        AdapterMismatch: adapters are to be summed that were trained on weights held in different ways.
        StoreError: its gate is damaged.
    """
    names = version.adapters
    if not names:
        return _without_names(version, wanted)
    if wanted.adapter is not None:
        return Chosen("option", version.folder_of(wanted.adapter), (wanted.adapter,))
    if wanted.mix is not None:
        return _mix(version, parse_mix(wanted.mix, names), wanted)
    if wanted.gate == "off":
        return _first(version)
    return _gated(version, wanted)


def _without_names(version: Version, wanted: Wanted) -> Chosen:
    if wanted.anything:
        raise UsageProblem(
            f"{version.name} has one adapter, without a name, so there is none to choose: leave out --adapter, "
            "--adapter-mix and --gate. A document names several under training.adapters"
        )
    return Chosen("only", version.folder_of())


def _mix(version: Version, weights: Mapping[str, float], wanted: Wanted) -> Chosen:
    _require_one_base(version, tuple(weights), wanted)
    parts = tuple(Part(name, version.folder_of(name), weight) for name, weight in weights.items())
    return Chosen("option", Mix(parts), tuple(weights))


def _first(version: Version) -> Chosen:
    first, *others = version.adapters
    note = f"note: {first} answers, the first of {', '.join((first, *others))}: --adapter chooses" if others else ""
    return Chosen("first", version.folder_of(first), (first,), note=note)


def _gated(version: Version, wanted: Wanted) -> Chosen:
    """By the gate; without one, the first adapter, unless the gate was asked for."""
    from .store.gate_file import GATE_WEIGHTS, gate_folder, read_gate

    file = read_gate(version.path)
    if file is None:
        if wanted.gate == "auto":
            raise UsageProblem(
                f"{version.name} has no gate: set training.gate.enabled: true and train, or choose with --adapter"
            )
        return _first(version)
    if set(file.adapters) != set(version.adapters):
        raise UsageProblem(f"{version.name} has a gate for other adapters than its own: choose with --adapter")
    _require_one_base(version, file.adapters, wanted)
    even = 1 / len(file.adapters)
    mix = Mix(tuple(Part(name, version.folder_of(name), even) for name in file.adapters))
    if file.mode == "trained":
        return Chosen("gate", mix, file.adapters, gate_folder(version.path) / GATE_WEIGHTS)
    return Chosen("gate", mix, file.adapters, note=f"note: all adapters weigh the same: the gate is {file.reason}")


def _require_one_base(version: Version, names: Sequence[str], wanted: Wanted) -> None:
    if not wanted.any_precision:
        require_one_base({name: version.facts_of(name) for name in names})
