"""Errors about plugins. Every message says what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .plugins import PluginFailure


class PluginError(Exception):
    """Root of everything that can go wrong with a plugin."""


class UnknownName(PluginError, LookupError):
    """No installed plugin offers this name."""

    def __init__(
        self, kind: str, name: str, known: Sequence[str], failures: Sequence[PluginFailure], install: str | None
    ) -> None:
        lines = [f"no installed plugin offers the {kind} {name!r} (installed: {', '.join(known) or 'none'})"]
        lines += [f"  note: plugin {f.name!r} ({f.distribution}) failed to load: {f.error}" for f in failures]
        if install:
            lines.append(f"  install it: {install}")
        super().__init__("\n".join(lines))


class PluginConflict(PluginError):
    """Two distributions offer the same name."""

    def __init__(self, kind: str, name: str, sources: Sequence[str], block: str) -> None:
        super().__init__(
            f"the {kind} {name!r} is offered by {' and '.join(sorted(sources))}; uninstall one, or set {block} to "
            "the name of the plugin to leave out"
        )


class PluginUnavailable(PluginError, ImportError):
    """The plugin is installed, but what it offers cannot be imported."""

    def __init__(self, name: str, source: str, cause: object) -> None:
        super().__init__(f"{name!r} from {source} cannot be used: {cause}")
