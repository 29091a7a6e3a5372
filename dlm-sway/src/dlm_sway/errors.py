"""Everything that can go wrong in sway and is not a bug.

One root, one exit code each. A message says what happened, where, and what to do next.
Exit codes: 0 fine, 1 the gate or the check failed, 2 usage or spec error, 3 runtime failure, 4 could not tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class SwayError(Exception):
    """Root of sway's own errors: printed without a traceback, ends the program with :attr:`exit_code`."""

    exit_code: ClassVar[int] = 3


class Fault(NamedTuple):
    """One mistake in a suite file. ``line`` counts from 1; 0 when it is about the whole file."""

    source: str
    line: int
    where: str
    """Dotted path inside the file, such as ``suite[2] (moved).assert_mean_gte``."""
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.where}: {self.what}: {self.fix}"


class SpecError(SwayError):
    """A suite that cannot be run as written, with every mistake found."""

    exit_code = 2

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class TargetError(SwayError):
    """What was to be tested cannot be resolved: no such adapter, document or base."""

    exit_code = 2


class PackError(SwayError):
    """A pack that cannot be made as asked, or that is not taken: damaged, forged, too large. Nothing of it is kept."""

    exit_code = 2


class Unreachable(SwayError):
    """A server that gives no answer, or has no time. Asking again later may help."""


class BackendError(SwayError):
    """A backend cannot load or score a model."""


class AdapterMismatch(BackendError):
    """An adapter that does not belong to this base."""

    exit_code = 2


class NotSupported(BackendError):
    """This backend cannot do that with this model; the message says why."""


class ProbeError(SwayError):
    """A probe cannot answer its question with what it was given."""


class NothingToAsk(ProbeError):
    """A probe has no items, through no mistake of the suite, such as for lack of sections: its verdict is ``skip``."""
