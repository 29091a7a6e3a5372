"""Which transport an address belongs to: its scheme says, and what has none is a path on this machine."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from ..errors import RuntimeMissing, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._plugkit.plugins import Offer
    from ..entries import TransportEntry
    from .transport import Transport

# One letter is a drive of Windows.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_HOOK = "dlm_transports"


class Route(NamedTuple):
    """An address, and who knows what it means."""

    place: str
    transport: Transport
    settings: frozenset[str] = frozenset()
    """Names that ``--set`` may have."""

    @property
    def shown(self) -> str:
        """The address without what is secret in it."""
        return self.transport.shown(self.place)


def route(place: str) -> Route:
    """Who sends to ``place`` and fetches from there.

    Raises:
        UsageProblem: it is empty, or nobody does; names the schemes there are, and the command that installs this one.
        RuntimeMissing: a module that it needs is not installed.
    """
    # A variable of the shell that was never set: the current folder is not what was meant.
    if not place.strip():
        raise UsageProblem(f"the address is empty: name {', '.join(addresses('fetches'))}")
    scheme = _SCHEME.match(place)
    if scheme is None:
        from .local import Local

        return Route(place, Local())
    from ..plugins import manager

    name = scheme[1].lower()
    entry = cast("TransportEntry", _offer(name).entry)
    return Route(place, manager().resolve(_HOOK, name)(), frozenset(entry.settings))


def require_settings(found: Route, settings: Mapping[str, str]) -> None:
    """See to it that the transport knows every one of ``settings``.

    Raises:
        UsageProblem: it does not.
    """
    if unknown := [name for name in settings if name not in found.settings]:
        known = f"it knows {', '.join(sorted(found.settings))}" if found.settings else "it knows none"
        raise UsageProblem(f"--set {unknown[0]}: nothing of that name can be said to {found.shown}: {known}")


def addresses(way: Literal["sends", "fetches"]) -> list[str]:
    """How addresses are written that can be pushed to or pulled from."""
    from ..plugins import manager

    entries = [cast("TransportEntry", offer.entry) for offers in manager().offers(_HOOK).values() for offer in offers]
    return ["a path", *(entry.address or f"{entry.name}:..." for entry in entries if getattr(entry, way))]


def _offer(name: str) -> Offer:
    from .._known import INSTALLS
    from .._plugkit.errors import UnknownName
    from ..plugins import manager

    install = INSTALLS.get((_HOOK, name))
    try:
        offer = manager().entry(_HOOK, name)
    except UnknownName as problem:
        known = ", ".join(addresses("fetches"))
        way = f"install it: {install}" if install else f"there are {known}; a file of that name is ./{name}:..."
        raise UsageProblem(f"nothing installed knows addresses that begin with {name}: ({way})") from problem
    missing = [module for module in cast("TransportEntry", offer.entry).requires if find_spec(module) is None]
    if missing:
        command = install or f"pip install -U {offer.source.partition(' ')[0]}"
        raise RuntimeMissing(f"{name}: needs {', '.join(missing)}, not installed here: {command}")
    return offer
