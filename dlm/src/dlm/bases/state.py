"""What this disk knows about the base that a document names. Asks no network, hashes nothing, writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .cache import folder_of, on_disk
from .contents import require_base
from .licence import accepted, licence_name
from .model import FolderSource
from .resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..document.model import Document
    from .model import BaseModel


@dataclass(frozen=True)
class BaseState:
    """One base, ready or not."""

    name: str
    """As the document writes it."""
    base: BaseModel
    folder: Path | None
    """Where it lies, ``None`` when it has to be fetched first."""
    agreed: bool
    """Whether its licence may be taken as accepted; true for one that asks nobody."""

    @property
    def tokenizer(self) -> Path | None:
        """Its tokenizer's file, where it lies on this disk."""
        return self.folder / "tokenizer.json" if self.folder else None

    @property
    def words(self) -> str:
        """One line for people: the key, and whether it is here."""
        where = "on this disk" if self.folder else "not on this disk yet"
        return f"{self.name}, {where}{'' if self.agreed else ', its licence is not accepted'}"

    @property
    def note(self) -> str | None:
        """What stands between the document and its base; ``None`` when nothing does."""
        if self.agreed:
            return None
        return (
            f"the {licence_name(self.base)} licence of {self.base.key} has to be accepted once before training: "
            f"`dlm base accept {self.base.key}`"
        )

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {
            "key": self.base.key,
            "folder": str(self.folder) if self.folder else None,
            "licence": self.base.licence,
            "licence_url": self.base.licence_url,
            "requires_acceptance": self.base.requires_acceptance,
            "accepted": self.agreed if self.base.requires_acceptance else None,
            "context": self.base.context,
        }


def state_of(document: Document, home: Path, acceptance: Mapping[str, Any] | None = None) -> BaseState:
    """The state of the document's base; ``acceptance`` is ``license_acceptance`` of its store's manifest.

    Raises:
        UsageProblem: nobody offers it, or the reference is malformed.
        BaseModelError: it is a folder that holds no base, or the file of agreements is damaged.
        PluginError: two plugins offer it, or one that cannot be imported.
    """
    name = document.frontmatter.base_model
    base = resolve(name, document.folder)
    if isinstance(source := base.sources[0], FolderSource):
        # A folder's digest takes a second for each gigabyte; that it can be loaded is enough here.
        require_base(source.path)
        return BaseState(name, base, source.path, agreed=True)
    folder = folder_of(base, home) if on_disk(base, home) is not None else None
    agreed = not base.requires_acceptance or accepted(base, home, acceptance) is not None
    return BaseState(name, base, folder, agreed)
