"""One file, or a part of it, to one client, at the client's speed and with the same memory for any size."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Receive, Send

    from .offering import File
    from .ranges import Part

_CHUNK: Final = 128 * 1024
_LOOK: Final = 0.02


class Gone(Exception):
    """The client went away, or took nothing for too long."""


@dataclass(frozen=True)
class Line:
    """The way to one client."""

    receive: Receive
    send: Send
    unsent: Callable[[], int]
    """Bytes that wait in this process."""
    seconds: float
    """For the client to take what it is sent, a part at a time."""


async def send_file(file: File, part: Part, line: Line, sent: Callable[[int], None]) -> None:
    """Send the bytes of ``part``; ``sent`` hears of every piece.

    Raises:
        Gone: the client did not take them.
    """
    gone = asyncio.create_task(_until_gone(line.receive))
    handle = await asyncio.to_thread(file.path.open, "rb")
    try:
        at = await asyncio.to_thread(handle.seek, part.start)
        while at < part.end:
            data = await asyncio.to_thread(handle.read, min(_CHUNK, part.end - at))
            if not data:
                raise Gone  # somebody cut the file: better half an answer than a wrong one
            await _in_time(line.send({"type": "http.response.body", "body": data, "more_body": True}), gone, line)
            at += len(data)
            sent(len(data))
        # An answer that ends hangs up, and hanging up does not wait for a slow client: so wait here.
        await _in_time(_taken(line.unsent), None, line)
        await line.send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        handle.close()
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


async def _in_time(doing: Awaitable[None], gone: asyncio.Task[None] | None, line: Line) -> None:
    try:
        async with asyncio.timeout(line.seconds):
            await doing
    except TimeoutError:
        raise Gone from None
    if gone is not None and gone.done():
        raise Gone


async def _taken(unsent: Callable[[], int]) -> None:
    while unsent():
        await asyncio.sleep(_LOOK)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
