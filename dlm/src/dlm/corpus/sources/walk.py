"""The files of one source that its rules let through, and what was passed over. Reads rules, but no text to learn.

An excluded folder is never entered. Links come last: what one leads to is judged by the link's own name, and again
where it really lies, so that no link brings in what is left out there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from ...errors import Finding
from .config import FOLDER
from .disk import Entry, Stamp, Tree, stamp_of
from .folder_rules import FolderRules
from .index import Listed, Memory
from .rules import Scope, Verdict
from .text import Looked


class Candidate(NamedTuple):
    """A file that the rules let through."""

    path: str
    """Relative to the source, with ``/``; through a link, by the link's name."""
    real: str
    """Where it lies, relative to the source, without links."""
    size: int
    scope: Scope
    known: Looked | None = None
    """What it holds, when that is remembered."""
    linked: bool = False


@dataclass
class Walked:
    """What one source holds. Paths are relative to it."""

    files: list[Candidate] = field(default_factory=list)
    """In the order of their paths."""
    excluded: int = 0
    secrets: list[str] = field(default_factory=list)
    refused_links: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    unnamed: int = 0
    """Entries whose names are not UTF-8."""
    findings: list[Finding] = field(default_factory=list)


class _Place(NamedTuple):
    """A file or folder on the way. ``path`` and ``real`` as in :class:`Candidate`, ``scope`` of the folder above."""

    path: str
    real: str
    scope: Scope
    linked: bool = False

    def below(self, name: str, scope: Scope) -> _Place:
        path = f"{self.path}/{name}" if self.path else name
        real = path if self.real == self.path else f"{self.real}/{name}" if self.real else name
        return _Place(path, real, scope, self.linked)


