"""The base of a pack, put where the document's ``base_model`` has it looked for. One that is there already stays.

Others of the receiver's documents use a base by the same key. So it is taken only from somebody whose signature counts
here, or when it was asked for; where it came from is written beside it, and ``dlm base show`` tells.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from .._plugkit.errors import PluginError
from ..bases.cache import AnotherSource, adopt, on_disk
from ..bases.contents import measure
from ..bases.model import FolderSource
from ..bases.resolve import resolve
from ..errors import BaseModelError, PackRefused, UsageProblem
from ..store.files import disk_errors, sync_folder
from .basing import is_within
from .members import BASE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..bases import BaseModel
    from .receiving import Received


class Base(NamedTuple):
    """What became of the base of a pack."""

    path: Path | None
    """Where it was put; ``None`` when it was not."""
    note: str = ""
    """Why not, for people."""


@contextmanager
def base_in_place(
    staging: Path, document: Path, received: Received, home: Path, *, asked: bool | None, trusted: bool
) -> Iterator[Base]:
    """Put the base that lies in ``staging`` where the document at ``document`` will look for it, and take it away again
    if what is done meanwhile fails. One that other documents would use, too, has to be ``asked`` for, or ``trusted``.

    Raises:
        PackRefused: something else lies there.
        BaseModelError: the disk is full or closed to us.
    """
    if not received.manifest.base.included:
        yield Base(None)
        return
    if asked is False:
        yield Base(None, f"left out the base {received.base_model}, as you asked")
        return
    found = _place(staging / BASE, received, document, home, asked or trusted)
    try:
        yield found
    except BaseException:
        if found.path is not None:
            shutil.rmtree(found.path, ignore_errors=True)
        raise


def _place(ready: Path, received: Received, document: Path, home: Path, wanted: bool) -> Base:
    ref, said = received.base_model, received.manifest.base
    try:
        model = resolve(ref, document.parent)
    except (UsageProblem, PluginError) as problem:
        return Base(None, f"left out the base: {problem}")
    if isinstance(source := model.sources[0], FolderSource):
        if not ref.startswith("path:"):
            return Base(None, f"left out the base: a plugin says where {ref} lies")
        return _beside(ready, source.path, ref, said.digest)
    if not wanted and on_disk(model, home) is None:
        return Base(
            None,
            f"left the base {model.key} out: nobody whose key counts here signed this pack, and every document on that "
            f"base would use it. Fetch it with `dlm base pull {model.key}`, or unpack with --base to take this one",
        )
    try:
        giver = f"a pack, {received.digest[:19]}"
        put = adopt(model, home, ready, said.origin, said.revision, giver)
    except AnotherSource as problem:
        return Base(None, f"left out the base: {problem}. `dlm base pull {ref}` fetches it")
    return Base(put) if put else _there(model, home, said.digest)


def _there(model: BaseModel, home: Path, digest: str | None) -> Base:
    """The one that lies in the cache already stays: other documents use it."""
    found = on_disk(model, home)
    if found is None or found.digest == digest:
        return Base(None, f"left the base {model.key} out: it is here already")
    return Base(
        None,
        f"left the base {model.key} out: {found.path} holds another edition of it, on which this version cannot "
        "answer. Unpack elsewhere with --home DIR, or move that folder away and unpack again with --force",
    )


def _beside(ready: Path, place: Path, ref: str, digest: str | None) -> Base:
    """Into the folder beside the document that it names."""
    if not is_within(ref.removeprefix("path:")):
        return Base(None, f"left out the base: {ref} is no folder beside the document")
    if place.exists():
        if _digest(place) == digest:
            return Base(None, f"left the base {ref} out: it is here already")
        raise PackRefused(
            f"{place} is there already and is another base: put the document elsewhere with --out DIR. Nothing was "
            "changed"
        )
    aside = place.with_name(f".{place.name}.{ready.parent.name}")
    with disk_errors(place, BaseModelError):
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(ready, aside)
            aside.rename(place)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        sync_folder(place.parent)
    return Base(place)


def _digest(folder: Path) -> str | None:
    try:
        return measure(folder).digest
    except (BaseModelError, OSError):
        return None
