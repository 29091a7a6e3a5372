"""Processor, memory and disk, from the standard library and the operating system's own files."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BF16_FLAGS = ("amx_bf16", "avx512_bf16", "sve_bf16", "svebf16", "bf16")
"""Names under which processors say that they multiply bf16."""
UNLIMITED = 1 << 60
"""Bytes from which a control group's limit is none."""


@dataclass(frozen=True)
class Machine:
    """The computer without its accelerators. ``None`` is what could not be found out."""

    system: str
    processor: str
    cores: int
    """Logical ones that this process may use."""
    bf16_units: tuple[str, ...]
    """Instructions that multiply bf16 in hardware; without them bf16 is slower than fp32."""
    memory: int | None
    """Bytes in all, or as many as the container may use."""
    memory_free: int | None
    """Bytes that can be had without swapping."""


def machine() -> Machine:
    """This computer, now."""
    total, free = _memory()
    limit, used = _container()
    if limit is not None:
        total = min(total, limit) if total is not None else limit
        left = max(0, limit - used)
        free = min(free, left) if free is not None else left
    if (own := room_of_process()) is not None:
        free = min(free, own) if free is not None else own
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=_processor(),
        cores=_cores(),
        bf16_units=_bf16_units(),
        memory=total,
        memory_free=free,
    )


def room_of_process(status: Path = Path("/proc/self/status")) -> int | None:
    """Bytes that this process may still take under limits of its own (``ulimit -d``, ``ulimit -v``); ``None`` without
    any, and where the system does not say what they count."""
    fields = meminfo(_text(status))
    if not fields:
        return None
    import resource  # not on Windows

    kinds = ((resource.RLIMIT_DATA, "VmData"), (resource.RLIMIT_AS, "VmSize"))
    limits = [(resource.getrlimit(kind)[0], fields.get(name, 0)) for kind, name in kinds]
    left = [limit - held for limit, held in limits if limit != resource.RLIM_INFINITY]
    return max(0, min(left)) if left else None


def disk_free(folder: Path) -> int | None:
    """Bytes free where ``folder`` is, or would be made."""
    for place in (folder, *folder.parents):
        if place.exists():
            try:
                return shutil.disk_usage(place).free
            except OSError:
                return None
    return None


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def _processor() -> str:
    for key in ("model name", "Model", "Hardware"):
        if found := _cpuinfo(key):
            return found
    return _output("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor() or platform.machine()


def _bf16_units() -> tuple[str, ...]:
    flags = set((_cpuinfo("flags") or _cpuinfo("Features") or "").split())
    if not flags and _output("sysctl", "-n", "hw.optional.arm.FEAT_BF16") == "1":
        return ("bf16",)
    return tuple(flag for flag in BF16_FLAGS if flag in flags)


def _cpuinfo(key: str) -> str | None:
    """The first value of ``key`` in Linux's description of the processors."""
    for line in _text(Path("/proc/cpuinfo")).splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None


def _memory() -> tuple[int | None, int | None]:
    """Bytes in all, and bytes free."""
    if fields := meminfo(_text(Path("/proc/meminfo"))):
        return fields.get("MemTotal"), fields.get("MemAvailable", fields.get("MemFree"))
    if sys.platform == "win32":
        return _windows_memory()
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None, None
    return total, mac_free(_output("vm_stat"))


def meminfo(text: str) -> dict[str, int]:
    """Bytes by name, out of Linux's ``/proc/meminfo``."""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        number, _, unit = rest.strip().partition(" ")
        if number.isdigit():
            found[name] = int(number) * (1024 if unit == "kB" else 1)
    return found


def mac_free(text: str) -> int | None:
    """Bytes that macOS could give, out of what ``vm_stat`` prints."""
    lines = text.splitlines()
    size = next((int(word) for word in lines[0].split() if word.isdigit()), 0) if lines else 0
    pages = dict(line.rsplit(":", 1) for line in lines[1:] if ":" in line)
    wanted = ("Pages free", "Pages inactive", "Pages speculative", "Pages purgeable")
    counts = [pages.get(name, "0").strip().rstrip(".") for name in wanted]
    return size * sum(int(count) for count in counts if count.isdigit()) if size else None


def _windows_memory() -> tuple[int | None, int | None]:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = [
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "d", "e", "f", "g", "h")),
        ]

    status = Status(length=ctypes.sizeof(Status))
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):  # type: ignore[attr-defined,unused-ignore]
        return None, None
    return int(status.total), int(status.free)


def _container(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> tuple[int | None, int]:
    """Limit and use of memory in the control group that this process runs in; no limit is ``None``."""
    for folder in _groups(root, own):
        for limit, used, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            most, now = _text(folder / limit).strip(), _text(folder / used).strip()
            if most.isdigit() and now.isdigit() and int(most) < UNLIMITED:
                # File pages count as used, though the kernel gives them back first.
                stat = dict(line.split(" ", 1) for line in _text(folder / "memory.stat").splitlines() if " " in line)
                return int(most), max(0, int(now) - int(stat.get(cache, "0")))
    return None, 0


def _groups(root: Path, own: Path) -> list[Path]:
    """Folders of the groups, the nearest first."""
    found = []
    for line in _text(own).splitlines():
        controllers, path = line.split(":", 2)[1:] if line.count(":") >= 2 else ("-", "")
        if controllers in ("", "memory") or "memory" in controllers.split(","):
            start = root / controllers / path.lstrip("/") if controllers else root / path.lstrip("/")
            found += [place for place in (start, *start.parents) if place.is_relative_to(root)]
    return [*found, root]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _output(*command: str) -> str:
    """What a program of the operating system prints, nothing where there is no such program."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
