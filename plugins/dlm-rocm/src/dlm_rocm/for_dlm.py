"""What dlm is offered: devices, rows of the refusal matrix, findings for the doctor, and ``dlm rocm``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import AcceleratorEntry, CheckEntry, CommandEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dlm_accelerators() -> Iterator[AcceleratorEntry]:
    yield AcceleratorEntry(
        name="rocm",
        target="dlm_rocm.refusing:ROCM",
        summary="AMD GPUs, and what must not be trained on them.",
    )


@hookimpl
def dlm_checks() -> Iterator[CheckEntry]:
    yield CheckEntry(
        name="rocm",
        target="dlm_rocm.checking:check",
        summary="Whether PyTorch can use the AMD GPUs of this computer, and what to change where it cannot.",
    )


@hookimpl
def dlm_commands() -> Iterator[CommandEntry]:
    yield CommandEntry(
        name="rocm",
        target="dlm_rocm.command:rocm",
        summary="Look at AMD GPUs and try them; write the script that builds llama.cpp for them.",
    )
