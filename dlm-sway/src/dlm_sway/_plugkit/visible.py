# Copied from plugkit/ by tools/sync_plugkit.py: edit it there.
"""Text of a stranger as a terminal may show it."""

from __future__ import annotations

_KEPT = {0x09, 0x0A}
_TURNING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
"""What makes a terminal write from right to left, whatever the letters are."""
_CONTROLS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0), *_TURNING} - _KEPT, "\ufffd")
_BLANK = {0xA0, 0x115F, 0x1160, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x2800, 0x3000, 0x3164, 0xFFA0}
"""What looks like a space: where a terminal goes on below, it would begin a line as we do."""
_IN_A_LINE = _CONTROLS | dict.fromkeys({*_KEPT, 0x2028, 0x2029}, "\ufffd") | dict.fromkeys(_BLANK, " ")


def visible(text: str) -> str:
    """Without what would move the cursor, set colours or turn the line around: nobody may write over what is told."""
    return text.translate(_CONTROLS)


def in_a_line(text: str) -> str:
    """As :func:`visible`, of what stands in one line: nobody may add a line that looks like one of ours."""
    return text.translate(_IN_A_LINE)
