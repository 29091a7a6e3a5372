"""What a sway plugin can register."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ._plugkit.entries import Entry


@dataclass(frozen=True, kw_only=True)
class CommandEntry(Entry):
    """A ``sway`` subcommand; the target is a :class:`click.Command`."""


@dataclass(frozen=True, kw_only=True)
class BackendEntry(Entry):
    """A scoring backend; the target is a :class:`dlm_sway.Backend` subclass."""

    gives: frozenset[str] = frozenset()
    """A subset of ``{"compare", "generate", "inspect", "null", "scale", "texts"}``, matched against
    :attr:`ProbeEntry.needs`."""

    requires: tuple[str, ...] = ()
    """Modules that must be importable; looked up without importing them."""

    alone: bool = False
    """Whether it reads one model by itself too (:meth:`dlm_sway.Backend.alone`), so that a suite may compare that with
    a model of another kind."""

    served: bool = False
    """Whether ``models.*.base`` is the name of a model at ``models.*.endpoint``, rather than a place on this disk."""

    adapter_files: bool = False
    """Whether ``models.*.adapter`` may be a file as well as a folder."""


@dataclass(frozen=True, kw_only=True)
class ProbeEntry(Entry):
    """A probe; the target is a :class:`dlm_sway.Probe` subclass."""

    category: Literal["adherence", "attribution", "calibration", "ablation", "baseline"]
    needs: frozenset[str] = frozenset()
    """Backend capabilities the probe calls."""
    seeks: Literal["change", "harm", "neither"] = "change"
    """``change``: passes when training did something. ``harm``: passes when training broke nothing."""


@dataclass(frozen=True, kw_only=True)
class QuantiserEntry(Entry):
    """A way to hold a base's weights in fewer bits; what the target is, the backend says that loads the base: for
    ``hf``, a :class:`dlm_hf.quantising.Quantiser` subclass, made without arguments."""

    libraries: tuple[str, ...] = ()
    """Distributions whose versions decide how weights are rounded: other ones mean other numbers."""


@dataclass(frozen=True, kw_only=True)
class ReportEntry(Entry):
    """A report writer; the target is a callable ``(result: dict) -> str``."""

    endings: tuple[str, ...] = ()
    """How its files end, such as ``.md``: ``--out`` finds the format by it."""
    needs_file: bool = False
    """Whether it is too long to be printed."""


@dataclass(frozen=True, kw_only=True)
class RemoteEntry(Entry):
    """A way to have a server judge a suite; its name is the scheme of the server's addresses. The target is a callable
    ``(address: str, suite: dict, name: str, weights: dict | None) -> dict``: from a suite whose paths are absolute, and
    what it is called, to the data of the result JSON. It raises :class:`dlm_sway.errors.Unreachable` where asking again
    later may help, and another :class:`dlm_sway.errors.SwayError` where it will not."""
