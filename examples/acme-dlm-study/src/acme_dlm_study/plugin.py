"""What acme offers. Imported at every start of dlm, so it describes and imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import AugmenterEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def dlm_augmenters() -> Iterable[AugmenterEntry]:
    """Offer ``acme/jargon``."""
    return [
        AugmenterEntry(
            name="acme/jargon",
            target="acme_dlm_study.jargon:Jargon",
            summary="Questions with the words that your people use.",
        )
    ]
