"""One file from a web server to the disk, gone on with where it broke off.

Made for any transport over HTTP: who calls brings the client, and with it who is trusted and what is sent along. What
the file holds is not looked at here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlm.errors import StoreError, TransferFailed, TransferRefused
from dlm.share.members import LIMITS
from dlm.store.files import free_megabytes

from .addresses import without_secrets
from .asking import asking
from .partial import Partial, Seen
from .patience import ENOUGH, Pace, Patience, Rules
from .replies import Passing, length, part, validator, verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from dlm.share.transport import Progress


@dataclass(frozen=True)
class Downloaded:
    """A whole file."""

    path: Path
    size: int
    headers: httpx.Headers
    """Of the last answer."""


def download(
    client: httpx.Client,
    url: str,
    path: Path,
    *,
    progress: Progress,
    say: Callable[[str], None],
    largest: int = LIMITS.total,
    rules: Rules = Rules(),  # noqa: B008
) -> Downloaded:
    """Fetch ``url`` into the new file ``path``.

    Beside it lie ``path.part`` and ``path.part.json`` meanwhile. They are kept when this fails, or when the process
    dies, and the next call goes on from there unless the server has another file by now. A ``path`` that is whole is
    asked for again and taken as it is where the server says that nothing has changed.

    ``client`` decides who is trusted, what is sent along, and after how many seconds without a byte an attempt is
    over; it need not follow redirects, that is done here.

    Raises:
        TransferFailed: it broke too often. What has arrived is kept.
        TransferRefused: the server says no (:class:`.replies.Refused`, which knows the status), leads to an unsafe
            place, or has more than ``largest`` bytes.
        StoreError: the disk is full or closed to us. What has arrived is kept.
    """
    one = _Download(client, url, Partial(path), progress, say, largest, rules)
    patience = Patience(rules, without_secrets(url), say)
    # What was fetched before, and forgotten because the server contradicts itself, is no progress.
    reached = one.partial.have
    while True:
        try:
            if (done := one.attempt()) is not None:
                return done
        except Passing as problem:
            patience.failed(problem, one.partial.have - reached)
        reached = max(reached, one.partial.have)


@dataclass
class _Download:
    client: httpx.Client
    url: str
    partial: Partial
    progress: Progress
    say: Callable[[str], None]
    largest: int
    rules: Rules

    def attempt(self) -> Downloaded | None:
        """One request; ``None`` where the server gave a part of what it was asked for, in order."""
        before = self.partial.have
        request = self.client.build_request("GET", self.url, headers=self._headers())
        with asking(self.client, request, redirects=self.rules.redirects) as reply:
            if not (reply.status_code == 304 and self.partial.whole):
                self._take(reply)
        partial = self.partial
        if not partial.whole:
            total = partial.seen.total if partial.seen else None
            if total is not None and partial.have < total:
                # Some servers give a large file in parts, each whole; one that gives next to nothing has to end.
                if partial.have - before < ENOUGH:
                    raise Passing(f"the server ended after {partial.have:,} of {total:,} bytes")
                return None
            partial.finish()
        size = partial.path.stat().st_size
        self.progress(size, size)
        return Downloaded(partial.path, size, reply.headers)

    def _headers(self) -> dict[str, str]:
        """What is asked for: all of it, or what follows, or all of it only if it has changed."""
        found = {"Accept-Encoding": "identity"}
        known = self.partial.seen.validator if self.partial.seen else None
        if known is None:
            return found
        if self.partial.whole:
            return {**found, "If-None-Match" if known.startswith('"') else "If-Modified-Since": known}
        if have := self.partial.have:
            return {**found, "Range": f"bytes={have}-", "If-Range": known}
        return found

    def _take(self, reply: httpx.Response) -> None:
        if reply.is_success and reply.headers.get("content-encoding", "identity") not in ("identity", ""):
            raise TransferFailed(f"{without_secrets(self.url)}: the server sends the file packed once more, unasked")
        if reply.status_code == 206:
            self._go_on(reply)
        elif reply.status_code == 200:
            self._begin(reply)
        elif reply.status_code == 416:
            self.partial.drop()
            raise Passing("the file there has become shorter: from the start")
        else:
            raise verdict(reply)
        self._body(reply)

    def _begin(self, reply: httpx.Response) -> None:
        known = self.partial.seen.validator if self.partial.seen else None
        now = Seen(validator(reply.headers), length(reply.headers))
        if self.partial.have:
            why = "the server sends all of it" if known == now.validator else "the file there has changed"
            self.say(f"{without_secrets(self.url)}: {why}: from the start")
        self.partial.begin(now)
        self._require_room(now.total)

    def _go_on(self, reply: httpx.Response) -> None:
        """What follows belongs to what is there, and goes behind it; or all of it is forgotten."""
        given, seen = part(reply.headers), self.partial.seen
        tag = reply.headers.get("etag")
        same = seen is not None and (not seen.validator or not seen.validator.startswith('"') or tag in (None, seen[0]))
        if given is None or seen is None or given.start != self.partial.have or given.end < given.start or not same:
            self.partial.drop()
            raise Passing("the server sent another part than the one that was asked for: from the start")
        if None not in (given.total, seen.total) and given.total != seen.total:
            self.partial.drop()
            raise Passing("the file there has another size by now: from the start")
        self._require_room(seen.total)

    def _require_room(self, total: int | None) -> None:
        if total is None:
            return
        if total > self.largest:
            self.partial.drop()
            raise TransferRefused(f"{without_secrets(self.url)} has {total:,} bytes, and may have {self.largest:,}")
        missing, free = (total - self.partial.have) // 1_000_000, free_megabytes(self.partial.path)
        if missing > free:
            raise StoreError(
                f"{missing:,} MB are to come, and the disk of {self.partial.path.parent} has {free:,} free: make room, "
                "or point DLM_HOME at a larger disk, then run the same command again"
            )

    def _body(self, reply: httpx.Response) -> None:
        partial, pace = self.partial, Pace(self.rules)
        total = partial.seen.total if partial.seen else None
        have, most = partial.have, self.largest if total is None else total
        with partial.appending() as append:
            for chunk in reply.iter_raw():
                have += len(chunk)
                if have > most:
                    partial.drop()
                    raise TransferRefused(
                        f"{without_secrets(self.url)} sends more than the {most:,} bytes that may come"
                    )
                append(chunk)
                self.progress(have, total)
                pace.passed(len(chunk))
