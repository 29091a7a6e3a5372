"""``dlm pull``: fetch a pack, check it, put it in place. Nothing is put anywhere before all of it holds.

What arrives lies in a folder of its own under ``$DLM_HOME/pulling``, named by the address: a pull that broke off goes
on there. It is removed when the pack is in place, or when what arrived is no good.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import PackInvalid, PackRefused, SignatureInvalid, StoreLocked
from ..store.files import disk_errors
from ..store.layout import home as home_of
from .accepting import digests_asked
from .already import require_free
from .leftovers import GONE, PULLING
from .peeking import HEAD, peek
from .receiving import receive
from .resuming import died_placing, placing
from .routing import route
from .standing import short
from .unpacking import Unpacked, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .routing import Route
    from .standing import Rules, Standing
    from .transport import Fetched, Progress

_GATE = ".gate"
_KEPT = "What was fetched is kept for the next pull"


@dataclass(frozen=True)
class PullOptions:
    """Where it is put, and what has to hold before."""

    out: Path
    """Folder for the document."""
    home: Path | None = None
    force: bool = False
    """Replace a store and a document that are there."""
    base: bool | None = None
    """Take a base that is in the pack; ``None``: from somebody whose signature counts."""
    digest: str | None = None
    """That the pack has to have, ``sha256:...``."""
    rules: Rules | None = None
    """About its signatures; by default the policy of the environment."""


@dataclass(frozen=True)
class Pulled:
    """What was fetched, and where it is now."""

    unpacked: Unpacked
    shown: str
    notes: tuple[str, ...] = ()


def pull(place: str, options: PullOptions, *, progress: Progress, say: Callable[[str], None]) -> Pulled:
    """Fetch the pack at ``place``, check it, and put its document and its store in place.

    Raises:
        UsageProblem: nothing can be fetched from there, or an option makes no sense.
        TransferFailed: it broke on the way; what has arrived is kept.
        TransferRefused: the other side said no.
        PackInvalid: what arrived is damaged, forged, or not the pack that was asked for; it is removed.
        SignatureInvalid: a signature is wrong, or the rules ask for more than there is.
        PackRefused: a store of this document, or a file of this name, is there already.
        StoreLocked: the same address is being pulled just now, or the document is being trained.
        StoreError: the disk is full or closed to us. In every case everything is as it was.
    """
    digests_asked(options.digest)
    way = route(place)
    way.transport.check_fetch(place)
    root = home_of(options.home)
    with _folder(root, way.shown) as folder, _told_when_stopped():
        _refuse_early(way, folder, root, options)
        fetched = way.transport.fetch(place, folder, progress=progress, say=say)
        done = _placed(way, fetched, folder, root, options)
    return Pulled(done, way.shown, (*fetched.notes, *done.notes, *_lasting(done.standing)))


def _refuse_early(way: Route, folder: Path, root: Path, options: PullOptions) -> None:
    """What is there already is worth no download; where nothing is there, nobody is asked."""
    place = options.out.absolute()
    here = (root / "store").is_dir() or (place.is_dir() and any(place.glob("*.dlm")))
    if options.force or not here or any(folder.iterdir()):
        return
    head = way.transport.head(way.place, HEAD)
    if head and (manifest := peek(head, way.shown)) is not None:
        try:
            require_free(root, place / manifest.document.name, manifest, force=False)
        except PackRefused as problem:
            _remove(folder)
            raise PackRefused(f"{problem}. Nothing was fetched") from problem


def _placed(way: Route, fetched: Fetched, folder: Path, root: Path, options: PullOptions) -> Unpacked:
    digests = [*digests_asked(options.digest), *([fetched.digest] if fetched.digest is not None else [])]
    force = options.force or died_placing(folder, fetched.pack, root, options.out.absolute())
    try:
        with placing(folder):
            done = unpack(
                fetched.pack,
                home=root,
                out=options.out,
                force=force,
                base=options.base,
                rules=options.rules,
                sidecars=fetched.sidecars,
                digests=digests,
            )
    except PackInvalid as problem:
        _remove(folder)
        raise PackInvalid(_named(str(problem), fetched, way)) from problem
    except SignatureInvalid as problem:
        kept = _kept_if_whole(fetched, folder)
        raise SignatureInvalid(f"{_named(str(problem), fetched, way)}. {kept}") from problem
    except PackRefused as problem:
        raise PackRefused(f"{_named(str(problem), fetched, way)}. {_KEPT}") from problem
    _remove(folder)
    return done


def _lasting(standing: Standing) -> tuple[str, ...]:
    """Its notes, without the path of a key that lay beside the pack: that folder is gone by now."""
    strangers = {one.note: one.fingerprint for one in standing.signatures if one.public is not None and one.note}
    return tuple(
        f"nobody here has trusted the key {short(strangers[note])}: compare all of it with its maker's, then "
        "`dlm trust add KEY.pub` with the file that they give you"
        if note in strangers
        else note
        for note in standing.notes
    )


def _kept_if_whole(fetched: Fetched, folder: Path) -> str:
    """A pack by somebody who does not count yet is worth keeping; one that was damaged on the way here is not."""
    try:
        receive(fetched.pack, None)
    except PackInvalid:
        _remove(folder)
        return "The pack is damaged, too, and was removed: the next pull begins anew"
    return _KEPT


def _named(text: str, fetched: Fetched, way: Route) -> str:
    """``text`` about where the pack is from, and not about the folder in which it lies for the moment. Of what lies
    beside it the path stays: it is there, to be looked at."""
    told = re.sub(rf"{re.escape(str(fetched.pack))}(?!\.\w)", lambda _: way.shown, text)
    return told if way.shown in told else f"{way.shown}: {told}"


@contextmanager
def _told_when_stopped() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt("stopped: what has arrived is kept, and the same command goes on from there") from None


@contextmanager
def _folder(root: Path, shown: str) -> Iterator[Path]:
    """The folder of this address, for one process at a time."""
    from filelock import FileLock, Timeout

    folder = root / PULLING / hashlib.sha256(shown.encode()).hexdigest()[:32]
    lock = FileLock(folder.with_suffix(".lock"), timeout=0)
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _gate(root), disk_errors(folder):
        try:
            lock.acquire()
        except Timeout:
            raise StoreLocked(f"another `dlm pull` of {shown} is running: wait until it has ended") from None
        shutil.rmtree(folder.with_suffix(GONE), ignore_errors=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    try:
        yield folder
    finally:
        # Behind the gate nobody is about to lock the file that goes.
        with _gate(root):
            # Nothing arrived: there is nothing to go on with.
            with suppress(OSError):
                folder.rmdir()
            lock.release()
            if not folder.exists():
                folder.with_suffix(".lock").unlink(missing_ok=True)


@contextmanager
def _gate(root: Path) -> Iterator[None]:
    """Held for a moment, by who takes or gives back the folder of an address."""
    from filelock import FileLock

    with FileLock(root / PULLING / _GATE, timeout=30):
        yield


def _remove(folder: Path) -> None:
    """All at once: a pull that dies meanwhile leaves nothing to go on with."""
    gone = folder.with_suffix(GONE)
    with disk_errors(folder):
        folder.rename(gone)
        shutil.rmtree(gone)
