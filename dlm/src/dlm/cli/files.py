"""What the commands have in common that work through several documents, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click

from ..errors import DlmError, DocumentError


def each_file(paths: Iterable[str], work: Callable[[str], None]) -> int:
    """Do ``work`` for every path. What fails is printed and does not keep the others from being done.

    Returns:
        The largest exit code of what failed; 0 when nothing did.
    """
    worst = 0
    for path in dict.fromkeys(paths):
        try:
            work(path)
        except DocumentError as error:
            count = len(error.findings)
            click.echo(f"{error}\n{count} {'mistake' if count == 1 else 'mistakes'} in {path}: left as it is", err=True)
            worst = max(worst, error.exit_code)
        except DlmError as error:
            click.echo(f"error: {error}", err=True)
            worst = max(worst, error.exit_code)
    return worst


def print_diff(path: str, old: str, new: str) -> None:
    """The change as a unified diff. A line end that changes is shown where nothing else on the line does."""
    import difflib

    from ..document.lines import split_lines

    before, after = split_lines(old), split_lines(new)
    for line in difflib.unified_diff([*map(_shown, before)], [*map(_shown, after)], path, path, n=2, lineterm=""):
        click.echo(line)


def _shown(line: str) -> str:
    """``line`` without a plain line end; any other one is spelt out."""
    if line.endswith("\r\n"):
        return line[:-2] + "\\r\\n"
    if line.endswith("\r"):
        return line[:-1] + "\\r"
    bare = line.removesuffix("\n")
    return bare if bare != line else f"{line}\\ no line end"
