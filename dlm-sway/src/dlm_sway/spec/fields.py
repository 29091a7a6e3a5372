"""Types for the keys of suite entries, shared by all probes so that the same mistake reads the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo

FOLDER = "folder"
"""Key of the validation context: the folder that relative paths count from first."""


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("an empty prompt: write what to ask")
    return value


def _path(value: Path, info: ValidationInfo) -> Path:
    path = value.expanduser()
    context: Any = info.context or {}
    starts = [start for start in (context.get(FOLDER), Path.cwd()) if start is not None]
    for start in starts:
        if (start / path).exists():
            return Path(start / path).resolve()
    looked = " nor in ".join(str(start) for start in starts)
    raise ValueError(f"no such file or folder: {value} (neither in {looked})")


Prompt = Annotated[str, AfterValidator(_text)]
"""Text to ask; a prompt of blanks is a mistake."""

Prompts = Annotated[tuple[Prompt, ...], Field(min_length=1)]
"""At least one prompt."""

SuitePath = Annotated[Path, AfterValidator(_path)]
"""A file or folder that exists: ``~`` expanded, counted from the suite file's folder, then from the working folder."""
