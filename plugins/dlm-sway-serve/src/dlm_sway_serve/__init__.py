"""sway over HTTP, with models that stay loaded. ``import dlm_sway_serve`` costs nothing beyond this file.

:mod:`.command` starts :mod:`.serving`. A request passes :mod:`.guard` (who may ask, and how much), :mod:`.app` (the
endpoints), :mod:`.judge` (from a request to a result) and :mod:`.shelf` (models by what they hold). :mod:`.client` is
the other end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import ServeClient as ServeClient
    from .client import ServeError as ServeError

__all__ = ["ServeClient", "ServeError"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from . import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
