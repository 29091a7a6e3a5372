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
    """Probes that need an embedding model."""
    yield ProbeEntry(
        name="adapter_revert",
        target="dlm_sway_semantic.adapter_revert:AdapterRevert",
        summary="Whether other wordings are answered as taught, or as the base would.",
        category="adherence",
        needs=frozenset({"generate"}),
        seeks="change",
    )
    yield ProbeEntry(
        name="cluster_kl",
        target="dlm_sway_semantic.cluster_kl:ClusterKl",
        summary="Whether the effect of training follows the topic of the question.",
        category="adherence",
        needs=frozenset({"compare"}),
        seeks="change",
    )


@hookimpl
def dlm_sway_draft_suite(target: Target) -> Iterable[Draft]:
    """What these probes can ask about the target."""
    from .drafts import drafts

    return drafts(target)
