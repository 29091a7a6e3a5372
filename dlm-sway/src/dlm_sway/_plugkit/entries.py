# Copied from plugkit/ by tools/sync_plugkit.py: edit it there.
"""What a plugin hands to the core: descriptions, never live objects."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One named thing, described without importing it."""

    name: str
    """What the user types. Lower case; third parties may prefix it ``vendor/``."""

    target: str
    """``package.module:attribute``, imported on first use."""

    summary: str
    """One line, shown by ``--help`` and ``plugins``."""
