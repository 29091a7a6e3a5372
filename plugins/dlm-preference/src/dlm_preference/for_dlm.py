"""What dlm is offered: the section type and the phase named ``preference``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import PhaseEntry, SectionEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def dlm_sections() -> Iterable[SectionEntry]:
    yield SectionEntry(
        name="preference",
        target="dlm_preference.section:PREFERENCE",
        summary="Questions with a better and a worse answer.",
    )


@hookimpl
def dlm_phases() -> Iterable[PhaseEntry]:
    yield PhaseEntry(
        name="preference",
        target="dlm_preference.phase:PREFERENCE",
        summary="Learn to give the better of two answers, by DPO or ORPO.",
        order=200,
    )
