"""Paths in a suite's text, put in the place of others. Comments and order stay as they were written."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..spec.source import Place


def rewritten(text: str, paths: Mapping[Place, str]) -> str:
    """``text``, a suite's YAML, with the values at the places of ``paths`` replaced."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = 4096  # long prompts stay on their line
    data = yaml.load(text)
    for place, value in paths.items():
        holder = data
        for part in place[:-1]:
            holder = holder[part]
        holder[place[-1]] = value
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue()
