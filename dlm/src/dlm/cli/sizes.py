"""Bytes, as people read them."""

from __future__ import annotations


def size(count: float) -> str:
    """``21 MB``, for ``count`` bytes."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
