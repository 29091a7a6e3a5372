"""Types for the keys of suite entries, shared by all probes so that the same mistake reads the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationInfo

FOLDER = "folder"
"""Key of the validation context: the folder that relative paths count from first."""
ROOT = "root"
"""Key of the validation context: the only folder that paths may lead into; ``None`` in a suite that is one's own."""


class Elsewhere(ValueError):
    """A path that does not lead to something in the only folder that it may lead into."""


def inside(given: str | Path, root: Path) -> Path | None:
    """``given``, counted from ``root``, as an existing path in ``root`` once links are followed.

    ``None`` for everything else, so that nobody learns what lies outside. ``~`` is a name like any other.
    """
    try:
        found = (root / given).resolve()
        return found if found.is_relative_to(root.resolve()) and found.exists() else None
    except (OSError, ValueError, RuntimeError):  # too long a name, a zero byte, links in a circle
        return None


def _path(value: Path, info: ValidationInfo) -> Path:
    context: Any = info.context or {}
    if (root := context.get(ROOT)) is not None:
        if (found := inside(value, root)) is None:
            raise Elsewhere(f"no such file or folder among those that are served: {value}")
        return found
    path = value.expanduser()
    starts = [start for start in (context.get(FOLDER), Path.cwd()) if start is not None]
    for start in starts:
        if (start / path).exists():
            return Path(start / path).resolve()
    looked = " nor in ".join(str(start) for start in starts)
    raise ValueError(f"no such file or folder: {value} (neither in {looked})")


SuitePath = Annotated[Path, AfterValidator(_path)]
"""A file or folder that exists: ``~`` expanded, counted from the suite file's folder, then from the working folder."""
