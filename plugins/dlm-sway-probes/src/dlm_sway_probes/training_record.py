"""What a training left on the disk: its log, and the state of a run that was stopped. Read by the schemas in
``contracts/``: ``train-log.schema.json`` and ``train-state.schema.json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlm_sway.errors import ProbeError

_CHECKPOINT = re.compile(r"run-(\d+)\.phase-(\d+)\.step-(\d+)")
_STATE = "training_state.pt"


@dataclass
class Phase:
    """The steps of one phase of a run."""

    name: str
    losses: dict[int, float | None] = field(default_factory=dict)
    """Step to loss, in nats per token; ``None`` for one that was not finite."""

    @property
    def in_order(self) -> list[tuple[int, float | None]]:
        """Step and loss, first step first."""
        return sorted(self.losses.items())


@dataclass(frozen=True)
class Run:
    """What the logs say about one training, with the runs that it went on from."""

    run_id: int
    logs: tuple[Path, ...]
    phases: tuple[Phase, ...]


def store_of(path: Path) -> Path | None:
    """The store that ``path`` is, or lies in: the folder with ``logs`` or ``checkpoints`` and ``adapter``."""
    for folder in (path, *path.parents):
        if (folder / "logs").is_dir() or ((folder / "checkpoints").is_dir() and (folder / "adapter").is_dir()):
            return folder
    return None


def version_facts(adapter: Path) -> dict[str, Any]:
    """``version.json`` of the version that ``adapter`` is, or that it is one named adapter of; empty without one."""
    for folder in (adapter, adapter.parent.parent):
        if (folder / "version.json").is_file():
            return read_object(folder / "version.json")
    return {}


def newest_checkpoint(store: Path) -> Path | None:
    """The folder of the state that a stopped run left."""
    found = [
        (tuple(map(int, match.groups())), folder)
        for folder in sorted((store / "checkpoints").glob("run-*"))
        if (match := _CHECKPOINT.fullmatch(folder.name)) and (folder / "checkpoint.json").is_file()
    ]
    return max(found)[1] if found else None


def read_run(store: Path, run_id: int | None) -> Run | None:
    """The training ``run_id``, or the newest; ``None`` when there is no log of it.

    Raises:
        ProbeError: a log is not what its schema says.
    """
    logs = {
        log_id: path for path in sorted((store / "logs").glob("train-*.jsonl")) if (log_id := _id(path)) is not None
    }
    at = run_id if run_id is not None else max(logs, default=None)
    chain: list[Path] = []
    while at is not None and at in logs and logs[at] not in chain:
        chain.append(logs[at])
        at = _resumed_from(logs[at])
    if not chain:
        return None
    phases: dict[int, Phase] = {}
    for path in reversed(chain):
        _add(path, phases)
    number = _id(chain[0])
    assert number is not None
    return Run(number, tuple(reversed(chain)), tuple(phases[at] for at in sorted(phases)))


def pickled_state(adapter: Path) -> Path | None:
    """The state that older tools leave beside an adapter; it is never opened, since opening it may run code."""
    return adapter / _STATE if (adapter / _STATE).is_file() else None


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ProbeError: the file cannot be read, or holds something else.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as problem:
        raise ProbeError(f"{path} cannot be read ({problem}): train again, or name another folder") from problem
    if not isinstance(found, dict):
        raise ProbeError(f"{path} holds no object: it was not written by dlm")
    return found


def _add(path: Path, phases: dict[int, Phase]) -> None:
    """A resumed run repeats the steps it went on from; what came later counts."""
    number = 1
    for record in _records(path):
        if record["type"] == "phase_start":
            number = int(record["number"])
            name = " ".join(str(record[key]) for key in ("phase", "adapter") if record.get(key))
            phases.setdefault(number, Phase(name))
        elif record["type"] == "step":
            loss = record.get("loss")
            phases.setdefault(number, Phase("training")).losses[int(record["step"])] = (
                None if loss is None else float(loss)
            )


def _records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise ProbeError(f"{path} cannot be read ({problem}): train again, or name another store") from problem
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            if not isinstance(record["type"], str):
                raise TypeError("its type is no text")
        except (ValueError, KeyError, TypeError) as problem:
            if number == len(lines) and number > 1:
                return  # a run that was killed may leave half a line
            raise ProbeError(f"{path}:{number}: not a record of a training log ({problem}): train again") from problem
        yield record


def _resumed_from(path: Path) -> int | None:
    first: Sequence[dict[str, Any]] = [record for record in _records(path) if record["type"] == "banner"][:1]
    found = first[0].get("resumed_from") if first else None
    return found if isinstance(found, int) else None


def _id(path: Path) -> int | None:
    found = re.fullmatch(r"train-(\d+)-.*\.jsonl", path.name)
    return int(found.group(1)) if found else None
