"""Reading a pack: every member held against what the pack says of it, before the next one is looked at.

The same walk serves ``dlm verify``, which keeps nothing, and ``dlm unpack``, which writes into a folder that nobody
reads yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PackInvalid
from ..store.files import disk_errors
from .checking import Claimed, check, front_of, is_small
from .manifest import PackManifest, digest_of, parse, parse_sums
from .members import DOCUMENT, LIMITS, NOT_TOUCHED, PACK, PRIOR_FIRST, SUMS, may_run, require_name, shown
from .reaching import reaches
from .tape import reading

if TYPE_CHECKING:
    from .tape import Entry, Reader
    from .witness import Witness

_AHEAD = 8
"""Chunks that may wait to be hashed."""


@dataclass(frozen=True)
class Received:
    """A pack that is what it says."""

    manifest: PackManifest
    digest: str
    """Of the pack; in the prior format, of its list of checksums."""
    size: int
    """Of the file."""
    format: int
    notes: tuple[str, ...] = ()
    claimed: Claimed | None = None
    """``None`` for a pack that claims nothing, as one of the prior format."""
    base_model: str = ""
    """As the document names it; empty for a pack of the prior format."""


def receive(
    path: Path,
    folder: Path | None,
    look: Callable[[PackManifest], None] | None = None,
    witness: Witness | None = None,
) -> Received:
    """Check the pack in ``path``; with ``folder``, an empty one, write its members there.

    ``look`` sees what the pack says of itself, as soon as that is known, and may raise. ``witness`` sees every byte.

    Raises:
        PackInvalid: it is damaged, forged, or of a newer dlm.
        PackRefused: it cannot be read, or there is no room for it.
        StoreError: the disk is full or closed to us.
    """
    with reading(path, witness) as (reader, first):
        if first.name == PRIOR_FIRST:
            from .prior import receive_prior

            return receive_prior(path, reader, folder, look)
        if first.name != SUMS:
            raise PackInvalid(f"{path} is no pack: it begins with {shown(first.name)}. {NOT_TOUCHED}")
        raw = reader.content(LIMITS.list)
        sums = parse_sums(raw, str(path))
        manifest = _manifest(path, reader, sums)
        if look is not None:
            look(manifest)
        if folder is not None:
            require_room(path, folder, manifest.bytes)
        small = _members(path, reader, manifest, sums, folder)
    claimed = check(str(path), manifest, sums, small)
    front, size = front_of(small[DOCUMENT]), path.stat().st_size
    base, notes = str(front.get("base_model") or ""), reaches(front)
    return Received(manifest, digest_of(raw), size, manifest.pack_format, notes, claimed, base)


def _manifest(path: Path, reader: Reader, sums: dict[str, str]) -> PackManifest:
    entry = reader.next()
    if entry is None or entry.name != PACK:
        raise PackInvalid(f"{path}: its second member is not {PACK}. {NOT_TOUCHED}")
    data = reader.content(LIMITS.list)
    if hashlib.sha256(data).hexdigest() != sums.get(PACK):
        raise PackInvalid(f"{path}: {PACK} is not what SHA256SUMS says. {NOT_TOUCHED}")
    manifest = parse(data, str(path))
    listed, summed = [member.path for member in manifest.members], [name for name in sums if name != PACK]
    if listed != summed:
        odd = next(iter(sorted(set(listed) ^ set(summed))), "their order")
        raise PackInvalid(f"{path}: {PACK} and SHA256SUMS list different members ({shown(odd)}). {NOT_TOUCHED}")
    return manifest


def _members(
    path: Path, reader: Reader, manifest: PackManifest, sums: dict[str, str], folder: Path | None
) -> dict[str, bytes]:
    """Every member, in the order in which they are listed; the content of the small ones."""
    small: dict[str, bytes] = {}
    held = 0
    with Hasher() as hasher:
        for member in manifest.members:
            entry = reader.next()
            _require_listed(path, entry, member.path, member.size, sums)
            keep: list[bytes] | None = [] if is_small(member.path, manifest.version) else None
            held += member.size if keep is not None else 0
            if keep is not None and held > LIMITS.text:
                raise PackInvalid(f"{path}: {shown(member.path)} is too large for what it is. {NOT_TOUCHED}")
            if write(reader.chunks(), folder and folder / member.path, hasher, keep) != sums[member.path]:
                raise PackInvalid(f"{path}: {shown(member.path)} is not what SHA256SUMS says. {NOT_TOUCHED}")
            if keep is not None:
                small[member.path] = b"".join(keep)
            if folder is not None and may_run(member.path):
                _let_run(folder / member.path)
    if (entry := reader.next()) is not None:
        _require_listed(path, entry, "", 0, sums)
    return small


def _let_run(path: Path) -> None:
    """For everybody who may read it."""
    with disk_errors(path):
        mode = path.stat().st_mode
        path.chmod(mode | (mode & 0o444) >> 2)


def _require_listed(path: Path, entry: Entry | None, name: str, size: int, sums: dict[str, str]) -> None:
    if entry is None:
        raise PackInvalid(f"{path}: {shown(name)} is listed and missing. {NOT_TOUCHED}")
    if entry.name != name:
        require_name(entry.name, str(path))
        what = "comes twice, or out of order" if entry.name in sums else "is not listed in SHA256SUMS"
        raise PackInvalid(f"{path}: {shown(entry.name)} {what}. {NOT_TOUCHED}")
    if entry.size != size:
        said = f"has {entry.size:,} bytes, and {PACK} says {size:,}"
        raise PackInvalid(f"{path}: {shown(name)} {said}. {NOT_TOUCHED}")


class Hasher:
    """SHA-256 on a thread of its own, beside decompressing and writing."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> Hasher:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def passing(self, chunks: Iterator[bytes], digest: list[str]) -> Iterator[bytes]:
        """The same chunks; once they have ended, ``digest`` holds that of all."""
        whole = hashlib.sha256()
        waiting: list[Future[None]] = []
        for chunk in chunks:
            waiting.append(self._pool.submit(whole.update, chunk))
            yield chunk
            if len(waiting) > _AHEAD:
                waiting.pop(0).result()
        for one in waiting:
            one.result()
        digest.append(whole.hexdigest())


def write(chunks: Iterator[bytes], path: Path | None, hasher: Hasher, keep: list[bytes] | None) -> str:
    """Write ``chunks`` to the new file ``path``, if there is one, and collect them in ``keep``; their digest in hex.

    Raises:
        StoreError: the disk is full or closed to us.
    """
    digest: list[str] = []
    passing = hasher.passing(chunks, digest)
    if path is None:
        for chunk in passing:
            if keep is not None:
                keep.append(chunk)
        return digest[0]
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            for chunk in passing:
                file.write(chunk)
                if keep is not None:
                    keep.append(chunk)
    return digest[0]


def require_room(path: Path, folder: Path, size: int) -> None:
    """See to it that ``size`` bytes fit onto the disk of ``folder``.

    Raises:
        PackRefused: they do not.
    """
    from ..errors import PackRefused
    from ..store.files import free_megabytes

    free = free_megabytes(folder)
    if size // 1_000_000 > free:
        raise PackRefused(
            f"{path} takes {size // 1_000_000:,} MB, and the disk of {folder} has {free:,} free: make room, or choose "
            "another disk with --home"
        )
