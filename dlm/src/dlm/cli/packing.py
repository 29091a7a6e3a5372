"""Options about what goes into a pack, alike in every command that makes one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..share.manifest import Profile
    from ..share.packing import PackOptions

_Command = TypeVar("_Command", bound="Callable[..., Any]")


def packing_options(command: _Command) -> _Command:
    """``--profile``, ``--include-exports``, ``--include-base`` and more; :func:`packing_of` takes them."""
    for option in reversed(
        (
            click.option(
                "--profile",
                type=click.Choice(["share", "full", "adapter-only"]),
                default="share",
                show_default=True,
                help="For others; everything; or the weights without the text.",
            ),
            click.option("--include-exports", "exports", is_flag=True, help="Put the exports in, too."),
            click.option(
                "--include-base", "base", is_flag=True, help="Put the base in, too, for somebody without a network."
            ),
            click.option(
                "--i-am-the-licensee",
                "licensee",
                metavar="URL",
                help="The terms under which you may pass on a base whose licence does not let everybody.",
            ),
            click.option(
                "--sway",
                type=click.Path(path_type=Path),
                metavar="FILE",
                multiple=True,
                help="Claim the verdict of this result of `sway check DOC --json FILE`; again for another.",
            ),
        )
    ):
        command = option(command)
    return command


def packing_of(
    profile: Profile, exports: bool, base: bool, licensee: str | None, sway: tuple[Path, ...]
) -> PackOptions:
    """What the options of :func:`packing_options` ask for."""
    from ..share.packing import PackOptions

    return PackOptions(profile, exports, sway=sway, base=base, licensee=licensee)
