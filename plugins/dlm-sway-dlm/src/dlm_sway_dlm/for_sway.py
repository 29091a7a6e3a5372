"""Sway's face: a ``.dlm`` path is something to test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_sway.hookspecs import hookimpl

if TYPE_CHECKING:
    from dlm_sway.suite.target import Target


@hookimpl
def dlm_sway_resolve_target(ref: str) -> Target | None:
    """The document's trained model, if ``ref`` names a document."""
    if not ref.lower().endswith(".dlm"):
        return None
    from .target import resolve

    return resolve(ref)
