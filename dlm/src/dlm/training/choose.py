"""Which backend does the work."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

from .._plugkit.errors import PluginUnavailable
from ..entries import BackendEntry
from ..errors import UsageProblem

if TYPE_CHECKING:
    from .backend import Backend

INSTALL = "pip install 'dlm[hf]'"


def choose(task: str, name: str | None = None) -> Backend:
    """A backend for ``task`` (``train`` or ``generate``): the one called ``name``, or whichever suits this machine.

    Raises:
        PluginUnavailable: none is installed, or none of those installed has all it needs.
        UsageProblem: the one that was named does no such task.
    """
    from ..plugins import manager

    if name is not None:
        _require(task, name)
    backend: Backend = manager().resolve("dlm_backends", name or chosen(task))()
    return backend


def chosen(task: str) -> str:
    """Name of the backend for ``task``: what a plugin decides, else the highest priority available.

    Raises:
        PluginUnavailable: as :func:`choose`.
    """
    from ..plugins import manager

    plugins = manager()
    offers = [offer for found in plugins.offers("dlm_backends").values() for offer in found]
    entries = [cast("BackendEntry", offer.entry) for offer in offers]
    able = [entry for entry in entries if task in entry.tasks]
    ready = sorted((entry for entry in able if not missing(entry)), key=lambda entry: (-entry.priority, entry.name))
    name: str | None = plugins.hook.dlm_choose_backend(task=task, offers=tuple(ready))
    if name is None and not ready:
        raise _none(task, able)
    return name or ready[0].name


def missing(entry: BackendEntry) -> list[str]:
    """Modules that it needs and that are not installed."""
    return [module for module in entry.requires if find_spec(module) is None]


def _require(task: str, name: str) -> None:
    """That the backend ``name`` can do ``task`` here."""
    from .._known import INSTALLS
    from ..plugins import manager

    entry = cast("BackendEntry", manager().entry("dlm_backends", name).entry)
    if lacking := missing(entry):
        install = INSTALLS.get(("dlm_backends", name), f"pip install {' '.join(lacking)}")
        raise PluginUnavailable(name, "the installed backends", f"it lacks {', '.join(lacking)}: {install}")
    if task not in entry.tasks:
        raise UsageProblem(f"the backend {name} cannot {task}: it can {', '.join(sorted(entry.tasks))}; name another")


def _none(task: str, able: list[BackendEntry]) -> PluginUnavailable:
    from ..plugins import manager

    lacking = [f"{entry.name} lacks {', '.join(missing(entry))}" for entry in able]
    broken = [f"plugin {f.name} ({f.distribution}) failed to load: {f.error}" for f in manager().failures]
    why = "; ".join(lacking + broken) or "no backend is installed"
    return PluginUnavailable(f"a backend to {task}", "the installed plugins", f"{why}: {INSTALL}")
