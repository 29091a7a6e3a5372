"""``gradient_ghost``: was everything trained that the adapter holds, and for long enough? Needs no model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import Field

from dlm_sway import Measurement, Probe, ProbeContext, ProbeResult, Verdict
from dlm_sway.errors import NothingToAsk
from dlm_sway.probes.base import ProbeSpec
from dlm_sway.spec.fields import SuitePath

from .tensors import Tensors
from .training_record import newest_checkpoint, pickled_state, read_object, version_facts

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WEIGHTS = "adapter_model.safetensors"
_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d+)\.")
_FACTOR = re.compile(r"\.lora_(A|B|embedding_A|embedding_B)(?:\.|$)")
_LISTED = 12
_BETA1 = 0.9


class GradientGhostSpec(ProbeSpec):
    """Keys of a ``gradient_ghost`` entry."""

    adapter_path: SuitePath | None = None
    """Folder of an adapter, of a store, or of the state that a stopped run left; without it, the suite's adapter."""
    min_steps_threshold: int = Field(default=50, ge=0)
    undertrained_layer_ratio: float = Field(default=2.0, gt=1)
    """How many times more direction than noise alone gives a layer's gradients may have at the end; in states only."""
    layer_failure_frac: float = Field(default=0.3, gt=0, le=1)
    """Share of the modules that may be untouched before it is a failure and not a warning."""


class Found(NamedTuple):
    """What the files say."""

    source: str
    step: int | None
    modules: int
    untouched: tuple[str, ...]
    """Modules whose update is exactly zero: no gradient ever reached them."""
    not_finite: tuple[str, ...]
    descending: dict[str, float]
    """Layer to signal-to-noise of its gradients, over that of noise alone."""
    norms: dict[str, float]
    """Layer to norm of its weights (of B, where there is one)."""


