"""What crosses between the processes of one training: tensors, and messages as JSON."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = timedelta(days=7)
"""The others wait while the first process reads, tokenises and asks. One that dies is noticed at once all the same: its
connections close."""


def join() -> int:
    """Meet the other processes that were started with this one; its number."""
    on_gpus = torch.cuda.is_available()
    if on_gpus:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpus else "gloo", timeout=PATIENCE)
    return dist.get_rank()


class Gone(Exception):
    """One of the processes is not there any more."""


def broadcast(tensor: torch.Tensor) -> None:
    """Fill ``tensor`` with the first process's."""
    with _all_there():
        dist.broadcast(tensor, 0)


def add_up(tensor: torch.Tensor) -> None:
    """Add everybody's ``tensor`` to the first process's."""
    with _all_there():
        dist.reduce(tensor, 0)


def send(message: dict[str, Any]) -> None:
    """From the first process to all others."""
    data = _packed(message)
    broadcast(torch.tensor([len(data)]))
    broadcast(data)


def receive() -> dict[str, Any]:
    """What the first process sends."""
    size = torch.zeros(1, dtype=torch.long)
    broadcast(size)
    data = torch.empty(int(size), dtype=torch.uint8)
    broadcast(data)
    return _unpacked(data)


def exchange(message: dict[str, Any]) -> list[dict[str, Any]]:
    """What every process says, by its number; all of them wait for each other here."""
    data = _packed(message)
    sizes = [torch.zeros(1, dtype=torch.long) for _ in range(dist.get_world_size())]
    with _all_there():
        dist.all_gather(sizes, torch.tensor([len(data)]))
    room = max(int(size) for size in sizes)
    padded = torch.zeros(room, dtype=torch.uint8)
    padded[: len(data)] = data
    found = [torch.empty(room, dtype=torch.uint8) for _ in sizes]
    with _all_there():
        dist.all_gather(found, padded)
    return [_unpacked(one[: int(size)]) for one, size in zip(found, sizes, strict=True)]


@contextmanager
def _all_there() -> Iterator[None]:
    """The library has one error for everything.

    Raises:
        Gone: instead of it.
    """
    try:
        yield
    except RuntimeError as problem:
        raise Gone(str(problem)) from problem


def _packed(message: dict[str, Any]) -> torch.Tensor:
    return torch.frombuffer(bytearray(json.dumps(message).encode()), dtype=torch.uint8)


def _unpacked(data: torch.Tensor) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bytes(data.tolist()))
    return found
