"""What is known of AMD's GPU architectures by their names. Facts only; what a machine really does, :mod:`.trying` sees.

Names: ``gfx`` with major version, minor version and stepping, the last two one hexadecimal digit each: ``gfx90a`` is
9.0.10, ``gfx1100`` is 11.0.0.
"""

from __future__ import annotations

import re

BF16 = ("gfx90a", "gfx94", "gfx95", "gfx11", "gfx12")
"""Beginnings of the names of those that multiply bf16 in hardware."""
INTEGRATED = ("gfx902", "gfx909", "gfx90c", "gfx1013", "gfx1033", "gfx1035", "gfx1036", "gfx1103", "gfx115")
"""Beginnings of the names of those that are part of a processor and share its memory."""
LARGE = ("gfx1151",)
"""Integrated, and fast enough to be meant for models."""
SIBLINGS = {
    "gfx900": ("gfx902", "gfx909", "gfx90c"),
    "gfx1030": ("gfx1031", "gfx1032", "gfx1033", "gfx1034", "gfx1035", "gfx1036"),
    "gfx1100": ("gfx1101", "gfx1102", "gfx1103"),
    "gfx1200": ("gfx1201",),
    "gfx1201": ("gfx1200",),
}
"""Kernels of the key run on these too: same instructions under another name. Others of a family are not listed, since
theirs differ."""
SHAPE = re.compile(r"gfx(\d{1,2})([0-9a-f])([0-9a-f])")


def multiplies_bf16(name: str) -> bool:
    """Whether ``name`` has instructions for it."""
    return name.startswith(BF16)


def integrated(name: str) -> bool:
    """Whether ``name`` is part of a processor."""
    return name.startswith(INTEGRATED)


def worth_it(name: str) -> bool:
    """Whether somebody who has ``name`` may want to train on it."""
    return not integrated(name) or name.startswith(LARGE)


def version(name: str) -> str:
    """``gfx90a`` as HSA_OVERRIDE_GFX_VERSION writes it, ``9.0.10``; empty for what is no such name."""
    match = SHAPE.fullmatch(name)
    return f"{match[1]}.{int(match[2], 16)}.{int(match[3], 16)}" if match else ""


def named(number: int) -> str:
    """The name behind the kernel's ``gfx_target_version``: 90010 is ``gfx90a``. Empty for 0, which is no GPU."""
    if number <= 0:
        return ""
    major, minor, stepping = number // 10000, number // 100 % 100, number % 100
    return f"gfx{major}{minor:x}{stepping:x}"


def behind(override: str) -> str:
    """The name that ``HSA_OVERRIDE_GFX_VERSION`` pretends: ``10.3.0`` is ``gfx1030``; empty where it is none."""
    parts = override.split(".")
    if len(parts) != 3 or not all(part.isdecimal() and len(part) <= 2 for part in parts):
        return ""
    return f"gfx{int(parts[0])}{int(parts[1]):x}{int(parts[2]):x}"


def stand_in(name: str, kernels: tuple[str, ...]) -> str:
    """The one of ``kernels`` that also runs on ``name`` though it is not meant for it; empty where none does."""
    return next((one for one in kernels if name in SIBLINGS.get(one, ())), "")


def may_pretend(name: str, other: str) -> bool:
    """Whether ``name`` runs what was built for ``other``."""
    return name == other or name in SIBLINGS.get(other, ())
