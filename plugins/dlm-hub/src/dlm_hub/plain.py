"""What somebody else wrote, for a page that others read."""

from __future__ import annotations

import re
from typing import Any

_LONGEST = 200


def plain(text: Any) -> str:
    """One line that is text to whoever shows Markdown: the pack may be a stranger's."""
    return " ".join(re.sub(r"[<>`|\[\]]", " ", str(text)).split())[:_LONGEST]
