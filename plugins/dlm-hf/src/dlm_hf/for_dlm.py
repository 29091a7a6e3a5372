"""What dlm is offered: the Hugging Face training and answering backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import BackendEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dlm_backends() -> Iterator[BackendEntry]:
    yield BackendEntry(
        name="hf",
        target="dlm_hf.backend:HfBackend",
        summary="PyTorch, transformers and PEFT, on CPU, CUDA, ROCm or MPS.",
        tasks=frozenset({"train", "generate"}),
        requires=("torch", "transformers", "peft"),
        priority=10,
    )
