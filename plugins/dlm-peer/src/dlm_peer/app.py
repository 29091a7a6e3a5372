"""Who may have what: one pack and what lies beside it, for whoever shows a ticket."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dlm.errors import DlmError

from . import tickets
from .ledger import Unknown, UsedUp
from .pace import Pace
from .problems import CLOSING, Problem
from .ranges import Part, Unsatisfiable, wanted
from .sending import Gone, Line, send_file

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from .ledger import Ledger
    from .offering import File, Offering
    from .room import Room
    from .settings import Patience, Settings
    from .tickets import Ticket

PULL: Final = "Dlm-Pull"
"""Header that names a pull: what is broken off and gone on with is one pull, and one use of the ticket."""
BESIDE: Final = "Dlm-Beside"
"""Header of the pack: the endings of what lies beside it."""
_PULL_ID: Final = re.compile(r"[0-9a-f]{32}")
_COME_AGAIN: Final = 2
"""Seconds after which to ask for a place again."""


@dataclass
class Desk:
    """Everything that answers depend on."""

    offering: Offering
    secret: bytes
    ledger: Ledger
    settings: Settings
    patience: Patience
    room: Room
    say: Callable[[str], None]
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        self.pace = Pace()
        self.downloads = 0
        """Going on now."""


def make_app(desk: Desk) -> Starlette:
    """The server's ASGI application."""

    async def file(request: Request) -> Response:
        return await _answer(desk, request)

    async def refused(_: Request, problem: Exception) -> Response:
        assert isinstance(problem, Problem)
        return problem.response()

    async def lost(_: Request, problem: Exception) -> Response:
        assert isinstance(problem, HTTPException)
        if problem.status_code == 405:
            return Problem("no-such-method", {"Allow": "GET, HEAD"}).response()
        return Problem("no-such-place").response()

    async def broken(_: Request, problem: Exception) -> Response:
        known = isinstance(problem, DlmError)
        desk.say(str(problem) if known else f"a bug in dlm-peer: {type(problem).__name__}: {problem}")
        return Problem("broken").response()

    app = Starlette(
        routes=[Route("/v1/{dlm_id}/{name}", file, methods=["GET"])],
        exception_handlers={Problem: refused, HTTPException: lost, DlmError: broken, Exception: broken},
    )
    app.router.redirect_slashes = False
    return app


async def _answer(desk: Desk, request: Request) -> Response:
    name = request.path_params["name"]
    found = desk.offering.files.get(name.removeprefix("pack")) if name.startswith("pack") else None
    if found is None or request.path_params["dlm_id"] != desk.offering.dlm_id:
        raise Problem("no-such-place")
    ticket = _ticket(desk, request)
    pull = request.headers.get(PULL, "")
    if not _PULL_ID.fullmatch(pull):
        raise Problem("no-pull")
    if request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers:
        raise Problem("no-body")
    if desk.downloads >= desk.settings.at_once:
        raise Problem("too-many", {"Retry-After": str(_COME_AGAIN)})
    if wait := desk.pace.wait(ticket.nonce, desk.settings.per_minute * ticket.uses):
        raise Problem("too-often", {"Retry-After": str(math.ceil(wait))})
    if request.headers.get("if-none-match") == found.etag:
        return Response(status_code=304, headers=_named(desk, found))
    part = _part(request, found)
    desk.downloads += 1  # before anything is waited for, so that no two take the last place
    try:
        await desk.ledger.book(ticket, pull)
    except Unknown:
        desk.downloads -= 1
        raise Problem("not-ours") from None
    except UsedUp:
        desk.downloads -= 1
        raise Problem("used-up") from None
    except BaseException:
        desk.downloads -= 1
        raise
    return _Download(desk, found, part, name)


def _ticket(desk: Desk, request: Request) -> Ticket:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Problem("no-ticket", {"WWW-Authenticate": "Bearer"})
    try:
        ticket = tickets.check(given.strip(), desk.offering.dlm_id, desk.secret)
    except tickets.NoTicket:
        raise Problem("not-ours") from None
    if ticket.expires <= desk.clock():
        raise Problem("expired")
    if not desk.ledger.knows(ticket):
        raise Problem("not-ours")
    if ticket.digest != desk.offering.digest:
        raise Problem("other-pack")
    return ticket


def _part(request: Request, file: File) -> Part | None:
    if request.method != "GET":
        return None
    try:
        return wanted(request.headers.get("range"), request.headers.get("if-range"), file.etag, file.size)
    except Unsatisfiable:
        raise Problem("no-such-part", {"Content-Range": f"bytes */{file.size}"}) from None


def _named(desk: Desk, file: File) -> dict[str, str]:
    headers = {**CLOSING, "ETag": file.etag}
    if file is desk.offering.pack and (endings := [ending for ending in desk.offering.files if ending]):
        headers[BESIDE] = " ".join(endings)
    return headers


class _Download(Response):
    """A file on its way. Holds one of the places for downloads until it has arrived or broken off."""

    def __init__(self, desk: Desk, file: File, part: Part | None, name: str) -> None:
        self._desk, self._file, self._name = desk, file, name
        self._part = part or Part(0, file.size)
        headers = {
            **_named(desk, file),
            "Accept-Ranges": "bytes",
            "Content-Length": str(self._part.end - self._part.start),
            "Content-Type": "application/octet-stream",
        }
        if part is not None:
            headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{file.size}"
        self.status_code = 200 if part is None else 206
        self.background = None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = (scope["client"][0], scope["client"][1])
        desk, began, sent = self._desk, time.monotonic(), 0

        def count(size: int) -> None:
            nonlocal sent
            sent += size

        desk.room.stay(client)
        how = "broke off after"
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            line = Line(receive, send, lambda: desk.room.unsent(client), desk.patience.stalled)
            await send_file(self._file, self._part, line, count)
            how = "took"
        except Gone:
            desk.room.send_away(client)
        finally:
            desk.downloads -= 1
            if scope["method"] == "GET" and self._name == "pack":
                desk.say(f"{client[0]} {how} {_bytes(sent, self._part, self._file)} in {_seconds(began)}")


def _bytes(sent: int, part: Part, file: File) -> str:
    whole = f"{sent:,} bytes"
    return whole if part == (0, file.size) else f"{whole} from byte {part.start:,} of {file.size:,}"


def _seconds(began: float) -> str:
    return f"{time.monotonic() - began:.1f} s"
