"""What has been measured, a JSON object a line: a bench that was stopped goes on where it was."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Cell = dict[str, Any]


class Results:
    """Cells of a file. A cell has its ``key``, what was ``measured`` and whether that is ``full``."""

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self.path = path
        self.cells: list[Cell] = []
        text = path.read_text("utf-8") if path.exists() else ""
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                self.cells.append(json.loads(line))
            except ValueError:
                # The line that was being written when a run was killed.
                say(f"{path}:{number} is no whole line: left out")

    def find(self, key: Mapping[str, Any], *, full: bool) -> Cell | None:
        """The last cell with exactly this key; one that was not ``full`` does where less is asked."""
        found = [cell for cell in self.cells if cell["key"] == key and (cell["full"] or not full)]
        return found[-1] if found else None

    def add(self, key: Mapping[str, Any], measured: Mapping[str, Any], *, full: bool) -> Cell:
        """Append a cell, safely on disk before anything else is measured."""
        line = json.dumps({"key": dict(key), "full": full, "measured": dict(measured)}, ensure_ascii=False)
        before = self.path.read_bytes() if self.path.exists() else b""
        torn = bool(before) and not before.endswith(b"\n")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(("\n" if torn else "") + line + "\n")
            file.flush()
            os.fsync(file.fileno())
        # As it will be read next time, so that both times the same is shown.
        self.cells.append(json.loads(line))
        return self.cells[-1]
