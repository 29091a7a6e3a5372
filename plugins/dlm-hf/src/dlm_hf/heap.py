"""The C library's heap, which keeps what it is given back. Needs nothing but the standard library."""

from __future__ import annotations

import ctypes
import sys


def trim() -> None:
    """Give what lies free in the heap back to the system: after a failed pass, half a gigabyte. Only glibc can."""
    if sys.platform == "linux" and (release := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        release(0)
