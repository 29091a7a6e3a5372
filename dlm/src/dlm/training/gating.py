"""The learned gate of a document with several adapters: what it is trained on, when it is not, and what is said of it.

Nothing here multiplies: the backend trains the gate on the untouched base's reading of each text.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..document.routing import declared

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ..bases import LocalBase
    from ..corpus.belonging import Kind, Sample
    from ..document import Document, Section
    from ..document.frontmatter import Gate as Wanted
    from ..store.gate_file import GateFile, HeldOut
    from ..store.runs import Run
    from .backend import Backend
    from .job import Job
    from .recipe import Recipe


@dataclass(frozen=True)
class GateSettings:
    """How a gate is trained: ``training.gate`` of the document, and the run's seed."""

    hidden: int = 64
    steps: int = 200
    learning_rate: float = 3e-4
    entropy: float = 0.01
    """How much is given for weights that are spread out, in nats of entropy."""
    seed: int = 42
    precision: str = "auto"
    device: str = "auto"


@dataclass(frozen=True)
class TrainedGate:
    """What a backend made of the samples."""

    weights: bytes
    """A safetensors file; empty when training failed."""
    right: tuple[bool, ...]
    """Of each sample with a fold, in their order: whether a gate that was trained without that fold gave the sample's
    own adapter the most weight."""
    mean_weights: tuple[float, ...]
    """By adapter, over all samples."""
    diverged: str = ""
    """What went wrong."""


@dataclass(frozen=True)
class Gate:
    """A gate as it is committed."""

    file: GateFile
    weights: bytes | None

    def write(self, version: Path) -> None:
        """Put it into the folder of a version that is being made."""
        from ..store.gate_file import write_gate

        write_gate(version, self.file, self.weights)

    @property
    def told(self) -> str:
        """One line for people."""
        file = self.file
        if file.mode != "trained":
            return f"gate: {file.reason}; every adapter weighs the same at `dlm prompt`"
        found = file.held_out
        if found is None:
            return "gate: trained; too few facts to hold any out, so how well it chooses is not known"
        verdict = "" if found.low > found.chance else "; it may be chance"
        return (
            f"gate: right on {found.right} of {found.texts} held-out texts ({found.share:.0%}, 95% {found.low:.0%} to "
            f"{found.high:.0%}; chance {found.chance:.0%}){verdict}"
        )


def gate_of(job: Job, run: Run) -> Gate | None:
    """The gate of a run; what came of it is said, and written into the log. It needs no adapter, so it is trained
    before them: afterwards the base would lie in memory twice.

    Raises:
        TrainingFailed: this backend trains no gates.
    """
    gate = train_gate(job.document, job.material.more, job.backend, job.base, job.recipe)
    if gate is not None:
        run.log({"type": "gate", **gate.file.model_dump(mode="json", exclude={"schema_version", "weights_sha256"})})
        job.observer.say(gate.told)
    return gate


def train_gate(
    document: Document, more: Iterable[Section], backend: Backend, base: LocalBase, recipe: Recipe
) -> Gate | None:
    """The gate that ``document`` asks for, trained on its sections and on those beside it; ``None`` when it asks for
    none. The same for the same arguments.

    Raises:
        TrainingFailed: this backend trains no gates.
    """
    wanted = document.frontmatter.training.gate
    if not wanted.enabled:
        return None
    from ..corpus.belonging import samples

    names = declared(document)
    found = samples(document, more, recipe.seed)
    usable = _usable(found, names, wanted.cold_start_floor)
    if not usable:
        return _even(names, found, _too_few(found, names, wanted.cold_start_floor))
    chosen = [sample for sample in found if sample.kind in usable]
    trained = backend.train_gate(base, names, chosen, _settings(wanted, recipe))
    if trained.diverged:
        return _even(names, chosen, trained.diverged, diverged=True)
    return _committed(names, chosen, trained)


def _usable(found: Iterable[Sample], names: Sequence[str], floor: int) -> set[Kind]:
    """Kinds of which every adapter has enough. With a kind that only some have, a gate would learn to tell questions
    from text instead of what they are about."""
    counts = Counter((sample.adapter, sample.kind) for sample in found)
    kinds: tuple[Kind, ...] = ("question", "text")
    return {kind for kind in kinds if all(counts[name, kind] >= floor for name in names)}


def _too_few(found: Iterable[Sample], names: Sequence[str], floor: int) -> str:
    counts = Counter(sample.adapter for sample in found if sample.kind == "question")
    fewest = min(names, key=lambda name: counts[name])
    return (
        f"not trained, since only {counts[fewest]} questions belong to `{fewest}` alone and "
        f"training.gate.cold_start_floor is {floor}"
    )


def _settings(wanted: Wanted, recipe: Recipe) -> GateSettings:
    return GateSettings(
        hidden=wanted.hidden_proj_dim,
        steps=wanted.steps,
        learning_rate=wanted.lr,
        entropy=wanted.entropy_lambda,
        seed=recipe.seed,
        precision=recipe.precision,
        device=recipe.device,
    )


def _even(names: Sequence[str], found: Iterable[Sample], reason: str, *, diverged: bool = False) -> Gate:
    from ..store.gate_file import GateFile

    mode: Literal["uniform", "diverged"] = "diverged" if diverged else "uniform"
    even = {name: 1 / len(names) for name in names}
    return Gate(
        GateFile(adapters=tuple(names), mode=mode, reason=reason, samples=_counts(names, found), mean_weights=even),
        None,
    )


def _committed(names: Sequence[str], chosen: Sequence[Sample], trained: TrainedGate) -> Gate:
    from ..store.gate_file import GateFile

    apart = [sample for sample in chosen if sample.fold is not None]
    file = GateFile(
        adapters=tuple(names),
        mode="trained",
        samples=_counts(names, chosen),
        held_out=_judged(apart, trained.right) if {sample.adapter for sample in apart} == set(names) else None,
        mean_weights=dict(zip(names, trained.mean_weights, strict=True)),
    )
    return Gate(file, trained.weights)


def _counts(names: Sequence[str], found: Iterable[Sample]) -> dict[str, int]:
    counts = Counter(sample.adapter for sample in found)
    return {name: counts[name] for name in names}


def _judged(apart: Sequence[Sample], right: Sequence[bool]) -> HeldOut:
    from ..learning.intervals import clustered
    from ..store.gate_file import HeldOut

    found = clustered(((sample.adapter, sample.group), hit) for sample, hit in zip(apart, right, strict=True))
    commonest = max(Counter(sample.adapter for sample in apart).values())
    return HeldOut(
        texts=len(apart),
        right=sum(right),
        share=found.share,
        low=found.low,
        high=found.high,
        chance=commonest / len(apart),
    )
