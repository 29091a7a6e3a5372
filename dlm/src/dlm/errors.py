"""Everything that can go wrong in dlm and is not a bug.

One root, one exit code each. A message says what happened, where, and what to do next.
Exit codes: 0 fine, 1 a gate or check failed, 2 usage or document error, 3 runtime failure, 4 could not tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class DlmError(Exception):
    """Root of dlm's own errors: printed without a traceback, ends the program with :attr:`exit_code`."""

    exit_code: ClassVar[int] = 3


class UsageProblem(DlmError):
    """What was asked for makes no sense as asked."""

    exit_code = 2


class Finding(NamedTuple):
    """One mistake in a file. ``line`` and ``col`` count from 1."""

    path: str
    line: int
    col: int
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.col}: {self.what}: {self.fix}"


class DocumentError(DlmError):
    """A document that cannot be read as one, with every mistake found."""

    exit_code = 2

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class BaseModelError(DlmError):
    """A base model that cannot be found, fetched or trusted."""


class LicenceNotAccepted(BaseModelError):
    """A base whose licence binds only who agrees to it, and nobody here has."""

    exit_code = 1


class StoreError(DlmError):
    """The store is damaged, or cannot be written."""


class StoreLocked(StoreError):
    """Another process is working on this document."""


class NotTrained(DlmError):
    """The document has no trained version yet."""

    exit_code = 2


class AdapterMismatch(DlmError):
    """An adapter that does not belong to this base."""


class TrainingRefused(DlmError):
    """Something said that this training must not run."""

    exit_code = 2


class NoWarmStart(TrainingRefused):
    """The current version is nothing that a warm run may go on from; a refit may begin all the same."""

    def __init__(self, message: str, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(message)


class LockViolated(DlmError):
    """A training that would not be made of what the current version is made of."""

    exit_code = 1


class TrainingFailed(DlmError):
    """The run ended without a version worth keeping."""


class NonFiniteWeights(TrainingFailed):
    """NaN or infinity in the loss or the weights: the version was rejected, the one before stays current."""

    exit_code = 1


class TrainingDiverged(TrainingFailed):
    """The held-out loss rose far above what the run began with: the version was rejected, the one before is current."""

    exit_code = 1


class NotLearned(DlmError):
    """A version that answers less than was required of it. It is kept, and current."""

    exit_code = 1


class CouldNotTell(DlmError):
    """What was required could not be measured."""

    exit_code = 4


class ExportRefused(DlmError):
    """An export that would fail, or would not behave like what was trained. Nothing was written."""

    exit_code = 1


class ExportFailed(DlmError):
    """An export that could not be written or handed on. An earlier one is untouched."""


class ExportUnfaithful(DlmError):
    """An export whose certificate lies below the floor. It was not put in place."""

    exit_code = 1


class PackInvalid(DlmError):
    """A pack that is damaged, forged, or of a newer dlm. Nothing of it was put in place."""

    exit_code = 1


class PackRefused(DlmError):
    """A pack that would give away what is not to be shared, or that would replace what is there."""

    exit_code = 1


class SigningFailed(DlmError):
    """A signature that could not be made: no key, a wrong password, a file that cannot be written."""


class SignatureInvalid(DlmError):
    """A signature that is not the one of this pack, or of no key that counts here. Nothing was put in place."""

    exit_code = 1


class TransferFailed(DlmError):
    """A transfer that broke on the way. What has arrived is kept, and the same command goes on from there."""


class TransferRefused(DlmError):
    """A transfer that the other side does not allow, or that must not be made. Nothing was put in place."""

    exit_code = 1


class RuntimeMissing(DlmError):
    """The program that would serve an export is not installed, so nothing could be measured."""

    exit_code = 4
