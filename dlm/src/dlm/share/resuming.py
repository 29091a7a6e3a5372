"""A pull that died while it put things in place, told from a store that was there before: the next one may go on.

A mark lies beside the pack from before the first step on. It goes with the folder when all is in place, and alone when
placing fails in any other way than by death. It decides nothing by itself: what is there has to be what the pack holds.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PackInvalid, PackRefused
from ..store import Store
from ..store.files import disk_errors, sha256
from .manifest import PackManifest, parse, parse_sums
from .members import DOCUMENT, LIMITS, PACK, SUMS
from .tape import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARK = "placing"
_STORE = "store/"
_ADAPTED = {"manifest.json"}
"""It says where the document lies here."""
_LOCKS = {".lock", ".lock.json"}


@contextmanager
def placing(folder: Path) -> Iterator[None]:
    """Leave the mark in ``folder``, and take it away again when something is raised."""
    mark = folder / _MARK
    with disk_errors(mark):
        mark.touch()
    try:
        yield
    except BaseException:
        mark.unlink(missing_ok=True)
        raise


def died_placing(folder: Path, pack: Path, root: Path, out: Path) -> bool:
    """Whether a pull that died has put ``pack`` in place under ``root``, or begun to, and nobody has changed it since:
    then it is no loss to put it there once more."""
    if not (folder / _MARK).exists():
        return False
    try:
        with reading(pack) as (reader, first):
            if first.name != SUMS:
                return False
            sums = parse_sums(reader.content(LIMITS.list), str(pack))
            second = reader.next()
            if second is None or second.name != PACK:
                return False
            manifest = parse(reader.content(LIMITS.list), str(pack))
    except (PackInvalid, PackRefused):
        return False
    return _untouched(manifest, sums, Store(root, manifest.dlm_id), out)


def _untouched(manifest: PackManifest, sums: dict[str, str], store: Store, out: Path) -> bool:
    """Whether the store holds what the pack does and not one file more: logs, exports and texts of the past are not in
    a pack for others, and would be lost."""
    document, root = out / manifest.document.name, store.layout.root
    if os.path.lexists(document) and _digest(document) != sums.get(DOCUMENT):
        return False
    inside = {name.removeprefix(_STORE): digest for name, digest in sums.items() if name.startswith(_STORE)}
    there = {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir()} - _LOCKS
    if there and there != set(inside):
        return False
    return all(_digest(root / name) == inside[name] for name in there - _ADAPTED)


def _digest(path: Path) -> str | None:
    return sha256(path) if path.is_file() else None
