"""dlm's face: ``dlm sway DOC`` is ``sway check DOC``, and an export can have a suite beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import CommandEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dlm.export.sink import Request, Written


@hookimpl
def dlm_commands() -> Iterable[CommandEntry]:
    """Offer the ``sway`` subcommand."""
    return [
        CommandEntry(name="sway", target="dlm_sway_dlm.command:sway", summary="Judge what training changed, with sway.")
    ]


@hookimpl
def dlm_write_suite(request: Request, folder: Path, written: Written) -> str:
    """``sway.yaml``, with what was taught in a file beside it."""
    from .exported import write_suite

    return write_suite(request, folder, written)
