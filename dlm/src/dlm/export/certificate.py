"""What was found out about an export, as data: ``certificate.json`` beside its files. How: :mod:`.certifying`."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final, Literal

from ..errors import ExportFailed
from ..store.encoding import canonical, jsonable
from ..store.files import write_atomic
from .parity import Estimate

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_VERSION: Final = 1
CERTIFICATE_FILE: Final = "certificate.json"
Verdict = Literal["passed", "failed", "could not tell"]


@dataclass(frozen=True)
class Check:
    """One thing that was asked of the export."""

    name: str
    verdict: Verdict
    found: str
    """For people, short."""
    floor: str = ""
    """What it must be; empty where that goes without saying."""
    why: str = ""
    """What is wrong, and what to do about it; empty when nothing is."""


@dataclass(frozen=True)
class PartFigures:
    """What was measured on one kind of text."""

    texts: int
    positions: int
    divergence: Estimate
    agreement: Estimate


@dataclass(frozen=True)
class Recall:
    """The questions of the learning report, asked again."""

    asked: int
    reference: int
    """Answered right where it was trained."""
    exported: int
    same: int
    """Answered in the same words."""
    p_value: float
    """Of as many facts lost or gained, by chance alone."""
    lost: tuple[str, ...] = ()
    """Questions that only the trained model answers right."""


@dataclass(frozen=True)
class Certificate:
    """The whole of it."""

    verdict: Verdict
    reasons: tuple[str, ...]
    """Why it did not pass, the first cause first."""
    runtime: str
    """What read the export."""
    reference: str
    """What it was held against."""
    quant: str | None
    form: str
    checks: tuple[Check, ...] = ()
    positions: int = 0
    parts: dict[str, PartFigures] = field(default_factory=dict)
    divergence: Estimate | None = None
    """KL(trained || exported), nats a position."""
    tail: Estimate | None = None
    """What 99% of the positions do not exceed."""
    agreement: Estimate | None = None
    """Share of positions with the same likeliest token."""
    effect: float | None = None
    """KL(trained || base) on the answers, nats a position: how much there was to keep."""
    effect_kept: Estimate | None = None
    strength: Estimate | None = None
    """How far the export goes along the adapter's direction: 1 is all the way, 0 not at all."""
    recall: Recall | None = None
    ended: int | None = None
    """Answers that ended by themselves, of those that were asked for."""
    texts_digest: str = ""
    """Of everything that was read, in tokens."""
    seconds: float = 0.0
    schema_version: int = SCHEMA_VERSION

    @property
    def summary(self) -> dict[str, Any]:
        """The verdict and the main figures, for a manifest."""
        kept = ("verdict", "reasons", "runtime", "positions", "divergence", "agreement", "effect_kept")
        plain = jsonable({name: getattr(self, name) for name in kept})
        return {**plain, "recall": jsonable(self.recall) and [self.recall.exported, self.recall.asked]}  # type: ignore[union-attr]


def save(certificate: Certificate, folder: Path) -> None:
    """Write ``certificate`` into the export's ``folder``.

    Raises:
        ExportFailed: the disk is full or closed to us.
    """
    write_atomic(folder / CERTIFICATE_FILE, canonical(jsonable(certificate)), ExportFailed)


def load(folder: Path) -> Certificate | None:
    """The certificate in ``folder``, if there is one.

    Raises:
        ExportFailed: it is damaged, or of a newer dlm.
    """
    from pydantic import TypeAdapter, ValidationError

    path = folder / CERTIFICATE_FILE
    try:
        found = TypeAdapter(Certificate).validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as problem:
        raise ExportFailed(f"{path} is damaged ({problem}): `dlm verify-export {folder}` measures again") from problem
    if found.schema_version > SCHEMA_VERSION:
        raise ExportFailed(f"{path} was written by a newer dlm: update dlm")
    return found


def schema() -> str:
    """Text of ``contracts/export-certificate.schema.json``."""
    from pydantic import TypeAdapter

    found = TypeAdapter(Certificate).json_schema()
    return canonical({"$schema": "https://json-schema.org/draft/2020-12/schema", **found})


def lines(certificate: Certificate) -> list[str]:
    """The certificate for a terminal, 80 columns wide."""
    found = [f"certificate: {certificate.verdict}  {certificate.runtime}"]
    wide = max((len(check.name) for check in certificate.checks), default=0)
    for check in certificate.checks:
        mark = {"passed": "+", "failed": "x", "could not tell": "?"}[check.verdict]
        floor = f"  ({check.floor})" if check.floor else ""
        found.append(f"  {mark} {check.name:<{wide}}  {check.found}{floor}")
    for reason in certificate.reasons:
        found += wrap(reason, 80, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return found
