"""Where the reports of a run go: which format into which file, and which one is printed. Decided before anything runs.

A mistake, such as a format whose plugin is missing, is found here rather than after minutes of measuring.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import SwayError, TargetError
from .write import write

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager

_HOOK: Final = "dlm_sway_reports"
TERMINAL: Final = "terminal"


@dataclass(frozen=True)
class Output:
    """One report: its writer, and its file, or ``None`` for standard output."""

    format: str
    path: Path | None
    render: Callable[[dict[str, Any]], str]


def plan(
    formats: Sequence[str],
    paths: Sequence[Path],
    named: Sequence[tuple[str, Path | None]],
    manager: PluginManager,
) -> list[Output]:
    """The reports that somebody asked for.

    The first of ``formats`` goes into the first of ``paths``, the second into the second, and so on. A path without a
    format has the one that its ending says; one format may be left over, and is printed. ``named`` are files whose
    format an option of their own says. Without anything to print, the terminal report is printed: always in a run,
    and by ``sway report`` only when nothing goes into a file.

    Raises:
        TargetError: two reports want one place, or an ending says no format.
        PluginError: nobody offers a format.
    """
    wanted: list[tuple[str, Path | None]] = [(name, path) for name, path in named if path is not None]
    wanted += zip(formats, paths, strict=False)
    wanted += [(_by_ending(path, manager), path) for path in paths[len(formats) :]]
    left = list(formats[len(paths) :])
    if len(left) > 1:
        raise TargetError(
            f"{' and '.join(left)} cannot both be printed: give each format its own --out FILE, in the same order"
        )
    for name in left:
        if getattr(manager.entry(_HOOK, name).entry, "needs_file", False):
            raise TargetError(f"the format {name} is not printed: name a file with --out FILE")
    wanted += [(name, None) for name in left]
    _once(wanted)
    return [Output(name, path, manager.resolve(_HOOK, name)) for name, path in wanted]


def write_all(outputs: Sequence[Output], document: dict[str, Any]) -> None:
    """Write every report that has a file. One that cannot be written does not keep the others back.

    Raises:
        SwayError: with every file that could not be written.
    """
    failed = []
    for output in outputs:
        if output.path is not None:
            try:
                write(output.path, output.render(document))
            except SwayError as error:
                failed.append(str(error))
    if failed:
        raise SwayError("\n".join(failed))


def _by_ending(path: Path, manager: PluginManager) -> str:
    """The format whose ending is the longest that ``path`` has."""
    name = path.name.lower()
    known = {
        ending: format_name
        for format_name, offers in manager.offers(_HOOK).items()
        for ending in getattr(offers[0].entry, "endings", ())
    }
    found = max((ending for ending in known if name.endswith(ending)), key=len, default=None)
    if found is not None:
        return known[found]
    if name.endswith((".html", ".htm")):
        return "html"  # its plugin is not installed: the error about that says how to get it
    raise TargetError(
        f"{path}: its ending says no format: end it in {', '.join(sorted(known))}, or give one with --format NAME"
    )


def _once(wanted: Sequence[tuple[str, Path | None]]) -> None:
    seen: dict[str, str] = {}
    for name, path in wanted:
        if path is None:
            continue
        place = os.path.realpath(path)
        if place in seen:
            raise TargetError(f"{path}: both {seen[place]} and {name} would go there: give each a file of its own")
        seen[place] = name
