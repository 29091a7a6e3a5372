"""What dlm calls for addresses that begin with ``https:``, and with ``http:`` on this machine."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from dlm.errors import DlmError, UsageProblem
from dlm.share.transport import PACK_FILE, SIDECARS, Fetched, Sent, Transport

from .addresses import beside, require, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import httpx

    from dlm.share.transport import Parcel, Progress

LARGEST_SIDECAR = 2**20
METHODS = ("PUT", "POST")
_ABSENT = (404, 410)
_LOOK = 20.0
"""Seconds for the beginning of a file, which only saves fetching the rest."""
_CLOSED = (401, 403)


class Https(Transport):
    """Any server that gives files, and any that takes them with PUT."""

    def shown(self, place: str) -> str:
        return without_secrets(place)

    def check_send(self, place: str, settings: Mapping[str, str]) -> None:
        from .clients import authorization

        require(_target(place, "name.dlm"))
        authorization(place)
        if settings.get("method", "PUT") not in METHODS:
            raise UsageProblem(f"--set method={settings['method']}: there are {' and '.join(METHODS)}")

    def send(self, parcel: Parcel, place: str, *, progress: Progress, say: Callable[[str], None]) -> Sent:
        from .clients import client_for
        from .uploading import Upload, clear, upload

        url = _target(place, parcel.manifest.document.name)
        method = parcel.settings.get("method", "PUT")
        notes = []
        with _advised(url), client_for(url) as client:
            upload(client, Upload(url, parcel.pack, method), progress=progress, say=say)
            for suffix in SIDECARS:
                if suffix in parcel.sidecars:
                    small = Upload(beside(url, suffix), parcel.sidecars[suffix], method)
                    upload(client, small, progress=_silent, say=say)
                elif not clear(client, beside(url, suffix)):
                    notes.append(f"{suffix} of an earlier pack still lies there, and is wrong for this one: remove it")
        source = without_secrets(url)
        if urlsplit(url).query:
            notes.append("what stood behind the ? of the address is not shown: to pull may take a query of its own")
        return Sent(source, tuple(notes))

    def check_fetch(self, place: str) -> None:
        from .clients import authorization

        require(place)
        authorization(place)

    def head(self, place: str, count: int) -> bytes | None:
        import httpx

        from .asking import asking
        from .clients import client_for
        from .replies import Passing

        found, end = b"", time.monotonic() + _LOOK
        try:
            with client_for(place) as client:
                wanted = {"Accept-Encoding": "identity", "Range": f"bytes=0-{count - 1}"}
                request = client.build_request("GET", place, headers=wanted, timeout=_LOOK / 2)
                with asking(client, request, redirects=5) as reply:
                    if reply.status_code not in (200, 206):
                        return None
                    for chunk in reply.iter_raw():
                        found += chunk
                        if len(found) >= count or time.monotonic() > end:
                            break
        except (DlmError, Passing, httpx.HTTPError):
            return None
        return found[:count]

    def fetch(self, place: str, folder: Path, *, progress: Progress, say: Callable[[str], None]) -> Fetched:
        from .clients import client_for
        from .downloading import download

        with _advised(place), client_for(place) as client:
            pack = download(client, place, folder / PACK_FILE, progress=progress, say=say).path
            sidecars, notes = {}, []
            for suffix in SIDECARS:
                path = folder / f"{PACK_FILE}{suffix}"
                if (why := _small(client, beside(place, suffix), path, say)) is None:
                    sidecars[suffix] = path
                elif why:
                    notes.append(f"{suffix}: {why}, taken for: not there")
        return Fetched(pack, sidecars, notes=tuple(notes))


def _small(client: httpx.Client, url: str, path: Path, say: Callable[[str], None]) -> str | None:
    """Fetch what lies beside a pack; ``None``, or why there is nothing, empty where the server said just that."""
    from .downloading import download
    from .replies import Refused

    try:
        got = download(client, url, path, progress=_silent, say=say, largest=LARGEST_SIDECAR)
    except Refused as problem:
        path.unlink(missing_ok=True)
        if problem.status in _ABSENT:
            return ""
        if problem.status in _CLOSED:
            return f"HTTP {problem.status}"
        raise
    # Some servers answer every address with a page for people.
    if got.headers.get("content-type", "").startswith("text/html"):
        path.unlink()
        return ""
    return None


@contextmanager
def _advised(url: str) -> Iterator[None]:
    """A refusal with what to do about it."""
    from .clients import advice
    from .replies import Refused

    try:
        yield
    except Refused as problem:
        if problem.status in _CLOSED:
            raise Refused(problem.status, f"{problem}: {advice(url)}") from None
        if problem.status in _ABSENT:
            raise Refused(problem.status, f"{problem}: correct the address, or ask who runs the server") from None
        raise


def _target(place: str, document: str) -> str:
    """Where a pack goes: ``place``, or, where that is a folder, a file in it."""
    try:
        parts = urlsplit(place)
    except ValueError:
        return place
    if not parts.path.endswith("/"):
        return place
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path}{document}.pack", parts.query, ""))


def _silent(done: int, total: int | None) -> None:
    """The progress of a file of a few kilobytes."""
