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
        summary="Adapters, or one merged model, and a launch script for vLLM.",
        forms=("adapter", "merged"),
        every_adapter=True,
        settings={"base": "The base as vLLM is to name it: ORG/NAME@COMMIT on the Hub. By default where it came from."},
    )
    yield SinkEntry(
        name="mlx-serve",
        target="dlm_serving.mlx_serve:MlxServe",
        summary="A converted adapter, or one merged model, and a launch script for mlx-lm's server.",
        forms=("adapter", "merged"),
        uses=frozenset({"template"}),
        settings={"base": "The base's repository on the Hub: ORG/NAME@COMMIT. By default where it came from."},
        requires=("dlm_mlx",),
    )
