"""Which backend answers for a suite. It is made here, and loads nothing before its first question."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NamedTuple

from .._plugkit.errors import PluginUnavailable
from .no_model import NoModel
from .target import ModelPair

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager
    from ..scoring.backend import Backend
    from ..spec.load import LoadedSuite

ALL_CAPABILITIES: Final = frozenset({"compare", "generate", "inspect", "null", "scale", "texts"})


class Chosen(NamedTuple):
    """A backend, and what its plugin says about it."""

    backend: Backend
    gives: frozenset[str] = ALL_CAPABILITIES
    source: str = ""
    """``distribution version`` that offers it; empty for one that no plugin offered."""


def choose(loaded: LoadedSuite, manager: PluginManager) -> Chosen:
    """The backend that ``models.ft.kind`` names, or one that has no model where no probe asks for any.

    Raises:
        PluginError: it cannot be imported, or lacks a library.
    """
    models = loaded.suite.models
    pair = ModelPair(models.base, models.ft, loaded.suite.defaults.differential)
    if not any(planned.entry.needs for planned in loaded.probes if planned.probe.spec.enabled):
        return Chosen(NoModel(pair, loaded.suite.defaults), frozenset())
    offer = manager.entry("dlm_sway_backends", models.ft.kind)
    absent = [module for module in getattr(offer.entry, "requires", ()) if find_spec(module) is None]
    if absent:
        cause = f"{', '.join(absent)} not installed: pip install 'dlm-sway[{models.ft.kind}]'"
        raise PluginUnavailable(models.ft.kind, offer.source, cause)
    backend_type = manager.resolve("dlm_sway_backends", models.ft.kind)
    gives: frozenset[str] = getattr(offer.entry, "gives", frozenset())
    return Chosen(backend_type(pair, loaded.suite.defaults), gives, offer.source)
