"""What a result of dlm-sway says about a version, for the claims of its pack.

Read by its schema, ``contracts/sway-report.schema.json``. The report quotes questions and answers, so it does not
travel: its digest, its verdict and its score do.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import PackRefused, UsageProblem
from .claims import Digest, Finite, Judged, Word, sha256

if TYPE_CHECKING:
    from pathlib import Path

    from ..store import Version


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Probe(_Part):
    verdict: Word


class _Score(_Part):
    overall: Finite | None
    band: Word = ""


class _Gate(_Part):
    outcome: Word


class _Adapter(_Part):
    sha256: Digest


class _Backend(_Part):
    adapter: _Adapter | None = None


class _Target(_Part):
    adapter_sha256: Digest | None = None
    document_digest: Digest | None = None


class _Provenance(_Part):
    target: _Target = _Target()
    backend: _Backend = _Backend()


class _Result(_Part):
    schema_version: Literal[1]
    status: Literal["finished", "interrupted"]
    conclusion: Word
    gate: _Gate
    score: _Score
    probes: tuple[_Probe, ...]
    provenance: _Provenance
    sway_version: Word = ""

    @property
    def adapter(self) -> str | None:
        """SHA-256 of the weights that were judged."""
        loaded = self.provenance.backend.adapter
        return self.provenance.target.adapter_sha256 or (loaded.sha256 if loaded else None)


def read_verdict(path: Path, version: Version, document: Path) -> Judged:
    """What the result in the file ``path`` says of ``version``.

    Raises:
        UsageProblem: it cannot be read, or is no result of sway.
        PackRefused: it is of another adapter, does not say of which, or was interrupted.
    """
    data, again = _bytes(path), f"run `sway check {document} --json {path}` and pack again"
    try:
        result = _Result.model_validate_json(data)
    except ValidationError as problem:
        first = problem.errors()[0]
        what = f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
        raise UsageProblem(f"{path} is no result of sway ({what}): {again}") from problem
    if result.status != "finished":
        raise PackRefused(f"{path} is the result of a run that was interrupted, and no verdict: {again}")
    if result.adapter is None:
        raise PackRefused(f"{path} does not say by its digest which adapter it judged: {again}")
    name = _judged(version, result.adapter)
    if name is None:
        raise PackRefused(f"{path} judged another adapter ({result.adapter[:12]}) than {version.name} is: {again}")
    return Judged(
        adapter=name,
        adapter_sha256=result.adapter,
        conclusion=result.conclusion,
        outcome=result.gate.outcome,
        score=result.score.overall,
        band=result.score.band,
        verdicts=dict(sorted(Counter(probe.verdict for probe in result.probes).items())),
        document=result.provenance.target.document_digest,
        report=sha256(data),
        sway=result.sway_version,
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise UsageProblem(f"cannot read {path}: {problem.strerror or problem}") from problem


def _judged(version: Version, digest: str) -> str | None:
    """Name of the adapter with these weights; empty for one without, ``None`` when there is none."""
    names = version.adapters or ("",)
    return next((name for name in names if version.facts_of(name or None).get("adapter_sha256") == digest), None)
