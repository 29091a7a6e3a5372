"""What AMD's programs and the Linux kernel print, read into one shape. Nothing is run here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from . import processors

MIB = 2**20
NOTHING = ("", "N/A", "None", "unknown")
GFX = re.compile(r"gfx[0-9a-f]{3,5}")


@dataclass(frozen=True)
class Gpu:
    """One AMD GPU."""

    name: str
    """As it is sold, or its architecture where nobody says."""
    architecture: str
    """``gfx1100``; empty where the program does not say."""
    memory: int | None = None
    """Bytes of its own."""
    memory_free: int | None = None


def amd_smi(static: str, metric: str = "") -> list[Gpu]:
    """From ``amd-smi static --asic --vram --json`` and ``amd-smi metric --mem-usage --json``."""
    used = {row.get("gpu"): _within(row, "mem_usage") for row in _rows(metric)}
    found = []
    for row in _rows(static):
        asic, vram = _within(row, "asic"), _within(row, "vram")
        architecture = _gfx(asic.get("target_graphics_version"))
        usage = used.get(row.get("gpu"), {})
        found.append(
            Gpu(
                name=_said(asic.get("market_name")) or architecture or "an AMD GPU",
                architecture=architecture,
                memory=_mebibytes(vram.get("size")) or _mebibytes(usage.get("total_vram")),
                memory_free=_mebibytes(usage.get("free_vram")),
            )
        )
    return found


def rocm_smi(text: str) -> list[Gpu]:
    """From ``rocm-smi --showproductname --showmeminfo vram --json``. Older versions have no architecture in it, and
    write ``Card series`` with a small letter."""
    said = _json(text)
    cards = said if isinstance(said, dict) else {}
    found = []
    for key in sorted((key for key in cards if re.fullmatch(r"card\d+", key)), key=lambda key: int(key[4:])):
        card = {str(name).lower(): value for name, value in _within(cards, key).items()}
        total, used = _number(card.get("vram total memory (b)")), _number(card.get("vram total used memory (b)"))
        architecture = _gfx(card.get("gfx version"))
        found.append(
            Gpu(
                name=_said(card.get("card series")) or architecture or "an AMD GPU",
                architecture=architecture,
                memory=total,
                memory_free=max(0, total - used) if total is not None and used is not None else None,
            )
        )
    return found


def rocminfo(text: str) -> list[Gpu]:
    """From ``rocminfo``: one block an agent; those of the kind ``GPU`` count, with their largest pool of memory."""
    found = []
    for block in re.split(r"^Agent \d+\s*$", text, flags=re.MULTILINE)[1:]:
        if re.search(r"^\s*Device Type:\s*GPU\s*$", block, re.MULTILINE) is None:
            continue
        architecture = _gfx(_field(block, "Name"))
        pools = [int(size) * 1024 for size in re.findall(r"^\s*Size:\s*(\d+)\(0x[0-9a-f]+\) KB", block, re.MULTILINE)]
        name = _said(_field(block, "Marketing Name")) or architecture
        found.append(Gpu(name, architecture, max(pools, default=0) or None))
    return found


def kernel(properties: str, banks: tuple[str, ...] = ()) -> Gpu | None:
    """From a node of ``/sys/class/kfd/kfd/topology/nodes`` and its banks of memory; ``None`` for a processor's."""
    fields = _fields(properties)
    architecture = processors.named(fields.get("gfx_target_version", 0))
    if not architecture:
        return None
    sizes = [_fields(bank).get("size_in_bytes", 0) for bank in banks]
    return Gpu(architecture, architecture, sum(sizes) or None)


def _fields(text: str) -> dict[str, int]:
    pairs = (line.split(maxsplit=1) for line in text.splitlines() if " " in line.strip())
    return {name: int(value) for name, value in pairs if value.strip().isdecimal()}


def _field(block: str, name: str) -> str:
    match = re.search(rf"^\s*{re.escape(name)}:[ \t]*(.*)$", block, re.MULTILINE)
    return match[1].strip() if match else ""


def _json(text: str) -> Any:
    # Warnings of the driver may stand before it.
    start = min((at for at in (text.find("{"), text.find("[{"), text.find("[\n")) if at >= 0), default=0)
    try:
        return json.loads(text[start:])
    except ValueError:
        return None


def _rows(text: str) -> list[dict[str, Any]]:
    """A row a GPU: the list itself, or what newer versions put under ``gpu_data``."""
    said = _json(text)
    if isinstance(said, dict):
        said = said.get("gpu_data", [said] if "gpu" in said else [])
    return [row for row in said if isinstance(row, dict)] if isinstance(said, list) else []


def _within(row: dict[str, Any], name: str) -> dict[str, Any]:
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def _said(value: object) -> str:
    text = str(value).strip() if value is not None else ""
    return "" if text in NOTHING else text


def _gfx(value: object) -> str:
    match = GFX.match(str(value).strip().lower())
    return match[0] if match else ""


def _number(value: object) -> int | None:
    text = str(value).strip()
    return int(text) if text.isdecimal() else None


def _mebibytes(value: object) -> int | None:
    """``{"value": 16368, "unit": "MB"}``: the unit says MB and means 2^20 bytes."""
    said = value.get("value") if isinstance(value, dict) else str(value).partition(" ")[0]
    number = _number(said)
    return number * MIB if number is not None else None
