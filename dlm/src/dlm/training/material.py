"""What a run learns from besides the text of its document: the sources' files, and what the store replays.

Reads the disk and the store, writes neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from ..corpus.replay import Change
    from ..corpus.sources import Gathered
    from ..document import Document, Section


@dataclass(frozen=True)
class Material:
    """The sections beside the document's own, and how all of them differ from the last training's."""

    gathered: Gathered
    change: Change
    replayed: tuple[Section, ...]
    """Drawn from what is kept; the same for the same store, document and seed."""

    @property
    def more(self) -> tuple[Section, ...]:
        """What is trained beside the document: files first, then what is replayed."""
        return (*self.change.sources, *self.replayed)

    @property
    def notes(self) -> tuple[str, ...]:
        """Worth a line each, for people."""
        return (*self.gathered.notes, *self.change.notes)


def collect(document: Document, home: Path, seed: int) -> Material:
    """Everything that a training of ``document`` would learn from now.

    Raises:
        DocumentError: a source cannot be taken as it is written, or a forgotten section stands in the document again.
        StoreError: the store's ledger is damaged.
    """
    from ..corpus.replay import reconcile, sample
    from ..corpus.sources import gather
    from ..store import Store
    from ..store.encoding import now

    gathered = gather(document, home=home)
    ledger = Store(home, document.frontmatter.dlm_id).ledger()
    change = reconcile(ledger, document, gathered, now())
    replayed = sample(change.ledger, seed, document.frontmatter.training.replay.max_sections)
    return Material(gathered, change, replayed)


def changes_record(material: Material) -> dict[str, Any]:
    """The change since the last training as plain data; section ids."""
    change = material.change
    return {
        "new": list(change.new),
        "edited": [list(edit) for edit in change.edited],
        "unchanged": list(change.unchanged),
        "removed": list(change.removed),
        "kept": list(change.kept),
        "replayed": [section.id for section in material.replayed],
    }
