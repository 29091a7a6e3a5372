"""What is tested: a base and a fine-tuned version, and the questions that come with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ..scoring.types import Item
    from ..sections import SectionData
    from ..spec.models import ModelSpec


@dataclass(frozen=True)
class ModelPair:
    """The two sides of a comparison."""

    base: ModelSpec
    ft: ModelSpec
    differential: bool = True
    """One base with the adapter switched on and off, rather than two models."""


@dataclass(frozen=True)
class Target:
    """What ``sway check REF`` tests.

    ``taught`` are questions the training knew; ``held_out`` are questions it never saw about what it was taught.
    """

    name: str
    models: ModelPair
    held_out: tuple[Item, ...] = ()
    taught: tuple[Item, ...] = ()
    system_prompt: str | None = None
    provenance: dict[str, str] = field(default_factory=dict)
    """Facts for the report: document, version, digests."""
    document: Path | None = None
    """The document it was trained from, when there is one."""
    sections: tuple[SectionData, ...] | None = None
    """What was taught, by section; ``None`` when the target does not say, as an adapter folder does not."""
