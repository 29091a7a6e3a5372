"""``dlm unpack``: a pack becomes a store and a document, whole or not at all.

Everything is written into a folder of its own under ``$DLM_HOME/unpacking`` and checked there; then one rename puts the
store in place. A store that is replaced is moved into that folder, and comes back if anything goes wrong.
"""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PackRefused
from ..store import Store
from ..store.files import disk_errors, sync_folder, sync_tree
from ..store.layout import home as home_of
from ..store.manifest import load, save
from .accepting import accept
from .already import require_free
from .members import DOCUMENT
from .placing import base_in_place
from .standing import NOT_LOOKED_AT, Standing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from .manifest import PackManifest
    from .receiving import Received
    from .standing import Rules

FOLDER = "unpacking"
_REPLACED = "replaced-"


@dataclass(frozen=True)
class Unpacked:
    """Where everything is now."""

    document: Path
    store: Path
    received: Received
    notes: tuple[str, ...] = ()
    base: Path | None = None
    """The base that came along, where it was put."""
    standing: Standing = NOT_LOOKED_AT
    """What its signatures are worth."""


def unpack(
    path: Path,
    *,
    home: Path | None = None,
    out: Path | None = None,
    force: bool = False,
    base: bool | None = None,
    rules: Rules | None = None,
    sidecars: Mapping[str, Path] | None = None,
    digests: Collection[str] = (),
) -> Unpacked:
    """Put the document of the pack ``path`` into the folder ``out``, by default beside the pack, and its store under
    ``home``. With ``force`` they replace what is there. ``base`` says whether one in the pack is taken; ``None`` takes
    it from somebody whose signature counts. ``rules``, ``sidecars`` and ``digests`` are those of
    :func:`.accepting.accept`.

    Raises:
        SignatureInvalid: a signature is wrong, or the rules ask for more than there is.
        PackInvalid: the pack is damaged, forged, or of a newer dlm.
        PackRefused: a store of this document, or a file of this name, is there already.
        StoreLocked: somebody trains the document whose store is to be replaced.
        StoreError: the disk is full or closed to us. In every case everything is as it was.
    """
    root, folder = home_of(home), (out or path.parent).absolute()
    notes = clear(root)

    def look(manifest: PackManifest) -> None:
        require_free(root, folder / manifest.document.name, manifest, force=force)

    with _staging(root) as staging:
        received, standing = accept(
            path, staging, rules=rules, sidecars=sidecars, home=root, look=look, digests=digests
        )
        place = folder / received.manifest.document.name
        _settle(staging, place)
        with base_in_place(staging, place, received, root, asked=base, trusted=standing.counts) as placed:
            _put_in_place(root, staging, place, received.manifest.dlm_id, force=force)
    said = (*notes, *received.notes, *filter(None, [placed.note]))
    return Unpacked(place, root / "store" / received.manifest.dlm_id, received, said, placed.path, standing)


@contextmanager
def _staging(root: Path) -> Iterator[Path]:
    """A folder that nobody else has, gone at the end."""
    from filelock import FileLock

    place = root / FOLDER / secrets.token_hex(8)
    with disk_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place.with_suffix(".lock"), timeout=1)
        with lock:
            place.mkdir(mode=0o700)
            try:
                yield place
            finally:
                shutil.rmtree(place, ignore_errors=True)
                place.with_suffix(".lock").unlink(missing_ok=True)
                with suppress(OSError):
                    place.parent.rmdir()


def _settle(staging: Path, place: Path) -> None:
    """Make what was written durable; it says from now on where the document lies here, and that nobody here has agreed
    to the base's licence."""
    story = staging / "store" / "manifest.json"
    if (manifest := load(story)) is not None:
        save(story, manifest.model_copy(update={"source_path": str(place), "license_acceptance": None}))
    with disk_errors(staging):
        sync_tree(staging)


def _put_in_place(root: Path, staging: Path, place: Path, dlm_id: str, *, force: bool) -> None:
    store = Store(root, dlm_id).layout.root
    with disk_errors(store):
        store.parent.mkdir(parents=True, exist_ok=True)
    with disk_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    if not store.exists():
        _swap(store, staging, place, None, force=force)
        return
    if not force:
        raise PackRefused(f"{store} was made meanwhile: nothing was changed. Run the command again")
    with Store(root, dlm_id).lock("unpack"):
        _swap(store, staging, place, staging / f"{_REPLACED}{dlm_id}", force=force)


def _swap(store: Path, staging: Path, place: Path, aside: Path | None, *, force: bool) -> None:
    with disk_errors(store):
        if aside is not None:
            store.rename(aside)
        try:
            (staging / "store").rename(store)
            try:
                _document(staging / DOCUMENT, place, force=force)
            except BaseException:
                store.rename(staging / "store")
                raise
        except BaseException:
            if aside is not None:
                aside.rename(store)
            raise
        sync_folder(store.parent)


def _document(source: Path, place: Path, *, force: bool) -> None:
    """Put the document in place in one step."""
    if not force and os.path.lexists(place) and place.read_bytes() == source.read_bytes():
        return
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(4)}.tmp")
    with disk_errors(place):
        try:
            with temporary.open("xb") as file:
                file.write(source.read_bytes())
                file.flush()
                os.fsync(file.fileno())
            if force:
                temporary.replace(place)
            else:
                os.link(temporary, place)
        except FileExistsError as problem:
            raise PackRefused(f"{place} was made meanwhile: nothing was changed. Run the command again") from problem
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(place.parent)


def clear(root: Path) -> tuple[str, ...]:
    """Remove what commands left that were killed; a store that one of them had moved aside goes back. One line each."""
    return tuple(_cleared(root))


def _cleared(root: Path) -> Iterator[str]:
    from filelock import FileLock, Timeout

    folder = root / FOLDER
    for name in sorted({path.stem for path in folder.iterdir()}) if folder.is_dir() else ():
        place = folder / name
        try:
            with FileLock(place.with_suffix(".lock"), timeout=0), disk_errors(place):
                for aside in sorted(place.glob(f"{_REPLACED}*")):
                    store = root / "store" / aside.name.removeprefix(_REPLACED)
                    if not store.exists():
                        aside.rename(store)
                        yield f"put {store} back, which an unpacking that was killed had moved aside"
                if place.is_dir():
                    shutil.rmtree(place)
                place.with_suffix(".lock").unlink(missing_ok=True)
        except Timeout:
            continue
    with suppress(OSError):
        folder.rmdir()
