"""What sway is offered: scoring of models behind an endpoint. Describes only; :mod:`.judging` does the work."""

from __future__ import annotations

from dlm_sway.entries import BackendEntry
from dlm_sway.hookspecs import hookimpl


@hookimpl
def dlm_sway_backends() -> list[BackendEntry]:
    """The backend a suite names with ``kind: api``."""
    return [
        BackendEntry(
            name="api",
            target="dlm_sway_api.judging:ApiJudging",
            summary="Models behind OpenAI-style endpoints; divergences are intervals.",
            gives=frozenset({"compare", "generate", "texts"}),
            requires=("httpx", "tenacity"),
            alone=True,
            served=True,
        )
    ]
