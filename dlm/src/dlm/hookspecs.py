"""The whole contract between dlm and its plugins.

A plural noun asks *what do you offer*; a verb asks *will you decide* (the first answer that is not ``None`` counts); a
past tense says *this happened* and returns nothing. Registration hooks describe, they import nothing heavy.
"""

# mypy: disable-error-code="empty-body"
from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from .document import Document
    from .entries import (
        AcceleratorEntry,
        AugmenterEntry,
        BackendEntry,
        BaseEntry,
        CheckEntry,
        CommandEntry,
        PhaseEntry,
        QuantiserEntry,
        SectionEntry,
        SignerEntry,
        SinkEntry,
        TemplateEntry,
        TrackerEntry,
        TransportEntry,
    )
    from .export.manifest import ExportManifest
    from .export.sink import Request, Written
    from .training.events import StepLogged, TrainingFinished
    from .training.plan import Plan

PROJECT = "dlm"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def dlm_commands() -> Iterable[CommandEntry]:
    """Subcommands to add to ``dlm``."""


@hookspec
def dlm_backends() -> Iterable[BackendEntry]:
    """Training and inference backends."""


@hookspec
def dlm_sections() -> Iterable[SectionEntry]:
    """Section types a document may use as ``::name::``."""


@hookspec
def dlm_phases() -> Iterable[PhaseEntry]:
    """Training phases, each with the kinds of record it eats and its place in the order."""


@hookspec
def dlm_bases() -> Iterable[BaseEntry]:
    """Base models a document may name in ``base_model``."""


@hookspec
def dlm_templates() -> Iterable[TemplateEntry]:
    """Documents to start from, for ``dlm init --template NAME``."""


@hookspec
def dlm_augmenters() -> Iterable[AugmenterEntry]:
    """Writers of study records that a document may name in ``training.recipe.augmenters``."""


@hookspec
def dlm_trackers() -> Iterable[TrackerEntry]:
    """Programs that draw the curves of a run, for ``dlm train --track NAME``."""


@hookspec
def dlm_accelerators() -> Iterable[AcceleratorEntry]:
    """Devices that a plugin can see, and reasons why a training must not run on this machine."""


@hookspec
def dlm_quantisers() -> Iterable[QuantiserEntry]:
    """Ways to hold a base's weights in fewer bits; ``training.adapter: qlora`` names ``nf4``. The backend ``hf`` loads
    them: :mod:`dlm_hf.quantising` says what a target does."""


@hookspec
def dlm_sinks() -> Iterable[SinkEntry]:
    """Targets of ``dlm export``: what they accept, so that a wish is checked before any work."""


@hookspec
def dlm_transports() -> Iterable[TransportEntry]:
    """Ways to other machines, by the scheme of their addresses, for ``dlm push`` and ``dlm pull``."""


@hookspec
def dlm_signers() -> Iterable[SignerEntry]:
    """Ways to sign a pack, for ``dlm sign``, ``dlm verify`` and ``dlm pull``."""


@hookspec
def dlm_checks() -> Iterable[CheckEntry]:
    """Findings to add to ``dlm doctor``."""


@hookspec(firstresult=True)
def dlm_choose_backend(task: str, offers: Sequence[BackendEntry]) -> str | None:
    """Name the backend for ``task`` (``train`` or ``generate``), or ``None`` to leave it to the next plugin."""


@hookspec
def dlm_refuse_training(plan: Plan) -> Iterable[str]:
    """Reasons why ``plan`` must not run, each ending in a way out. All are shown; any one stops the run."""


@hookspec(firstresult=True)
def dlm_write_suite(request: Request, folder: Path, written: Written) -> str | None:
    """Write into ``folder``, beside what ``written`` tells of, a suite that judges this export; the file's name. For
    ``dlm export --emit-sway-json``. Paths in it count from its folder. A failure raises a ``DlmError``."""


@hookspec
def dlm_document_parsed(path: Path, document: Document) -> None:
    """A document was read without a mistake."""


@hookspec
def dlm_training_started(plan: Plan) -> None:
    """The plan was accepted and the first step is next."""


@hookspec
def dlm_step_logged(event: StepLogged) -> None:
    """An optimiser step was made."""


@hookspec
def dlm_training_finished(event: TrainingFinished) -> None:
    """A version was committed, or the run ended without one."""


@hookspec
def dlm_exported(folder: Path, manifest: ExportManifest) -> None:
    """An export is complete and lies in ``folder``. It may yet have to be handed to whoever serves it."""
