"""Which part of a file a request asks for, by RFC 9110. One part at a time; whoever asks for several gets all."""

from __future__ import annotations

import re
from typing import NamedTuple

_ONE = re.compile(r"bytes=[ \t]*(\d{0,19})-(\d{0,19})[ \t]*", re.IGNORECASE)


class Part(NamedTuple):
    """Bytes from ``start`` to before ``end``."""

    start: int
    end: int


class Unsatisfiable(ValueError):
    """A part that lies behind the end."""


def wanted(header: str | None, if_range: str | None, etag: str, size: int) -> Part | None:
    """The part that is asked for; ``None`` for everything.

    Raises:
        Unsatisfiable: there is no such part.
    """
    # Only the same bytes may be gone on with; a date, or a weak tag, does not say that they are.
    if header is None or (if_range is not None and if_range.strip() != etag):
        return None
    match = _ONE.fullmatch(header.strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start = int(match[1])
        end = min(size, int(match[2]) + 1) if match[2] else size
        if match[2] and int(match[2]) < start:
            return None
    if start >= size or start >= end:
        raise Unsatisfiable
    return Part(start, end)
