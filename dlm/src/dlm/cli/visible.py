"""Text of a document as a terminal may show it."""

from __future__ import annotations

from .._plugkit.visible import in_a_line, visible

__all__ = ["in_a_line", "visible"]
