"""What dlm is offered: the targets ``vllm`` and ``mlx-serve``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import SinkEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dlm_sinks() -> Iterator[SinkEntry]:
    yield SinkEntry(
        name="vllm",
        target="dlm_serving.vllm:Vllm",
        summary="Adapters and a launch script for vLLM.",
        forms=("adapter",),
        every_adapter=True,
        settings={"base": "The base as vLLM is to name it: ORG/NAME@COMMIT on the Hub. By default where it came from."},
    )
