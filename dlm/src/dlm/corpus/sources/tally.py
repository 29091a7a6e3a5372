"""Counting what one source gave and what it did not, for the training summary and for people."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Literal

from .model import SourceSummary

if TYPE_CHECKING:
    from .text import Looked
    from .walk import Candidate, Walked

Why = Literal["binary", "encoding", "empty", "over_size", "over_count", "unreadable", "link", "secret"]
"""Why something that the rules let through, or were not asked about, is not taken."""
_WORDS: dict[Why, tuple[str, str]] = {
    "secret": ("is that of a secret and is never trained", "are those of secrets and are never trained"),
    "binary": ("is no text", "are no text"),
    "encoding": ("is not UTF-8", "are not UTF-8"),
    "over_size": ("is too large", "are too large"),
    "over_count": ("comes after the first `max_files`", "come after the first `max_files`"),
    "unreadable": ("cannot be read", "cannot be read"),
    "link": ("leads out of the source, nowhere or in a circle", "lead out of the source, nowhere or in a circle"),
}
"""What notes say, of one and of several. Empty files are nothing to talk about."""
_SHOWN = 3


class Tally:
    """One source while its files are looked at, in order."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._skipped: dict[Why, list[str]] = {}
        self._tags: dict[str, Counter[str]] = {}
        self._lines: list[str] = []
        """Names and contents of what is taken, for the digest."""
        self._excluded = self._bytes = self._unnamed = 0
        self.taken = 0
        """Files."""
        self.repeated = 0
        """Files that an earlier source has taken already."""

    def walked(self, walked: Walked) -> None:
        """What was passed over on the way."""
        self._excluded, self._unnamed = walked.excluded, walked.unnamed
        passed: dict[Why, list[str]] = {
            "secret": walked.secrets,
            "link": walked.refused_links,
            "unreadable": walked.unreadable,
        }
        self._skipped.update({why: list(paths) for why, paths in passed.items() if paths})

    def skip(self, why: Why, path: str) -> None:
        """``path`` is not taken."""
        self._skipped.setdefault(why, []).append(path)

    def take(self, candidate: Candidate, looked: Looked) -> None:
        """The file ``candidate`` is taken."""
        self.taken += 1
        self._bytes += looked.bytes
        self._lines.append(f"{candidate.path}\0{looked.digest}\n")
        for tag, value in candidate.scope.tags.items():
            self._tags.setdefault(tag, Counter())[value] += 1

    def summary(self) -> SourceSummary:
        """All numbers."""
        count = {why: len(paths) for why, paths in self._skipped.items()}
        return SourceSummary(
            path=self._path,
            file_count=self.taken,
            total_bytes=self._bytes,
            skipped_binary=count.get("binary", 0),
            skipped_encoding=count.get("encoding", 0) + self._unnamed,
            skipped_empty=count.get("empty", 0),
            skipped_over_size=count.get("over_size", 0),
            skipped_over_count=count.get("over_count", 0),
            skipped_unreadable=count.get("unreadable", 0),
            skipped_link=count.get("link", 0),
            skipped_secret=count.get("secret", 0),
            excluded=self._excluded,
            tags={tag: dict(values) for tag, values in self._tags.items()},
            digest="sha256:" + hashlib.sha256("".join(self._lines).encode()).hexdigest(),
        )

    def notes(self) -> list[str]:
        """A line for each reason, with the first names."""
        lines = []
        for why, words in _WORDS.items():
            if paths := self._skipped.get(why):
                lines.append(f"{self._path}: {_counted(paths, why)} {words[len(paths) > 1]}: {_listed(paths)}")
        if self._unnamed:
            lines.append(f"{self._path}: {self._unnamed} left out for names that are not UTF-8")
        if not self.taken and self.repeated:
            lines.append(f"{self._path}: all that is here is in an earlier source")
        elif not self.taken:
            lines.append(f"{self._path}: nothing was taken from here: no text file is left after its rules")
        return lines


def _counted(paths: list[str], why: Why) -> str:
    # What cannot be read or is a secret may be a folder.
    one, several = {"link": ("link", "links"), "secret": ("name", "names"), "unreadable": ("place", "places")}.get(
        why, ("file", "files")
    )
    return f"1 {one}" if len(paths) == 1 else f"{len(paths)} {several}"


def _listed(paths: list[str]) -> str:
    names = [(path or ".") if path.isprintable() else ascii(path) for path in paths[:_SHOWN]]
    more = len(paths) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
