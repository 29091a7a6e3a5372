"""How dlm-sway loads a GGUF export, with the untouched base of the same type to compare it with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dlm.errors import ExportFailed
from dlm.store.files import disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dlm.export.sink import Judged

BESIDE: Final = "sway-base"
"""Folder in an export for a base that only a suite needs: not beside the files that are served."""


def judged(folder: Path, place_base: Callable[[Path], None]) -> Judged:
    """``models`` of a suite for the export in ``folder``. ``place_base`` writes the untouched base to a path; it is
    asked where the export has none.

    Raises:
        ExportFailed: the disk is full or closed to us.
    """
    from .sink import ADAPTER, files_of

    model, adapter = files_of(folder)
    if model is not None and adapter is not None:
        base = f"./{model.name}"
    else:
        path = folder / BESIDE / "base.gguf"
        with disk_errors(path, ExportFailed):
            path.parent.mkdir()
        place_base(path)
        base = f"./{BESIDE}/{path.name}"
    side = {"kind": "gguf", "base": base}
    if adapter is not None:
        return {"base": side, "ft": {**side, "adapter": f"./{ADAPTER}"}}
    assert model is not None  # files_of found one or the other
    return {"base": side, "ft": {"kind": "gguf", "base": f"./{model.name}"}}
