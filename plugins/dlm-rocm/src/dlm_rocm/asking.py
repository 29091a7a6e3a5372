"""Which AMD GPUs this computer has: AMD's programs are asked in turn, then the kernel. PyTorch is not needed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from . import processors, reading
from .reading import Gpu

SECONDS = 20.0
"""After which a program that does not answer is left."""
NODES = Path("/sys/class/kfd/kfd/topology/nodes")
KFD = Path("/dev/kfd")
"""What every program that computes on these GPUs opens."""
FOLDERS = ("/opt/rocm/bin",)
"""Where ROCm puts its programs when it does not put them on the path."""
HIDING = ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES")
OVERRIDE = "HSA_OVERRIDE_GFX_VERSION"


@dataclass(frozen=True)
class Found:
    """What this computer has of AMD."""

    gpus: tuple[Gpu, ...] = ()
    source: str = ""
    """The program that said so."""
    openable: bool | None = None
    """Whether this user may compute on them; ``None`` where the driver is not loaded."""
    torch: str = ""
    """Version of PyTorch, empty without it."""
    hip: str = ""
    """Version of HIP that PyTorch was built for, empty where it was built for something else."""
    override: str = ""
    """``HSA_OVERRIDE_GFX_VERSION``."""
    hidden: tuple[str, ...] = ()
    """Variables that leave GPUs out, as ``NAME=VALUE``."""


@cache
def look() -> Found:
    """This computer, once a process."""
    gpus, source = ask()
    version, hip = torch_build()
    return Found(
        gpus=gpus,
        source=source,
        openable=os.access(KFD, os.R_OK | os.W_OK) if KFD.exists() else None,
        torch=version,
        hip=hip,
        override=os.environ.get(OVERRIDE, ""),
        hidden=tuple(f"{name}={os.environ[name]}" for name in HIDING if name in os.environ),
    )


def ask() -> tuple[tuple[Gpu, ...], str]:
    """The GPUs, and who named them. The first that knows every architecture; else whoever named any."""
    ways = (
        ("amd-smi", _amd_smi),
        (
            "rocm-smi",
            lambda: reading.rocm_smi(_run("rocm-smi", "--showproductname", "--showmeminfo", "vram", "--json")),
        ),
        ("rocminfo", lambda: reading.rocminfo(_run("rocminfo"))),
        ("kernel", lambda: from_kernel(NODES)),
    )
    partly: tuple[tuple[Gpu, ...], str] = ((), "")
    for source, way in ways:
        found = tuple(way())
        if found and all(gpu.architecture for gpu in found):
            return found, source
        partly = partly if partly[0] else (found, source if found else "")
    return partly


def from_kernel(nodes: Path) -> list[Gpu]:
    """By the files of the driver, which are there without any program of ROCm."""
    found = []
    for folder in sorted(nodes.glob("[0-9]*"), key=lambda one: int(one.name) if one.name.isdecimal() else 0):
        banks = tuple(_text(bank) for bank in sorted(folder.glob("mem_banks/*/properties")))
        if (gpu := reading.kernel(_text(folder / "properties"), banks)) is not None:
            found.append(gpu)
    return found


def torch_build() -> tuple[str, str]:
    """Versions of PyTorch and of the HIP that it was built for, read from its files: importing it takes seconds."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return "", ""
    text = _text(Path(spec.origin).with_name("version.py"))
    version = re.search(r"^__version__\b[^=]*=\s*['\"]([^'\"]+)", text, re.MULTILINE)
    hip = re.search(r"^hip\b[^=]*=\s*['\"]([^'\"]+)", text, re.MULTILINE)
    return version[1] if version else "of an unknown version", hip[1] if hip else ""


def as_seen(gpu: Gpu, found: Found) -> str:
    """The architecture that programs take ``gpu`` for."""
    return processors.behind(found.override) or gpu.architecture


def _amd_smi() -> list[Gpu]:
    static = _run("amd-smi", "static", "--asic", "--vram", "--json")
    return reading.amd_smi(static, _run("amd-smi", "metric", "--mem-usage", "--json") if static else "")


def _run(*command: str) -> str:
    """What a program prints; nothing where there is none, or where it fails."""
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), *FOLDERS])
    program = shutil.which(command[0], path=search)
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, *command[1:]], capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