class Walk:
    """One walk over one source."""

    def __init__(
        self,
        tree: Tree,
        root: Path,
        shown: Callable[[str], str],
        never: Collection[Path] = (),
        memory: Memory | None = None,
    ) -> None:
        """``root`` is the real path of ``tree``, ``shown`` says what messages call a path of the source, and ``never``
        are real paths that are neither entered nor taken."""
        self._tree, self._root, self._memory = tree, root, memory
        self._never = {path.relative_to(root).as_posix() for path in never if path.is_relative_to(root)}
        self._found = Walked()
        self._rules = FolderRules(tree, shown, self._found.findings)
        self._scopes: dict[str, Scope] = {}
        """Of every folder that was entered where it really lies."""
        self._links: list[_Place] = []

    def run(self, scope: Scope) -> Walked:
        """Everything below the root; ``scope`` are the rules of the document."""
        self._descend(_Place("", "", scope))
        if self._links:
            self._follow_all(sorted(self._links, key=itemgetter(0)))
        self._found.files.sort(key=itemgetter(0))
        return self._found

    def _follow_all(self, links: list[_Place]) -> None:
        """Take what lies behind ``links``. Where a file really lies is the better name for it, then the first link."""
        followed: set[str] = set()
        for link in links:
            self._follow(link, followed)
        first = {candidate.real: candidate for candidate in reversed(self._found.files)}
        self._found.files = list(first.values())

    def single(self, called: str, name: str, scope: Scope) -> Walked:
        """The file ``name`` of the root alone, which the document knows as ``called``."""
        self._scopes[""] = scope
        try:
            kind, stamp = stamp_of((self._root / name).lstat())
        except OSError:
            self._found.unreadable.append(called)
            return self._found
        if kind == "file":
            self._take(_Place(called, name, scope, linked=True), stamp)
        return self._found

    def _descend(self, first: _Place) -> None:
        waiting = [first]
        while waiting:
            waiting += reversed(self._enter(waiting.pop()))

    def _enter(self, folder: _Place) -> list[_Place]:
        """Take the files of ``folder`` and note its links; its folders that are to be entered."""
        try:
            entries = self._tree.entries(folder.real)
        except OSError:
            self._found.unreadable.append(folder.path)
            return []
        scope = self._rules.scope(folder.path, folder.real, folder.scope, entries)
        if not folder.linked:
            self._scopes[folder.real] = scope
        return self._apply(folder, self._recall(folder, entries, scope), scope)

    def _recall(self, folder: _Place, entries: list[Entry], scope: Scope) -> Listed:
        """What the rules say about ``entries``, which is remembered when neither has changed."""
        if folder.linked or self._memory is None:
            return self._list(folder, entries, scope)
        mark = self._memory.mark(entries, scope.mark)
        listed = self._memory.folder(folder.real, mark)
        if listed is None:
            listed = self._list(folder, entries, scope)
            self._memory.keep(folder.real, mark, listed)
        return listed

    def _list(self, folder: _Place, entries: list[Entry], scope: Scope) -> Listed:
        """What the rules say about ``entries``."""
        listed, memory = Listed(0, 0, [], [], [], []), None if folder.linked else self._memory
        excluded = unnamed = 0
        for name, kind, stamp in entries:
            place = folder.below(name, scope)
            if not (name.isascii() or _encodable(name)):
                unnamed += 1
            elif kind == "link":
                listed.links.append(name)
            elif kind != "other" and name != FOLDER:
                verdict = self._verdict(place, folder=kind == "folder")
                excluded += verdict == "excluded"
                if verdict == "secret":
                    listed.secrets.append(name)
                elif verdict == "take" and kind == "folder":
                    listed.folders.append(name)
                elif verdict == "take":
                    listed.files.append((name, stamp, memory.file(folder.real, name, stamp) if memory else None))
        return listed._replace(excluded=excluded, unnamed=unnamed)

    def _apply(self, folder: _Place, listed: Listed, scope: Scope) -> list[_Place]:
        """Take and count what is ``listed``; the folders to enter."""
        found, path, real = self._found, folder.path and folder.path + "/", folder.real and folder.real + "/"
        found.excluded += listed.excluded
        found.unnamed += listed.unnamed
        found.secrets += [path + name for name in listed.secrets]
        found.files += [
            Candidate(path + name, real + name, stamp[0], scope, known, folder.linked)
            for name, stamp, known in listed.files
            if real + name not in self._never
        ]
        if not folder.linked:
            self._links += [folder.below(name, scope) for name in listed.links]
        return [folder.below(name, scope) for name in listed.folders if real + name not in self._never]

    def _verdict(self, place: _Place, *, folder: bool) -> Verdict:
        """What the rules say about ``place``; through a link, also those where it really lies."""
        verdict = place.scope.verdict(place.path, _name(place.path), folder)
        return (
            "unwanted" if verdict == "take" and place.linked and self._left_out_there(place.real, folder) else verdict
        )

    def _passes(self, place: _Place, *, folder: bool) -> bool:
        """Whether ``place``, that a link or the document names, may be taken or entered; counts it otherwise."""
        if place.real in self._never:
            return False
        verdict = self._verdict(place, folder=folder)
        if verdict == "secret":
            self._found.secrets.append(place.path)
        self._found.excluded += verdict == "excluded"
        return verdict == "take"

    def _take(self, place: _Place, stamp: Stamp) -> None:
        if self._passes(place, folder=False):
            self._found.files.append(Candidate(place.path, place.real, stamp[0], place.scope, linked=True))

    def _left_out_there(self, real: str, folder: bool) -> bool:
        """Whether ``real`` is left out where it lies; then it has been counted there."""
        if folder:
            return real not in self._scopes
        rules = self._scopes.get(real.rpartition("/")[0])
        return rules is None or rules.verdict(real, _name(real), folder=False) in ("secret", "excluded")

    def _follow(self, link: _Place, followed: set[str]) -> None:
        """Take what ``link`` leads to, unless that lies outside of the source or above the link. Links below it are
        not followed again, and no folder is followed twice: so there is no circle to be caught in."""
        target = self._target(link.real)
        if target is None or f"{link.real}/".startswith(f"{target}/" if target else ""):
            # What it leads to may be a folder or a file: either way its name may be one that is left out.
            if self._passes(link, folder=True) and link.scope.verdict(link.path, _name(link.path), False) == "take":
                self._found.refused_links.append(link.path)
            return
        place = link._replace(real=target, linked=True)
        try:
            status = (self._root / target).lstat()
        except OSError:
            self._found.unreadable.append(link.path)
            return
        kind, stamp = stamp_of(status)
        if kind == "file":
            self._take(place, stamp)
        elif kind == "folder" and target not in followed and self._passes(place, folder=True):
            followed.add(target)
            self._descend(place)

    def _target(self, link: str) -> str | None:
        """Where ``link`` leads, relative to the root; ``None`` when that is outside, nowhere, or in a circle."""
        try:
            return "/".join((self._root / link).resolve(strict=True).relative_to(self._root).parts)
        except (OSError, RuntimeError, ValueError):
            return None


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _encodable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
