"""A GGUF file is opened in a process of its own first: llama.cpp ends the program on some damage that fits the header.

For files from anywhere. What an export has just written, or whose digest was checked, need not be tried.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dlm.errors import DlmError, ExportFailed

if TYPE_CHECKING:
    from collections.abc import Sequence


def require_loadable(path: Path, adapters: Sequence[Path] = ()) -> None:
    """See that llama.cpp loads ``path`` with ``adapters`` and reads a token.

    Raises:
        ExportFailed: it does not; says what it said, if it could.
    """
    command = [sys.executable, "-m", "dlm_gguf.trying", str(path), *map(str, adapters)]
    quiet = {**os.environ, "GGML_NO_BACKTRACE": "1", "PYTHONSAFEPATH": "1"}
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, env=quiet)
    if done.returncode == 0:
        return
    said = done.stdout.strip()
    if done.returncode < 0 or not said:
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no reason given")
        said = f"llama.cpp gives up on {path.name} ({last.strip()}): it is damaged; write the export again"
    raise ExportFailed(said)


def main(paths: Sequence[str]) -> int:
    """Open the first of ``paths`` with the others on it; what is wrong goes to standard output."""
    from .library import Model

    try:
        model = Model(Path(paths[0]), [(Path(one), 1.0) for one in paths[1:]], context=64, sequences=1)
        model.decode([(0, 0, 0, True)])
        model.close()
    except DlmError as error:
        sys.stdout.write(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
