"""How a pack gets to another machine and back: what a plugin implements for ``dlm push`` and ``dlm pull``.

A transport moves bytes and knows its own addresses. It neither makes packs nor judges them: everything that it fetches
is held against its own digests and the policy on signatures before any of it is put in place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ..errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from .manifest import PackManifest

PACK_FILE = "adapter.dlm.pack"
"""What a pack is called in a place that holds one document."""
SIDECARS = (".sig", ".pub", ".minisig", ".minisig.pub")
"""Endings that are put behind the name of a pack: two kinds of signatures, each with the public key that made it."""


class Progress(Protocol):
    """Told how far a transfer is."""

    def __call__(self, done: int, total: int | None) -> None:
        """``done`` bytes of ``total``, which is ``None`` where nobody says."""


@dataclass(frozen=True)
class Parcel:
    """What is sent: a pack that was checked, and the signatures beside it."""

    pack: Path
    manifest: PackManifest
    digest: str
    """Of the pack: ``sha256:...``, as ``dlm verify`` prints it."""
    sidecars: Mapping[str, Path] = field(default_factory=dict)
    """By ending, one of :data:`SIDECARS`."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What only this transport knows, ``dlm push --set NAME=VALUE``; names are among its entry's."""


@dataclass(frozen=True)
class Sent:
    """Where a parcel went."""

    source: str
    """What ``dlm pull`` takes it from."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fetched:
    """What lies in the folder that :meth:`Transport.fetch` was given."""

    pack: Path
    sidecars: Mapping[str, Path] = field(default_factory=dict)
    digest: str | None = None
    """Of the pack, where the address or an authenticated sender says it. It is compared with what arrived."""
    notes: tuple[str, ...] = ()


class Transport:
    """One scheme of addresses. Made without arguments; importing its module loads nothing heavy."""

    def shown(self, place: str) -> str:
        """``place`` without what is secret in it: for messages, and to name the folder in which a pull goes on."""
        return place

    def head(self, place: str, count: int) -> bytes | None:
        """The first ``count`` bytes of the pack, or fewer; ``None`` where that takes as long as fetching it all.

        They tell what would be pulled before it is. Nobody has checked them, so all that follows from them is a
        refusal; a transport that cannot say gives ``None`` and raises nothing.
        """
        return None

    def check_send(self, place: str, settings: Mapping[str, str]) -> None:
        """Refuse, before a pack is made, a place that nothing can be sent to, and ``settings`` that make no sense.

        Raises:
            UsageProblem: it is no address of this kind, or nobody sends there.
        """
        raise UsageProblem(f"nothing can be pushed to {self.shown(place)}: `dlm pull` takes from there")

    def send(self, parcel: Parcel, place: str, *, progress: Progress, say: Callable[[str], None]) -> Sent:
        """Send ``parcel``. What a broken attempt has sent is not sent again where the other side keeps it.

        Raises:
            TransferFailed: the other side, or the way there, broke; says whether to try again.
            TransferRefused: the other side said no.
        """
        raise UsageProblem(f"nothing can be pushed to {self.shown(place)}: `dlm pull` takes from there")

    def check_fetch(self, place: str) -> None:
        """Refuse, before anything is fetched, an address that nothing can be fetched from.

        Raises:
            UsageProblem: it is none of this kind.
        """
        raise UsageProblem(f"nothing can be pulled from {self.shown(place)}: `dlm push` sends to there")

    def fetch(self, place: str, folder: Path, *, progress: Progress, say: Callable[[str], None]) -> Fetched:
        """Fetch a pack, and its signatures where there are any, into ``folder``.

        The folder is kept from one attempt to the next and belongs to this address: what a broken attempt has left
        there is gone on with, unless the other side has something else by now.

        Raises:
            TransferFailed: the other side, or the way there, broke; says whether to try again.
            TransferRefused: the other side said no.
        """
        raise UsageProblem(f"nothing can be pulled from {self.shown(place)}: `dlm push` sends to there")
