"""What dlm is offered: the export target ``ollama``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import SinkEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dlm_sinks() -> Iterator[SinkEntry]:
    from dlm_gguf.for_dlm import QUANTS

    yield SinkEntry(
        name="ollama",
        target="dlm_ollama.sink:OllamaSink",
        summary="A GGUF file with a Modelfile, and the model in Ollama when it runs.",
        quants=QUANTS,
        settings={
            "create": "auto (where Ollama runs), require (fail where it does not), or never",
            "imatrix": "no: K-quants without an importance matrix",
            "num_ctx": "tokens that a conversation may have; the base's context is the most",
        },
    )
