"""``peer://host:port/ID?token=...&cert=sha256:...``: where a document is served, the ticket, and who is there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from dlm.errors import UsageProblem

from .settings import PORT
from .tickets import NoTicket, Ticket, read

SCHEME = "peer"
_ID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_CERT = re.compile(r"sha256:[0-9a-f]{64}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\.?|[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9._-]{1,15})?")
_AGAIN = "copy the whole line that `dlm serve` printed, in quotes"


@dataclass(frozen=True)
class Address:
    """Everything that the other side needs."""

    host: str
    port: int
    dlm_id: str
    token: str = field(repr=False)
    cert: str
    """``sha256:`` and the digest of the server's certificate."""

    @property
    def ticket(self) -> Ticket:
        """What the token says."""
        return read(self.token)

    @property
    def server(self) -> str:
        """``host:port``."""
        return f"{bracketed(self.host)}:{self.port}"

    def __str__(self) -> str:
        return f"{SCHEME}://{self.server}/{self.dlm_id}?token={self.token}&cert={self.cert}"


def bracketed(host: str) -> str:
    """``host`` as it stands before a port."""
    return f"[{host}]" if ":" in host else host


def shown(place: str) -> str:
    """``place`` without its ticket."""
    return place.partition("?")[0].partition("#")[0]


def parse(place: str) -> Address:
    """The address that ``place`` is, to the letter.

    Raises:
        UsageProblem: it is none; says what is wrong, and does not quote the ticket.
    """
    try:
        parts = urlsplit(place)
        host, port = parts.hostname or "", PORT if parts.port is None else parts.port
        asked = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query), max_num_fields=8)
    except ValueError as problem:
        raise _wrong(place, "is no address") from problem
    if parts.scheme != SCHEME or parts.username is not None or parts.fragment or not _HOST.fullmatch(host) or not port:
        raise _wrong(place, "is no address such as peer://192.168.1.7:7337/ID?token=...&cert=...")
    dlm_id = parts.path.removeprefix("/")
    if not _ID.fullmatch(dlm_id):
        raise _wrong(place, "names no document: an id has 26 characters")
    found = dict(asked)
    if missing := [name for name in ("token", "cert") if name not in found]:
        raise _wrong(place, f"has no {' and no '.join(missing)}")
    if len(asked) != 2:
        raise _wrong(place, "says more than token and cert")
    if not _CERT.fullmatch(found["cert"]):
        raise _wrong(place, "has a cert that is not sha256: and 64 hexadecimal digits")
    try:
        read(found["token"])
    except NoTicket as problem:
        raise _wrong(place, f"has a token that is no ticket ({problem})") from problem
    return Address(host, port, dlm_id, found["token"], found["cert"])


def _wrong(place: str, what: str) -> UsageProblem:
    return UsageProblem(f"{shown(place)[:200]!r} {what}: {_AGAIN}")
