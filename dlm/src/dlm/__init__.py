"""dlm: a document becomes a local language model.

``dlm.train(path)`` and ``dlm.ask(path, questions)`` are what the command line calls; both are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answering import ask as ask
    from .training.run import train as train

_LAZY = {"train": "dlm.training.run", "ask": "dlm.answering"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'dlm' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
