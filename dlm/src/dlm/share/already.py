"""What lies where a pack is to be put: told before it is touched, and all of it at once, so that whoever writes
``--force`` knows what goes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import PackRefused, StoreError
from ..store import Store
from ..store.layout import store_layout

if TYPE_CHECKING:
    from pathlib import Path

    from ..store import Version
    from .manifest import PackManifest

_NOTHING = "Nothing was changed"


def require_free(root: Path, place: Path, manifest: PackManifest, *, force: bool) -> None:
    """See to it that nothing is replaced unasked: neither a store of this document, nor another file in ``place``.

    Raises:
        PackRefused: there is one. Says what would be lost.
    """
    if force:
        return
    store = store_layout(root, manifest.dlm_id).root
    other_text = os.path.lexists(place) and not _same(place, manifest)
    if store.exists():
        text = f". {place} is there, too, and is another text" if other_text else ""
        raise PackRefused(
            f"{store} is there already, and is of the same document: {_compared(root, manifest)}{text}. Keep what is "
            f"there, take this one into other folders with --home DIR --out DIR, or replace all of it with --force. "
            f"{_NOTHING}"
        )
    if other_text:
        raise PackRefused(
            f"{place} is there already and is another text: put the document elsewhere with --out DIR, or replace it "
            f"with --force. {_NOTHING}"
        )


def _same(place: Path, manifest: PackManifest) -> bool:
    from ..document.identity import digest

    try:
        return digest(place.read_bytes().decode()) == manifest.document.digest
    except (OSError, ValueError):
        return False


def _compared(root: Path, manifest: PackManifest) -> str:
    """Which versions are here, and which would come."""
    store = Store(root, manifest.dlm_id)
    try:
        here, current = store.versions(), store.current()
    except StoreError as problem:
        return f"it is damaged ({problem})"
    coming = f"v{manifest.version:04d}"
    if current is None:
        return f"nothing is trained in it, and {coming} would come"
    moment = str(current.facts.get("created_at"))
    if (current.number, moment) == (manifest.version, manifest.created_at):
        return f"{_names(here)} here, and {coming} would come, which was trained at the same moment"
    which = "" if len(here) == 1 else f" ({current.name} is current)"
    return f"{_names(here)} here{which}, of {moment}, and {coming} of {manifest.created_at} would come"


def _names(versions: tuple[Version, ...]) -> str:
    *others, last = (version.name for version in versions)
    return f"{', '.join(others)} and {last} are" if others else f"{last} is"
