"""The state of a training run between two steps, as files: tensors in safetensors, numbers in JSON, nothing pickled.

Everything that the steps to come depend on, and nothing that the plan or the base already says.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from dlm.errors import TrainingRefused

from .held_out import Best, Judged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from .losses import Losses

TENSORS, NUMBERS = "state.safetensors", "state.json"
LOSSES = "losses."
"""Before the names of what the losses keep."""
MOMENTS = ("exp_avg", "exp_avg_sq")
"""What AdamW remembers of every weight."""


@dataclass(frozen=True)
class Shape:
    """What must be the same for a state to mean the same."""

    precision: str
    device: str
    """Its kind: ``cpu``, ``cuda``."""
    names: tuple[str, ...]
    """The adapter's parameters, in the order of the flat weights."""
    weights: int
    sizes: tuple[int, ...] = ()
    """How many of the weights each parameter has; for readers of the state, who have no model."""


@dataclass
class Counts:
    """Where the loop stands."""

    step: int = 0
    tokens: int = 0
    loss: float | None = None
    anchor_kl: float | None = None
    seconds: float = 0.0
    """Spent so far, over all runs that went on with it."""
    rows_a_pass: int | None = None
    """As many as the memory had room for; ``None`` for all of a step."""


@dataclass(frozen=True)
class Summing:
    """In which order sums are made: another one changes the last bits of a result."""

    threads: int
    processes: int

    def noted(self, was: dict[str, Any], say: Callable[[str], None]) -> None:
        """Say it when the stopped run ``was`` another."""
        now = asdict(self)
        changed = [f"{was.get(name)} {name}, and here are {now[name]}" for name in now if was.get(name) != now[name]]
        if changed:
            say(f"the stopped run had {' and '.join(changed)}: the result agrees but for rounding")


def write(
    folder: Path,
    shape: Shape,
    counts: Counts,
    best: Best,
    master: torch.Tensor,
    optimiser: torch.optim.Optimizer,
    losses: Mapping[str, torch.Tensor],
    summing: Summing,
) -> None:
    """Fill ``folder``. The best weights are written once when they are the present ones."""
    moments: dict[str, Any] = optimiser.state[master]
    tensors = {
        "master": master.detach(),
        **{name: moments[name] for name in MOMENTS},
        "optimiser_step": torch.as_tensor(moments["step"]),
        "random": torch.get_rng_state(),
    }
    if master.device.type == "cuda":
        tensors["random_cuda"] = torch.cuda.get_rng_state(master.device)
    kept = best.kept
    if kept is not None and best.step != counts.step:
        tensors["best"] = kept
    tensors |= {f"{LOSSES}{name}": tensor for name, tensor in losses.items()}
    save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, folder / TENSORS)
    numbers = {
        "shape": asdict(shape),
        "summing": asdict(summing),
        "counts": asdict(counts),
        "best": {
            "step": best.step if kept is not None else None,
            "before": _plain(best.before),
            "found": _plain(best.found),
        },
    }
    (folder / NUMBERS).write_text(json.dumps(numbers, sort_keys=True, indent=2, allow_nan=False), encoding="utf-8")


def read(
    folder: Path,
    shape: Shape,
    best: Best,
    master: torch.Tensor,
    optimiser: torch.optim.Optimizer,
    losses: Losses,
    summing: Summing,
    say: Callable[[str], None],
) -> Counts:
    """Put the state in ``folder`` into ``best``, ``master``, ``optimiser``, ``losses`` and the random generators.

    Raises:
        TrainingRefused: it was left by a run of another precision, device or shape, or cannot be read.
    """
    try:
        numbers = json.loads((folder / NUMBERS).read_bytes())
        tensors = load_file(folder / TENSORS, device=str(master.device))
    except (OSError, ValueError, SafetensorError) as problem:
        raise TrainingRefused(f"{folder} cannot be read ({problem}): start anew with `dlm train DOC`") from problem
    _require(shape, numbers["shape"])
    summing.noted(numbers["summing"], say)
    with torch.no_grad():
        master.copy_(tensors["master"])
    state = {"step": tensors["optimiser_step"], **{name: tensors[name] for name in MOMENTS}}
    optimiser.load_state_dict({"state": {0: state}, "param_groups": optimiser.state_dict()["param_groups"]})
    found = numbers["best"]
    best.before = _judged(found["before"])
    if found["step"] is not None and (judged := _judged(found["found"])) is not None:
        best.put_back(found["step"], judged, tensors.get("best", tensors["master"]))
    own = {name.removeprefix(LOSSES): tensor for name, tensor in tensors.items() if name.startswith(LOSSES)}
    losses.begin(best.before, own)
    torch.set_rng_state(tensors["random"].cpu())
    if "random_cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random_cuda"].cpu(), master.device)
    return Counts(**numbers["counts"])


def _require(shape: Shape, was: dict[str, Any]) -> None:
    ways_out = {
        "precision": "set training.precision to what it was",
        "device": "go on where it began",
        "names": "the base or the adapter library changed",
        "weights": "training.lora_r or training.target_modules changed",
    }
    now = json.loads(json.dumps(asdict(shape)))
    for name, way_out in ways_out.items():
        if was.get(name) != now[name]:
            what = f" ({was.get(name)}, and here {now[name]})" if name != "names" else ""
            raise TrainingRefused(
                f"the stopped run had another {name}{what}: {way_out}, or start anew with `dlm train DOC`"
            )


def _plain(judged: Judged | None) -> dict[str, Any] | None:
    """A loss that is not finite is null: a base may be so broken before the first step."""
    return None if judged is None else asdict(judged) | {"loss": judged.loss if isfinite(judged.loss) else None}


def _judged(found: dict[str, Any] | None) -> Judged | None:
    if found is None:
        return None
    return Judged(**{**found, "loss": nan if found["loss"] is None else found["loss"], "wrong": tuple(found["wrong"])})
