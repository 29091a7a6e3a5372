"""How the processes of one training are started: ``accelerate launch``, one process a GPU, or some on the CPU."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from dlm.errors import UsageProblem
from dlm.training.ranks import Launch

if TYPE_CHECKING:
    from dlm.training.ranks import Wanted

VISIBLE = "CUDA_VISIBLE_DEVICES"
INSTEAD = "leave --gpus out to train on the CPU, or spread over it with --processes 2"


def launch(asked: Wanted) -> Launch:
    """The launcher's arguments and environment.

    Raises:
        UsageProblem: this machine has not what is asked for.
    """
    environment = _on_cpus(asked.count or 1) if asked.kind == "cpu" else _on_gpus(asked)
    count = asked.count or len(environment[VISIBLE].split(","))
    return Launch(count, command(count), environment)


def command(count: int) -> tuple[str, ...]:
    """Everything is given: a launcher that was configured for something else must not change a training."""
    options = {
        "--num_processes": count,
        "--num_machines": 1,
        "--machine_rank": 0,
        "--mixed_precision": "no",
        "--dynamo_backend": "no",
        "--gpu_ids": "all",
        "--main_process_port": 0,
    }
    given = [str(part) for option in options.items() for part in option]
    return (sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", *given, "--module", "dlm_hf.rank_main")


def _on_gpus(asked: Wanted) -> dict[str, str]:
    """Indices count among the GPUs that this process may see; the others must be told their own names."""
    import torch

    seen = torch.cuda.device_count()
    if not seen:
        raise UsageProblem(f"no GPU can be used here: {INSTEAD}; `dlm doctor` says what is missing")
    which = asked.which or tuple(range(asked.count or seen))
    if beyond := [index for index in which if index >= seen]:
        have = "is 1 GPU, number 0" if seen == 1 else f"are {seen} GPUs, numbers 0 to {seen - 1}"
        raise UsageProblem(f"there is no GPU {beyond[0]}: there {have}; give --gpus all, or fewer")
    masked = os.environ.get(VISIBLE)
    names = masked.split(",") if masked else [str(index) for index in range(seen)]
    return {VISIBLE: ",".join(names[index].strip() for index in which), **_threads(len(which))}


def _on_cpus(count: int) -> dict[str, str]:
    import torch

    if torch.backends.mps.is_available():
        raise UsageProblem("one GPU does all the work on this machine: leave --processes out")
    return {VISIBLE: "", **_threads(count)}


def _threads(count: int) -> dict[str, str]:
    """The processors, shared out; what somebody chose stays."""
    if "OMP_NUM_THREADS" in os.environ:
        return {}
    return {"OMP_NUM_THREADS": str(max(1, _processors() // count))}


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
