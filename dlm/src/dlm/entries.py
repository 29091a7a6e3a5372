"""What a dlm plugin can register."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ._plugkit.entries import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class CommandEntry(Entry):
    """A ``dlm`` subcommand; the target is a :class:`click.Command`."""


@dataclass(frozen=True, kw_only=True)
class BackendEntry(Entry):
    """A model backend; the target is a :class:`dlm.training.backend.Backend` subclass, made without arguments."""

    tasks: frozenset[str] = frozenset()
    """A subset of ``{"train", "generate"}``."""

    requires: tuple[str, ...] = ()
    """Modules that must be importable; looked up without importing them."""

    priority: int = 0
    """The highest available one is chosen when nobody decides otherwise."""


@dataclass(frozen=True, kw_only=True)
class SectionEntry(Entry):
    """A section type; the target is a :class:`dlm.document.types.SectionType` instance."""


@dataclass(frozen=True, kw_only=True)
class PhaseEntry(Entry):
    """A training phase; the target is a :class:`dlm.training.phases.Phase` instance."""

    order: int = 100
    """Phases run in ascending order."""


@dataclass(frozen=True, kw_only=True)
class BaseEntry(Entry):
    """A base model; the target is a :class:`dlm.bases.BaseModel`."""


@dataclass(frozen=True, kw_only=True)
class TemplateEntry(Entry):
    """A document to start from; the target is a :class:`dlm.templates.Template`."""


@dataclass(frozen=True, kw_only=True)
class AugmenterEntry(Entry):
    """A writer of study records; the target is a :class:`dlm.corpus.lesson.Augmenter` subclass. A document names it in
    ``training.recipe.augmenters``."""


@dataclass(frozen=True, kw_only=True)
class TrackerEntry(Entry):
    """A tracker; the target is a :class:`dlm.record.trackers.Tracker` subclass. ``dlm train --track`` names it."""


@dataclass(frozen=True, kw_only=True)
class AcceleratorEntry(Entry):
    """Devices and rows of the refusal matrix; the target is a :class:`dlm.hardware.accelerator.Accelerator`."""


@dataclass(frozen=True, kw_only=True)
class QuantiserEntry(Entry):
    """A way to hold a base's weights in fewer bits; what the target is, the backend says that loads the base: for
    ``hf``, a :class:`dlm_hf.quantising.Quantiser` subclass, made without arguments."""

    bits: float = 4.0
    """That a weight takes in memory, its share of the scales among them."""
    libraries: tuple[str, ...] = ()
    """Distributions whose versions decide how weights are rounded; they go into ``dlm.lock``."""


@dataclass(frozen=True, kw_only=True)
class SinkEntry(Entry):
    """A target of ``dlm export``; the target is a :class:`dlm.export.sink.Sink` subclass, made without arguments."""

    quants: tuple[str, ...] = ()
    """What ``--quant`` may name, as this target writes it; empty where weights stay as they are."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What ``--set NAME=VALUE`` may name, each with one line for people."""
    forms: tuple[str, ...] = ("merged", "adapter")
    """Which of ``--merged`` and ``--unmerged`` it can do; the first one when nothing is said."""
    uses: frozenset[str] = frozenset({"name", "template"})
    """Which of ``--name`` and ``--no-template`` mean something to it."""
    every_adapter: bool = False
    """Of a version with named adapters it exports all where none is chosen: ``request.chosen.by`` is then ``first``,
    and ``request.version.adapters`` names them. Other targets ask for a choice."""
    whole_adapters: bool = False
    """Its adapter form is what PEFT saved, trained rows of the vocabulary and whole modules among it."""
    requires: tuple[str, ...] = ()
    """Modules that must be importable; looked up without importing them."""


@dataclass(frozen=True, kw_only=True)
class TransportEntry(Entry):
    """A way to other machines; the target is a :class:`dlm.share.transport.Transport` subclass, made without arguments.
    Its name is the scheme of its addresses: ``hf`` of ``hf:org/name``."""

    sends: bool = True
    """``dlm push`` may name it."""
    fetches: bool = True
    """``dlm pull`` may name it."""
    address: str = ""
    """How one is written, for people: ``hf:org/name``."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What else ``dlm push --set NAME=VALUE`` may say, each with a sentence; other names are refused."""
    requires: tuple[str, ...] = ()
    """Modules that must be importable; looked up without importing them."""


@dataclass(frozen=True, kw_only=True)
class SignerEntry(Entry):
    """A way to sign packs; the target is a :class:`dlm.share.signer.Signer` subclass, made without arguments."""

    suffix: str = ".sig"
    """Of the signature's file, behind the name of the pack."""
    public_suffix: str = ".pub"
    """Of the file with the public key that made the signature, behind the name of the pack."""
    requires: tuple[str, ...] = ()
    """Modules that must be importable; looked up without importing them."""


@dataclass(frozen=True, kw_only=True)
class CheckEntry(Entry):
    """Findings for ``dlm doctor``; the target is a :data:`dlm.hardware.accelerator.Check`."""
