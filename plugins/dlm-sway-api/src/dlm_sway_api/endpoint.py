"""One endpoint over HTTP: what is tried again, how long, and how a failure is told. No meaning of any reply."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx
import tenacity

from dlm_sway.errors import BackendError, TargetError

if TYPE_CHECKING:
    from .settings import Settings

FIRST_WAIT: Final = 0.25
"""Seconds before the second try; each further wait is twice as long."""
LONGEST_WAIT: Final = 8.0
_TRIES: Final = 3
"""Internal errors after which a server is taken not to know what it was asked."""
LARGEST: Final = 64 << 20
"""Bytes of one reply."""
_PASSING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Refused(BackendError):
    """The endpoint says no, and would say no again."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class _Passing(Exception):
    """What may be different in a moment."""

    def __init__(self, what: str, wait: float = 0.0, status: int = 0) -> None:
        self.wait = wait
        self.status = status
        super().__init__(what)


class _Failing(Exception):
    """What a server fails over every time."""


class Endpoint:
    """An address such as ``https://host/v1``. Safe to use from several threads.

    Raises:
        TargetError: the address cannot be used, or would send the key in the clear.
    """

    def __init__(self, address: str, settings: Settings) -> None:
        self.address = _checked(address, settings)
        self._settings = settings
        headers = {"Authorization": f"Bearer {settings.key}"} if settings.key else {}
        limits = httpx.Limits(max_connections=settings.at_once)
        self._client = httpx.Client(headers=headers, limits=limits, follow_redirects=False)

    @property
    def root(self) -> str:
        """The address without ``/v1``, where servers have what is not part of OpenAI's interface."""
        return self.address.removesuffix("/v1")

    def post(self, path: str, body: dict[str, Any], *, own: bool = False) -> dict[str, Any]:
        """The reply's object. ``own``: of a path that is the server's own, under :attr:`root`.

        Raises:
            Refused: the endpoint says no.
            BackendError: it gave no usable answer in the time that one question may take.
        """
        return self._ask("POST", (self.root if own else self.address) + path, body)

    def asked(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The reply to what a server may not know; ``None`` where it says no, or fails over it again and again.

        Raises:
            BackendError: it gave no usable answer for another reason, so that nothing is known about it.
        """
        try:
            return self._ask("POST", self.address + path, body, tries=_TRIES)
        except Refused as error:
            if error.status in (401, 403):
                raise
            return None
        except _Failing:
            return None

    def get(self, path: str) -> dict[str, Any]:
        """What lies at ``path`` under :attr:`root`; raises as :meth:`post`."""
        return self._ask("GET", self.root + path, None)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _ask(self, method: str, url: str, body: dict[str, Any] | None, tries: int | None = None) -> dict[str, Any]:
        """With ``tries``, an internal error is taken for an answer after so many."""
        until = time.monotonic() + self._settings.seconds
        failed = 0

        def give_up(state: tenacity.RetryCallState) -> bool:
            nonlocal failed
            error = state.outcome.exception() if state.outcome else None
            failed += isinstance(error, _Passing) and error.status == 500
            if tries is not None and failed >= tries:
                raise _Failing
            return tenacity.stop_before_delay(self._settings.seconds)(state)

        trying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Passing), wait=_wait, stop=give_up, reraise=True
        )
        try:
            found: dict[str, Any] = trying(self._once, method, url, body, until)
            return found
        except _Passing as error:
            tries = trying.statistics.get("attempt_number", 1)
            raise BackendError(
                f"{url}: {error} (tried {tries} times within {self._settings.seconds:g} s): see that the server runs, "
                "or give it longer with SWAY_API_TIMEOUT"
            ) from None

    def _once(self, method: str, url: str, body: dict[str, Any] | None, until: float) -> dict[str, Any]:
        try:
            status, headers, raw = self._send(method, url, body, until)
        except httpx.TransportError as error:
            raise _Passing(self._clean(f"no answer: {type(error).__name__}: {error}")) from None
        if status in _PASSING:
            raise _Passing(f"HTTP {status}: {self._said(raw)}", _asked_to_wait(headers), status)
        if status != 200:
            raise Refused(status, f"{url}: HTTP {status}: {self._said(raw)}{_advice(status)}")
        return self._object(url, raw)

    def _send(
        self, method: str, url: str, body: dict[str, Any] | None, until: float
    ) -> tuple[int, httpx.Headers, bytes]:
        left = max(0.1, until - time.monotonic())
        raw = bytearray()
        with self._client.stream(method, url, json=body, timeout=left) as reply:
            for chunk in reply.iter_bytes():
                raw += chunk
                if len(raw) > LARGEST:
                    raise BackendError(f"{url}: a reply of more than {LARGEST >> 20} MiB was not read to its end")
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("the reply did not end in time")
            return reply.status_code, reply.headers, bytes(raw)

    def _object(self, url: str, raw: bytes) -> dict[str, Any]:
        try:
            found = json.loads(raw, parse_constant=_no_number)
        except _NotANumber as error:
            raise BackendError(
                f"{url}: the reply holds {error}, which is no number: the model's weights may be damaged"
            ) from None
        except ValueError:
            raise _Passing(f"a reply that is no whole JSON: {self._said(raw)}") from None
        if not isinstance(found, dict):
            raise _Passing(f"a reply that is no JSON object: {self._said(raw)}")
        return found

    def _said(self, raw: bytes) -> str:
        """What a person should read of a reply, without the key should the server repeat it."""
        text = raw[:4096].decode(errors="replace")
        return self._clean(" ".join(_usual(text).split()))[:300] or "an empty reply"

    def _clean(self, text: str) -> str:
        return text.replace(self._settings.key, "(key)") if self._settings.key else text


class _NotANumber(ValueError):
    """NaN or an infinity in JSON."""


def _no_number(name: str) -> float:
    raise _NotANumber(name)


def _usual(text: str) -> str:
    """The message of an error in OpenAI's form; any other text as it stands."""
    try:
        error = json.loads(text)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError):
        return text


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, _Passing) else 0.0
    return max(asked, min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (state.attempt_number - 1)))


def _asked_to_wait(headers: httpx.Headers) -> float:
    """``Retry-After``: seconds, or a date."""
    given = headers.get("retry-after", "").strip()
    if not given:
        return 0.0
    try:
        return max(0.0, float(given)) if given[0].isdigit() else parsedate_to_datetime(given).timestamp() - time.time()
    except ValueError:
        return 0.0


def _advice(status: int) -> str:
    if status in (401, 403):
        return ": the key was not accepted; set SWAY_API_KEY (OPENAI_API_KEY is used where that is not set)"
    if status == 404:
        return ": correct `endpoint` (it ends in /v1 for most servers), or the model's name in `base`"
    return ""


def _checked(address: str, settings: Settings) -> str:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise TargetError(f"endpoint {parts.scheme or '?'}://...: give an address such as https://host/v1")
    if parts.username or parts.password:
        raise TargetError("an endpoint's address must hold no password: set SWAY_API_KEY")
    if settings.key and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise TargetError(
            f"{address} would get the key unencrypted: use https, or unset SWAY_API_KEY and OPENAI_API_KEY"
        )
    return address.rstrip("/")
