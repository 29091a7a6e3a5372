"""What a training would learn now, in one digest, and the places on the disk that it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DlmError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..document import Document
    from ..training.material import Material


@dataclass(frozen=True)
class Places:
    """Where saves are looked for."""

    files: frozenset[Path]
    """The document, and sources that are one file; links are there under both names."""
    trees: frozenset[Path]
    """Folders of sources, with all that lies in them."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where :attr:`files` lie: an editor that replaces a file is seen in its folder only."""
        return tuple(sorted({file.parent for file in self.files}))


@dataclass(frozen=True)
class State:
    """The document and its sources at one moment."""

    digest: str
    """The same for two moments that would give the same training."""
    places: Places
    problem: DlmError | None = None
    """Why nothing can be trained: a mistake in the document, a source that is missing."""


def look(path: Path, home: Path, before: Places | None = None) -> State:
    """What lies on the disk now. While the document cannot be read, its sources are taken to lie where they lay
    ``before``."""
    from ..corpus.sources import survey
    from ..document import read

    places = before or Places(_names(path), frozenset())
    try:
        document = read(path)
        places = places_of(path, document, home)
        files = [(file.origin, file.id, file.weight) for file in survey(document, home=home).files]
    except DlmError as problem:
        return State(_digest("cannot be trained", str(problem), _bytes(path)), places, problem)
    return State(_of(document, files), places)


def trained(document: Document, material: Material) -> str:
    """The digest of the state that a training was made of."""
    return _of(document, [(section.origin, section.id, section.weight) for section in material.gathered.sections])


def places_of(path: Path, document: Document, home: Path) -> Places:
    """Where ``document`` and its sources lie.

    Raises:
        DocumentError: a source is missing, or not allowed.
    """
    from ..corpus.sources.roots import roots

    files, trees = set(_names(path)), set()
    for root in roots(document, home):
        if root.file:
            files.add(root.real / root.file)
        else:
            trees.add(root.real)
    return Places(frozenset(files), frozenset(trees))


def _of(document: Document, files: Iterable[tuple[str, str, float]]) -> str:
    """An id stands for a section's type, adapter, attributes and text."""
    sections = [[section.id, section.weight] for section in document.sections]
    return _digest(document.frontmatter.model_dump(mode="json"), sections, [list(file) for file in files])


def _names(path: Path) -> frozenset[Path]:
    return frozenset({path.absolute(), path.resolve()})


def _bytes(path: Path) -> str:
    try:
        return path.read_bytes().hex()
    except OSError as problem:
        return str(problem)


def _digest(*parts: Any) -> str:
    import hashlib

    from ..store.encoding import canonical

    return hashlib.sha256(canonical(list(parts)).encode("utf-8", "surrogatepass")).hexdigest()
