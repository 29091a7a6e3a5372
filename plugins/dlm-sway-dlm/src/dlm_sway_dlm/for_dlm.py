"""dlm's face: ``dlm sway DOC`` is ``sway check DOC``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import CommandEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def dlm_commands() -> Iterable[CommandEntry]:
    """Offer the ``sway`` subcommand."""
    return [
        CommandEntry(name="sway", target="dlm_sway_dlm.command:sway", summary="Judge what training changed, with sway.")
    ]
