"""The file ``dlm.lock``, format 1: the prior trainer's keys, and those that it left out. Reads its files as well."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import StoreError
from ..store.encoding import canonical, jsonable, now

if TYPE_CHECKING:
    from pathlib import Path

LOCK_VERSION: Literal[1] = 1
DeterminismClass = Literal["strong", "best-effort", "advisory"]


class Lock(BaseModel):
    """The whole file. ``None`` means unknown, which differs from nothing.

    Digests are ``sha256:`` and 64 hex digits, but :attr:`dlm_sha256` and a prior file's, which have the digits only.
    """

    # Keys of newer versions survive a read and a write.
    model_config = ConfigDict(frozen=True, extra="allow")

    lock_version: Literal[1] = LOCK_VERSION
    created_at: str = ""
    """UTC, as ``2026-11-05T12:00:00Z``."""
    dlm_id: str
    last_run_id: int = Field(default=1, ge=1)
    """The run that made the version."""

    dlm_sha256: str | None = None
    """Of the document's file, byte by byte."""
    document_digest: str | None = None
    """Of its canonical text: invisible edits leave it as it is. A prior file has none."""
    title: str | None = None
    """The document's title, which may be the name of its file."""
    system_prompt_sha256: str | None = None
    sources: dict[str, str] = {}
    """Digest of the files that were taken, by ``path`` of the source as the document writes it."""
    sources_sha256: str | None = None
    """Of all files of the sources as they are trained: order, text, tags and weights."""
    replay_sha256: str | None = None
    """Of the sections that were trained although they stand nowhere any more."""

    base_model: str | None = None
    base_model_revision: str | None = None
    base_model_sha256: str | None = None

    seed: int | None = None
    lora: dict[str, Any] = {}
    """Of the adapter without a name."""
    adapters: dict[str, dict[str, Any]] = {}
    """Of adapters with names, each: LoRA's numbers, its learning rate, and a digest of the sections that trained it."""
    recipe: dict[str, Any] = {}
    """The other numbers of the optimiser, before the token budget is known."""
    asked: dict[str, Any] = {}
    """What the command asked for in place of the document's values."""
    warm_from: int | None = None
    """The version that the run went on from; ``None`` after a refit."""
    plan_sha256: str | None = None
    """Of all rows and steps as they were laid out before the first one."""

    pinned_versions: dict[str, str] = {}
    """Versions of the distributions that decide what training does."""
    python_version: str | None = None
    precision: str | None = None
    hardware_tier: str | None = None
    """``cpu``, ``mps``, ``rocm``, ``cuda-sm80+`` or ``cuda-sm<80``."""
    cuda_version: str | None = None
    rocm_version: str | None = None
    world_size: int = Field(default=1, ge=1)
    """Processes that trained it."""
    determinism_class: DeterminismClass | None = None
    determinism_flags: dict[str, Any] = {}

    license_acceptance: dict[str, Any] | None = None

    @property
    def prior(self) -> bool:
        """Whether the trainer before this one wrote it: then much is unknown."""
        return self.document_digest is None

    def stamped(self, **made: Any) -> Lock:
        """A copy with what is known once the weights are there, and the time."""
        return self.model_copy(update={"created_at": now(), **made})

    def text(self) -> str:
        """The file's text: sorted keys, two spaces."""
        return canonical(jsonable(self.model_dump(mode="json", exclude=None if self.adapters else {"adapters"})))


def read(path: Path) -> Lock | None:
    """The lock in the file ``path``; ``None`` when there is none.

    Raises:
        StoreError: it is damaged, or of a newer format; says how to train all the same.
    """
    try:
        data = json.loads(path.read_bytes())
        found = data.get("lock_version") if isinstance(data, dict) else None
        if isinstance(found, int) and found > LOCK_VERSION:
            raise StoreError(f"{path} was written by a newer dlm (lock_version {found}): pip install -U dlm")
        return Lock.model_validate(data)
    except FileNotFoundError:
        return None
    except ValidationError as problem:
        first = problem.errors()[0]
        raise _damaged(path, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from problem
    except (OSError, ValueError, RecursionError) as problem:
        raise _damaged(path, str(problem)) from problem


def schema() -> str:
    """Text of ``contracts/dlm-lock.schema.json``."""
    return canonical({"$schema": "https://json-schema.org/draft/2020-12/schema", **Lock.model_json_schema()})


def _damaged(path: Path, what: str) -> StoreError:
    return StoreError(
        f"{path} is damaged ({what}). The version beside it is untouched and `dlm prompt` still works: "
        "`dlm train DOC --update-lock` trains a version with a new lock"
    )
