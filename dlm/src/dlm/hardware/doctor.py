"""One look at everything a training depends on: software, machine, disk, and, for a document, its plan."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .machine import disk_free

if TYPE_CHECKING:
    from pathlib import Path

    from .._plugkit.plugins import PluginInfo, PluginManager
    from ..document import Document
    from ..entries import BackendEntry
    from ..training.resolve import TrainOptions
    from .accelerator import Remark
    from .capabilities import Capabilities
    from .forecast import Forecast

LITTLE_DISK = 2_000_000_000
"""Bytes that a small base and some versions fill."""


class BackendState(NamedTuple):
    """One backend that is offered."""

    name: str
    source: str
    missing: tuple[str, ...]
    """Modules that it needs and that are not installed."""


@dataclass(frozen=True)
class Checkup:
    """What the doctor found."""

    version: str
    python: str
    home: Path
    disk_free: int | None
    plugins: tuple[PluginInfo, ...]
    backends: tuple[BackendState, ...]
    chosen: str | None
    """The backend that trains; ``None`` when none can be used."""
    capabilities: Capabilities
    remarks: tuple[Remark, ...]
    forecast: Forecast | None = None

    @property
    def fine(self) -> bool:
        """Nothing refuses, and nothing needed is missing."""
        refused = self.forecast is not None and self.forecast.refused
        return not refused and not any(remark.level == "fail" for remark in self.remarks)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        found = self.capabilities
        return {
            "ok": self.fine,
            "dlm": self.version,
            "python": self.python,
            "home": str(self.home),
            "disk_free_bytes": self.disk_free,
            "plugins": [{**row._asdict(), "hooks": list(row.hooks)} for row in self.plugins],
            "backends": [{**row._asdict(), "missing": list(row.missing)} for row in self.backends],
            "backend": self.chosen,
            "capabilities": {
                **asdict(found),
                "determinism": found.determinism._asdict(),
                "lacking": [one._asdict() for one in found.lacking],
                "tier": found.device.tier,
            },
            "remarks": [remark._asdict() for remark in self.remarks],
            "plan": self.forecast.as_json() if self.forecast else None,
        }


def examine(
    home: Path, doc: Path | None = None, options: TrainOptions | None = None, *, measure: bool = False
) -> Checkup:
    """Look at this machine and, with ``doc``, at what a training of it would take. Writes nothing.

    Raises:
        DocumentError: the document cannot be read.
        DlmError: something that its plan needs is damaged.
    """
    from importlib.metadata import version

    from ..plugins import manager
    from ..training.choose import chosen
    from ..training.resolve import TrainOptions

    plugins = manager()
    backends = _backends(plugins)
    name = chosen("train") if any(not backend.missing for backend in backends) else None
    backend = plugins.resolve("dlm_backends", name)() if name else None
    capabilities = _capabilities(backend, plugins)
    document, forecast = None, None
    if doc is not None:
        from ..document import read
        from .forecast import foresee

        document = read(doc)
        if backend is not None:
            forecast = foresee(document, home, backend, capabilities, options or TrainOptions(), measure=measure)
    return Checkup(
        version=version("dlm"),
        python=f"{platform.python_version()} in {sys.prefix}",
        home=home,
        disk_free=disk_free(home),
        plugins=tuple(plugins.plugins()),
        backends=backends,
        chosen=name,
        capabilities=capabilities,
        remarks=tuple(_remarks(home, document, backends, plugins)),
        forecast=forecast,
    )


def _backends(plugins: PluginManager) -> tuple[BackendState, ...]:
    from ..training.choose import missing

    found = []
    for name, offers in plugins.offers("dlm_backends").items():
        for offer in offers:
            entry = cast("BackendEntry", offer.entry)
            if "train" in entry.tasks:
                found.append(BackendState(name, offer.source, tuple(missing(entry))))
    return tuple(found)


def _capabilities(backend: Any, plugins: PluginManager) -> Capabilities:
    from dataclasses import replace

    from .accelerator import Accelerator
    from .capabilities import processor_only

    found: Capabilities = backend.hardware() if backend is not None else processor_only()
    names = plugins.offers("dlm_accelerators")
    offered = [cast("Accelerator", plugins.resolve("dlm_accelerators", name)) for name in names]
    # The first device trains, and only the backend knows which that is. Of a kind that it uses, it has named them all.
    used = {device.tier for device in found.devices if device.tier != "cpu"}
    seen = [device for one in offered for device in one.probe() if device.tier not in used]
    return replace(found, devices=(*found.devices, *seen))


def _remarks(
    home: Path, document: Document | None, backends: tuple[BackendState, ...], plugins: PluginManager
) -> list[Remark]:
    from ..training.choose import INSTALL
    from .accelerator import Remark

    found = []
    if not any(not backend.missing for backend in backends):
        lacks = "; ".join(f"{one.name} lacks {', '.join(one.missing)}" for one in backends)
        found.append(Remark("fail", f"no backend can train{': ' + lacks if lacks else ''}", INSTALL))
    for row in plugins.plugins():
        if row.failure:
            what = f"plugin {row.name} ({row.distribution}) failed: {row.failure}"
            found.append(Remark("note", what, f"install it again, or leave it out with DLM_BLOCK={row.name}"))
    found += _disk(home)
    for name in plugins.offers("dlm_checks"):
        found += list(plugins.resolve("dlm_checks", name)(home, document))
    return found


def _disk(home: Path) -> list[Remark]:
    from .accelerator import Remark
    from .estimate import gigabytes

    found = []
    place = next((place for place in (home, *home.parents) if place.exists()), home)
    if not os.access(place, os.W_OK):
        found.append(Remark("fail", f"{home} cannot be written", "choose another folder: DLM_HOME=FOLDER"))
    free = disk_free(home)
    if free is not None and free < LITTLE_DISK:
        what = f"only {gigabytes(free)} of disk are free for bases and versions in {home}"
        found.append(Remark("note", what, "make room, or choose another folder: DLM_HOME=FOLDER"))
    return found
