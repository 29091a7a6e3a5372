"""``adapters/_gate`` of a version: what its learned gate is made of. Numbers lie in a safetensors file beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..errors import StoreError
from .encoding import canonical, jsonable
from .files import disk_errors, sha256, write_atomic
from .layout import ADAPTERS
from .models import read_model

if TYPE_CHECKING:
    from pathlib import Path

GATE = "_gate"
"""Beside the adapters' folders; no adapter can have this name."""
GATE_FILE = "gate.json"
GATE_WEIGHTS = "gate.safetensors"
SCHEMA_VERSION: Literal[1] = 1


class _Part(BaseModel):
    # Keys of newer versions survive a read.
    model_config = ConfigDict(frozen=True, extra="allow")


class HeldOut(_Part):
    """How often the gate chose the adapter that a text belongs to, among texts that it was not trained on."""

    texts: int = Field(ge=1)
    right: int = Field(ge=0)
    share: float
    low: float
    """Of the 95% interval; wordings of one fact count as one cluster."""
    high: float
    chance: float
    """What always choosing the commonest adapter would reach."""


class GateFile(_Part):
    """The whole of ``gate.json``."""

    schema_version: Literal[1] = SCHEMA_VERSION
    adapters: tuple[str, ...]
    """In the order of the gate's outputs."""
    mode: Literal["trained", "uniform", "diverged"]
    """``uniform``: there was too little to learn from. ``diverged``: training it failed. Both weigh all alike."""
    reason: str = ""
    """Why it is not trained."""
    samples: dict[str, int]
    """Distinct texts that it was trained on, by adapter."""
    held_out: HeldOut | None = None
    """``None`` when too few texts could be spared."""
    mean_weights: dict[str, float]
    """By adapter, over all its samples of all adapters; what a fixed mix that stands for the gate would take."""
    weights_sha256: str | None = None
    """``None`` when it is not trained."""


def gate_folder(version: Path) -> Path:
    """Where the gate of the version in the folder ``version`` lies, if it has one."""
    return version / ADAPTERS / GATE


def write_gate(version: Path, file: GateFile, weights: bytes | None) -> None:
    """Put a gate into the folder of a version that is being made.

    Raises:
        StoreError: the disk is full or closed to us.
    """
    folder = gate_folder(version)
    digest = None
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if weights is not None:
            (folder / GATE_WEIGHTS).write_bytes(weights)
            digest = sha256(folder / GATE_WEIGHTS)
    stamped = file.model_copy(update={"weights_sha256": digest})
    write_atomic(folder / GATE_FILE, canonical(jsonable(stamped.model_dump(mode="json"))))


def read_gate(version: Path) -> GateFile | None:
    """The gate of the version in the folder ``version``, its numbers checked; ``None`` when it has none.

    Raises:
        StoreError: it is damaged, or of a newer dlm.
    """
    file = read_model(gate_folder(version) / GATE_FILE, GateFile, SCHEMA_VERSION, _damaged)
    if file is not None and file.weights_sha256 is not None:
        path = gate_folder(version) / GATE_WEIGHTS
        try:
            found = sha256(path)
        except OSError as problem:
            raise StoreError(_damaged(path, str(problem))) from problem
        if found != file.weights_sha256:
            raise StoreError(_damaged(path, f"SHA-256 {found}, written {file.weights_sha256}"))
    return file


def schema() -> str:
    """Text of ``contracts/version-gate.schema.json``."""
    return canonical({"$schema": "https://json-schema.org/draft/2020-12/schema", **GateFile.model_json_schema()})


def _damaged(path: Path, what: str) -> str:
    return (
        f"{path} is damaged ({what}): choose an adapter with `dlm prompt DOC --adapter NAME`, or train again with "
        "`dlm train DOC`"
    )
