"""``manifest.json``: the story of a store. Versions are served without it, and it can be rebuilt from them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from .encoding import canonical, jsonable, now
from .files import write_atomic
from .models import read_model

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_VERSION: Literal[1] = 1


def _as_utc(value: Any) -> Any:
    """Older stores wrote times in UTC without saying so."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if isinstance(moment, datetime) and moment.tzinfo is None else moment


Moment = Annotated[
    datetime,
    BeforeValidator(_as_utc),
    PlainSerializer(lambda moment: moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), when_used="json"),
]
Status = Annotated[
    Literal["running", "ok", "failed", "cancelled", "rejected"],
    BeforeValidator(lambda word: "ok" if word == "completed" else word),
]


class _Part(BaseModel):
    # Keys of newer versions survive a read and a write.
    model_config = ConfigDict(frozen=True, extra="allow")


class TrainingRun(_Part):
    """One run, whatever became of it. Losses in nats per token."""

    run_id: int = Field(ge=1)
    started_at: Moment
    ended_at: Moment | None = None
    status: Status = "running"
    message: str = ""
    adapter_version: int | None = None
    adapter_name: str | None = None
    base_model: str | None = None
    base_model_revision: str | None = None
    document_digest: str | None = None
    seed: int | None = None
    steps: int | None = None
    final_train_loss: float | None = None
    final_val_loss: float | None = None
    pinned_versions: dict[str, str] = {}
    weight_distribution: dict[str, dict[str, int]] = {}
    log_path: str | None = None
    """Relative to the store."""
    summary_path: str | None = None
    resumed_from: int | None = None
    """The run, stopped before, that it went on from."""


class Manifest(_Part):
    """The whole file."""

    dlm_id: str
    schema_version: Literal[1] = SCHEMA_VERSION
    created_at: Moment
    updated_at: Moment
    source_path: str | None = None
    base_model: str | None = None
    base_model_revision: str | None = None
    base_model_sha256: str | None = None
    """``sha256:...`` over the base's files, as :class:`dlm.bases.LocalBase` has it."""
    adapter_version: int = Field(default=0, ge=0)
    """The current version; 0 for none."""
    adapter_sha256: str | None = None
    adapter_config_sha256: str | None = None
    adapter_versions: dict[str, int] = {}
    """Current versions of named adapters."""
    training_runs: tuple[TrainingRun, ...] = ()
    exports: tuple[dict[str, Any], ...] = ()
    content_hashes: dict[str, str] = {}
    """Section ids of the document last trained on, each standing for itself."""
    pinned_versions: dict[str, str] = {}
    license_acceptance: dict[str, Any] | None = None

    def run(self, run_id: int) -> TrainingRun | None:
        """The run with this id."""
        return next((run for run in self.training_runs if run.run_id == run_id), None)

    def with_run(self, run: TrainingRun) -> Manifest:
        """A copy in which ``run`` is added, or replaces the one of the same id."""
        others = [other for other in self.training_runs if other.run_id != run.run_id]
        return self.model_copy(update={"training_runs": tuple(sorted([*others, run], key=lambda one: one.run_id))})


def fresh(dlm_id: str) -> Manifest:
    """The manifest of a store in which nothing has happened."""
    moment = datetime.now(UTC)
    return Manifest(dlm_id=dlm_id, created_at=moment, updated_at=moment)


def load(path: Path) -> Manifest | None:
    """The manifest at ``path``; ``None`` when there is none.

    Raises:
        StoreError: it is unreadable, or of a newer dlm.
    """
    return read_model(path, Manifest, SCHEMA_VERSION, _damaged)


def save(path: Path, manifest: Manifest) -> None:
    """Write ``manifest`` in one step, stamped with the time.

    Raises:
        StoreError: the disk is full or closed to us; the file is as it was.
    """
    write_atomic(path, canonical({**jsonable(manifest.model_dump(mode="json")), "updated_at": now()}))


def schema() -> str:
    """Text of ``contracts/store-manifest.schema.json``."""
    return canonical({"$schema": "https://json-schema.org/draft/2020-12/schema", **Manifest.model_json_schema()})


def _damaged(path: Path, what: str) -> str:
    return (
        f"{path} is damaged ({what}). The trained versions beside it are untouched and `dlm prompt` still works: run "
        "`dlm gc DOC --repair`, which moves it away and writes a new one from the versions, then train again"
    )
