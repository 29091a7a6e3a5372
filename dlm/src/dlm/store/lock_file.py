"""``dlm.lock`` in a store: each version's own beside its weights, and the current one's at the root, where tools look.

The one beside the weights counts: it became visible with them. The one at the root follows, and is made to agree
whenever somebody writes. What the file says, :mod:`dlm.locking` knows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .files import disk_errors, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from .layout import Layout
    from .version import Version

LOCK_FILE = "dlm.lock"
OURS = "document_digest"
"""A key that the prior trainer's file does not have."""


def root_lock(layout: Layout) -> Path:
    """The file at the root of the store."""
    return layout.root / LOCK_FILE


def lock_of(version: Version) -> Path:
    """Where the lock of ``version`` lies: beside it, or, for a version of the prior trainer, at the root.

    The file need not be there.
    """
    own, root = version.path / LOCK_FILE, root_lock(version.layout)
    return root if not own.is_file() and root.is_file() and not _is_ours(root) else own


def put_in_place(layout: Layout, version: Version | None) -> None:
    """Make the lock at the root that of the current ``version``. Hold the lock of the store.

    A prior trainer's file stays until a version has one of its own.

    Raises:
        StoreError: the disk is full or closed to us.
    """
    root, own = root_lock(layout), version.path / LOCK_FILE if version else None
    with disk_errors(root):
        if own is not None and own.is_file():
            text = own.read_text(encoding="utf-8", errors="replace")
            if not root.is_file() or root.read_text(encoding="utf-8", errors="replace") != text:
                write_atomic(root, text)
        elif root.is_file() and _is_ours(root):
            root.unlink()


def _is_ours(path: Path) -> bool:
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and OURS in data
