"""What an answer of a server means: whether to try again, and what the server says of the file."""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple

from dlm.cli.visible import visible
from dlm.errors import TransferRefused

from .addresses import without_secrets

if TYPE_CHECKING:
    import httpx

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Codes after which the same request may succeed."""
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_SHOWN = 200
_READ = 4096
_LOOK = 5.0
"""Seconds for what a refusal says: nobody waits for the words of a server that has said no."""


class Passing(Exception):
    """This attempt is over, another one may succeed."""

    def __init__(self, what: str, wait: float = 0.0) -> None:
        self.wait = wait
        """Seconds that the server asks for."""
        super().__init__(what)


class Refused(TransferRefused):
    """The server says no, and would say it again."""

    def __init__(self, status: int, what: str) -> None:
        self.status = status
        super().__init__(what)


class Part(NamedTuple):
    """What ``Content-Range`` says."""

    start: int
    end: int
    """The last byte's place."""
    total: int | None


def verdict(reply: httpx.Response) -> Passing | Refused:
    """What an answer that is not the wanted one means."""
    what = f"HTTP {reply.status_code}{said(reply)}"
    if reply.status_code in PASSING:
        return Passing(what, asked_to_wait(reply.headers))
    return Refused(reply.status_code, f"{without_secrets(str(reply.request.url))}: {what}")


def said(reply: httpx.Response) -> str:
    """What a person should read of a refusal, with the token taken out should the server repeat it."""
    text = reply.reason_phrase
    if reply.headers.get("content-type", "").partition(";")[0].strip() in ("text/plain", "application/json"):
        text = _beginning(reply).decode("utf-8", "replace") or text
    for word in reply.request.headers.get("authorization", "").split():
        text = text.replace(word, "(token)")
    text = visible(" ".join(text.split()))[:_SHOWN]
    return f" ({text})" if text else ""


def _beginning(reply: httpx.Response) -> bytes:
    import httpx

    if reply.headers.get("content-encoding"):
        return b""  # unasked for, and might become any number of bytes
    found, end = b"", time.monotonic() + _LOOK
    try:
        for chunk in reply.iter_raw():
            found += chunk
            if len(found) >= _READ or time.monotonic() > end:
                break
    except (httpx.HTTPError, httpx.StreamError):
        return b""
    return found[:_READ]


def asked_to_wait(headers: httpx.Headers) -> float:
    """``Retry-After``, seconds or a date, as seconds from now."""
    given = headers.get("retry-after", "").strip()
    try:
        return float(given) if given.isdecimal() else max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def length(headers: httpx.Headers) -> int | None:
    """``Content-Length``."""
    given = headers.get("content-length", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) <= 18 else None


def part(headers: httpx.Headers) -> Part | None:
    """``Content-Range``; ``None`` where it is not one range of bytes."""
    match = _RANGE.fullmatch(headers.get("content-range", "").strip())
    if match is None:
        return None
    return Part(int(match[1]), int(match[2]), None if match[3] == "*" else int(match[3]))


def validator(headers: httpx.Headers) -> str | None:
    """What stands for these very bytes and no others: a strong ``ETag``, or a ``Last-Modified`` that is old enough."""
    if (tag := headers.get("etag", "").strip()).startswith('"'):
        # One with other letters cannot be sent back as it came.
        return str(tag) if tag.isascii() and tag.isprintable() else None
    try:
        changed = parsedate_to_datetime(headers["last-modified"])
        now = parsedate_to_datetime(headers["date"])
        # RFC 9110, 8.8.2.2: within one second, the file may change without its date doing so.
        return str(headers["last-modified"]) if (now - changed).total_seconds() >= 1 else None
    except (KeyError, ValueError, TypeError):
        return None
