"""dlm: a document becomes a local language model.

``dlm.train(path)``, ``dlm.ask(path, questions)`` and ``dlm.export_to(path, target)`` are what the command line calls;
each is imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answering import ask as ask
    from .export.run import export_to as export_to
    from .training.run import train as train

_LAZY = {"train": "dlm.training.run", "ask": "dlm.answering", "export_to": "dlm.export.run"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'dlm' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
