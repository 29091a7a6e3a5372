"""What dlm is offered: the target ``hub``, and ``hf:`` for ``dlm push`` and ``dlm pull``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import SinkEntry, TransportEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dlm_sinks() -> Iterator[SinkEntry]:
    yield SinkEntry(
        name="hub",
        target="dlm_hub.sink:HubSink",
        summary="A folder for the Hugging Face Hub: PEFT adapter, tokenizer, model card. Nothing is uploaded.",
        forms=("adapter",),
        whole_adapters=True,
        settings={
            "base": "The base's repository on the Hub: ORG/NAME@COMMIT. By default where it came from.",
            "language": "Of the document, as ISO 639-1 has it, such as en.",
            "questions": "yes: quote the report's questions and answers in the card, which is text of the document.",
        },
    )


@hookimpl
def dlm_transports() -> Iterator[TransportEntry]:
    yield TransportEntry(
        name="hf",
        target="dlm_hub.transport:HubTransport",
        summary="The Hugging Face Hub: the pack, and beside it the adapter as PEFT loads it and a model card.",
        address="hf:org/name[@branch]",
        settings={
            "private": "yes: make a private repository, and refuse one that is not.",
            "base": "The base's repository on the hub: ORG/NAME@COMMIT. By default where it came from.",
            "replace": "yes: write over files of others, or of another document. They stay in the history.",
        },
        requires=("huggingface_hub",),
    )
