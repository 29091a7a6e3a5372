"""What a shell offers after Tab, beyond commands and options: read from descriptions, importing no probe."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem


def probe_names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Kinds of probes, each with its summary where the shell shows one."""
    from click.shell_completion import CompletionItem

    from ..plugins import manager

    offers = manager().offers("dlm_sway_probes").items()
    return [
        CompletionItem(name, help=found[0][0].summary) for name, found in sorted(offers) if name.startswith(incomplete)
    ]
