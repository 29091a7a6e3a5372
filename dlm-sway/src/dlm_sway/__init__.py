"""sway: differential tests for fine-tuned language models.

``import dlm_sway`` costs nothing beyond this file; names load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .hookspecs import hookimpl as hookimpl
    from .probes.base import Measurement as Measurement
    from .probes.base import Probe as Probe
    from .probes.base import ProbeContext as ProbeContext
    from .probes.base import ProbeSpec as ProbeSpec
    from .result import ProbeResult as ProbeResult
    from .result import Verdict as Verdict
    from .scoring.backend import Backend as Backend
    from .scoring.types import Item as Item
    from .scoring.types import View as View
    from .sections import SectionData as SectionData
    from .suite.run import run as run

_HOME = {
    "Backend": "scoring.backend",
    "Item": "scoring.types",
    "Measurement": "probes.base",
    "Probe": "probes.base",
    "ProbeContext": "probes.base",
    "ProbeSpec": "probes.base",
    "ProbeResult": "result",
    "SectionData": "sections",
    "Verdict": "result",
    "View": "scoring.types",
    "hookimpl": "hookspecs",
    "run": "suite.run",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
