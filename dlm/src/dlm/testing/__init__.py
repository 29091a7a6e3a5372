"""The kit for plugin authors: subclass a contract, name your plugin, run pytest.

The contracts need ``pip install 'dlm[testing]'``; the toy backend and :func:`only_plugins` need no pytest. Nothing that
dlm runs lives here, and names load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .adapters import AdaptersContract as AdaptersContract
    from .augmenter import AugmenterContract as AugmenterContract
    from .backend import BackendContract as BackendContract
    from .lessons import block as block
    from .lessons import lesson as lesson
    from .lessons import pair as pair
    from .plugins import only_plugins as only_plugins
    from .section import SectionContract as SectionContract
    from .sink import SinkContract as SinkContract
    from .startup import modules_after as modules_after
    from .toy import ToyBackend as ToyBackend
    from .toy import toy_base as toy_base
    from .toy_sink import ToySinkPlugin as ToySinkPlugin

_HOME = {
    "AdaptersContract": "adapters",
    "AugmenterContract": "augmenter",
    "BackendContract": "backend",
    "SectionContract": "section",
    "SinkContract": "sink",
    "ToyBackend": "toy",
    "ToySinkPlugin": "toy_sink",
    "block": "lessons",
    "lesson": "lessons",
    "modules_after": "startup",
    "only_plugins": "plugins",
    "pair": "lessons",
    "toy_base": "toy",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
