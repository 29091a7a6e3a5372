"""What dlm is offered: a backend that answers, and the choice of it where it is the fast one."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

from dlm.entries import BackendEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@hookimpl
def dlm_backends() -> Iterator[BackendEntry]:
    yield BackendEntry(
        name="mlx",
        target="dlm_mlx.backend:MlxBackend",
        summary="Answers with MLX, on Apple's GPUs and on a Linux CPU.",
        tasks=frozenset({"generate"}),
        requires=("mlx", "mlx_lm", "torch", "transformers"),
        priority=5,
    )


@hookimpl
def dlm_choose_backend(task: str, offers: Sequence[BackendEntry]) -> str | None:
    """MLX where it has a GPU that PyTorch uses worse."""
    apple = sys.platform == "darwin" and platform.machine() == "arm64"
    return "mlx" if task == "generate" and apple and any(offer.name == "mlx" for offer in offers) else None
