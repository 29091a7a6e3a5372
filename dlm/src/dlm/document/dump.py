"""Plain data as YAML text that reads back as the same data."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from .identity import BLANKS


def entry_lines(key: str, value: Any, indent: int = 0) -> list[str]:
    """``key: value`` in block style, each line indented by ``indent`` blanks.

    Lists of plain values are written in brackets, and text of several lines as a ``|`` block where that reads back.
    """
    lines = _dumped({key: _styled(value)}).rstrip("\n").split("\n")
    return [" " * indent + line if line else line for line in lines]


def inline(value: Any) -> str:
    """``value`` on one line, as it may stand inside brackets."""
    flow = _in_brackets(value)
    # A map that is alone in a list would lose its braces.
    return _dumped({"k": flow})[2:].strip() if isinstance(value, Mapping) else _dumped(_flow([flow])).strip()[1:-1]


def _dumped(value: Any) -> str:
    from io import StringIO

    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = sys.maxsize
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()


def _styled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _styled(inner) for key, inner in value.items()} if value else _flow({})
    if isinstance(value, Sequence) and not isinstance(value, str):
        nested = any(isinstance(item, Mapping | Sequence) and not isinstance(item, str) for item in value)
        return [_styled(item) for item in value] if nested else _flow([_quoted(item) for item in value])
    return _text(value) if isinstance(value, str) else value


def _in_brackets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _flow({key: _in_brackets(inner) for key, inner in value.items()})
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _flow([_in_brackets(item) for item in value])
    return _quoted(value)


def _flow(value: Any) -> Any:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    made = CommentedMap(value) if isinstance(value, Mapping) else CommentedSeq(value)
    made.fa.set_flow_style()
    return made


def _text(value: str) -> Any:
    from ruamel.yaml.scalarstring import LiteralScalarString

    lines = value.split("\n")
    plain = all(line == line.rstrip(BLANKS) and line.isprintable() for line in lines)
    if len(lines) > 1 and plain and lines[0] and not lines[0].startswith(" ") and lines[-2:] != ["", ""]:
        return LiteralScalarString(value)
    return _quoted(value)


def _quoted(value: Any) -> Any:
    """Text with line ends or control characters in double quotes, where every character can be written."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    escapes = isinstance(value, str) and not value.isprintable()
    return DoubleQuotedScalarString(value) if escapes else value
