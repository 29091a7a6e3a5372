"""What is asked and answered, as the OpenAPI document shows it. Answers are written by :mod:`.judge`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from dlm_sway.spec.models import merged_weights

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)

    spec: dict[str, Any]
    """A suite, as in a suite file (contracts/sway-spec.schema.json). Paths count from the served folder."""
    spec_path: Name = "<serve>"
    """What the suite is called in messages and in the result; no file is read."""


class RunRequest(_Asked):
    """A suite to run."""

    seed: int | None = Field(default=None, ge=0, lt=2**32)
    """Instead of the suite's `defaults.seed`."""
    weights: dict[str, float] | None = None
    """Category weights, merged over the suite's."""
    threshold: float | None = Field(default=None, ge=0, le=1)
    """Overall score to reach, instead of the suite's."""

    @field_validator("weights")
    @classmethod
    def _known(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        merged_weights(value)
        return value


class ScoreRequest(_Asked):
    """Some entries of a suite."""

    probe_names: list[Name] = Field(min_length=1, max_length=1000)
    """Names of entries. The suite's null adapter calibrates them, named or not."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)


class Model(BaseModel):
    """A base and an adapter that are in memory."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    kind: str
    base: str
    adapter: str | None
    dtype: str
    device: str


class Health(BaseModel):
    """That the server answers, and with what."""

    status: Literal["ok"]
    sway_version: str
    uptime_seconds: float
    loaded_models: list[Model]
    max_loaded_models: int


class Stats(BaseModel):
    """What the server did since it started."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    uptime_seconds: float
    request_count: int
    """Answers to /run and /score that held a result."""
    failed_count: int
    """Answers to them that held an error."""
    waiting: int
    """Requests that are being answered now, or wait."""
    total_run_seconds: float
    """Of the answers that held a result, without waiting."""
    mean_run_seconds: float | None
    cached_backends: int
    max_loaded_models: int
    loads: int
    """How often models were loaded."""


class Gate(_Answer):
    """What `sway gate` would decide."""

    outcome: Literal["pass", "fail", "could not tell"]
    exit_code: Literal[0, 1, 4]
    reasons: list[str]


class Probe(_Answer):
    """What one entry found; contracts/sway-report.schema.json has every key."""

    name: str
    kind: str
    verdict: Literal["pass", "fail", "warn", "inconclusive", "skip", "error"]
    message: str
    score: float | None
    raw: float | None
    p_value: float | None


class RunAnswer(_Answer):
    """The result JSON of `sway run`, and how long the request took; contracts/sway-report.schema.json has every key."""

    schema_version: Literal[1]
    conclusion: str
    gate: Gate
    score: dict[str, Any]
    probes: list[Probe]
    request_seconds: float


class ScoreAnswer(BaseModel):
    """What the named entries found."""

    probes: list[Probe]
    request_seconds: float


class Fault(BaseModel):
    """One mistake in a suite."""

    source: str
    line: int
    where: str
    what: str
    fix: str


class Failure(BaseModel):
    """What went wrong, in the words of the command line."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str
    message: str
    exit_code: Literal[2, 3]
    """What `sway` would end with."""
    exit_code_name: str
    faults: list[Fault]


class Failed(BaseModel):
    """Every error."""

    error: Failure
