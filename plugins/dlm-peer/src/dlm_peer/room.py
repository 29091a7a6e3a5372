"""Every connection, from its first packet to its last: who may wait, for how long, and who has to go for others.

A server waits for much before it knows who is there: for encryption, for headers, for an answer to be taken. Whoever
does nothing meanwhile costs a place. Here nobody keeps one for longer than a deadline, and when all are taken the
oldest of those from the busiest address goes. A download is let stay, since who gets one has shown a ticket.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

Client = tuple[str, int]
"""Address and port of the other side; no two connections have the same."""


@dataclass
class _Guest:
    transport: asyncio.Transport
    deadline: asyncio.TimerHandle | None


class Room:
    """``most`` connections may be arriving at once, each for ``seconds``."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._guests: dict[Client, _Guest] = {}

    def enter(self, transport: asyncio.Transport) -> Client:
        """Let a connection in that was accepted just now."""
        peer = transport.get_extra_info("peername") or ("", id(transport))
        client: Client = (str(peer[0]), int(peer[1]))
        arriving = [one for one, guest in self._guests.items() if guest.deadline is not None]
        if len(arriving) >= self._most:
            busiest = Counter(address for address, _ in arriving).most_common(1)[0][0]
            self.send_away(next(one for one in arriving if one[0] == busiest))
        deadline = asyncio.get_running_loop().call_later(self._seconds, self.send_away, client)
        self._guests[client] = _Guest(transport, deadline)
        return client

    def stay(self, client: Client) -> None:
        """Let ``client`` stay for as long as it takes."""
        if (guest := self._guests.get(client)) and guest.deadline is not None:
            guest.deadline.cancel()
            guest.deadline = None

    def send_away(self, client: Client) -> None:
        """Cut the connection, with whatever is still on its way."""
        if guest := self._guests.pop(client, None):
            if guest.deadline is not None:
                guest.deadline.cancel()
            guest.transport.abort()

    def left(self, client: Client, transport: asyncio.Transport) -> None:
        """Forget a connection that has ended; its address may be another one's by now."""
        guest = self._guests.get(client)
        if guest is None or guest.transport is not transport:
            return
        del self._guests[client]
        if guest.deadline is not None:
            guest.deadline.cancel()

    def unsent(self, client: Client) -> int:
        """Bytes that the operating system has not taken yet; 0 for a connection that is gone."""
        guest = self._guests.get(client)
        return guest.transport.get_write_buffer_size() if guest else 0

    def close(self, *, arriving: bool = False) -> None:
        """Cut every connection, or those that are arriving."""
        for client, guest in list(self._guests.items()):
            if guest.deadline is not None or not arriving:
                self.send_away(client)
