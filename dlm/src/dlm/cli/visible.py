"""Text of a document as a terminal may show it."""

from __future__ import annotations

_CONTROLS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {0x09, 0x0A}, "\ufffd")


def visible(text: str) -> str:
    """Without what would move the cursor or set colours: a stranger's document must not write over what is told."""
    return text.translate(_CONTROLS)
