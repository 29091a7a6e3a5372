"""``$DLM_HOME/bases``: each base once, converted once, complete or absent.

``ensure`` fetches, ``find`` only looks; both insist on the licence. A base is prepared in a hidden folder beside its
place and renamed when it is whole, under a lock, so that two processes do not do the work twice and nobody meets half
of it.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from ..errors import BaseModelError
from ..store.encoding import canonical, jsonable, now
from ..store.files import disk_errors, sync_tree, write_atomic
from .contents import measure, require_base
from .folders import local_folder
from .licence import accept as accept_licence
from .licence import require as require_licence
from .model import BaseModel, FolderSource, HubSource, LocalBase, Source
from .sources import describe, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..training.backend import Backend

CARD = "base.json"
"""Beside the model's files: what they are and where they came from."""


def folder_of(base: BaseModel, home: Path) -> Path:
    """Where ``base`` lies, or would."""
    if isinstance(source := base.sources[0], FolderSource):
        return source.path
    return home / "bases" / (re.sub(r"[^\w.@-]", "--", base.key).lstrip(".") or "--")


def find(base: BaseModel, home: Path, *, acceptance: Mapping[str, Any] | None = None) -> LocalBase | None:
    """``base`` if it lies on this disk, complete, and may be used; asks no network.

    ``acceptance`` is ``license_acceptance`` of the document's own manifest.

    Raises:
        LicenceNotAccepted: it lies here, but nobody has agreed to its licence.
        BaseModelError: it is a ``path:`` whose folder cannot be loaded as a base.
    """
    if (found := on_disk(base, home)) is not None:
        require_licence(base, home, acceptance)
    return found


def on_disk(base: BaseModel, home: Path) -> LocalBase | None:
    """``base`` if it lies on this disk, complete, whoever has agreed to its licence: for telling about it, not for use.

    Writes nothing and asks no network.

    Raises:
        BaseModelError: it is a ``path:`` whose folder cannot be loaded as a base.
    """
    if isinstance(source := base.sources[0], FolderSource):
        return local_folder(base.key, source.path, home, remember=False)
    folder = folder_of(base, home)
    card = _read_card(folder)
    if card is None or _fault(base, folder, card) is not None:
        return None
    return LocalBase(base.key, folder, card["digest"], card["source"], card["revision"])


def ensure(
    base: BaseModel,
    home: Path,
    backend: Backend,
    say: Callable[[str], None],
    *,
    accept: bool = False,
    acceptance: Mapping[str, Any] | None = None,
) -> LocalBase:
    """``base``, fetched and converted if it is not there yet: from the first of its sources that works.

    ``accept`` records that the user agrees to its licence; ``acceptance`` is ``license_acceptance`` of the document's
    own manifest. Without either, a licence that needs it is asked about on the terminal, once.

    Raises:
        LicenceNotAccepted: nobody has agreed to its licence.
        BaseModelError: no source works, a digest is wrong, or the disk is full; says what was tried.
    """
    if accept:
        accept_licence(base, home, "cli_flag")
    require_licence(base, home, acceptance)
    if isinstance(source := base.sources[0], FolderSource):
        return local_folder(base.key, source.path, home, remember=True)
    if (found := on_disk(base, home)) is not None:
        return found
    folder = folder_of(base, home)
    with _alone(base, folder, say):
        _remove_leftovers(folder)
        if (found := on_disk(base, home)) is not None:
            return found
        if folder.exists():
            say(f"base {base.key} in {folder} cannot be used ({_fault(base, folder, _read_card(folder))}): fetching it")
        with _workplace(folder) as place:
            _install(_fetch_first(base, backend, place, say, _read_card(folder)), folder)
    found = on_disk(base, home)
    if found is None:
        raise BaseModelError(f"{folder} changed while it was being written: run `dlm base pull {base.key}` again")
    return found


class AnotherSource(BaseModelError):
    """Files were fetched from where this base is not fetched from any more."""


def origins(base: BaseModel) -> list[dict[str, Any]]:
    """Each source of ``base`` as its card would name it."""
    return [_origin(source) for source in base.sources]


def origin_of(base: BaseModel, home: Path) -> dict[str, Any] | None:
    """Which of :func:`origins` the files of ``base`` on this disk came from; ``None`` for a folder of the user's."""
    card = None if isinstance(base.sources[0], FolderSource) else _read_card(folder_of(base, home))
    return card and card["origin"]


