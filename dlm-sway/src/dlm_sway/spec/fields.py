"""Types for the keys of suite entries, shared by all probes so that the same mistake reads the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationInfo

FOLDER = "folder"
"""Key of the validation context: the folder that relative paths count from first."""


def _path(value: Path, info: ValidationInfo) -> Path:
    path = value.expanduser()
    context: Any = info.context or {}
    starts = [start for start in (context.get(FOLDER), Path.cwd()) if start is not None]
    for start in starts:
        if (start / path).exists():
            return Path(start / path).resolve()
    looked = " nor in ".join(str(start) for start in starts)
    raise ValueError(f"no such file or folder: {value} (neither in {looked})")


SuitePath = Annotated[Path, AfterValidator(_path)]
"""A file or folder that exists: ``~`` expanded, counted from the suite file's folder, then from the working folder."""
