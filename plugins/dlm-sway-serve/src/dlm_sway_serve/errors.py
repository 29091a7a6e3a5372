"""What can go wrong with a request beside sway's own errors, and how every error looks as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from dlm_sway._plugkit.errors import PluginError
from dlm_sway.errors import SpecError, SwayError

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_CODES: Final = {2: "usage or suite error", 3: "runtime failure"}
"""Names of the exit codes of ``sway`` that an error can have."""


class Refused(SwayError):
    """A request that is not looked into."""

    exit_code = 2
    status: ClassVar[int] = 400
    headers: ClassVar[dict[str, str]] = {}


class WrongKey(Refused):
    """No key, or another one."""

    status = 401
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class WrongPlace(Refused):
    """A page of another site asks through somebody's browser."""

    status = 403


class WrongServer(Refused):
    """A model at an address that the owner did not allow."""

    status = 403


class TooSlow(Refused):
    """A body that did not arrive in time."""

    status = 408


class TooLarge(Refused):
    """A body with more bytes than are read."""

    status = 413


class NotJson(Refused):
    """A body that does not call itself JSON."""

    status = 415


class Busy(Refused):
    """More requests than wait here."""

    status = 503
    exit_code = 3
    headers: ClassVar[dict[str, str]] = {"Retry-After": "5"}


class OutOfTime(Refused):
    """No answer within the server's limit."""

    status = 504
    exit_code = 3


def status_of(error: Exception) -> int:
    """400 for everything that sway itself would say; a refusal has its own."""
    return error.status if isinstance(error, Refused) else 400


def described(error: SwayError | PluginError) -> dict[str, Any]:
    """``error`` with the text that ``sway`` prints, and the exit code that it would end with."""
    code = getattr(error, "exit_code", 2)
    faults = [fault._asdict() for fault in error.faults] if isinstance(error, SpecError) else []
    return body(type(error).__name__, str(error), code, faults)


def body(kind: str, message: str, exit_code: int, faults: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """The JSON of every error."""
    return {
        "error": {
            "type": kind,
            "message": message,
            "exit_code": exit_code,
            "exit_code_name": EXIT_CODES[exit_code],
            "faults": list(faults),
        }
    }
