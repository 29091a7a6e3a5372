"""Where the sources of a document lie, and whether its policy lets it have them there."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...document.findings import Findings
from .config import FOLDER, pattern_mistakes
from .names import folder_kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...document.frontmatter import Source
    from ...document.model import Document


@dataclass(frozen=True)
class Root:
    """One entry of ``training.sources``, found on the disk."""

    source: Source
    real: Path
    """The folder without links on the way; of a single file, the folder that it lies in."""
    file: str
    """Name of the file when the source is a single file, else empty; links on the way are followed."""
    called: str
    """The same, as the document calls it."""
    origin: str
    """How origins of its files begin: empty, or ending with ``/``."""
    shown: str
    """How messages name its files: empty, or ending with ``/``."""


def base_folder(document: Document) -> Path | None:
    """What the relative paths of sources mean: the document's folder, or the one above when that is called ``.dlm``."""
    folder = document.folder
    return folder.parent if folder is not None and folder.name == FOLDER else folder


def roots(document: Document, home: Path) -> tuple[Root, ...]:
    """The sources of ``document``; ``home`` is dlm's own folder, which is none.

    Raises:
        DocumentError: with a finding for each that is missing, that the policy forbids, or whose patterns are none.
    """
    findings = Findings(document.location)
    found = []
    for index, source in enumerate(document.frontmatter.training.sources or ()):
        for key, number, what, fix in _patterns(source):
            place = document.places.place(("training", "sources", index, key, number))
            findings.report(*place.value, what, fix)
        try:
            found.append(_root(document, source, home.resolve()))
        except _Refused as refused:
            place = document.places.place(("training", "sources", index, "path"))
            findings.report(*place.value, *refused.args)
    findings.raise_if_any()
    return tuple(found)


class _Refused(Exception):
    """What is wrong with a path, and what to do."""


def _patterns(source: Source) -> Iterator[tuple[str, int, str, str]]:
    for key in ("include", "exclude"):
        for index, what, fix in pattern_mistakes(getattr(source, key)):
            yield key, index, what, fix


def _root(document: Document, source: Source, home: Path) -> Root:
    """The source on the disk.

    Raises:
        _Refused: there is none, or it may not be used.
    """
    base = base_folder(document)
    try:
        path = Path(source.path).expanduser()
    except RuntimeError:
        raise _Refused(f"nobody here is called {source.path.split('/')[0]}", "write the path in full") from None
    if base is None and not path.is_absolute():
        raise _Refused(f"`{source.path}` is relative, and the document lies in no folder", "write the path in full")
    place = (base or Path("/")) / path
    try:
        real = place.resolve(strict=True)
        mode = real.stat().st_mode
    except (OSError, RuntimeError) as error:
        why = "there is nothing" if isinstance(error, FileNotFoundError) else "nothing can be read"
        raise _Refused(f"{why} at `{source.path}` ({place})", "correct the path, or remove this source") from None
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise _Refused(f"`{source.path}` is neither a folder nor a file", "name one of both")
    _allow(document, source, base, real)
    if real.is_relative_to(home) or FOLDER in _below(base, real).parts:
        raise _Refused(f"`{source.path}` is a folder of dlm's own, or lies in one", "name a folder with texts of yours")
    plain = Path(os.path.normpath(place))
    folder = stat.S_ISDIR(mode)
    _require_utf8(document, base, plain)
    _refuse_secrets(source, [path if folder else path.parent for path in (real, plain)])
    if folder:
        return Root(source, real, "", "", *_names(document, base, plain))
    return Root(source, real.parent, real.name, plain.name, *_names(document, base, plain.parent))


def _require_utf8(document: Document, base: Path | None, plain: Path) -> None:
    """Names of files are written down as text, so those of the folders above them must be some.

    Raises:
        _Refused: they are not.
    """
    try:
        _names(document, base, plain)[0].encode()
    except UnicodeEncodeError:
        raise _Refused(f"a folder on the way to {plain} has a name that is not UTF-8", "rename it") from None


def _refuse_secrets(source: Source, folders: list[Path]) -> None:
    """A folder of keys is never taken, by whichever name it is called.

    Raises:
        _Refused: one of ``folders`` is such a folder, or lies in one.
    """
    for name in (part for folder in folders for part in folder.parts):
        if folder_kind(name) == "secret":
            raise _Refused(f"`{source.path}`: what lies in `{name}` is secret and never trained", "remove this source")


def _below(base: Path | None, real: Path) -> Path:
    """``real`` as seen from the base folder, when it lies in there."""
    top = base.resolve() if base else None
    return real.relative_to(top) if top and real.is_relative_to(top) else real


def _allow(document: Document, source: Source, base: Path | None, real: Path) -> None:
    """Under the policy ``strict``, only what lies in the base folder.

    Raises:
        _Refused: it lies elsewhere.
    """
    if document.frontmatter.training.sources_policy != "strict":
        return
    if base is None or not real.is_relative_to(base.resolve()):
        what = f"`{source.path}` leads out of the document's folder, to {real}, and `sources_policy` is strict"
        raise _Refused(what, "move it into the folder, or write `sources_policy: permissive`")


def _names(document: Document, base: Path | None, folder: Path) -> tuple[str, str]:
    """How origins, and names in messages, of files in ``folder`` begin."""
    plain = Path(os.path.normpath(base)) if base else None
    if plain is None or document.path is None or not folder.is_relative_to(plain):
        outside = folder.as_posix().rstrip("/") + "/"
        return outside, outside
    inside = folder.relative_to(plain).as_posix()
    origin = "" if inside == "." else inside + "/"
    shown = document.path.parent
    if base != document.folder:
        shown = shown.parent if shown.name == FOLDER else shown / ".."
    return origin, origin if shown == Path() else f"{shown.as_posix()}/{origin}"
