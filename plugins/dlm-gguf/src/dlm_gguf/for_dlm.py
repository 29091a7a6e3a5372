"""What dlm is offered: the export targets ``gguf`` and ``llama-server``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import SinkEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator

QUANTS = (
    *("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"),
    *("Q6_K", "Q5_K_M", "Q5_K_S", "Q4_K_M", "Q4_K_S", "Q3_K_M", "Q2_K"),
)
"""The first line in Python, the second with llama.cpp."""
IMATRIX = "no: K-quants without an importance matrix"


@hookimpl
def dlm_sinks() -> Iterator[SinkEntry]:
    yield SinkEntry(
        name="gguf",
        target="dlm_gguf.sink:GgufSink",
        summary="GGUF files for llama.cpp and what is built on it.",
        quants=QUANTS,
        settings={
            "base": "no: the adapter alone, for a base that is served already",
            "imatrix": IMATRIX,
        },
    )
    yield SinkEntry(
        name="llama-server",
        target="dlm_gguf.server:LlamaServer",
        summary="GGUF files, and a script that serves them with llama.cpp's server.",
        quants=QUANTS,
        settings={"imatrix": IMATRIX},
    )
