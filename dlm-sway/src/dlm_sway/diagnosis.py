"""What is installed, for ``sway doctor``. Looks without importing: a broken torch must not break the diagnosis."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._plugkit.plugins import PluginManager

EXTRAS: Final = {
    "api": ("httpx", "tenacity"),
    "dlm": ("dlm",),
    "hf": ("torch", "transformers", "peft"),
    "mlx": ("mlx", "mlx_lm"),
    "pytest": ("pytest",),
    "semsim": ("sentence_transformers", "sklearn"),
    "style": ("spacy", "textstat", "nlpaug"),
    "viz": ("plotly",),
}
"""Modules that each extra brings."""

_HOOKS: Final = ("dlm_sway_commands", "dlm_sway_backends", "dlm_sway_probes", "dlm_sway_reports")


def diagnose(manager: PluginManager) -> dict[str, Any]:
    """Versions, plugins and problems, as JSON data."""
    owners = packages_distributions()
    return {
        "sway_version": _version("dlm-sway"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "extras": {extra: {name: _module(name, owners) for name in names} for extra, names in EXTRAS.items()},
        "plugins": [row._asdict() for row in manager.plugins()],
        "findings": list(_findings(manager)),
    }


def _findings(manager: PluginManager) -> Iterator[str]:
    offered = {hook: manager.offers(hook) for hook in _HOOKS}
    for failure in manager.failures:
        yield (
            f"plugin {failure.name!r} ({failure.distribution}) failed to load: {failure.error}: "
            f"repair it, uninstall it, or set DLM_SWAY_BLOCK={failure.name}"
        )
    for hook, names in offered.items():
        kind = hook.removeprefix("dlm_sway_").removesuffix("s")
        for name, offers in names.items():
            if len(offers) > 1:
                sources = " and ".join(sorted(offer.source for offer in offers))
                yield f"the {kind} {name!r} is offered by {sources}: uninstall one, or set DLM_SWAY_BLOCK"
    for name, offers in offered["dlm_sway_backends"].items():
        absent = [module for module in getattr(offers[0].entry, "requires", ()) if find_spec(module) is None]
        if absent:
            yield f"the backend {name!r} needs {', '.join(absent)}: pip install 'dlm-sway[{name}]'"
    if not offered["dlm_sway_backends"]:
        yield "no scoring backend is installed, so no model can be judged: pip install 'dlm-sway[hf]'"


def _module(name: str, owners: Mapping[str, list[str]]) -> str | None:
    """Version of the distribution that brings ``name``, or ``None`` when it cannot be imported."""
    if find_spec(name) is None:
        return None
    # Editable installs list no modules; ours are named like their distribution.
    return _version(owners.get(name, [name])[0])


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
