"""What a pack says of itself in its first bytes, before the rest is fetched. Nobody has checked it: it serves to refuse
early, and for nothing else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PackInvalid
from .manifest import parse
from .members import LIMITS, PACK, SUMS
from .tape import CHUNK, Reader

if TYPE_CHECKING:
    from .manifest import PackManifest

HEAD = 2**18
"""Bytes that hold the first two blocks of the frame, and in them the list of digests and ``pack.json``."""


def peek(head: bytes, place: str) -> PackManifest | None:
    """The manifest of the pack that begins with ``head``; ``None`` where that cannot be said."""
    from zstandard import ZstdDecompressor, ZstdError

    try:
        source = ZstdDecompressor(max_window_size=LIMITS.window).stream_reader(io.BytesIO(head), read_size=CHUNK)
        reader = Reader(Path(place), source, len(head))
        first = reader.next()
        if first is None or first.name != SUMS:
            return None
        reader.content(LIMITS.list)
        second = reader.next()
        return parse(reader.content(LIMITS.list), place) if second is not None and second.name == PACK else None
    except (PackInvalid, ZstdError):
        return None
