"""What this distribution raises by itself; each face makes its core's own error of it."""

from __future__ import annotations


class Unusable(Exception):
    """An adapter or a base that MLX cannot take exactly; the message says why and what to do."""
