"""What dlm itself offers, through the same hooks as every plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .entries import AcceleratorEntry, BaseEntry, CommandEntry, PhaseEntry, SectionEntry, TemplateEntry
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
        name="export",
        target="dlm.cli.export:export",
        summary="Write what was trained for another program to serve.",
    )
    yield CommandEntry(name="exports", target="dlm.cli.exports:exports", summary="List the exports of a document.")
    yield CommandEntry(
        name="verify-export",
        target="dlm.cli.verify_export:verify_export",
        summary="Check an export's files, and measure again what they say.",
    )
    yield CommandEntry(
        name="pack",
        target="dlm.cli.pack:pack",
        summary="Put a trained document into one file for another machine.",
    )
    yield CommandEntry(
        name="unpack",
        target="dlm.cli.unpack:unpack",
        summary="Put the document and the store of a pack in place.",
    )
    yield CommandEntry(
        name="push",
        target="dlm.cli.push:push",
        summary="Send a trained document, or a pack, to where others pull it from.",
    )
    yield CommandEntry(
        name="pull",
        target="dlm.cli.pull:pull",
        summary="Fetch a pack, check it, and put its document and its store in place.",
    )
    yield CommandEntry(name="verify", target="dlm.cli.verify:verify", summary="Check a pack, and say what is in it.")
    yield CommandEntry(
        name="sign", target="dlm.cli.sign:sign", summary="Sign a pack, for anybody to check with stock tools."
    )
    yield CommandEntry(
        name="key", target="dlm.cli.key:key", summary="Make and list the keys that packs are signed with."
    )
    yield CommandEntry(name="trust", target="dlm.cli.trust:trust", summary="Say whose signatures on packs count here.")
    yield CommandEntry(
        name="show",
        target="dlm.cli.show:show",
        summary="Show what was trained from a document, and what has changed since.",
    )
    yield CommandEntry(
        name="report", target="dlm.cli.report:report", summary="Show how much of a document was learned."
    )
    yield CommandEntry(
        name="versions", target="dlm.cli.versions:versions", summary="List the trained versions of a document."
    )
    yield CommandEntry(name="gc", target="dlm.cli.gc:gc", summary="Remove what the store does not need.")
    yield CommandEntry(
        name="unlock",
        target="dlm.cli.unlock:unlock",
        summary="Say who is working on a document, and clear a dead one's note.",
    )
    yield CommandEntry(name="use", target="dlm.cli.versions:use", summary="Make a trained version the current one.")
    yield CommandEntry(
        name="metrics", target="dlm.cli.metrics:metrics", summary="Show how trainings went, step by step."
    )
    yield CommandEntry(
        name="lock", target="dlm.cli.lock:lock", summary="Show what a version was made of, and what differs now."
    )
    yield CommandEntry(name="forget", target="dlm.cli.forget:forget", summary="Take sections out of training for good.")
    yield CommandEntry(
        name="cache", target="dlm.cli.cache:cache", summary="Show and empty the tokenised cache of a document."
    )
    yield CommandEntry(name="base", target="dlm.cli.base:base", summary="List, show, accept and fetch base models.")
    yield CommandEntry(
        name="templates", target="dlm.cli.templates:templates", summary="List and show documents to start from."
    )
    yield CommandEntry(
        name="doctor",
        target="dlm.cli.doctor:doctor",
        summary="Say what this machine can do, and what a training of DOC would take.",
    )
    yield CommandEntry(name="plugin", target="dlm.cli.plugin_new:plugin", summary="Start a plugin of your own.")
    yield CommandEntry(name="plugins", target="dlm.cli.plugins:plugins", summary="List the installed plugins.")


@hookimpl
def dlm_sections() -> Iterable[SectionEntry]:
    yield SectionEntry(name="prose", target="dlm.document.types:PROSE", summary="Text to learn.")
    yield SectionEntry(
        name="instruction", target="dlm.document.types:INSTRUCTION", summary="Questions with their answers."
    )


@hookimpl
def dlm_phases() -> Iterable[PhaseEntry]:
    yield PhaseEntry(
        name="cpt",
        target="dlm.training.continued:CPT",
        summary="Learn the text as text, before anything else.",
        order=50,
    )
    yield PhaseEntry(name="sft", target="dlm.training.phases:SFT", summary="Learn every kind of record.", order=100)


@hookimpl
def dlm_accelerators() -> Iterable[AcceleratorEntry]:
    yield AcceleratorEntry(
        name="dlm", target="dlm.hardware.accelerator:OWN", summary="What must not be tried on any machine."
    )


@hookimpl
def dlm_bases() -> Iterable[BaseEntry]:
    from .bases.registry import BASES, attribute

    for base in BASES:
        yield BaseEntry(name=base.key, target=f"dlm.bases.registry:{attribute(base.key)}", summary=base.summary)


@hookimpl
def dlm_templates() -> Iterable[TemplateEntry]:
    yield TemplateEntry(
        name="coding-tutor",
        target="dlm.templates.gallery:CODING_TUTOR",
        summary="A patient Python tutor for the mistakes that beginners make first.",
    )
    yield TemplateEntry(
        name="domain-kb",
        target="dlm.templates.gallery:DOMAIN_KB",
        summary="Answers about one product or service, out of its manual. The sample product is to be replaced.",
    )
    yield TemplateEntry(
        name="meeting-notes",
        target="dlm.templates.gallery:MEETING_NOTES",
        summary="The decisions and tasks of a team, to be asked later. The sample meetings are to be replaced.",
    )
    yield TemplateEntry(
        name="personal-assistant",
        target="dlm.templates.gallery:PERSONAL_ASSISTANT",
        summary="What an assistant has to know about one person. The sample person is to be replaced.",
    )
    yield TemplateEntry(
        name="regex-buddy",
        target="dlm.templates.gallery:REGEX_BUDDY",
        summary="Regular expressions for Python, each with a text that it matches and one that it does not.",
    )
    yield TemplateEntry(
        name="shell-one-liner",
        target="dlm.templates.gallery:SHELL_ONE_LINER",
        summary="One command for one job, for Linux and macOS, each tried out.",
    )
    yield TemplateEntry(
        name="study-guide",
        target="dlm.templates.gallery:STUDY_GUIDE",
        summary="Photosynthesis and respiration for an exam, as a model for the notes of any course.",
    )
    yield TemplateEntry(
        name="writing-partner",
        target="dlm.templates.gallery:WRITING_PARTNER",
        summary="An editor with a house style for plain writing, to be extended by your own rules.",
    )
