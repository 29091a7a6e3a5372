"""What sway is offered: a backend that scores, and the command that converts adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_sway.entries import BackendEntry, CommandEntry
from dlm_sway.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dlm_sway_backends() -> Iterator[BackendEntry]:
    """The backend a suite names with ``kind: mlx``."""
    yield BackendEntry(
        name="mlx",
        target="dlm_mlx.judging:MlxJudging",
        summary="A base with a PEFT adapter, scored with MLX.",
        gives=frozenset({"compare", "generate", "inspect", "null", "scale", "texts"}),
        requires=("mlx", "mlx_lm", "torch", "transformers"),
    )


@hookimpl
def dlm_sway_commands() -> Iterator[CommandEntry]:
    """``sway convert-adapter``."""
    yield CommandEntry(
        name="convert-adapter",
        target="dlm_mlx.command:convert_adapter",
        summary="Write a PEFT adapter as another program loads it.",
    )
