"""The kit for authors of probes and backends: subclass a contract, name your plugin, run pytest.

The contracts need ``pip install 'dlm-sway[testing]'``; :class:`ClosedForm` needs no pytest. Nothing that sway runs
lives here, and names load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .backend import BackendContract as BackendContract
    from .closed_form import ClosedForm as ClosedForm
    from .closed_form import context as context
    from .probe import ProbeContract as ProbeContract
    from .startup import modules_after as modules_after

_HOME = {
    "BackendContract": "backend",
    "ClosedForm": "closed_form",
    "ProbeContract": "probe",
    "context": "closed_form",
    "modules_after": "startup",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
