"""The C library's heap, which keeps what it is given back. Needs nothing but the standard library."""

from __future__ import annotations

import ctypes
import sys

MMAP_THRESHOLD = -3
"""What glibc calls the option for the size from which memory is mapped."""
LARGE = 1 << 17
"""Bytes: what glibc begins with, but does not keep to unless it is told."""


def trim() -> None:
    """Give what lies free in the heap back to the system: after a failed pass, half a gigabyte. Only glibc can."""
    if sys.platform == "linux" and (release := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        release(0)


def give_back_at_once() -> None:
    """Have large tensors mapped one by one, each given back when it is freed: under a limit on what a process may map,
    the space between those that are kept would be lost. It costs time. Only glibc can."""
    if sys.platform == "linux" and (option := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        option(MMAP_THRESHOLD, LARGE)
