"""One training in several processes: what was asked for, and the parent of those that do it.

The first process runs the same command as ever and alone writes and prints; the others only help it with each step.
How they are started and how they share a step is the backend's business.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..errors import TrainingFailed, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

PROCESSES = "DLM_PROCESSES"
"""In the environment of every process that was started here: how many there are."""
MEETING = "DLM_MEETING"
"""In the same: a folder where the first process writes down its id, and how it ended."""
MOST = 1024


@dataclass(frozen=True)
class Wanted:
    """Where the processes are to run."""

    kind: Literal["gpus", "cpu"]
    count: int | None = None
    """How many; ``None`` is as many as there are."""
    which: tuple[int, ...] = ()
    """Of the GPUs that this process may see, counted from 0."""


class Launch(NamedTuple):
    """How a backend starts several processes."""

    processes: int
    command: tuple[str, ...]
    """What dlm's own arguments are put after."""
    environment: dict[str, str]
    """To be added to that of this process."""


def processes() -> int:
    """How many processes do the training that this one takes part in."""
    return int(os.environ.get(PROCESSES, "1"))


def wanted(gpus: str | None, cpus: int | None) -> Wanted | None:
    """What ``--gpus`` and ``--processes`` ask for; ``None`` when neither was given.

    Raises:
        UsageProblem: both were, or what was given means nothing.
    """
    if gpus is None:
        return None if cpus is None else Wanted("cpu", cpus)
    if cpus is not None:
        raise UsageProblem("--gpus has a process a GPU, and --processes is for the CPU: give one of them")
    if gpus == "all":
        return Wanted("gpus")
    if re.fullmatch(r"[0-9]{1,4}", gpus) and 1 <= int(gpus) <= MOST:
        return Wanted("gpus", int(gpus))
    if re.fullmatch(r"[0-9]{1,4}(,[0-9]{1,4})+,?|[0-9]{1,4},", gpus):
        which = tuple(int(index) for index in gpus.rstrip(",").split(","))
        if len(set(which)) == len(which):
            return Wanted("gpus", len(which), which)
    raise UsageProblem(f"--gpus {gpus!r} means nothing: give all, how many, or which ones, as in --gpus 0,1")


def launched(asked: Wanted | None, arguments: Sequence[str]) -> int | None:
    """Run ``dlm`` with ``arguments`` in as many processes as are asked for; its exit code.

    ``None`` when there is nothing to start: one process will do, or this is one of them.

    Raises:
        UsageProblem: the backend, or this machine, has not what is asked for.
        TrainingFailed: a process died; says which, and how.
    """
    from .choose import choose

    if asked is None or PROCESSES in os.environ:
        return None
    launch = choose("train").launch(asked)
    if launch.processes < 2:
        return None
    with tempfile.TemporaryDirectory(prefix="dlm-") as folder:
        return _Parent(launch, Path(folder)).run(arguments)


class _Parent:
    """The process that somebody sees: it passes signals on to the first of the others, and its exit code back."""

    def __init__(self, launch: Launch, meeting: Path) -> None:
        self._launch, self._meeting = launch, meeting
        self._asked = 0
        """The last signal that was passed on."""

    def run(self, arguments: Sequence[str]) -> int:
        environment = {
            **os.environ,
            **self._launch.environment,
            PROCESSES: str(self._launch.processes),
            MEETING: str(self._meeting),
        }
        # In a session of its own: Ctrl-C in a terminal would reach all processes at once, in the middle of a step.
        process = subprocess.Popen(
            [*self._launch.command, *arguments], env=environment, stdin=subprocess.DEVNULL, start_new_session=True
        )
        before = signal.signal(signal.SIGTERM, lambda number, _: self._pass_on(process, number))
        try:
            code = self._waited(process)
        finally:
            signal.signal(signal.SIGTERM, before)
            _end(process)
        return self._ended(code)

    def _waited(self, process: subprocess.Popen[bytes]) -> int:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                self._pass_on(process, signal.SIGINT)

    def _pass_on(self, process: subprocess.Popen[bytes], number: int) -> None:
        self._asked = number
        first = word("first", self._meeting)
        with suppress(ProcessLookupError):
            if first is not None:
                os.kill(first["pid"], number)
            else:
                process.terminate()

    def _ended(self, code: int) -> int:
        ended = word("ended", self._meeting)
        if ended is not None:
            return int(ended["exit_code"])
        if self._asked:
            return 128 + self._asked
        died = word("died", self._meeting) or {}
        why = died.get("why", f"the processes ended with {code} and left no word: look at what is printed above")
        raise TrainingFailed(f"{why}. The version before stays current; the next `dlm train` puts the store right")


def word(name: str, meeting: Path | None = None) -> dict[str, Any] | None:
    """What was written down as ``name``, by default where the processes of this training do so."""
    folder = meeting or Path(os.environ[MEETING])
    try:
        found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found


def write_word(name: str, **what: Any) -> None:
    """Write down ``what`` for the parent."""
    from ..store.files import write_atomic

    write_atomic(Path(os.environ[MEETING]) / f"{name}.json", json.dumps(what))


def run_first(arguments: Sequence[str]) -> None:
    """The command itself, in the first process; its exit code goes to the parent."""
    from ..cli.main import main

    write_word("first", pid=os.getpid())
    try:
        main(args=list(arguments), prog_name="dlm")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception:
        # As Python ends with an error that nobody expected; the launcher would add pages of its own to it.
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    write_word("ended", exit_code=code)


def _end(process: subprocess.Popen[bytes]) -> None:
    """See to it that nothing that was started goes on; the launcher ends its own."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