def adopt(base: BaseModel, home: Path, ready: Path, origin: Any, revision: str | None, giver: str) -> Path | None:
    """Move the complete folder ``ready``, which somebody else fetched from ``origin``, to the place of ``base``, and
    say so there. ``None`` when a usable one lies there: it stays as it is.

    Nothing tells that the files are those of ``origin`` but the word of the ``giver``.

    Raises:
        AnotherSource: ``base`` has no such source.
        BaseModelError: the disk is full or closed to us.
    """
    source = next((source for source in base.sources if _origin(source) == origin), None)
    if source is None:
        raise AnotherSource(f"the files of base {base.key} came from elsewhere than this dlm fetches them from")
    require_base(ready)
    folder = folder_of(base, home)
    with _alone(base, folder, lambda _: None):
        _remove_leftovers(folder)
        if on_disk(base, home) is not None:
            return None
        _write_card(base, source, revision, ready, f"{describe(source)}, from {giver}")
        with _workplace(folder) as place, disk_errors(folder, BaseModelError):
            # Another disk may hold the bases.
            shutil.move(ready, place / "0")
            _install(place / "0", folder)
    return folder


def _fetch_first(
    base: BaseModel, backend: Backend, place: Path, say: Callable[[str], None], card: dict[str, Any] | None
) -> Path:
    """A complete folder with its card, from the first source that works. ``card`` is that of a damaged one before."""
    tried: list[str] = []
    for number, source in enumerate(base.sources):
        folder = place / str(number)
        try:
            revision = prepare(_pinned(source, card), backend, folder, say)
            require_base(folder)
        except BaseModelError as problem:
            tried.append(f"  - {problem}")
            if number + 1 < len(base.sources):
                say(f"{str(problem).splitlines()[0]}; trying {describe(base.sources[number + 1])}")
            shutil.rmtree(folder, ignore_errors=True)
            continue
        _write_card(base, source, revision, folder)
        return folder
    raise BaseModelError(
        "\n".join([f"base {base.key} could not be fetched:", *tried])
        + "\n  when that is put right run `dlm base pull "
        + f"{base.key}`, or use a model that lies on this disk: base_model: path:DIR"
    )


def _pinned(source: Source, card: dict[str, Any] | None) -> Source:
    """``source`` at the commit that was fetched before, so that a repair brings no other weights."""
    if isinstance(source, HubSource) and card and card["origin"] == _origin(source) and card["revision"]:
        return replace(source, revision=str(card["revision"]))
    return source


def _write_card(base: BaseModel, source: Source, revision: str | None, folder: Path, told: str = "") -> None:
    """``told`` says where it came from in other words than those of ``source``."""
    measured = measure(folder)
    card = {
        "key": base.key,
        "digest": measured.digest,
        "source": told or describe(source),
        "origin": _origin(source),
        "revision": revision,
        "files": measured.files,
        "sizes": measured.sizes,
        "created_at": now(),
    }
    with disk_errors(folder, BaseModelError):
        sync_tree(folder)
    write_atomic(folder / CARD, canonical(card), BaseModelError)


def _read_card(folder: Path) -> dict[str, Any] | None:
    """``base.json``; ``None`` when it is missing or not one."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    wanted = {"key": str, "digest": str, "source": str, "sizes": dict}
    if not isinstance(card, dict) or not all(isinstance(card.get(key), kind) for key, kind in wanted.items()):
        return None
    return {"revision": None, "origin": None, **card}


def _fault(base: BaseModel, folder: Path, card: dict[str, Any] | None) -> str | None:
    """Why what lies in ``folder`` is not ``base``; ``None`` when it is. Sizes are compared, contents are not hashed."""
    if card is None:
        return f"{CARD} is missing or damaged"
    if card["key"] != base.key or card["origin"] not in origins(base):
        return f"it came from {card['source']}, which is no longer a source of this base"
    for name, size in card["sizes"].items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != size:
            return f"{name} has {path.stat().st_size} bytes, not {size}"
    return None


def _origin(source: Source) -> dict[str, Any]:
    origin: dict[str, Any] = jsonable({"kind": type(source).__name__, **asdict(source)})
    return origin


@contextmanager
def _alone(base: BaseModel, folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Be the only process that prepares this base; wait for another one that does."""
    with disk_errors(folder, BaseModelError):
        folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.parent / f".{folder.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"another process is preparing base {base.key}: waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """A hidden folder on the same disk, gone at the end whatever happens."""
    place = folder.parent / f".{folder.name}.partial-{secrets.token_hex(4)}"
    with disk_errors(place, BaseModelError):
        place.mkdir()
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _install(ready: Path, folder: Path) -> None:
    """Put ``ready`` in its place; what lay there goes with the workplace."""
    with disk_errors(folder, BaseModelError):
        if folder.exists():
            folder.rename(ready.parent / "replaced")
        ready.rename(folder)


def _remove_leftovers(folder: Path) -> None:
    """What a killed process was preparing. Its lock went with it, ours is held: nobody is in there."""
    for leftover in folder.parent.glob(f".{folder.name}.partial-*"):
        shutil.rmtree(leftover, ignore_errors=True)
