# Copied from plugkit/ by tools/sync_plugkit.py: edit it there.
"""Text of a stranger as a terminal may show it."""

from __future__ import annotations

_KEPT = {0x09, 0x0A}
_TURNING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
"""What makes a terminal write from right to left, whatever the letters are."""
_CONTROLS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0), *_TURNING} - _KEPT, "\ufffd")
_IN_A_LINE = _CONTROLS | dict.fromkeys({*_KEPT, 0x2028, 0x2029}, "\ufffd")


def visible(text: str) -> str:
    """Without what would move the cursor, set colours or turn the line around: nobody may write over what is told."""
    return text.translate(_CONTROLS)


def in_a_line(text: str) -> str:
    """As :func:`visible`, of what stands in one line: nobody may add a line that looks like one of ours."""
    return text.translate(_IN_A_LINE)
