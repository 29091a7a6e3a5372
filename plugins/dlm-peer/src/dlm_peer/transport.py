"""``dlm pull peer://...``: what another machine serves with ``dlm serve``."""

from __future__ import annotations

import json
import re
import secrets
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from dlm.errors import TransferFailed, TransferRefused, UsageProblem
from dlm.share.sidecars import LARGEST
from dlm.share.transport import PACK_FILE, Fetched, Transport
from dlm.store.files import disk_errors, write_atomic

from .address import Address, parse
from .address import shown as without_ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import httpx

    from dlm.share.transport import Parcel, Progress, Sent
    from dlm_https.downloading import Downloaded

_PULL: Final = "pull"
"""File in the folder of a pull: what the server knows it by, so that a resumed one is no second use of the ticket."""
_PULL_ID: Final = re.compile(r"[0-9a-f]{32}")
_SECONDS: Final = 30.0
"""Without a byte, after which an attempt is over."""
_BUSY: Final = 600.0
"""Seconds that we wait for our turn."""
_ENDING: Final = re.compile(r"(?!\.part)(\.[a-z0-9]{1,16}){1,2}")
_MOST_BESIDE: Final = 8
_REFUSALS: Final = {
    "not-ours": "the server did not give out this ticket: {again}",
    "expired": "the ticket has expired: {again}. What has arrived is kept, and goes on with the new one",
    "used-up": "the ticket was used as often as it may be, which is {uses}: {again}. `dlm serve --uses N` makes "
    "tickets for more",
    "other-pack": "the document was trained or changed since the ticket was given out: {again}",
    "no-such-place": "no document {dlm_id} is served there: {again}",
}
_AGAIN: Final = "ask whoever serves it for a new address"


class _Busy(Exception):
    """The server asks to come again."""

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


class Peer(Transport):
    """See :class:`Transport`."""

    def shown(self, place: str) -> str:
        """See :meth:`Transport.shown`."""
        return without_ticket(place)

    def check_send(self, place: str, settings: Mapping[str, str]) -> None:
        """See :meth:`Transport.check_send`."""
        raise UsageProblem(_NOT_PUSHED)

    def send(self, parcel: Parcel, place: str, *, progress: Progress, say: Callable[[str], None]) -> Sent:
        """See :meth:`Transport.send`."""
        raise UsageProblem(_NOT_PUSHED)

    def check_fetch(self, place: str) -> None:
        """See :meth:`Transport.check_fetch`."""
        parse(place)

    def fetch(self, place: str, folder: Path, *, progress: Progress, say: Callable[[str], None]) -> Fetched:
        """See :meth:`Transport.fetch`."""
        from dlm_https.downloading import download
        from dlm_https.patience import Rules

        address, rules = parse(place), Rules(redirects=0)
        url = f"https://{address.server}/v1/{address.dlm_id}/pack"
        pack, sidecars = folder / PACK_FILE, {}
        named = partial(_named, url=url, place=without_ticket(place))

        def tell(line: str) -> None:
            say(named(line))

        with _told_where(named), _client(address, _pull(folder)) as client:
            got = _in_turn(partial(download, client, url, pack, progress=progress, say=tell, rules=rules), tell)
            for suffix in _beside(got.headers.get("Dlm-Beside", "")):
                path = pack.with_name(pack.name + suffix)
                get = partial(download, client, url + suffix, path, largest=LARGEST, rules=rules)
                _in_turn(partial(get, progress=_unseen, say=tell), tell)
                sidecars[suffix] = path
        return Fetched(pack, sidecars, address.ticket.digest)


def _named(text: str, url: str, place: str) -> str:
    """In words of the address that was given, not of the one that is asked behind it."""
    return text.replace(url, place)


@contextmanager
def _told_where(named: Callable[[str], str]) -> Iterator[None]:
    try:
        yield
    except TransferFailed as problem:
        silent = ": no connection" in str(problem)
        hint = ". Does `dlm serve` still run there, and may this machine reach it?" if silent else ""
        raise TransferFailed(f"{named(str(problem))}{hint}") from problem


def _beside(said: str) -> list[str]:
    """The endings among ``said`` that something beside a pack may have, which become names of files."""
    return [one for one in dict.fromkeys(said.split()) if _ENDING.fullmatch(one)][:_MOST_BESIDE]


def _unseen(done: int, total: int | None) -> None:
    """Of what is too small to be watched."""


_NOT_PUSHED = (
    "nothing is pushed to peer:// addresses, they are pulled from: run `dlm serve DOC` here, and on the other machine "
    "the `dlm pull` that it prints"
)


def _pull(folder: Path) -> str:
    """What the server knows this pull by, the same in every attempt."""
    path = folder / _PULL
    with disk_errors(path):
        found = path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""
        if not _PULL_ID.fullmatch(found):
            found = secrets.token_hex(16)
            write_atomic(path, f"{found}\n")
    return found


@contextmanager
def _client(address: Address, pull: str) -> Iterator[httpx.Client]:
    import httpx

    from .pinned import pinned

    with httpx.Client(
        verify=pinned(address.cert, address.server),
        headers={"Authorization": f"Bearer {address.token}", "Dlm-Pull": pull, "User-Agent": "dlm"},
        timeout=_SECONDS,
        trust_env=False,
        event_hooks={"response": [lambda reply: _require_served(reply, address)]},
    ) as client:
        yield client


def _require_served(reply: httpx.Response, address: Address) -> None:
    """Put the server's refusals into words of ours. What it says itself is shown nowhere."""
    if reply.status_code < 400:
        return
    reason = _reason(reply)
    if reason in ("too-many", "too-often"):
        wait = reply.headers.get("retry-after", "")
        why = "others are pulling" if reason == "too-many" else "this ticket has asked too often"
        raise _Busy(min(60.0, float(wait)) if wait.isdecimal() else 5.0, f"{address.server}: {why}")
    if (words := _REFUSALS.get(reason)) is not None:
        what = words.format(again=_AGAIN, uses=_times(address.ticket.uses), dlm_id=address.dlm_id)
        raise TransferRefused(f"{address.server}: {what}")


def _reason(reply: httpx.Response) -> str:
    import httpx

    found = b""
    try:
        for chunk in reply.iter_bytes():
            found += chunk
            if len(found) > 4096:
                break
        told = json.loads(found)
    except (httpx.HTTPError, ValueError, RecursionError):
        return ""
    reason = told.get("reason") if isinstance(told, dict) else None
    return reason if isinstance(reason, str) else ""


def _times(uses: int) -> str:
    return "once" if uses == 1 else f"{uses:,} times"


def _in_turn(doing: Callable[[], Downloaded], say: Callable[[str], None]) -> Downloaded:
    """Do it, waiting for as long as the server has others to see to."""
    began = time.monotonic()
    while True:
        try:
            return doing()
        except _Busy as busy:
            if time.monotonic() - began + busy.seconds > _BUSY:
                raise TransferFailed(
                    f"{busy} for {_BUSY / 60:.0f} minutes: run the same command again later, it goes on from there"
                ) from None
            say(f"{busy}; trying again in {busy.seconds:.0f} s")
            time.sleep(busy.seconds + secrets.randbelow(1000) / 1000)
