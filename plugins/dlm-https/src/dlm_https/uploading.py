"""One file from the disk to a web server, streamed.

Where the server says that it knows resumable uploads (draft-ietf-httpbis-resumable-upload-11, interop version 8), an
upload that broke off goes on, also in another process: :mod:`.resumable`. Anywhere else it is one PUT, made again.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dlm.errors import TransferFailed, TransferRefused
from dlm.store.files import sha256

from .addresses import without_secrets
from .asking import asking
from .patience import Pace, Patience, Rules
from .replies import Passing, length, said, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

    from dlm.share.transport import Progress

CHUNK = 2**18
TYPE = "application/zstd"


@dataclass(frozen=True)
class Upload:
    """What goes where."""

    url: str
    path: Path
    method: str = "PUT"

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def shown(self) -> str:
        return without_secrets(self.url)

    @cached_property
    def headers(self) -> dict[str, str]:
        """Of the whole file, with its digest as RFC 9530 has it: a server may refuse what arrived damaged."""
        digest = base64.b64encode(bytes.fromhex(sha256(self.path))).decode()
        return {"Content-Type": TYPE, "Repr-Digest": f"sha-256=:{digest}:"}


def upload(
    client: httpx.Client,
    what: Upload,
    *,
    progress: Progress,
    say: Callable[[str], None],
    rules: Rules = Rules(),  # noqa: B008
) -> None:
    """Send a file; it is there, whole, when this returns.

    Raises:
        TransferFailed: it broke too often, or the server holds something else afterwards.
        TransferRefused: the server says no (:class:`.replies.Refused`), or leads elsewhere.
    """
    from .resumable import limits, resumable

    patience = Patience(rules, what.shown, say)
    known = limits(client, what)
    if known is not None:
        resumable(client, what, known, progress=progress, say=say, patience=patience, rules=rules)
    else:
        _plain(client, what, progress, patience, rules)
    _require_whole(client, what)


def _plain(client: httpx.Client, what: Upload, progress: Progress, patience: Patience, rules: Rules) -> None:
    headers = {**what.headers, "Content-Length": str(what.size)}
    while True:
        body = content(what, 0, what.size, progress, rules)
        request = client.build_request(what.method, what.url, headers=headers, content=body)
        try:
            with asking(client, request, redirects=0) as reply:
                require_taken(reply, what)
                return
        except Passing as problem:
            patience.failed(problem, 0)


def content(what: Upload, start: int, end: int, progress: Progress, rules: Rules) -> Iterator[bytes]:
    """The bytes from ``start`` up to ``end``, read as they are sent."""
    total, pace = what.size, Pace(rules)
    with what.path.open("rb") as file:
        file.seek(start)
        done = start
        while done < end and (chunk := file.read(min(CHUNK, end - done))):
            yield chunk
            done += len(chunk)
            progress(done, total)
            pace.passed(len(chunk))


def led_to(reply: httpx.Response) -> str | None:
    """The address in ``Location``; ``None`` where there is none, or it is none."""
    import httpx

    given = reply.headers.get("location")
    try:
        found = None if given is None else reply.url.join(given)
        return str(found) if found is not None and found.host else None
    except (httpx.InvalidURL, ValueError):
        return None


def require_taken(reply: httpx.Response, what: Upload) -> None:
    """See to it that the server took it.

    Raises:
        Passing: it may, another time.
        TransferRefused: it does not, or names another place.
    """
    if reply.is_success:
        return
    if reply.is_redirect:
        place = led_to(reply)
        there = without_secrets(place) if place else "no address"
        way_out = f": give --to {there} if that is right" if place else ": ask who runs the server"
        raise TransferRefused(
            f"{what.shown} leads to {there}, and nothing is sent to a place that you did not name{way_out}"
        )
    if reply.status_code in (405, 501):
        raise TransferRefused(
            f"{what.shown}: the server takes no {what.method} (HTTP {reply.status_code}{said(reply)}): ask for an "
            "address that does, or say --set method=POST where that is what it takes"
        )
    raise verdict(reply)


def _require_whole(client: httpx.Client, what: Upload) -> None:
    """Ask once what lies there now. A server that does not say is believed."""
    wanted = {"Accept-Encoding": "identity"}
    try:
        with asking(client, client.build_request("HEAD", what.url, headers=wanted), redirects=0) as reply:
            found = length(reply.headers) if reply.status_code == 200 else None
    except Passing:
        return
    if found is not None and found != what.size and what.method == "PUT":
        raise TransferFailed(
            f"{what.shown}: the server holds {found:,} bytes of it, and {what.size:,} were sent: run the command again"
        )


def clear(client: httpx.Client, url: str) -> bool:
    """Remove what lies at ``url``; false where something does and stays."""
    try:
        with asking(client, client.build_request("HEAD", url), redirects=0) as reply:
            kind = reply.headers.get("content-type", "")
            if reply.status_code != 200 or kind.startswith("text/html"):
                return True
        with asking(client, client.build_request("DELETE", url), redirects=0) as reply:
            return reply.is_success
    except Passing:
        return False
