"""The suite whose models are asked, and a session to ask them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..scoring.session import Session, asking
from ..suite.choosing import Chosen, choose

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager
    from ..spec.load import LoadedSuite


@contextmanager
def opened(
    loaded: LoadedSuite, manager: PluginManager, *, cache: bool, say: Callable[[str], None]
) -> Iterator[Session]:
    """The models of ``loaded``, ready to be compared."""
    chosen: Chosen = choose(loaded, manager)
    try:
        with asking(chosen.backend, cache=cache, trace=None, say=say) as session:
            yield session
    finally:
        chosen.backend.close()


def fresh_name(wanted: str, loaded: LoadedSuite) -> str:
    """``wanted``, with a number where an entry of the suite has that name already."""
    taken = {planned.probe.spec.name for planned in loaded.probes}
    numbered = (f"{wanted} {number}" for number in range(2, len(taken) + 3))
    return next(name for name in (wanted, *numbered) if name not in taken)
