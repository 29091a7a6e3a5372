"""The whole contract between sway and its plugins.

A plural noun asks *what do you offer*; a verb asks *will you decide* (the first answer that is not ``None`` counts); a
past tense says *this happened* and returns nothing. No hook can alter a verdict from the side: what changes a result is
named in the suite.
"""

# mypy: disable-error-code="empty-body"
from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from .drafts import Draft
    from .entries import BackendEntry, CommandEntry, ProbeEntry, QuantiserEntry, RemoteEntry, ReportEntry
    from .result import ProbeResult, SuiteResult
    from .sections import SectionData
    from .suite.target import Target

PROJECT = "dlm_sway"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def dlm_sway_commands() -> Iterable[CommandEntry]:
    """Subcommands to add to ``sway``."""


@hookspec
def dlm_sway_backends() -> Iterable[BackendEntry]:
    """Scoring backends a suite may name with ``models.*.kind``."""


@hookspec
def dlm_sway_probes() -> Iterable[ProbeEntry]:
    """Probes a suite may name with ``kind``."""


@hookspec
def dlm_sway_quantisers() -> Iterable[QuantiserEntry]:
    """Ways to hold a base's weights in fewer bits, for adapters that were trained so; the backend ``hf`` loads them."""


@hookspec
def dlm_sway_reports() -> Iterable[ReportEntry]:
    """Report formats."""


@hookspec
def dlm_sway_remotes() -> Iterable[RemoteEntry]:
    """Ways to have a server judge, by the scheme of its address, as ``sway watch --serve-url`` does."""


@hookspec(firstresult=True)
def dlm_sway_resolve_target(ref: str) -> Target | None:
    """Turn what the user typed into something to test, or ``None`` if it is not yours."""


@hookspec
def dlm_sway_draft_suite(target: Target) -> Iterable[Draft]:
    """Entries for a suite that tests ``target``: your own probes, ready to run on what the target holds, or the reasons
    why they cannot. Every plugin's drafts are used."""


@hookspec(firstresult=True)
def dlm_sway_read_sections(path: Path) -> Sequence[SectionData] | None:
    """The sections of the document at ``path``, trained or not, or ``None`` if the file is not of your kind. Where a
    suite names one of a document's adapters, ``DOC.dlm#name``, so does ``path``."""


@hookspec
def dlm_sway_suite_started(name: str, probes: int) -> None:
    """A suite of ``probes`` entries starts."""


@hookspec
def dlm_sway_probe_finished(result: ProbeResult) -> None:
    """A probe gave its verdict, before p-values are adjusted for the number of the suite's tests."""


@hookspec
def dlm_sway_suite_finished(result: SuiteResult) -> None:
    """All verdicts are in."""
