"""The ledger: which sections the last training saw, which it kept although their file is gone, which were let go.

One JSON file. A section's text is in it only where a later training may need it without its file; a tombstone never has
any. How a ledger follows from the one before and a document lies in :mod:`dlm.corpus.replay`.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ..errors import StoreError
from . import manifest
from . import version as reading
from .encoding import canonical
from .files import sync_folder, write_atomic
from .models import read_model

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .layout import Layout

SCHEMA_VERSION: Literal[1] = 1
LEDGER_FILE = "ledger.json"


def _real(moment: str) -> str:
    datetime.fromisoformat(moment)
    return moment


Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"), AfterValidator(_real)]
Reason = Literal["removed", "superseded", "forgotten"]


class _Part(BaseModel):
    # Keys of newer versions survive a read and a write.
    model_config = ConfigDict(frozen=True, extra="allow")


class Text(_Part):
    """What it takes to train a section without its file."""

    content: str = ""
    attributes: dict[str, str] = {}
    tags: dict[str, str] = {}
    weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)


class Entry(_Part):
    """One section that is trained."""

    id: str
    type: str
    origin: str = ""
    """File of a source; empty for a section of the document."""
    adapter: str | None = None
    first_seen: Moment
    last_seen: Moment
    """When a training last found it where it was written."""
    run: int = 0
    """The run of :attr:`last_seen`; 0 until that run is committed."""
    kept: Literal["removed", "lost"] | None = None
    """Why it is still trained although it was not found: ``training.replay.removed: keep``, or a file that stands on
    the disk and could not be taken."""
    prior: tuple[str, ...] = ()
    """Ids of an older store by which it was recognised."""
    sketch: tuple[int, ...] = ()
    """By which it is known again after an edit, see :mod:`dlm.corpus.likeness`; empty for a file of a source."""
    text: Text | None = None


class Tombstone(_Part):
    """A section that is trained no more."""

    id: str
    reason: Reason
    at: Moment
    run: int = 0
    origin: str = ""
    superseded_by: str = ""


_Stamped = TypeVar("_Stamped", Entry, Tombstone)


class Ledger(_Part):
    """The whole file. Entries stand in the order of the document, then of its sources, then those that are kept."""

    schema_version: Literal[1] = SCHEMA_VERSION
    revision: int = Field(default=0, ge=0)
    """How often the file was written."""
    version: int = Field(default=0, ge=0)
    """The version that was committed with it; 0 before the first."""
    entries: tuple[Entry, ...] = ()
    tombstones: tuple[Tombstone, ...] = ()
    before: tuple[str, ...] = ()
    """Ids that were trained before there was a ledger: no text, no order."""

    def kept(self) -> tuple[Entry, ...]:
        """Sections that are trained from the ledger, since they are found nowhere else."""
        return tuple(entry for entry in self.entries if entry.kept is not None)

    def forgotten(self) -> tuple[Tombstone, ...]:
        """What must never be trained again."""
        return tuple(stone for stone in self.tombstones if stone.reason == "forgotten")

    def stamped(self, run: int, version: int) -> Ledger:
        """A copy that says in which run, and with which version, it was committed."""
        return self.model_copy(
            update={
                "version": version,
                "entries": tuple(_stamp(entry, run) for entry in self.entries),
                "tombstones": tuple(_stamp(stone, run) for stone in self.tombstones),
            }
        )


def load(layout: Layout) -> Ledger:
    """The ledger that goes with the current version; an empty one before the first.

    Right at any moment, as the pointer is: while a commit has not yet moved its ledger into place, the current
    version's folder holds it. A store from before ledgers gives the ids in its manifest.

    Raises:
        StoreError: the ledger is damaged, or of a newer dlm.
    """
    try:
        current = reading.current(layout)
    except StoreError:
        current = None  # whoever needs the version says so; the ledger in its place is still right
    pending = None if current is None else read(current.path / LEDGER_FILE)
    return pending or read(layout.ledger) or Ledger(before=_trained_before(layout))


def read(path: Path) -> Ledger | None:
    """The ledger at ``path``; ``None`` when there is none.

    Raises:
        StoreError: it is damaged, or of a newer dlm.
    """
    return read_model(path, Ledger, SCHEMA_VERSION, _damaged)


def save(layout: Layout, ledger: Ledger) -> None:
    """Put ``ledger`` in its place; the texts that it no longer holds are gone with the old file. Hold the lock.

    Raises:
        StoreError: the disk is full or closed to us; the file is as it was.
    """
    layout.replay.mkdir(parents=True, exist_ok=True)
    write_atomic(layout.ledger, dump(ledger))


def dump(ledger: Ledger) -> str:
    """Text of the file: one line an entry, one a tombstone, keys sorted, defaults left out."""
    head = ledger.model_dump(mode="json", exclude={"entries", "tombstones"})
    parts = [f"{json.dumps(key)}: {_line(value)}" for key, value in sorted(head.items())]
    for key, items in (("entries", ledger.entries), ("tombstones", ledger.tombstones)):
        rows = ",\n".join(_line(item.model_dump(mode="json", exclude_defaults=True)) for item in items)
        parts.append(f'"{key}": [\n{rows}\n]' if rows else f'"{key}": []')
    return "{" + ",\n".join(parts) + "}\n"


def require_unchanged(layout: Layout, ledger: Ledger) -> None:
    """Make sure that nobody wrote the ledger since the one that ``ledger`` follows from was read. Hold the lock.

    Raises:
        StoreError: somebody did: what they asked to forget might be in what is about to be trained.
    """
    if load(layout).revision != ledger.revision - 1:
        raise StoreError(
            f"{layout.ledger} was changed by another command (`dlm forget` or `dlm train`) while this one was being "
            "prepared: run the command again"
        )


def put_in_place(layout: Layout, folder: Path) -> None:
    """Move the ledger that was committed with the version in ``folder`` over the one before."""
    layout.replay.mkdir(parents=True, exist_ok=True)
    (folder / LEDGER_FILE).replace(layout.ledger)
    sync_folder(layout.replay)
    sync_folder(folder)


def lineage(ledger: Ledger, section_id: str) -> frozenset[str]:
    """``section_id`` and every id it had before it was edited."""
    older: dict[str, list[str]] = {}
    for stone in ledger.tombstones:
        older.setdefault(stone.superseded_by, []).append(stone.id)
    found, ahead = set[str](), [section_id]
    while ahead:
        if (one := ahead.pop()) not in found:
            found.add(one)
            ahead += older.get(one, [])
    return frozenset(found)


def schema() -> str:
    """Text of ``contracts/store-ledger.schema.json``."""
    return canonical({"$schema": "https://json-schema.org/draft/2020-12/schema", **Ledger.model_json_schema()})


def without(stones: Iterable[Tombstone], ids: Iterable[str]) -> tuple[Tombstone, ...]:
    """``stones`` but those of ``ids``."""
    lifted = frozenset(ids)
    return tuple(stone for stone in stones if stone.id not in lifted)


def _stamp(part: _Stamped, run: int) -> _Stamped:
    return part if part.run else part.model_copy(update={"run": run})


def _line(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _trained_before(layout: Layout) -> tuple[str, ...]:
    found = manifest.load(layout.manifest)
    return tuple(sorted(found.content_hashes)) if found else ()


def _damaged(path: Path, what: str) -> str:
    return (
        f"{path} is damaged ({what}). `dlm prompt` still works. To train again, move the file away with "
        f"`mv '{path}' '{path}.damaged'`; what was kept is then lost, and what was forgotten is trained again where it "
        "is still written: forget it again first"
    )
