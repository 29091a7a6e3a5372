"""Which type of number the weights are written in when nobody says, and why."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..document import Document

SMALL = 1_000_000_000
"""Parameters below which four bits cost more of what was learned than they save."""
FOR_SMALL, FOR_LARGE = "Q8_0", "Q4_K_M"


class Quant(NamedTuple):
    """A choice, and its reason for people."""

    name: str
    why: str


def choose_quant(asked: str | None, document: Document, base: Path, offered: Sequence[str], target: str) -> Quant:
    """Among ``offered``: what was asked for, else what the document says, else what suits the size of ``base``.

    Raises:
        UsageProblem: the target does not write what is asked for; names what it does.
    """
    if asked is not None:
        return Quant(_among(asked, offered, target, f"--quant {asked}"), "--quant")
    if (written := document.frontmatter.export.default_quant) is not None:
        named = f"export.default_quant: {written} in {document.location}"
        return Quant(_among(written, offered, target, named), "the document's export.default_quant")
    count = parameters(base)
    suits, size = (FOR_SMALL, "under") if count < SMALL else (FOR_LARGE, "at least")
    if suits in offered:
        return Quant(suits, f"the base has {size} 1B parameters")
    return Quant(offered[0], f"the first that {target} writes")


def parameters(base: Path) -> int:
    """Numbers in the weights of the base in the folder ``base``."""
    return sum(
        math.prod(entry["shape"])
        for file in sorted(base.glob("*.safetensors"))
        for name, entry in header(file).items()
        if name != "__metadata__"
    )


def header(file: Path) -> dict[str, Any]:
    """What a safetensors file says of its tensors; empty for one that cannot be read."""
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            found = json.loads(stream.read(min(length, 100_000_000)))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _among(name: str, offered: Sequence[str], target: str, said: str) -> str:
    known = {one.casefold(): one for one in offered}
    if name.casefold() not in known:
        raise UsageProblem(f"{said}: the target {target} writes {', '.join(offered)}")
    return known[name.casefold()]
