"""What every request passes first: who asks, from where, and how much. Plain ASGI, so that nothing is read before."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from .errors import NotJson, Refused, TooLarge, TooSlow, WrongKey, WrongPlace, described
from .exchange import StrictAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .settings import Settings

_DRAINED: Final = 8
"""A body of up to this many times the limit is read to its end and dropped, so that its sender hears why."""


class Guard:
    """Lets through to ``app`` what may be asked; ``say`` hears a line for every answer."""

    def __init__(self, app: ASGIApp, settings: Settings, say: Callable[[str], None] = lambda _: None) -> None:
        self._app, self._settings, self._say = app, settings, say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = self._telling(scope, send)
        try:
            headers = Headers(scope=scope)
            self._admit(headers)
            receive = await self._whole(scope, headers, receive)
        except Refused as error:
            # The rest of a body is not waited for.
            headed = {**error.headers, "Connection": "close"}
            await StrictAnswer(described(error), error.status, headed)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _telling(self, scope: Scope, send: Send) -> Send:
        started = time.monotonic()

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                path = scope.get("raw_path", b"").decode("ascii", "replace")
                self._say(f"{scope['method']} {path} {message['status']} {time.monotonic() - started:.2f} s")
            await send(message)

        return telling

    def _admit(self, headers: Headers) -> None:
        """Refuse whoever has no key; without one, whoever is not on this machine or sits in a browser elsewhere.

        Raises:
            WrongKey, WrongPlace: so it is.
        """
        if self._settings.api_key is not None:
            scheme, _, given = headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not same(given.strip(), self._settings.api_key):
                raise WrongKey("this server needs its key: send the header `Authorization: Bearer KEY`")
            return
        host = headers.get("host", "")
        if not is_loopback(_name_of(f"//{host}")):
            raise WrongPlace(f"asked for as {host[:200]!r}: without a key this server answers only as localhost")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise WrongPlace(f"asked by a page of {origin[:200]!r}: without a key no page of another site may ask")

    async def _whole(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        """A way to receive the body that has arrived, and after it whatever comes.

        Raises:
            NotJson, TooLarge, TooSlow: it is not read further.
        """
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return receive
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if scope["method"] == "POST" and kind != "application/json":
            raise NotJson(f"the body is {kind[:100] or 'of no type'}: send JSON, with `Content-Type: application/json`")
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                body = await self._read(headers, receive)
        except TimeoutError:
            raise TooSlow(f"the body did not arrive within {self._settings.body_seconds:g} seconds") from None
        left = [body]

        async def again() -> Message:
            return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

        return again

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        most = self._settings.most_bytes
        refusal = TooLarge(f"the body is larger than {most:,} bytes: send fewer probes or prompts at a time")
        declared = headers.get("content-length", "0")
        if declared.isdigit() and int(declared[:20]) > most * _DRAINED:
            raise refusal
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            more = message["type"] == "http.request" and message.get("more_body", False)
            size += len(part := message.get("body", b""))
            if size > most * _DRAINED:
                raise refusal
            if size <= most:
                parts.append(part)
        if size > most:
            raise refusal
        return b"".join(parts)


def same(given: str, key: str) -> bool:
    """Whether the two are equal, in a time that tells neither the key's beginning nor its length."""
    digests = [hashlib.sha256(one.encode("utf-8", "surrogatepass")).digest() for one in (given, key)]
    return hmac.compare_digest(*digests)


def is_loopback(host: str) -> bool:
    """Whether only this machine can be reached, or reach, by the name or address ``host``."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _name_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
