"""Put chosen plugins in place of the installed ones, so that a test depends on nothing else."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from .. import builtin, hookspecs
from .. import plugins as process_wide
from .._known import INSTALLS
from .._plugkit.plugins import PluginManager

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def only_plugins(*plugins: object) -> Iterator[PluginManager]:
    """dlm with its own offers and ``plugins`` (modules, or objects with hook methods), and none of those installed.

    Example::

        class Refusing:
            @hookimpl
            def dlm_refuse_training(self, plan):
                return ["not on a Friday: try tomorrow"]

        with only_plugins(Refusing()):
            ...
    """
    chosen = PluginManager(hookspecs.PROJECT, hookspecs, INSTALLS)
    chosen.register(builtin, name="builtin")
    for plugin in plugins:
        chosen.register(plugin)
    chosen.check_pending()
    before = process_wide.manager
    process_wide.manager = lambda: chosen  # type: ignore[assignment]
    try:
        yield chosen
    finally:
        process_wide.manager = before
