"""The learning report as data: what was asked of the base and of the trained model, and what came out.

Written beside the version it is about; read again by ``dlm show`` and by tools, see
``contracts/learning-report.schema.json``. How it is measured lies in :mod:`.measure`, what it concludes in
:mod:`.verdict`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..errors import StoreError
from ..store.encoding import canonical, jsonable
from ..store.files import write_atomic
from ..store.version import REPORT_FILE

SCHEMA_VERSION = 1
State = Literal["learned", "partly learned", "not learned", "could not tell"]


@dataclass(frozen=True)
class Item:
    """One question with both answers."""

    kind: Literal["fact", "general", "near", "missing"]
    question: str
    expected: tuple[str, ...]
    """What a right answer says; for ``near`` and ``missing`` nothing."""
    said_before: str
    said_after: str
    right_before: bool
    """For ``near`` and ``missing``: the answer holds nothing of the document."""
    right_after: bool
    source: Literal["probe", "held_out", "user", ""] = ""
    taught: Literal["pair", "prose", "unknown", ""] = ""
    section_id: str = ""
    heading: str = ""
    fact: int = 0
    """The same number for all questions about one fact, from 1; 0 for other kinds."""
    judged: Literal["all", "any", "words"] = "all"
    """Right is who says all that is expected, any of it, or most of the words. Facts are judged loosely by the last
    two."""
    said_open: str | None = None
    """What the base says with the passage in its context, where it was asked."""
    right_open: bool | None = None
    brought_up: tuple[str, ...] = ()
    """What of the document the trained model brings up in a ``near`` or ``missing`` answer."""
    adapter: str = ""
    """The one that was asked; empty where the version has one without a name."""


@dataclass(frozen=True)
class Score:
    """Questions about facts, counted. ``share`` is that of right answers after training."""

    asked: int
    facts: int
    """Distinct ones."""
    before: int
    after: int
    share: float
    low: float
    """Of the 95% interval of ``share``; questions about one fact count as a cluster."""
    high: float
    p_value: float
    """That as many facts were gained or lost by chance; two-sided."""
    loose: int = 0
    """Of ``asked``, how many are judged loosely."""
    open_asked: int = 0
    """How many were asked of the base with the passage in its context."""
    open_right: int = 0


@dataclass(frozen=True)
class SectionScore:
    """The facts under one heading."""

    section_id: str
    heading: str
    score: Score


@dataclass(frozen=True)
class Change:
    """A count before and after training, out of ``asked``."""

    asked: int
    before: int
    after: int
    p_value: float
    """Exact, of McNemar's test, two-sided."""


@dataclass(frozen=True)
class Missed:
    """A question about the document that the trained model answers wrongly."""

    question: str
    heading: str
    expected: str
    """For people."""
    said: str
    right_before: bool
    """The base answered it."""


@dataclass(frozen=True)
class Conflict:
    """Two places of the document that contradict each other."""

    what: str
    first: str
    second: str


@dataclass(frozen=True)
class NotAsked:
    """A question that is not counted, and why."""

    question: str
    why: str


@dataclass(frozen=True)
class LearningReport:
    """Everything that is known about what one version learned."""

    dlm_id: str
    version: int
    document_digest: str
    base: str
    seed: int
    max_new_tokens: int
    """Of each answer; answers are greedy."""
    state: State
    verdict: str
    """One sentence or two, for people."""
    total: Score | None
    """``None`` when nothing could be asked."""
    sources: dict[str, Score]
    """The same by where the questions come from: probe, held_out, user."""
    taught: dict[str, Score]
    """The same by where the document says it: pair, prose, unknown."""
    sections: tuple[SectionScore, ...]
    general: Change
    """Right answers to general questions."""
    bleed: Change
    """Answers to general questions near the subject that bring up the document's content."""
    confabulation: Change
    """Answers about things that the document does not know, with a value from it."""
    not_learned: tuple[Missed, ...]
    not_asked: tuple[NotAsked, ...]
    contradictions: tuple[Conflict, ...]
    items: tuple[Item, ...]
    """In the order in which they were asked."""
    seconds: float
    schema_version: int = SCHEMA_VERSION
    adapters: dict[str, Score] = field(default_factory=dict)
    """``total`` by the adapter that was asked; empty where the version has one without a name."""

    def as_json(self, *, items: bool = True) -> dict[str, Any]:
        """Plain data; without the answers if not ``items``."""
        plain: dict[str, Any] = jsonable(asdict(self))
        return plain if items else {key: value for key, value in plain.items() if key != "items"}


def save(report: LearningReport, folder: Path) -> Path:
    """Write ``report`` into the folder of its version.

    Raises:
        StoreError: the disk is full or closed to us.
    """
    path = folder / REPORT_FILE
    write_atomic(path, canonical(report.as_json()))
    return path


def load(folder: Path) -> LearningReport | None:
    """The report of the version in ``folder``; ``None`` when there is none.

    Raises:
        StoreError: it is damaged, or of a newer dlm.
    """
    from pydantic import TypeAdapter, ValidationError

    path = folder / REPORT_FILE
    try:
        data = json.loads(path.read_bytes())
        if isinstance(data, dict) and isinstance(found := data.get("schema_version"), int) and found > SCHEMA_VERSION:
            raise StoreError(f"{path} was written by a newer dlm (schema {found}): pip install -U dlm")
        return TypeAdapter(LearningReport).validate_python(data)
    except FileNotFoundError:
        return None
    except ValidationError as problem:
        first = problem.errors()[0]
        what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise StoreError(_damaged(path, what)) from problem
    except (OSError, ValueError, RecursionError) as problem:
        raise StoreError(_damaged(path, str(problem))) from problem


def schema() -> str:
    """Text of ``contracts/learning-report.schema.json``."""
    from pydantic import TypeAdapter

    found = TypeAdapter(LearningReport).json_schema()
    return canonical({"$schema": "https://json-schema.org/draft/2020-12/schema", **found})


def _damaged(path: Path, what: str) -> str:
    return f"{path} is damaged ({what}). The version beside it is untouched: `dlm report DOC --again` writes a new one"
