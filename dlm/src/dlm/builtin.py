"""What dlm itself offers, through the same hooks as every plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .entries import BaseEntry, CommandEntry, PhaseEntry, SectionEntry
from .hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def dlm_commands() -> Iterable[CommandEntry]:
    yield CommandEntry(name="init", target="dlm.cli.init:init", summary="Write a new document to start from.")
    yield CommandEntry(
        name="check", target="dlm.cli.check:check", summary="Read a document and report every mistake in it."
    )
    yield CommandEntry(name="fmt", target="dlm.cli.fmt:fmt", summary="Lay out documents, their content untouched.")
    yield CommandEntry(
        name="migrate", target="dlm.cli.migrate:migrate", summary="Bring documents to the current format version."
    )
    yield CommandEntry(name="study", target="dlm.cli.study:study", summary="Show what will be trained, and why.")
    yield CommandEntry(name="train", target="dlm.cli.train:train", summary="Train an adapter from a document.")
    yield CommandEntry(name="prompt", target="dlm.cli.prompt:prompt", summary="Ask the trained model a question.")
    yield CommandEntry(
        name="versions", target="dlm.cli.versions:versions", summary="List the trained versions of a document."
    )
    yield CommandEntry(name="use", target="dlm.cli.versions:use", summary="Make a trained version the current one.")
    yield CommandEntry(name="base", target="dlm.cli.base:base", summary="List, show and fetch base models.")
    yield CommandEntry(name="plugins", target="dlm.cli.plugins:plugins", summary="List the installed plugins.")


@hookimpl
def dlm_sections() -> Iterable[SectionEntry]:
    yield SectionEntry(name="prose", target="dlm.document.types:PROSE", summary="Text to learn.")
    yield SectionEntry(
        name="instruction", target="dlm.document.types:INSTRUCTION", summary="Questions with their answers."
    )


@hookimpl
def dlm_phases() -> Iterable[PhaseEntry]:
    yield PhaseEntry(name="sft", target="dlm.training.phases:SFT", summary="Learn every kind of record.", order=100)


@hookimpl
def dlm_bases() -> Iterable[BaseEntry]:
    from .bases.registry import BASES, attribute

    for base in BASES:
        yield BaseEntry(name=base.key, target=f"dlm.bases.registry:{attribute(base.key)}", summary=base.summary)
