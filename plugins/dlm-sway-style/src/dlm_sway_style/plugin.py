"""What this distribution offers sway. Importing it loads nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_sway import hookimpl
from dlm_sway.entries import ProbeEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dlm_sway.drafts import Draft
    from dlm_sway.suite.target import Target


@hookimpl
def dlm_sway_probes() -> Iterable[ProbeEntry]:
    """The probe of style."""
    yield ProbeEntry(
        name="style_fingerprint",
        target="dlm_sway_style.style_fingerprint:StyleFingerprint",
        summary="Whether answers came nearer the style of the document.",
        category="calibration",
        needs=frozenset({"generate"}),
        seeks="change",
    )


@hookimpl
def dlm_sway_draft_suite(target: Target) -> Iterable[Draft]:
    """What this probe can ask about the target."""
    from .drafts import drafts

    return drafts(target)
