"""Collecting every mistake of one file before speaking."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import DocumentError, Finding

Report = Callable[[int, int, str, str], None]
"""``report(line, col, what, fix)``: one mistake, line and column counted from 1."""


class Findings:
    """The mistakes of one file, in the order of their lines."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._found: set[Finding] = set()

    def report(self, line: int, col: int, what: str, fix: str) -> None:
        """Note one mistake; the same one twice counts once."""
        self._found.add(Finding(self.path, line, col, what, fix))

    def sorted(self) -> list[Finding]:
        """All of them, by place."""
        return sorted(self._found, key=lambda finding: (finding.line, finding.col, finding.what))

    def raise_if_any(self) -> None:
        """Stop here when anything was noted.

        Raises:
            DocumentError: with every finding.
        """
        if self._found:
            raise DocumentError(self.sorted())
