"""Patterns as ``.gitignore`` writes them, and what they say about one file or folder. Knows no disk.

:mod:`pathspec` translates each pattern. Git's rule about folders is applied here: a pattern speaks about the very entry
that it names, and what lies in an ignored folder is never asked about, because nobody goes there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

_EVERYTHING = ("*", "**", "**/*", "/**", "/**/*")


class BadPattern(NamedTuple):
    """A line that is no pattern, counted from 0."""

    line: int
    text: str


class Patterns:
    """An ordered list of patterns, of which the last that matches decides."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        self.bad: list[BadPattern] = []
        """Lines that can match nothing. Whoever reads them should be told: they meant something."""
        self._last_first: list[Any] = []
        for index, line in enumerate(self.lines):
            try:
                pattern = _compiled(_own(line))
            except ValueError:
                pattern = None
            if pattern is not None:
                self._last_first.insert(0, pattern)
            elif line.strip() and not line.startswith("#"):
                self.bad.append(BadPattern(index, line.strip()))

    def __bool__(self) -> bool:
        return bool(self._last_first)

    def verdict(self, path: str, folder: bool) -> bool | None:
        """``True`` when the last pattern that matches ``path`` matches, ``False`` when it begins with ``!``, else
        ``None``.

        ``path`` is relative to the folder that the patterns belong to, with ``/`` between names and none at the end.
        """
        if folder:
            path += "/"
        for pattern in self._last_first:
            if _matches(pattern, path):
                return bool(pattern.include)
        return None


class Includes:
    """Patterns that say which files are wanted: a folder that one names stands for all files below it."""

    def __init__(self, lines: Iterable[str]) -> None:
        lines = tuple(lines)
        self.bad = Patterns(lines).bad
        self._all = bool(lines) and all(line in _EVERYTHING for line in lines)
        self._spec = None if self._all else _spec(line for line in lines if line.strip())

    def wants(self, path: str) -> bool:
        """Whether the file ``path``, relative to the folder that the patterns belong to, is wanted."""
        return self._all or (self._spec is not None and bool(self._spec.match_file(path)))


def _spec(lines: Iterable[str]) -> Any:
    from pathspec import GitIgnoreSpec

    patterns = [pattern for line in lines if (pattern := _safely(line)) is not None]
    return GitIgnoreSpec(patterns)


def _safely(line: str) -> Any:
    try:
        return _compiled(line)
    except ValueError:
        return None


def _compiled(line: str) -> Any:
    """The library's pattern; ``None`` for blank lines, comments and what can match nothing.

    Raises:
        ValueError: the library refuses it.
    """
    from pathspec import GitIgnoreSpec

    patterns = [found for found in GitIgnoreSpec.from_lines([line]).patterns if found.include is not None]
    return patterns[0] if patterns else None


def _own(line: str) -> str:
    """``line`` in the one of its spellings for which the library tells an entry from what lies below it.

    The library is made to judge files by their whole path: to it ``docs/**`` matches the folder ``docs`` itself, and
    ``*/`` matches whatever has a folder above it.
    """
    text = line if line.endswith("\\ ") else line.rstrip(" ")
    sign, body = ("!", text[1:]) if text.startswith("!") else ("", text)
    folder, core = body.endswith("/"), body.removesuffix("/")
    while core.endswith("/**/**"):
        core = core.removesuffix("/**")
    if folder and core in _EVERYTHING:
        core = "?*"
    elif core.endswith("/**") and core != "/**":
        core += "/*"
    return sign + core + ("/" if folder else "")


def _matches(pattern: Any, path: str) -> bool:
    """Whether ``pattern`` names ``path`` itself, not a folder above it."""
    found = pattern.match_file(path)
    if found is None:
        return False
    folder_mark = found.match.groupdict().get("ps_d")
    return folder_mark is None or found.match.end("ps_d") == len(path)
