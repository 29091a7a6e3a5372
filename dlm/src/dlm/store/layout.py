"""Where things lie under ``$DLM_HOME``. Names only; nothing is created here."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import StoreError

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_VERSION = re.compile(r"v(\d{4,})")
_REJECTED = re.compile(r"v(\d{4,})-rejected(?:-\d+)?")
_PARTIAL = re.compile(r"\.v\d{4,}\.partial-[0-9a-f]+")
_ADAPTER = re.compile(r"[a-z][a-z0-9_]{0,31}")

VERSIONS = "adapter/versions"
ADAPTERS = "adapters"
"""Inside the folder of a version that holds named adapters: one folder each."""


def home(option: Path | None = None) -> Path:
    """The root of everything dlm keeps: ``option``, else ``$DLM_HOME``, else ``~/.dlm``."""
    if option is not None:
        return Path(option).expanduser().absolute()
    if named := os.environ.get("DLM_HOME"):
        return Path(named).expanduser().absolute()
    return Path.home() / ".dlm"


@dataclass(frozen=True)
class Layout:
    """Paths inside one document's store."""

    root: Path

    @property
    def manifest(self) -> Path:
        """The story of the runs, for people and tools; not needed to serve a version."""
        return self.root / "manifest.json"

    @property
    def lock(self) -> Path:
        """Locked by the operating system while someone writes."""
        return self.root / ".lock"

    @property
    def lock_note(self) -> Path:
        """Who holds the lock, for messages only."""
        return self.root / ".lock.json"

    @property
    def adapter(self) -> Path:
        """Holds the pointer and the versions."""
        return self.root / "adapter"

    @property
    def pointer(self) -> Path:
        """One line: the current version's folder, relative to the root."""
        return self.adapter / "current.txt"

    @property
    def versions(self) -> Path:
        """Holds one folder a version."""
        return self.root / VERSIONS

    @property
    def checkpoints(self) -> Path:
        """Holds the state of a run that has not ended, or was stopped."""
        return self.root / "checkpoints"

    @property
    def logs(self) -> Path:
        """Holds one ``.jsonl`` a run."""
        return self.root / "logs"

    @property
    def metrics(self) -> Path:
        """Every step of every run, as a database; the logs hold the same."""
        return self.root / "metrics.db"

    @property
    def trackers(self) -> Path:
        """Holds what trackers write, a folder each."""
        return self.root / "trackers"

    @property
    def base_answers(self) -> Path:
        """What the untouched base answered to learning reports, to save time."""
        return self.root / "base-answers.json"

    @property
    def augmented(self) -> Path:
        """Holds what augmenters need not make twice, a folder each."""
        return self.root / "augmented"

    @property
    def replay(self) -> Path:
        """Holds the ledger."""
        return self.root / "replay"

    @property
    def ledger(self) -> Path:
        """Which sections were trained, are kept, or were let go."""
        return self.replay / "ledger.json"

    @property
    def exports(self) -> Path:
        """Holds what was exported, a folder each."""
        return self.root / "exports"

    @property
    def tokens(self) -> Path:
        """Tokenised records, to save time; nothing is lost with it."""
        return self.root / "tokenized-cache" / "tokens.sqlite"

    def version(self, number: int) -> Path:
        """Folder of a committed version."""
        return self.versions / version_name(number)


def store_layout(home: Path, dlm_id: str) -> Layout:
    """Paths of the store of the document ``dlm_id``.

    Raises:
        StoreError: ``dlm_id`` is no ULID; it becomes a folder name, so anything else could point elsewhere.
    """
    if not _ULID.fullmatch(dlm_id):
        raise StoreError(f"{dlm_id!r} is not a document id (26 characters of a ULID): take dlm_id from the frontmatter")
    return Layout(home / "store" / dlm_id)


def version_name(number: int) -> str:
    """``v0003``."""
    return f"v{number:04d}"


def parse_version(name: str) -> int | None:
    """Number of a committed version's folder name; ``None`` for any other name."""
    found = _VERSION.fullmatch(name)
    return int(found[1]) if found else None


def parse_rejected(name: str) -> int | None:
    """Number of a rejected version's folder name; ``None`` for any other name."""
    found = _REJECTED.fullmatch(name)
    return int(found[1]) if found else None


def is_adapter(name: object) -> bool:
    """Whether an adapter may have this name, which becomes a folder's."""
    return isinstance(name, str) and _ADAPTER.fullmatch(name) is not None


def is_partial(name: str) -> bool:
    """Whether a folder is being written, or was when its writer died."""
    return _PARTIAL.fullmatch(name) is not None
