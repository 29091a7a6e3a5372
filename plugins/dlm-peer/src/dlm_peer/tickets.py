"""Tickets: who holds one may pull one pack, some times, for some minutes. Nothing here is kept or sent.

A ticket names the pack's digest, so that whoever holds it can tell what it is for, and an HMAC over that and the
document's id makes it one that only this server can have given out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass
from typing import Final

_FORMAT: Final = 1
_BODY: Final = struct.Struct(">B12sQI32s")
_PURPOSE: Final = b"dlm peer ticket\0"
_MAC: Final = 32
LENGTH: Final = 119
"""Characters of a ticket."""


class NoTicket(ValueError):
    """Text that is no ticket at all, or none of this server's."""


@dataclass(frozen=True)
class Ticket:
    """What a ticket says."""

    nonce: bytes
    """12 bytes that no other ticket has."""
    expires: int
    """In seconds since 1970, by the server's clock."""
    uses: int
    digest: str
    """Of the pack, ``sha256:...``."""

    @property
    def _body(self) -> bytes:
        pack = bytes.fromhex(self.digest.removeprefix("sha256:"))
        return _BODY.pack(_FORMAT, self.nonce, self.expires, self.uses, pack)


def fresh(expires: int, uses: int, digest: str) -> Ticket:
    """A ticket that nobody has yet."""
    return Ticket(secrets.token_bytes(12), expires, uses, digest)


def seal(ticket: Ticket, dlm_id: str, secret: bytes) -> str:
    """The text to give away."""
    body = ticket._body
    return base64.urlsafe_b64encode(body + _mac(body, dlm_id, secret)).decode().rstrip("=")


def read(text: str) -> Ticket:
    """What ``text`` says, true or not.

    Raises:
        NoTicket: it is no ticket.
    """
    return _parse(text)[0]


def check(text: str, dlm_id: str, secret: bytes) -> Ticket:
    """What ``text`` says, which whoever has ``secret`` wrote for the document ``dlm_id``.

    Raises:
        NoTicket: it is no ticket, or somebody else wrote it.
    """
    ticket, mac = _parse(text)
    if not hmac.compare_digest(mac, _mac(ticket._body, dlm_id, secret)):
        raise NoTicket("not given out here")
    return ticket


def _mac(body: bytes, dlm_id: str, secret: bytes) -> bytes:
    return hmac.new(secret, _PURPOSE + dlm_id.encode() + b"\0" + body, hashlib.sha256).digest()


def _parse(text: str) -> tuple[Ticket, bytes]:
    try:
        raw = base64.b64decode(text + "=", altchars=b"-_", validate=True) if len(text) == LENGTH else b""
    except ValueError:
        raw = b""
    # Written back, so that no two texts are the same ticket.
    if len(raw) != _BODY.size + _MAC or base64.urlsafe_b64encode(raw).decode().rstrip("=") != text:
        raise NoTicket(f"a ticket has {LENGTH} letters and digits, minus signs and underscores")
    kind, nonce, expires, uses, pack = _BODY.unpack(raw[: _BODY.size])
    if kind != _FORMAT:
        raise NoTicket("of a newer dlm: pip install -U dlm-peer")
    return Ticket(nonce, expires, uses, f"sha256:{pack.hex()}"), raw[_BODY.size :]
