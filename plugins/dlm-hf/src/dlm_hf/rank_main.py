"""One of the processes of a training: ``accelerate launch --module dlm_hf.rank_main``, then dlm's own arguments.

The first one runs the command. Each of the others helps it, under a parent of its own that writes down how it died.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

from dlm.training.ranks import processes, run_first, write_word


def main() -> int:
    """Run as the process that the environment says; the exit code for the launcher."""
    if int(os.environ["RANK"]) == 0:
        return lead()
    # Ctrl-C and the like are for the first process, which lets the others go.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return watched(int(os.environ["RANK"]) + 1) if hasattr(os, "fork") else helped()


def lead() -> int:
    """The command itself. The others see that this process is gone, wherever they were."""
    from .meeting import join

    join()
    run_first(sys.argv[1:])
    sys.stderr.flush()
    # All is written. The library's threads would have to be ended first, which waits for processes that may be dead.
    os._exit(0)


def helped() -> int:
    """Help until the first process is gone."""
    from .helping import serve
    from .meeting import Gone, join

    number = join() + 1
    try:
        with suppress(Gone):
            serve()
    except Exception as problem:
        write_word("died", why=f"process {number} of {processes()} failed: {type(problem).__name__}: {problem}")
    return 0


def watched(number: int) -> int:
    """Have a child help, and write down how it died if it did."""
    child = os.fork()
    if child == 0:
        os._exit(helped())
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        hint = ", as a system does that is short of memory: try fewer processes" if name == "SIGKILL" else ""
        write_word("died", why=f"process {number} of {processes()} was ended by {name}{hint}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
