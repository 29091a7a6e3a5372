"""What a backend can train on here: the device, its precisions, and how far a result can be had again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from .machine import Machine, machine

Tier = Literal["cpu", "mps", "rocm", "cuda"]
Level = Literal["strict", "best_effort", "loose"]


@dataclass(frozen=True)
class Device:
    """One place where a model can be trained."""

    tier: Tier
    name: str
    memory: int | None
    """Bytes in all; ``None`` where it shares the computer's."""
    memory_free: int | None
    """Bytes free now."""
    bf16: bool
    """Whether it multiplies bf16 in hardware."""
    architecture: str = ""
    """``sm_90``, ``gfx942``..., where that decides what runs."""


class Determinism(NamedTuple):
    """How far the same document, seed and software give the same adapter."""

    level: Level
    """``strict``: the same bytes. ``best_effort``: the same up to rounding. ``loose``: about as good."""
    reason: str


class Lacking(NamedTuple):
    """Something that is not there, and how to get it."""

    what: str
    way_out: str


@dataclass(frozen=True)
class Capabilities:
    """This machine as one backend sees it."""

    machine: Machine
    devices: tuple[Device, ...]
    """The first one trains."""
    precision: str
    """What ``precision: auto`` means in training."""
    threads: int
    """That the processor's products use."""
    determinism: Determinism
    libraries: Mapping[str, str] = field(default_factory=dict)
    """Versions of what a result depends on, and of what is optional, by distribution."""
    lacking: tuple[Lacking, ...] = ()

    @property
    def device(self) -> Device:
        """The one that trains."""
        return self.devices[0]

    @property
    def memory_free(self) -> int | None:
        """Bytes that a run can have where it runs."""
        device = self.device
        return device.memory_free if device.memory is not None else self.machine.memory_free


def processor_only() -> Capabilities:
    """The facts that need no library: a backend that knows no more runs on the processor in fp32."""
    here = machine()
    reason = f"one processor and {here.cores} threads; the backend says nothing more about its arithmetic"
    return Capabilities(
        machine=here,
        devices=(cpu_device(here),),
        precision="fp32",
        threads=here.cores,
        determinism=Determinism("best_effort", reason),
    )


def cpu_device(here: Machine) -> Device:
    """The processor as a device; its memory is the computer's."""
    return Device("cpu", here.processor, None, here.memory_free, bool(here.bf16_units))
