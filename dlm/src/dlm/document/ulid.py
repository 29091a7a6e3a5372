"""ULIDs, the names of documents: 48 bits of milliseconds and 80 random bits in Crockford's base 32."""

from __future__ import annotations

import re
import secrets
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ULID_PATTERN = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"


def new_ulid() -> str:
    """A fresh ULID; its random part comes from the operating system."""
    number = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def valid_ulid(text: str) -> bool:
    """26 upper-case digits, the first at most 7 (else it would be more than 128 bits)."""
    return re.fullmatch(ULID_PATTERN, text) is not None
