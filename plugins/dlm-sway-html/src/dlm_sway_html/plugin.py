"""What this distribution offers sway. Importing it loads nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_sway import hookimpl
from dlm_sway.entries import ReportEntry

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def dlm_sway_reports() -> Iterable[ReportEntry]:
    """The page."""
    yield ReportEntry(
        name="html",
        target="dlm_sway_html.page:render",
        summary="One file with charts, for a browser; needs no network.",
        endings=(".html", ".htm"),
        needs_file=True,
    )
