"""One run of a suite for all of its tests: in one process kept in memory, and between pytest-xdist's in a file."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import traceback
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .mark import Wish


@dataclass(frozen=True)
class Outcome:
    """What a suite found; or why it found nothing, which is not tried again."""

    document: dict[str, Any] | None = None
    """The result JSON's data."""
    failure: str = ""
    """For people: sway's own message, or the traceback of a bug."""


KNOWN = pytest.StashKey[dict[str, Outcome]]()
FOLDER = pytest.StashKey[Path]()
INPUT = "sway_folder"
"""Name under which xdist hands the folder to its processes."""


def outcome(config: pytest.Config, wish: Wish) -> Outcome:
    """What the suite of ``wish`` found. The first who asks runs it, and everybody else waits."""
    known = config.stash.setdefault(KNOWN, {})
    if wish.key not in known:
        folder = getattr(config, "workerinput", {}).get(INPUT)
        known[wish.key] = _between_processes(Path(folder), wish) if folder else _run(wish)
    return known[wish.key]


def announce(node: Any) -> None:
    """In the process that starts the others: name a folder, which whoever needs it makes."""
    stash = node.config.stash
    folder = stash.setdefault(FOLDER, Path(tempfile.gettempdir()) / f"sway-pytest-{uuid.uuid4().hex}")
    node.workerinput[INPUT] = str(folder)


def clean_up(config: pytest.Config) -> None:
    """Remove the folder, if anybody made it."""
    if (folder := config.stash.get(FOLDER, None)) is not None and folder.exists():
        shutil.rmtree(folder)


def _between_processes(folder: Path, wish: Wish) -> Outcome:
    from dlm_sway.report.write import write

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = folder / f"{wish.key}.json"
    with _alone(folder / f"{wish.key}.lock"):
        if kept.exists():
            return Outcome(**json.loads(kept.read_text("utf-8")))
        found = _run(wish)
        write(kept, json.dumps({"document": found.document, "failure": found.failure}))
        return found


def _run(wish: Wish) -> Outcome:
    from dlm_sway._plugkit.errors import PluginError
    from dlm_sway.errors import SwayError
    from dlm_sway.report.document import to_dict
    from dlm_sway.suite.run import run

    try:
        result = run(wish.spec, weights=wish.weights or None, facts={"command": f"pytest, {wish.spec.name}"})
    except (SwayError, PluginError) as error:
        return Outcome(failure=str(error))
    except Exception:  # a bug is shown once, and does not load the model again for every probe
        return Outcome(failure=traceback.format_exc())
    return Outcome(to_dict(result))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold ``path`` against other processes; a process that dies lets go of it."""
    with path.open("a+b") as file:
        _lock(file)
        try:
            yield
        finally:
            _unlock(file)


if sys.platform == "win32":
    import msvcrt
    import time

    def _lock(file: BinaryIO) -> None:
        while True:
            file.seek(0)
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:
                time.sleep(0.1)
            else:
                return

    def _unlock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)

    def _unlock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
