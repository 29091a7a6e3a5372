"""YAML that can be pasted under ``suite:``. Numbers and origin stand in comments, so that every key is a probe's."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Final

from ..spec.source import read

_BREAKS: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
"""What YAML takes for a line break inside quotes, or allows nowhere."""


def quoted(text: str) -> str:
    """``text`` as one YAML scalar on one line."""
    return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def comment(text: str) -> str:
    """``text`` as the inside of a comment: one line of printable characters."""
    return "".join(one if one.isprintable() else " " for one in text)


def head(lines: list[str]) -> str:
    """Comment lines above what was found."""
    return "".join(f"# {comment(line)}\n" for line in lines)


def fitted(text: str, spec: Path) -> str:
    """``text``, entries that start at the left edge, indented as those of the suite ``spec`` are."""
    source = read(spec)
    line = spec.read_text(encoding="utf-8-sig").splitlines()[source.line(("suite", 0)) - 1]
    bare = line.lstrip(" ")
    return textwrap.indent(text, " " * (len(line) - len(bare)) if bare.startswith("-") else "  ")
