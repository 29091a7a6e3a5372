"""What this distribution offers sway. Importing it loads nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_sway import hookimpl
from dlm_sway.entries import CommandEntry, RemoteEntry

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def dlm_sway_commands() -> Iterable[CommandEntry]:
    """The server."""
    yield CommandEntry(
        name="serve", target="dlm_sway_serve.command:serve", summary="Keep models loaded and judge over HTTP."
    )


@hookimpl
def dlm_sway_remotes() -> Iterable[RemoteEntry]:
    """Its client."""
    for scheme in ("http", "https"):
        yield RemoteEntry(name=scheme, target="dlm_sway_serve.remote:judge", summary="Asks a `sway serve`.")
