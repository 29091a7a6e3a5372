"""Find plugins, survive the broken ones, and resolve what the others offer.

A plugin is a small module named by an entry point. Importing it must be cheap: it only *describes* what it offers, as
entries whose ``target`` is imported on first use. What the entries mean belongs to each core, not here.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, NamedTuple

import pluggy

from .errors import PluginConflict, PluginUnavailable, UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import ModuleType

    from .entries import Entry


class PluginFailure(NamedTuple):
    """A plugin that is installed but could not be loaded, or raised when it was asked."""

    name: str
    distribution: str
    error: Exception


class Offer(NamedTuple):
    """An entry together with the plugin that made it."""

    entry: Entry
    source: str


class PluginInfo(NamedTuple):
    """One row of the ``plugins`` command."""

    name: str
    distribution: str
    version: str
    location: str
    hooks: tuple[str, ...]
    load_ms: float
    failure: str | None


class PluginManager(pluggy.PluginManager):
    """pluggy's manager, plus failure isolation and lazy lookup by name.

    ``<PROJECT>_BLOCK=a,b`` leaves plugins out, ``<PROJECT>_NO_PLUGINS=1`` all of them; ``<PROJECT>_STRICT=1`` turns a
    plugin's failure into its own exception, which is what CI and plugin authors want; ``<PROJECT>_TRACE=1`` prints
    every hook call to standard error.
    """

    def __init__(self, project: str, specs: ModuleType, installs: Mapping[tuple[str, str], str] | None = None) -> None:
        super().__init__(project)
        self.add_hookspecs(specs)
        self.failures: list[PluginFailure] = []
        self._prefix = project.upper()
        self._installs = dict(installs or {})
        self._points: dict[str, EntryPoint] = {}
        self._load_ms: dict[str, float] = {}
        self._offers: dict[str, dict[str, list[Offer]]] = {}
        self._muted: set[tuple[str, str]] = set()
        if os.environ.get(f"{self._prefix}_TRACE") == "1":
            self.add_hookcall_monitoring(_print_call, lambda *_: None)

    def load(self) -> None:
        """Load every installed plugin, in name order, keeping going on failure."""
        if os.environ.get(f"{self._prefix}_NO_PLUGINS") == "1":
            return
        for name in os.environ.get(f"{self._prefix}_BLOCK", "").split(","):
            if name.strip():
                self.set_blocked(name.strip())
        for point in sorted(entry_points(group=self.project_name), key=lambda p: p.name):
            if not self.is_blocked(point.name):
                self._points[point.name] = point
                started = time.perf_counter()
                with self._surviving(point.name):
                    self._load_one(point)
                self._load_ms[point.name] = (time.perf_counter() - started) * 1000

    def offers(self, hook: str) -> dict[str, list[Offer]]:
        """Everything registered through ``hook``, by name, sorted. Imports no target."""
        if hook not in self._offers:
            found: dict[str, list[Offer]] = {}
            for impl in getattr(self.hook, hook).get_hookimpls():
                with self._surviving(impl.plugin_name):
                    for entry in impl.function():
                        found.setdefault(entry.name, []).append(Offer(entry, self.source(impl.plugin_name)))
            self._offers[hook] = dict(sorted(found.items()))
        return self._offers[hook]

    def entry(self, hook: str, name: str) -> Offer:
        """The one offer of ``name``.

        Raises:
            UnknownName: nobody offers it.
            PluginConflict: more than one distribution does.
        """
        offers = self.offers(hook).get(name, [])
        kind = hook.removeprefix(f"{self.project_name}_").removesuffix("s").replace("_", " ")
        if not offers:
            raise UnknownName(kind, name, list(self.offers(hook)), self.failures, self._installs.get((hook, name)))
        if len(offers) > 1:
            raise PluginConflict(kind, name, [offer.source for offer in offers], f"{self._prefix}_BLOCK")
        return offers[0]

    def resolve(self, hook: str, name: str) -> Any:
        """Import and return the one object registered as ``name``.

        Raises:
            UnknownName, PluginConflict: see :meth:`entry`.
            PluginUnavailable: its target cannot be imported.
        """
        entry, source = self.entry(hook, name)
        module, _, attribute = entry.target.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            if os.environ.get(f"{self._prefix}_STRICT") == "1":
                raise
            raise PluginUnavailable(name, source, error) from error

    def notify(self, hook: str, warn: Callable[[str], None] = lambda _: None, /, **arguments: Any) -> None:
        """Tell observers that something happened.

        An observer that raises is reported once through ``warn`` and muted for the rest of the process: it can neither
        stop the run nor change its result.
        """
        for impl in getattr(self.hook, hook).get_hookimpls():
            if (hook, impl.plugin_name) in self._muted:
                continue
            try:
                impl.function(*(arguments[name] for name in impl.argnames))
            except Exception as error:
                if os.environ.get(f"{self._prefix}_STRICT") == "1":
                    raise
                self._muted.add((hook, impl.plugin_name))
                warn(f"plugin {impl.plugin_name!r} failed in {hook} and is muted: {type(error).__name__}: {error}")

    def source(self, plugin_name: str) -> str:
        """``distribution version`` of a plugin, for messages."""
        point = self._points.get(plugin_name)
        if point is None:
            return plugin_name
        return f"{point.dist.name} {point.dist.version}" if point.dist else point.value

    def plugins(self) -> list[PluginInfo]:
        """Every installed plugin, loaded or failed, in name order."""
        failed = {failure.name: failure.error for failure in self.failures}
        rows = []
        for name, point in self._points.items():
            plugin = self.get_plugin(name)
            hooks = tuple(sorted(c.name for c in (self.get_hookcallers(plugin) or []))) if plugin is not None else ()
            error = failed.get(name)
            rows.append(
                PluginInfo(
                    name=name,
                    distribution=point.dist.name if point.dist else point.value,
                    version=point.dist.version if point.dist else "",
                    location=str(point.dist.locate_file("")) if point.dist else "",
                    hooks=hooks,
                    load_ms=round(self._load_ms.get(name, 0.0), 2),
                    failure=f"{type(error).__name__}: {error}" if error is not None else None,
                )
            )
        return rows

    def _load_one(self, point: EntryPoint) -> None:
        plugin = point.load()
        self.register(plugin, name=point.name)
        unknown = [
            caller.name
            for caller in self.get_hookcallers(plugin) or ()
            for impl in caller.get_hookimpls()
            if impl.plugin is plugin and not caller.has_spec() and not impl.optionalhook
        ]
        if unknown:
            self.unregister(plugin)
            raise PluginUnavailable(point.name, self.source(point.name), f"it needs a newer core, for {unknown[0]}")

    @contextmanager
    def _surviving(self, name: str) -> Iterator[None]:
        """Record a plugin's exception instead of letting it end the program."""
        try:
            yield
        except Exception as error:
            if os.environ.get(f"{self._prefix}_STRICT") == "1":
                raise
            self.failures.append(PluginFailure(name, self.source(name), error))


def _print_call(hook_name: str, methods: Sequence[pluggy.HookImpl], kwargs: Mapping[str, object]) -> None:
    sys.stderr.write(f"hook {hook_name}({', '.join(kwargs)}) -> {[m.plugin_name for m in methods]}\n")
