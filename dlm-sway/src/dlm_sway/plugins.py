"""The process-wide plugin manager."""

from __future__ import annotations

from functools import cache

from . import builtin, hookspecs
from ._known import INSTALLS
from ._plugkit.plugins import PluginManager


@cache
def manager() -> PluginManager:
    """sway's plugin manager, with every installed plugin loaded."""
    found = PluginManager(hookspecs.PROJECT, hookspecs, INSTALLS)
    found.register(builtin, name="builtin")
    found.load()
    return found
