"""What acme offers. Imported at every start of sway, so it describes and imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_sway.entries import ProbeEntry
from dlm_sway.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def dlm_sway_probes() -> Iterable[ProbeEntry]:
    """Offer ``acme/echo``."""
    return [
        ProbeEntry(
            name="acme/echo",
            target="acme_sway_probes.echo:Echo",
            summary="Does the first token after a prompt change?",
            category="adherence",
            needs=frozenset({"compare"}),
            seeks="change",
        )
    ]
