"""Which tickets were given out, and which pulls each was used for. Kept on disk, so that a restart forgets no use.

A line is added for every ticket and every pull, and is on the disk before the pull gets its first byte. A line that a
crash has cut short counts for nothing: whoever it was for has got nothing.
"""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dlm.store.files import disk_errors

from .folder import TICKETS, write_private

if TYPE_CHECKING:
    from pathlib import Path

    from .tickets import Ticket

_LINE = re.compile(r"(ticket) ([0-9a-f]{24}) (\d{1,12})|(pull) ([0-9a-f]{24}) ([0-9a-f]{32})")


class Unknown(Exception):
    """A ticket that was not given out here."""


class UsedUp(Exception):
    """A ticket that was used as often as it may be."""


@dataclass
class _Given:
    expires: int
    pulls: set[str] = field(default_factory=set)


class Ledger:
    """Of one document's server. Reading it forgets tickets that have expired by ``now``."""

    def __init__(self, place: Path, now: float) -> None:
        self._path = place / TICKETS
        self._given = _load(self._path, now)
        self._turn = asyncio.Lock()
        write_private(self._path, "".join(_lines(self._given)).encode())

    @property
    def until(self) -> int:
        """When the last ticket expires, in seconds since 1970."""
        return max((given.expires for given in self._given.values()), default=0)

    def give(self, ticket: Ticket) -> None:
        """Remember that ``ticket`` is given out."""
        nonce = ticket.nonce.hex()
        self._add(f"ticket {nonce} {ticket.expires}\n")
        self._given[nonce] = _Given(ticket.expires)

    def knows(self, ticket: Ticket) -> bool:
        """Whether ``ticket`` was given out here."""
        return ticket.nonce.hex() in self._given

    async def book(self, ticket: Ticket, pull: str) -> None:
        """Use ``ticket`` for ``pull``; what it is used for already costs nothing.

        Raises:
            Unknown: it was not given out here.
            UsedUp: it was used for as many others as it may be.
        """
        async with self._turn:
            if (given := self._given.get(ticket.nonce.hex())) is None:
                raise Unknown
            if pull in given.pulls:
                return
            if len(given.pulls) >= ticket.uses:
                raise UsedUp
            await asyncio.to_thread(self._add, f"pull {ticket.nonce.hex()} {pull}\n")
            given.pulls.add(pull)

    def _add(self, line: str) -> None:
        with disk_errors(self._path), self._path.open("ab") as file:
            file.write(f"\n{line}".encode())  # ends a line that a full disk has cut short
            file.flush()
            os.fsync(file.fileno())


def _load(path: Path, now: float) -> dict[str, _Given]:
    found: dict[str, _Given] = {}
    with disk_errors(path):
        text = path.read_text(encoding="ascii", errors="replace") if path.exists() else ""
    for line in text.split("\n")[:-1]:
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        if match[1]:
            found.setdefault(match[2], _Given(int(match[3])))
        elif match[5] in found:
            found[match[5]].pulls.add(match[6])
    return {nonce: given for nonce, given in found.items() if given.expires > now}


def _lines(given: dict[str, _Given]) -> list[str]:
    lines = []
    for nonce, one in given.items():
        lines.append(f"ticket {nonce} {one.expires}\n")
        lines += [f"pull {nonce} {pull}\n" for pull in sorted(one.pulls)]
    return lines