class GradientGhost(Probe[GradientGhostSpec]):
    """Steps, modules that were never reached, numbers that are none, and layers that were still on their way."""

    kind = "gradient_ghost"
    spec_type = GradientGhostSpec

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Never called: no view is measured."""
        raise TypeError("gradient_ghost is run, not judged")

    def run(self, ctx: ProbeContext) -> ProbeResult:
        """Read what training left."""
        folder = self.spec.adapter_path or ctx.adapter
        if folder is None:
            raise NothingToAsk("no adapter: name one with adapter_path")
        found = read(folder)
        verdict, signal, why = self._verdict(found)
        flagged = [layer for layer, ratio in found.descending.items() if ratio > self.spec.undertrained_layer_ratio]
        share = len(found.untouched) / found.modules if found.modules else 0.0
        steps = f"{found.step} steps" if found.step is not None else "steps unknown"
        message = f"{steps}, {len(found.untouched)} of {found.modules} modules untouched"
        return self.result(
            verdict,
            f"{why}: {message}" if why else message,
            raw=share,
            n_items=found.modules,
            seeks="harm",
            evidence={
                "source": found.source,
                "step": found.step,
                "primary_signal": signal,
                "untouched": list(found.untouched[:_LISTED]),
                "not_finite": list(found.not_finite[:_LISTED]),
                "per_layer_norm": found.norms,
                "per_layer_direction": found.descending,
                "flagged_layers": flagged,
                "thresholds": self.spec.model_dump(
                    include={"min_steps_threshold", "undertrained_layer_ratio", "layer_failure_frac"}
                ),
                "notes": [] if found.descending else ["no state of the optimiser: it goes when a run ends well"],
            },
        )

    def _verdict(self, found: Found) -> tuple[Verdict, str, str]:
        spec = self.spec
        if found.not_finite:
            return "fail", "not_finite", f"{found.not_finite[0]} holds NaN or infinity"
        if found.step is not None and found.step < spec.min_steps_threshold:
            return "fail", "global_step_below_threshold", f"fewer than {spec.min_steps_threshold} steps"
        share = len(found.untouched) / found.modules if found.modules else 0.0
        if share > spec.layer_failure_frac:
            return "fail", "untouched_modules", f"no gradient reached {share:.0%} of the modules"
        if share > 0:
            return "warn", "untouched_modules", f"no gradient reached {found.untouched[0]}"
        slow = [layer for layer, ratio in found.descending.items() if ratio > spec.undertrained_layer_ratio]
        if len(slow) > spec.layer_failure_frac * max(1, len(found.descending)):
            why = f"{len(slow)} of {len(found.descending)} layers were still on their way when the state was kept"
            return "warn", "still_descending", why
        return "pass", "none", ""


def read(folder: Path) -> Found:
    """What the files in ``folder`` say about its training.

    Raises:
        NothingToAsk: it holds neither an adapter nor a state that can be read.
        ProbeError: what it holds is damaged.
    """
    state = folder if (folder / "state.json").is_file() else newest_checkpoint(folder)
    if state is not None:
        return _state(state)
    if (folder / _WEIGHTS).is_file():
        return _adapter(folder)
    if pickled := pickled_state(folder):
        raise NothingToAsk(f"{pickled} is pickled, and opening it may run code: only safetensors are read")
    raise NothingToAsk(f"{folder} holds no {_WEIGHTS} and no state of a run")


def _adapter(folder: Path) -> Found:
    tensors, facts = Tensors(folder / _WEIGHTS), version_facts(folder)
    step = facts.get("outcome", {}).get("steps")
    values = ((name, tensors.read(name)) for name in tensors.names if _FACTOR.search(name))
    untouched, bad, norms = _look(values)
    modules = sum(_is_last(name) for name in tensors.names)
    return Found("adapter", step, modules, untouched, bad, {}, norms)


def _state(folder: Path) -> Found:
    numbers, tensors = read_object(folder / "state.json"), Tensors(folder / "state.safetensors")
    shape = numbers.get("shape", {})
    names, sizes = list(shape.get("names", ())), list(shape.get("sizes", ()))
    if not sizes or len(sizes) != len(names):
        raise NothingToAsk(f"{folder} was kept by an older dlm, which did not say where each weight lies")
    ends = np.cumsum([0, *sizes])
    where = [slice(begin, end) for begin, end in pairwise(ends)]
    master, first, second = (tensors.read(name) for name in ("master", "exp_avg", "exp_avg_sq"))
    values = ((name, master[at]) for name, at in zip(names, where, strict=True) if _FACTOR.search(name))
    untouched, bad, norms = _look(values)
    bad += tuple(n for n, at in zip(names, where, strict=True) if not np.isfinite(second[at]).all() and n not in bad)
    direction = _direction(names, where, first, second) if not bad else {}
    modules = sum(map(_is_last, names))
    return Found("state", numbers.get("counts", {}).get("step"), modules, untouched, bad, direction, norms)


def _look(
    values: Iterable[tuple[str, NDArray[np.float32]]],
) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, float]]:
    """Modules whose last factor is all zero, tensors with NaN, and the norm of every layer's last factors."""
    untouched: list[str] = []
    bad: list[str] = []
    squares: dict[str, float] = {}
    for name, value in values:
        if not np.isfinite(value).all():
            bad.append(name)
        elif _is_last(name):
            square = float(np.square(value, dtype=np.float64).sum())
            if square == 0.0:
                untouched.append(_FACTOR.split(name)[0])
            squares[_layer(name)] = squares.get(_layer(name), 0.0) + square
    return tuple(untouched), tuple(bad), {layer: square**0.5 for layer, square in squares.items()}


def _direction(
    names: Sequence[str], where: Sequence[slice], first: NDArray[np.float32], second: NDArray[np.float32]
) -> dict[str, float]:
    """Of each layer, sum(m^2) / sum(v) over what gradients without any direction give.

    m and v are Adam's running means of gradient and squared gradient. When gradients only scatter around zero, the
    ratio is (1 - beta1) / (1 + beta1) on average, whatever their scale; when they all point one way, it nears 1.
    """
    above: dict[str, float] = {}
    below: dict[str, float] = {}
    for name, at in zip(names, where, strict=True):
        layer = _layer(name)
        above[layer] = above.get(layer, 0.0) + float(np.square(first[at], dtype=np.float64).sum())
        below[layer] = below.get(layer, 0.0) + float(second[at].sum(dtype=np.float64))
    noise = (1 - _BETA1) / (1 + _BETA1)
    return {layer: above[layer] / below[layer] / noise for layer in above if below[layer] > 0}


def _is_last(name: str) -> bool:
    """Whether this is the factor that starts at zero."""
    found = _FACTOR.search(name)
    return found is not None and found.group(1) in ("B", "embedding_B")


def _layer(name: str) -> str:
    found = _LAYER.search(name)
    return f"layer {found.group(1)}" if found else _FACTOR.split(name)[0].rpartition(".")[2]
