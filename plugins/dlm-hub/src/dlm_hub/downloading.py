"""One file of a commit, onto this disk: a download that broke is gone on with, in this process or in the next.

The hub's client throws away what a broken download has left, so bytes are fetched here, through its session. A commit
never changes, and what lies here is named by the hub's hash of the file: nothing else is ever appended to.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dlm.errors import StoreError, TransferFailed, TransferRefused
from dlm.share.members import LIMITS
from dlm.store.files import disk_errors, free_megabytes

from .client import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from huggingface_hub import HfApi

    from dlm.share.transport import Progress

    from .address import Place

_TRIES = 4
"""In a row that may bring nothing."""
_PASSING = (500, 502, 503, 504)
"""Answers that are tried again at once; the others are told."""
_SMALL = 2**20
_PART: Final = ".part"
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclass(frozen=True)
class Remote:
    """A file of a commit, as the hub lists it."""

    place: Place
    """Its repository, at the commit."""
    name: str
    size: int
    oid: str
    """Git's SHA-1 of the file; of a large one its SHA-256."""

    @property
    def is_large(self) -> bool:
        """Kept beside Git, and named by its SHA-256."""
        return len(self.oid) == 64


def download(api: HfApi, remote: Remote, folder: Path, progress: Progress) -> Path:
    """The file in ``folder``, under its own name.

    Raises:
        TransferFailed: it broke off; what has arrived is kept.
        TransferRefused: there is no room for it.
        StoreError: the disk is full or closed to us.
    """
    final, part = folder / remote.name, folder / f"{remote.name}.{remote.oid[:24]}{_PART}"
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{remote.name}.*{_PART}"):
            if old != part:
                old.unlink()
        if final.is_file() and _is(final, remote):
            progress(remote.size, remote.size)
            return final
    _require_room(remote, folder, part)
    with _opened(part) as file:
        if file.tell() > remote.size:
            file.truncate(0)
        _fill(api, remote, file, folder, progress)
    with disk_errors(part):
        if not _is(part, remote):
            part.unlink()
            raise TransferFailed(
                f"{remote.place.address}: what arrived of {remote.name} is not what the hub says it is: nothing of it "
                "was kept. Run it again"
            )
        part.replace(final)
    return final


def _opened(part: Path) -> BinaryIO:
    with disk_errors(part):
        return part.open("ab", buffering=0)


def read_small(api: HfApi, remote: Remote) -> bytes:
    """The content of a small file. Within :func:`~.client.asking`.

    Raises:
        TransferRefused: it is none.
    """
    if remote.size > _SMALL:
        raise TransferRefused(
            f"{remote.place.address}: {remote.name} has {remote.size:,} bytes, too many for what it is"
        )
    data = b""
    for chunk in chunks(api, remote, 0, None):
        data += chunk
        if len(data) > remote.size:
            raise TransferFailed(f"{remote.place.address}: {remote.name} is longer than the hub says: run it again")
    return data


def _require_room(remote: Remote, folder: Path, part: Path) -> None:
    there = part.stat().st_size if part.is_file() else 0
    if remote.size > LIMITS.total:
        raise TransferRefused(f"{remote.place.address}: {remote.name} has {remote.size:,} bytes, too many for a pack")
    if (remote.size - there) // 1_000_000 > (free := free_megabytes(folder)):
        raise TransferRefused(
            f"{remote.name} takes {remote.size // 1_000_000:,} MB, and the disk of {folder} has {free:,} free: make "
            "room, then run it again"
        )


def _fill(api: HfApi, remote: Remote, file: BinaryIO, folder: Path, progress: Progress) -> None:
    """Append what is missing. A break is tried again, as long as there is something to show for the last tries."""
    from huggingface_hub.errors import HfHubHTTPError

    broken: Any = HfHubHTTPError.__bases__[0]  # of the HTTP library, whichever this client uses
    idle = 0
    while (before := file.seek(0, 2)) < remote.size:
        progress(before, remote.size)
        try:
            for chunk in chunks(api, remote, before, file):
                _append(file, chunk, remote, folder)
                progress(file.tell(), remote.size)
        except HfHubHTTPError:
            raise
        except broken:
            idle = 0 if file.tell() > before else idle + 1
            if idle >= _TRIES:
                raise
            time.sleep(min(4.0, 0.25 * 2**idle))
            continue
        if file.tell() < remote.size:
            idle = 0 if file.tell() > before else idle + 1
            if idle >= _TRIES:
                raise TransferFailed(f"{remote.place.address}: {remote.name} ends too early: run it again")
    progress(remote.size, remote.size)


def _append(file: BinaryIO, chunk: bytes, remote: Remote, folder: Path) -> None:
    if file.tell() + len(chunk) > remote.size:
        file.truncate(0)
        raise TransferFailed(f"{remote.place.address}: {remote.name} is longer than the hub says: nothing was kept")
    with disk_errors(folder):
        file.write(chunk)


def chunks(api: HfApi, remote: Remote, start: int, file: BinaryIO | None, end: int | None = None) -> Iterator[bytes]:
    """What follows the first ``start`` bytes, up to ``end``; from the first on where the other side cannot begin in the
    middle, and then ``file`` is emptied."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import (  # type: ignore[attr-defined]
        build_hf_headers,
        hf_raise_for_status,
        http_stream_backoff,
    )

    url = hf_hub_url(remote.place.repo, remote.name, revision=remote.place.revision, endpoint=api.endpoint)
    headers = {**build_hf_headers(library_name="dlm"), "Accept-Encoding": "identity"}
    if start or end is not None:
        headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
    options: dict[str, Any] = {"max_retries": 2, "retry_on_exceptions": (), "retry_on_status_codes": _PASSING}
    # The HTTP library leaves the token out where it is sent on to another host.
    with http_stream_backoff("GET", url, headers=headers, timeout=PATIENCE, **options) as response:
        hf_raise_for_status(response)
        if start and file is not None and not _goes_on(response, start):
            file.truncate(0)
            file.seek(0)
        # As it arrives: what waits to fill a chunk is lost when the line breaks.
        yield from response.iter_bytes()


def _goes_on(response: Any, start: int) -> bool:
    found = _RANGE.fullmatch(response.headers.get("content-range", ""))
    return response.status_code == 206 and found is not None and int(found[1]) == start


def _is(path: Path, remote: Remote) -> bool:
    """Whether the file in ``path`` is the one that the hub lists."""
    if path.stat().st_size != remote.size:
        return False
    digest = hashlib.sha256() if remote.is_large else hashlib.sha1(f"blob {remote.size}\0".encode())
    try:
        with path.open("rb") as file:
            while chunk := file.read(2**20):
                digest.update(chunk)
    except OSError as problem:
        raise StoreError(f"{path} cannot be read ({problem})") from problem
    return digest.hexdigest() == remote.oid
