"""Judging again whenever a suite, what was taught or the adapter has changed, and keeping what was found.

A handful of files is looked at twice a second, so nothing has to be installed and network disks work. Now and then the
suite is read anew as well: a document may have a new current version, a link may point elsewhere.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .._plugkit.errors import PluginError
from ..errors import SwayError, Unreachable
from ..report.json import render
from ..report.write import write
from ..spec.load import load

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager
    from ..spec.load import LoadedSuite

_NAME: Final = re.compile(r"\d{8}T\d{6}Z-(\d{5,})\.result\.json")

Stamp = tuple[tuple[str, int, int, int], ...]
"""Path, inode, size and time of change of every file that is looked at."""


@dataclass(frozen=True)
class Rhythm:
    """How often is looked, in seconds."""

    look: float = 0.5
    settle: float = 1.0
    """Nothing may be written for so long before a change counts."""
    longest: float = 30.0
    """Waited for that at most: a file that is written without end is taken as it is."""
    reread: float = 3.0
    """How often the suite is read anew although no file has changed."""


USUAL: Final = Rhythm()


class Kept(NamedTuple):
    """One judgement, on the disk."""

    path: Path
    result: dict[str, Any]
    previous: Path | None
    """The one kept before it."""


class History:
    """Results in a folder, the oldest removed beyond ``most``. Files of other names are never touched."""

    def __init__(self, folder: Path, most: int) -> None:
        self.folder, self.most = folder, most

    def files(self) -> list[Path]:
        """What is kept, the oldest first."""
        found = [(int(m[1]), path) for path in self.folder.glob("*.result.json") if (m := _NAME.fullmatch(path.name))]
        return [path for _, path in sorted(found)]

    def keep(self, result: dict[str, Any], spec: Path, now: datetime) -> Kept:
        """Write ``result`` with a note of who wrote it."""
        files = self.files()
        number = 1 + (int(match[1]) if files and (match := _NAME.fullmatch(files[-1].name)) else 0)
        note = {
            "sequence": number,
            "adapter_pointer": result["adapter_id"],
            "spec_path": str(spec),
            "verdict": result["gate"]["outcome"],
            "run_seconds": result["wall_seconds"],
            "overall_score": result["score"]["overall"],
            "wrote_at": now.isoformat(),
        }
        path = self.folder / f"{now:%Y%m%dT%H%M%SZ}-{number:05d}.result.json"
        write(path, render({**result, "sway_watch": note}))
        for old in self.files()[: -self.most]:
            old.unlink(missing_ok=True)
        return Kept(path, result, files[-1] if files else None)


def watch(
    spec: Path,
    *,
    manager: PluginManager,
    judge: Callable[[LoadedSuite], dict[str, Any]],
    history: History,
    kept: Callable[[Kept], None],
    say: Callable[[str], None],
    rhythm: Rhythm = USUAL,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Judge now and after every change, until Ctrl-C. A mistake in the suite, or an adapter that cannot be loaded, is
    said once, and the next change tried; a server that does not answer is said once, and asked again. A change in the
    middle of a judgement makes it worthless, and it is made anew.

    ``judge`` gives the result's data, ``kept`` hears of every one that was kept.
    """
    places, told, done = [spec], "", ""
    while True:
        _settle(places, rhythm, sleep, clock)
        seen, key = stamp(places), ""
        try:
            loaded = load(spec, manager)
            places = _places(spec, loaded)
            seen, key = stamp(places), _key(loaded)
            if key != done:
                result = judge(loaded)
                if stamp(places) != seen:
                    say("something changed in the middle: judging again")
                    continue
                kept(history.keep(result, spec, datetime.now(UTC)))
                told = ""
            done = key
        except (SwayError, PluginError) as error:
            again = isinstance(error, Unreachable)
            # What cannot be judged as it lies there is not loaded again and again.
            done = done if again else key
            if str(error) != told:
                say(f"error: {error}")
                say("asking again every few seconds" if again else "waiting for a change")
            told = str(error)
        _wait(places, seen, rhythm, sleep, clock)


def stamp(places: list[Path]) -> Stamp:
    """What lies at these places now; what is not there is left out."""
    found = []
    for place in places:
        try:
            members = sorted(place.iterdir()) if place.is_dir() else [place]
            for path in members:
                facts = path.stat()
                found.append((str(path), facts.st_ino, facts.st_size, facts.st_mtime_ns))
        except OSError:
            continue  # replaced at this moment: the next look sees it
    return tuple(found)


def _places(spec: Path, loaded: LoadedSuite) -> list[Path]:
    """The suite, the adapter's files, and the document."""
    adapter, document = loaded.suite.models.ft.adapter, loaded.suite.dlm_source
    named = [adapter, Path(str(document).rpartition("#")[0] or str(document)) if document else None]
    return [spec, *(place for place in named if place is not None)]


def _key(loaded: LoadedSuite) -> str:
    """What is judged: the same for two moments that would give the same result."""
    adapter = loaded.suite.models.ft.adapter
    files = stamp([adapter]) if adapter is not None else ()
    parts = (loaded.digest, str(adapter), files, loaded.sections, loaded.suite.models)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _settle(places: list[Path], rhythm: Rhythm, sleep: Callable[[float], None], clock: Callable[[], float]) -> None:
    """Wait until nothing has been written for a while."""
    began, last, since = clock(), stamp(places), clock()
    if not _fresh(last):
        return
    while clock() - since < rhythm.settle and clock() - began < rhythm.longest:
        sleep(min(rhythm.look, rhythm.settle))
        now = stamp(places)
        if now != last:
            last, since = now, clock()


def _fresh(seen: Stamp, seconds: float = 10.0) -> bool:
    """Whether something was written so lately that more may follow."""
    now = time.time()
    return any(abs(now - changed / 1e9) < seconds for *_, changed in seen)


def _wait(
    places: list[Path], seen: Stamp, rhythm: Rhythm, sleep: Callable[[float], None], clock: Callable[[], float]
) -> None:
    """Until a file differs from what was ``seen``, or the suite is to be read anew."""
    until = clock() + rhythm.reread
    while clock() < until and stamp(places) == seen:
        sleep(rhythm.look)
