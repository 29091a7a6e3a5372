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
    """The backend that ``models.ft.kind`` names; one of two halves where two models of different kinds are compared;
    or one that has no model where no probe asks for any.

    Raises:
        PluginError: it cannot be imported, or lacks a library.
        TargetError: it cannot be half of a comparison.
    """
    models = loaded.suite.models
    pair = ModelPair(models.base, models.ft, loaded.suite.defaults.differential)
    if not any(planned.entry.needs for planned in loaded.probes if planned.probe.spec.enabled):
        return Chosen(NoModel(pair, loaded.suite.defaults), frozenset())
    if models.base.kind != models.ft.kind and not pair.differential:
        return _apart(pair, loaded, manager)
    offered = _offered(models.ft.kind, manager)
    return Chosen(offered.backend(pair, loaded.suite.defaults), offered.gives, offered.source)


class _Offered(NamedTuple):
    backend: type[Backend]
    gives: frozenset[str]
    source: str


def _offered(kind: str, manager: PluginManager) -> _Offered:
    offer = manager.entry("dlm_sway_backends", kind)
    absent = [module for module in getattr(offer.entry, "requires", ()) if find_spec(module) is None]
    if absent:
        cause = f"{', '.join(absent)} not installed: pip install 'dlm-sway[{kind}]'"
        raise PluginUnavailable(kind, offer.source, cause)
    backend: type[Backend] = manager.resolve("dlm_sway_backends", kind)
    return _Offered(backend, getattr(offer.entry, "gives", frozenset()), offer.source)


def _apart(pair: ModelPair, loaded: LoadedSuite, manager: PluginManager) -> Chosen:
    """Each side by its own kind's backend."""
    from ..scoring.apart import GIVES, Apart

    defaults = loaded.suite.defaults
    sides = (pair.base, pair.ft)
    offers = [_offered(side.kind, manager) for side in sides]
    halves = [offer.backend.alone(side, defaults) for offer, side in zip(offers, sides, strict=True)]
    gives = GIVES.intersection(*(offer.gives for offer in offers))
    return Chosen(Apart(pair, defaults, *halves), gives, ", ".join(dict.fromkeys(offer.source for offer in offers)))
