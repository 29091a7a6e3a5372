"""A path as an address: a disk that others mount, a stick that is carried over."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StoreError, TransferRefused, UsageProblem
from ..store.files import disk_errors, free_megabytes, replacing
from .frame import MAGIC
from .sidecars import LARGEST
from .tape import CHUNK
from .transport import PACK_FILE, SIDECARS, Fetched, Sent, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .transport import Parcel, Progress

_ENDING = ".dlm.pack"


class Local(Transport):
    """Copies, so that what is checked afterwards is a file that nobody else writes."""

    def shown(self, place: str) -> str:
        return str(Path(place).expanduser().absolute())

    def check_send(self, place: str, settings: Mapping[str, str]) -> None:
        path = Path(place).expanduser()
        folder = path if _is_folder(place) else path.parent
        if not folder.is_dir():
            raise UsageProblem(f"{folder} is no folder: make it first, with mkdir -p, or correct --to")
        if path.is_file() and not _may_be_a_pack(path):
            raise UsageProblem(f"{path} is there already and is no pack: correct --to. Nothing was written")

    def send(self, parcel: Parcel, place: str, *, progress: Progress, say: Callable[[str], None]) -> Sent:
        path = Path(place).expanduser().absolute()
        if _is_folder(place):
            path /= f"{parcel.manifest.document.name}.pack"
            self.check_send(str(path), {})
        if path.exists() and path.samefile(parcel.pack):
            raise UsageProblem(f"{path} is the pack itself: name another place with --to")
        # In this order a reader between two steps meets a signature of another pack, and never one without any.
        _copy(parcel.pack, path, progress)
        unsigned = False
        for suffix in SIDECARS:
            beside = path.with_name(path.name + suffix)
            if suffix in parcel.sidecars:
                _copy(parcel.sidecars[suffix], beside, _silent)
            else:
                with disk_errors(beside):
                    unsigned |= beside.exists()
                    beside.unlink(missing_ok=True)
        if unsigned and not parcel.sidecars:
            say("removed the signature of the pack that was there: this one is not signed; --sign signs it")
        return Sent(str(path))

    def check_fetch(self, place: str) -> None:
        _pack(place)

    def head(self, place: str, count: int) -> bytes | None:
        try:
            with _pack(place).open("rb") as file:
                return file.read(count)
        except (OSError, UsageProblem):
            return None

    def fetch(self, place: str, folder: Path, *, progress: Progress, say: Callable[[str], None]) -> Fetched:
        source, target = _pack(place), folder / PACK_FILE
        _require_room(source, folder)
        _copy(source, target, progress)
        sidecars = {}
        for suffix in SIDECARS:
            beside = target.with_name(target.name + suffix)
            if (given := source.with_name(source.name + suffix)).is_file():
                _require_small(given)
                _copy(given, beside, _silent)
                sidecars[suffix] = beside
        return Fetched(target, sidecars)


def _is_folder(place: str) -> bool:
    return place.endswith(("/", os.sep)) or Path(place).expanduser().is_dir()


def _pack(place: str) -> Path:
    path = Path(place).expanduser().absolute()
    if path.is_dir():
        found = sorted(path.glob(f"*{_ENDING}"))
        if not found:
            raise UsageProblem(f"{path} is a folder without a pack, a file that ends with {_ENDING}: correct the path")
        if len(found) > 1:
            names = ", ".join(one.name for one in found[:5])
            raise UsageProblem(f"{path} is a folder with {len(found)} packs ({names}): name one file")
        path = found[0]
    if not path.is_file():
        hint = f"; for the hub write hf:{place}" if place.count("/") == 1 and place[0] not in "./~" else ""
        raise UsageProblem(f"{path} is no file: correct the path{hint}")
    return path


def _may_be_a_pack(path: Path) -> bool:
    with disk_errors(path), path.open("rb") as file:
        return file.read(len(MAGIC)) in (MAGIC, b"")


def _require_room(source: Path, folder: Path) -> None:
    needed, free = source.stat().st_size // 1_000_000, free_megabytes(folder)
    if needed > free:
        raise StoreError(
            f"{source} has {needed:,} MB, and the disk of {folder} has {free:,} free: make room, or choose another "
            "disk with --home"
        )


def _require_small(sidecar: Path) -> None:
    if (size := sidecar.stat().st_size) > LARGEST:
        raise TransferRefused(f"{sidecar} has {size:,} bytes, as no signature and no key has: ask for the right one")


def _silent(done: int, total: int | None) -> None:
    """The progress of a file of a few kilobytes."""


def _copy(source: Path, target: Path, progress: Progress) -> None:
    """Replace ``target`` with the content of ``source`` in one step."""
    try:
        origin = source.open("rb")
    except OSError as problem:
        raise TransferRefused(f"cannot read {source}: {problem.strerror or problem}") from problem
    with origin, replacing(target) as file:
        total, done = os.fstat(origin.fileno()).st_size, 0
        while chunk := origin.read(CHUNK):
            file.write(chunk)
            done += len(chunk)
            progress(done, total)
