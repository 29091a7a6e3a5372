"""What a pack says about itself: ``swaypack/manifest.json``, and the names of the files beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

VERSION: Final = 2
"""Version 1 was written by sway 0.1; its null statistics are of another kind."""
TOP: Final = "swaypack"
MANIFEST, SUITE, SECTIONS, RESULT, NULLS = "manifest.json", "sway.yaml", "sections.json", "result.json", "nulls.jsonl"
NULL_CACHE: Final = "null-cache"
"""Folder that :func:`.unpack.unpack` makes of the null answers."""
DEFAULT_CAP: Final = 4096
"""Megabytes that a pack may hold, unless more are allowed."""


BASE: Final = r"^\./(ft-)?base(\.\w+)?$"
"""Where a packed suite looks for a base model that its pack lacks."""
ADAPTERS: Final = ("./adapter", "./base-adapter")
"""Where it looks for adapters."""
Base = Annotated[str, Field(pattern=BASE)]
Printable = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PackedFile(_Strict):
    """One file of the pack, but for the manifest."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class PackedAdapter(_Strict):
    """The adapter under test: what it is, whether or not it is in the pack."""

    path: Literal["./adapter", "./base-adapter"]
    """Where the packed suite looks for it."""
    digest: str
    """SHA-256 over its files' names and digests."""
    bytes: int = Field(ge=0)
    packed: bool


class Manifest(_Strict):
    """The whole file."""

    swaypack_version: Literal[2] = 2
    sway_version: str
    spec_filename: str
    """Name of the suite before it was packed."""
    suite_digest: str
    """Of the suite's bytes before paths in it were rewritten."""
    models_digest: str
    """Of everything that decides the models' numbers; empty when the backend cannot say."""
    null_stats_count: int = Field(ge=0)
    adapters: tuple[PackedAdapter, ...] = ()
    missing: dict[Base, Printable] = {}
    """Base models that the suite needs and the pack does not hold: path in the suite -> name where it was packed."""
    files: dict[str, PackedFile]


class Pack(NamedTuple):
    """What :func:`.unpack.unpack` or :func:`.gather.gather` found, in short."""

    path: Path
    manifest: Manifest
    size: int
    """Bytes of the files, not compressed."""
