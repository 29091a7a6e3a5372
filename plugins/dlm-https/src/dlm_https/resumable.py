"""Uploads that go on where they broke off: draft-ietf-httpbis-resumable-upload-11, interop version 8.

A server says in its answer to OPTIONS that it knows them; nothing of this is tried on any other. The interim answer 104
is not used, which HTTP libraries swallow: the upload is created empty, and then appended to.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dlm.errors import TransferRefused
from dlm.store.files import write_atomic
from dlm.store.layout import home

from .addresses import is_here, is_safe, without_secrets
from .asking import asking
from .replies import Passing, Refused, said, verdict
from .uploading import content, led_to, require_taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import httpx

    from dlm.share.transport import Progress

    from .patience import Patience, Rules
    from .uploading import Upload

VERSION = {"Upload-Draft-Interop-Version": "8"}
TYPE = "application/partial-upload"
_LIMIT = re.compile(r"(?:^|,)\s*(max-size|max-append-size)\s*=\s*(\d{1,15})\s*(?=,|;|$)")
_GONE = (404, 410)
_LONGEST = 18
"""Digits of an offset."""
_FOLDER = "pushing"
_NOTHING: Mapping[str, str] = MappingProxyType({})


def limits(client: httpx.Client, what: Upload) -> dict[str, int] | None:
    """What the server allows of a resumable upload to this address; ``None`` where it knows of none."""
    try:
        request = client.build_request("OPTIONS", what.url, headers=VERSION)
        with asking(client, request, redirects=0) as reply:
            kinds = {kind.partition(";")[0].strip() for kind in reply.headers.get("accept-patch", "").split(",")}
            return _limits(reply) if reply.is_success and TYPE in kinds else None
    except Passing:
        return None


def _limits(reply: httpx.Response) -> dict[str, int]:
    return {name: int(value) for name, value in _LIMIT.findall(reply.headers.get("upload-limit", ""))}


def resumable(
    client: httpx.Client,
    what: Upload,
    known: dict[str, int],
    *,
    progress: Progress,
    say: Callable[[str], None],
    patience: Patience,
    rules: Rules,
) -> None:
    """Send the file, from where an earlier attempt got to.

    Raises:
        TransferFailed, TransferRefused: as :func:`.uploading.upload`.
    """
    one = _Resumable(client, what, known, progress, rules, _Note(what))
    mark = 0
    while True:
        try:
            if one.step():
                one.note.forget()
                return
        except _Lost:
            one.forget()
            mark = 0
            say(f"{what.shown}: the server has forgotten what was sent: from the start")
            patience.failed(Passing("the upload is gone"), 0)
        except Passing as problem:
            one.known_offset = False
            patience.failed(problem, max(0, one.offset - mark))
            mark = one.offset


class _Lost(Exception):
    """The server knows nothing of the upload any more."""


@dataclass
class _Resumable:
    client: httpx.Client
    what: Upload
    known: dict[str, int]
    progress: Progress
    rules: Rules
    note: _Note
    offset: int = 0
    known_offset: bool = False
    tried: int = -1
    """Where the last part began that nobody has confirmed yet."""

    def step(self) -> bool:
        """Whatever comes next; true when the server has all of it."""
        place = self.note.place
        if place is None:
            self._create()
            return False
        if not self.known_offset:
            return self._ask(place)
        return self._append(place)

    def forget(self) -> None:
        """Begin anew next time."""
        self.note.forget()
        self.offset, self.known_offset, self.tried = 0, False, -1

    def _create(self) -> None:
        most = self.known.get("max-size")
        if most is not None and self.what.size > most:
            raise TransferRefused(
                f"{self.what.shown} takes files of up to {most:,} bytes, and this has {self.what.size:,}"
            )
        headers = {**VERSION, **self.what.headers, "Upload-Complete": "?0", "Upload-Length": str(self.what.size)}
        request = self.client.build_request(self.what.method, self.what.url, headers=headers, content=b"")
        with asking(self.client, request, redirects=0) as reply:
            require_taken(reply, self.what)
            place = led_to(reply)
            if place is None or not _may_take(place, self.what.url):
                shown = "no address" if place is None else without_secrets(place)
                raise TransferRefused(f"{self.what.shown}: the server began an upload at {shown}, which is not safe")
            self.known = {**self.known, **_limits(reply)}
        self.note.keep(place)
        self.offset, self.known_offset = 0, True

    def _ask(self, place: str) -> bool:
        """Where the server is; true when it has all of it."""
        with asking(self.client, self._request("HEAD", place), redirects=0) as reply:
            if reply.status_code in _GONE:
                raise _Lost
            if not reply.is_success:
                raise verdict(reply)
            self.known = {**self.known, **_limits(reply)}
            if reply.headers.get("upload-complete") == "?1":
                return True
            self._at(reply)
        return False

    def _append(self, place: str) -> bool:
        end = min(self.what.size, self.offset + (self.known.get("max-append-size") or self.what.size))
        self.tried = self.offset
        last = end == self.what.size
        headers = {
            "Content-Type": TYPE,
            "Content-Length": str(end - self.offset),
            "Upload-Offset": str(self.offset),
            "Upload-Complete": "?1" if last else "?0",
        }
        body = content(self.what, self.offset, end, self.progress, self.rules)
        with asking(self.client, self._request("PATCH", place, headers, body), redirects=0) as reply:
            if reply.status_code == 409:
                self.known_offset = False
                raise Passing("the server has another part of it than it said")
            if reply.status_code in _GONE:
                raise _Lost
            if reply.headers.get("upload-complete") == "?1" and not reply.is_success:
                self.note.forget()
                raise Refused(reply.status_code, f"{self.what.shown}: HTTP {reply.status_code}{said(reply)}")
            require_taken(reply, self.what)
            if reply.headers.get("upload-complete") == "?1":
                return True
        # More is to come; or this was all, and the server does not say so: ask it.
        self.offset, self.known_offset = (end, True) if not last else (self.offset, False)
        return False

    def _at(self, reply: httpx.Response) -> None:
        given = reply.headers.get("upload-offset", "").strip()
        if not given.isdecimal() or len(given) > _LONGEST or int(given) > self.what.size:
            raise _Lost
        self.offset = int(given)
        if self.offset == self.tried:
            self.tried = -1
            raise Passing("the server took nothing of what was sent")
        self.known_offset = True

    def _request(
        self, method: str, place: str, headers: Mapping[str, str] = _NOTHING, body: Iterator[bytes] | None = None
    ) -> httpx.Request:
        """To where the server keeps the upload; the token goes there only if that is the host that it is for."""
        request = self.client.build_request(method, place, headers={**VERSION, **headers}, content=body)
        first = self.client.build_request("HEAD", self.what.url).url
        if (request.url.scheme, request.url.host, request.url.port) != (first.scheme, first.host, first.port):
            request.headers.pop("Authorization", None)
        return request


def _may_take(place: str, named: str) -> bool:
    """Whether the server that is called ``named`` may have its uploads at ``place``: no other leads to this machine."""
    here = [is_here(urlsplit(url).hostname or "") for url in (place, named)]
    return is_safe(place) and (here[1] or not here[0])


class _Note:
    """Where the server keeps an upload, from one process to the next. The address is all that it takes to add to it."""

    def __init__(self, what: Upload) -> None:
        which = f"{what.url}\n{what.headers['Repr-Digest']}"
        self._path: Path = home() / _FOLDER / f"{hashlib.sha256(which.encode()).hexdigest()[:32]}.json"
        self.place = self._read()

    def keep(self, place: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomic(self._path, json.dumps({"upload": place}) + "\n")
        self._path.chmod(0o600)
        self.place = place

    def forget(self) -> None:
        self.place = None
        self._path.unlink(missing_ok=True)

    def _read(self) -> str | None:
        with suppress(OSError, ValueError, KeyError, TypeError):
            place = json.loads(self._path.read_text(encoding="utf-8"))["upload"]
            return place if isinstance(place, str) and is_safe(place) else None
        return None
