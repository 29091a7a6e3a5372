"""``dlm serve`` from a wish to a server that is ready: address, pack, identity, tickets."""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from dlm.document import read
from dlm.errors import NotTrained, UsageProblem
from dlm.store import Store
from dlm.store.layout import home as home_of

from . import folder, tickets
from .address import Address
from .app import Desk
from .identity import identity_of
from .ledger import Ledger
from .offering import offering
from .room import Room
from .serving import listening, run
from .settings import HOST, Patience, Settings

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dlm.share.packing import PackOptions
    from dlm.share.pushing import SignWith

    from .offering import Offering


@dataclass(frozen=True)
class Wish:
    """What the command line says."""

    document: Path
    host: str | None
    port: int
    public: bool
    aware: bool
    packing: PackOptions
    sign: SignWith | None
    settings: Settings


@dataclass(frozen=True)
class Opened:
    """A server that has its address and its tickets, and waits for :meth:`run`."""

    desk: Desk
    listener: socket.socket
    context: ssl.SSLContext
    addresses: tuple[Address, ...]
    expires: int
    cert: str

    @property
    def offering(self) -> Offering:
        """What is served."""
        return self.desk.offering

    @property
    def uses(self) -> int:
        """Pulls for each ticket."""
        return self.desk.settings.uses

    @property
    def until(self) -> int:
        """When the last ticket expires, earlier runs' among them; in seconds since 1970."""
        return self.desk.ledger.until

    @property
    def server(self) -> str:
        """``host:port`` as tickets have it."""
        return self.addresses[0].server

    def run(self) -> int | None:
        """See :func:`.serving.run`."""
        return run(self.desk, self.listener, self.context)


@contextmanager
def open_counter(wish: Wish, say: Callable[[str], None], patience: Patience = Patience()) -> Iterator[Opened]:  # noqa: B008
    """A server for ``wish``; ``say`` hears a line for every pull.

    Raises:
        UsageProblem: it must not, or cannot, listen there.
        NotTrained: the document has no version yet.
        DlmError: whatever keeps ``dlm pack`` from packing it, or ``dlm sign`` from signing it.
    """
    host, bound = _places(wish)
    document = read(wish.document)
    home, dlm_id = home_of(), document.frontmatter.dlm_id
    if Store(home, dlm_id).current() is None:
        raise NotTrained(
            f"{wish.document} has no trained version, so there is nothing to serve: run `dlm train {wish.document}` "
            "first"
        )
    with folder.opened(home, dlm_id) as place, listening(bound, wish.port) as listener:
        made = offering(wish.document, place / folder.SPOOL, home, packing=wish.packing, sign=wish.sign)
        for note in made.notes:
            say(note)
        identity, secret = identity_of(place), folder.secret_of(place)
        ledger, expires = Ledger(place, time.time()), int(time.time()) + 60 * wish.settings.minutes
        given = [tickets.fresh(expires, wish.settings.uses, made.digest) for _ in range(wish.settings.tickets)]
        for ticket in given:
            ledger.give(ticket)
        port = listener.getsockname()[1]
        texts = [tickets.seal(ticket, dlm_id, secret) for ticket in given]
        addresses = tuple(Address(host, port, dlm_id, text, identity.fingerprint) for text in texts)
        room = Room(patience.waiting, patience.arriving)
        desk = Desk(made, secret, ledger, wish.settings, patience, room, say)
        yield Opened(desk, listener, identity.context(), addresses, expires, identity.fingerprint)


def _places(wish: Wish) -> tuple[str, str]:
    """What tickets name, and where to listen."""
    if wish.public != wish.aware:
        raise UsageProblem(
            "a document that is served with --public can be reached by every machine that reaches this one, and its "
            "tickets are all that keeps others out: give both --public and --i-know-this-is-public, or neither to "
            "serve programs on this machine alone"
        )
    if not wish.public:
        host = wish.host or HOST
        if not _is_loopback(host):
            raise UsageProblem(
                f"{host} can be reached from other machines: add --public --i-know-this-is-public, or leave --host out "
                "to serve programs on this machine alone"
            )
        return host, HOST if host == "localhost" else host
    if wish.host is None or wish.host in ("0.0.0.0", "::"):
        return _own_address(), wish.host or "0.0.0.0"
    return wish.host, wish.host if _is_mine(wish.host) else "0.0.0.0"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_mine(host: str) -> bool:
    """Whether ``host`` is an address of this machine, and not a name, or an address that is forwarded here."""
    try:
        family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.bind((host, 0))
    except (ValueError, OSError):
        return False
    return True


def _own_address() -> str:
    """This machine's address on the way to others. Nothing is sent: connecting a datagram socket looks up the way.

    Raises:
        UsageProblem: it has none.
    """
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.connect(("192.0.2.1", 9))
            return str(way.getsockname()[0])
    except OSError as problem:
        raise UsageProblem(
            "cannot tell by which address others reach this machine: say it with --host ADDRESS"
        ) from problem
