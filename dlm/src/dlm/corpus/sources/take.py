"""The sources of a document, in full or in numbers: the two entry points of this package."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import DocumentError
from ...store.layout import home as dlm_home
from .disk import Tree, open_tree
from .index import Index, Memory
from .model import Gathered, SourceSummary, Survey, SurveyedFile
from .roots import Root, base_folder, roots
from .rules import top
from .sections import source_id, source_section
from .tally import Tally, Why
from .text import LARGEST, Looked, text_of
from .walk import Candidate, Walk, Walked

if TYPE_CHECKING:
    from ...document.model import Document


_Taken = tuple[Candidate, str, Looked, str]
"""A file that will be trained, its origin, what is in it, and its text if that was asked for."""


def gather(document: Document, *, home: Path | None = None) -> Gathered:
    """Every file of the sources of ``document`` as a section. Reads all of them and writes nothing.

    ``home`` is dlm's own folder, ``$DLM_HOME`` by default: it is never a source.

    Raises:
        DocumentError: a source that is missing or not allowed, or a mistake in a ``.dlm`` folder inside of one.
    """
    job = _Job(document, dlm_home(home), None)
    sections = tuple(
        source_section(candidate.path, text, origin, candidate.scope.tags, candidate.scope.weight, looked.id)
        for candidate, origin, looked, text in job.run()
    )
    return Gathered(sections, *job.report())


def survey(document: Document, *, home: Path | None = None, remember: bool = True) -> Survey:
    """The same in numbers. Reads only what has changed since it was last looked at.

    With ``remember`` set, what was found is kept in ``cache/sources`` under ``home``, which is ``$DLM_HOME`` by
    default; else nothing is written.

    Raises:
        DocumentError: as :func:`gather`.
    """
    with _no_garbage():
        root = dlm_home(home)
        index = Index(root, base_folder(document) or Path("/"))
        job = _Job(document, root, index)
        files = tuple(
            SurveyedFile(origin, looked.id, looked.bytes, looked.words, candidate.scope.weight)
            for candidate, origin, looked, _ in job.run()
        )
        if remember:
            index.save()
    summaries, lost, notes = job.report()
    return Survey(files, summaries, lost, (*notes, *index.notes))


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Nothing that is made in here is garbage: looking for some would take a sixth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@dataclass
class _Open:
    """One source while it is looked at."""

    root: Root
    tree: Tree
    walked: Walked
    tally: Tally
    memory: Memory | None


class _Job:
    """One look at all sources of a document."""

    def __init__(self, document: Document, home: Path, index: Index | None) -> None:
        """Without an index every file is read, and its text kept."""
        self._roots = roots(document, home)
        self._index = index
        own = [home] if document.path is None else [home, document.path]
        self._never = {path.resolve() for path in own}
        self._taken: dict[str, str] = {}
        """Real paths with the origins under which they were taken."""
        self._lost: set[str] = set()
        self._sources: list[_Open] = []

    def run(self) -> Iterator[_Taken]:
        """Every file to train, no file twice."""
        with ExitStack() as stack:
            for root in self._roots:
                tree = stack.enter_context(open_tree(root.real))
                self._sources.append(self._open(root, tree))
            if mistakes := [finding for source in self._sources for finding in source.walked.findings]:
                raise DocumentError(sorted(set(mistakes)))
            for source in self._sources:
                yield from self._take(source)

    def report(self) -> tuple[tuple[SourceSummary, ...], frozenset[str], tuple[str, ...]]:
        """Summaries, lost origins and notes, once :meth:`run` has come to its end."""
        lost = frozenset(self._lost.difference(self._taken.values()))
        notes = tuple(note for source in self._sources for note in source.tally.notes())
        return tuple(source.tally.summary() for source in self._sources), lost, notes

    def _open(self, root: Root, tree: Tree) -> _Open:
        scope = top(root.source.include, root.source.exclude)
        memory = self._index.memory(str(root.real), scope.mark) if self._index and not root.file else None
        walk = Walk(tree, root.real, lambda path: root.shown + path, self._never, memory)
        # Who names a file wants it, whatever its name usually means; a secret stays one.
        alone = replace(scope, defaults=False)
        walked = walk.single(root.called, root.file, alone) if root.file else walk.run(scope)
        return _Open(root, tree, walked, Tally(root.source.path), memory)

    def _take(self, source: _Open) -> Iterator[_Taken]:
        root, tally, walked, here = source.root, source.tally, source.walked, str(source.root.real)
        tally.walked(walked)
        self._lost.update((root.origin + path).rstrip("/") or "." for path in walked.unreadable)
        for candidate in walked.files:
            real, origin = f"{here}/{candidate.real}", root.origin + candidate.path
            if real in self._taken:
                tally.repeated += 1
                continue
            found = self._look(source, candidate)
            if isinstance(found, str):
                tally.skip(found, candidate.path)
                if found in ("over_size", "over_count", "unreadable"):
                    self._lost.add(origin)
                continue
            looked, text = found
            self._taken[real] = origin
            tally.take(candidate, looked)
            yield candidate, origin, looked, text

    def _look(self, source: _Open, candidate: Candidate) -> tuple[Looked, str] | Why:
        """What the file holds, as remembered when it did not change; or why it is not taken."""
        limits = source.root.source
        largest = limits.max_bytes_per_file or LARGEST
        if limits.max_files is not None and source.tally.taken >= limits.max_files:
            return "over_count"
        if candidate.size > largest:
            return "over_size"
        looked, text = candidate.known, ""
        if looked is None:
            try:
                data, stamp = source.tree.read(candidate.real, largest + 1)
            except OSError:
                return "unreadable"
            if len(data) > largest:
                return "over_size"
            looked, text = _looked(candidate.path, data, count=self._index is not None)
            if source.memory and not candidate.linked:
                folder, _, name = candidate.real.rpartition("/")
                source.memory.learn(folder, name, stamp, looked)
        return (looked, text) if looked.content == "text" else looked.content


def _looked(path: str, data: bytes, *, count: bool) -> tuple[Looked, str]:
    """What the file ``path`` holds, with its text; its words only when they are asked for."""
    content, text = text_of(data)
    if content != "text":
        return Looked(content), ""
    encoded = text.encode()
    words = len(text.split()) if count else 0
    return Looked(content, sha256(encoded).hexdigest(), source_id(path, text), len(encoded), words), text
