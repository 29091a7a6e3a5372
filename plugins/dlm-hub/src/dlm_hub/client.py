"""The hub's own client: how it is opened, kept quiet, and what its errors mean.

The token is the one that ``hf auth login`` or ``HF_TOKEN`` gives; it goes to ``HF_ENDPOINT`` and nowhere else.
"""

from __future__ import annotations

import logging
import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dlm.errors import DlmError, TransferFailed, TransferRefused, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    from .address import Place

PATIENCE = 60.0
"""Seconds without a byte after which a connection counts as broken."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_WAITING = re.compile(r"Rate limited\. Waiting ([\d.]+)s")
_LOGIN = "log in with `hf auth login`, or set HF_TOKEN"


def open_hub() -> HfApi:
    """The client, for the hub that ``HF_ENDPOINT`` names.

    Raises:
        UsageProblem: the hub may not be asked, or only without encryption.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.constants import is_offline_mode

    api = HfApi(library_name="dlm")
    parts = urlsplit(api.endpoint)
    if is_offline_mode():
        raise UsageProblem("HF_HUB_OFFLINE is set, so the hub is not asked: unset it, then run the command again")
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise UsageProblem(
            f"HF_ENDPOINT is {parts.scheme}://{parts.hostname}, and everybody on the way there could read your token: "
            "give an address with https"
        )
    return api


def require_login() -> None:
    """See to it that there is a token to write with. Whether it is a good one, the hub says.

    Raises:
        UsageProblem: there is none.
    """
    from huggingface_hub import get_token

    if get_token() is None:
        raise UsageProblem(f"nobody is logged in to the hub, and only who is can push: {_LOGIN}")


@contextmanager
def asking(place: Place, say: Callable[[str], None] | None = None) -> Iterator[None]:
    """Let the client print nothing and no silence last for ever, and say in dlm's words what went wrong.

    Raises:
        TransferRefused: the hub says no.
        TransferFailed: the hub or the way there broke.
    """
    from huggingface_hub import get_session

    session = get_session()
    limit = session.timeout
    session.timeout = PATIENCE
    try:
        with warnings.catch_warnings(), _listening(say or (lambda _: None)), _without_bars():
            warnings.simplefilter("ignore")
            yield
    except DlmError:
        raise
    except Exception as problem:
        if (told := explain(problem, place)) is None:
            raise
        raise told from problem
    finally:
        session.timeout = limit


@contextmanager
def _listening(say: Callable[[str], None]) -> Iterator[None]:
    """Of what the client logs, tell that it waits; errors are raised, too."""
    logger = logging.getLogger("huggingface_hub")
    handlers, propagate = list(logger.handlers), logger.propagate
    logger.handlers, logger.propagate = [_Waits(say)], False
    try:
        yield
    finally:
        logger.handlers, logger.propagate = handlers, propagate


class _Waits(logging.Handler):
    """Hands on how long the client waits because the hub asked for it."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        if found := _WAITING.match(record.getMessage()):
            self._say(f"{_host()} takes no more requests for now: waiting {float(found[1]):.0f} s")


@contextmanager
def _without_bars() -> Iterator[None]:
    from huggingface_hub.utils import (  # type: ignore[attr-defined]
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    if are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


def explain(problem: BaseException | None, place: Place) -> DlmError | None:
    """What ``problem`` means to a person; ``None`` for a bug. The client wraps some, so their causes count too."""
    from huggingface_hub.errors import HfHubHTTPError

    failure = HfHubHTTPError.__bases__[0]  # of the HTTP library, whichever this client uses
    seen: list[BaseException] = []
    while problem is not None and problem not in seen:
        seen.append(problem)
        if isinstance(problem, HfHubHTTPError):
            return _answered(problem, place)
        if isinstance(problem, failure | ConnectionError):
            what = str(problem) or type(problem).__name__
            told = _without_token(what)
            return TransferFailed(f"{place.address}: {_host()} cannot be reached, or broke off ({told}): run it again")
        problem = problem.__cause__
    return _malformed(seen[0], place) if seen and isinstance(seen[0], ValueError) else None


def _malformed(problem: BaseException, place: Place) -> DlmError:
    first = _without_token(" ".join(str(problem).split()))[:300]
    return TransferRefused(f"{place.address}: {_host()} did not take it, or is no hub: {first}")


def _answered(problem: HfHubHTTPError, place: Place) -> DlmError:
    from huggingface_hub import errors, get_token

    status, said = problem.response.status_code, _said(problem)
    page = f"{_endpoint()}/{place.repo}"
    if isinstance(problem, errors.GatedRepoError):
        return TransferRefused(f"{place.address} is gated: ask for access at {page}, and {_LOGIN} as who has it")
    if isinstance(problem, errors.RevisionNotFoundError):
        return TransferRefused(f"{place.repo} has no branch, tag or commit {place.revision!r}: look at {page}/commits")
    if isinstance(problem, errors.DisabledRepoError):
        return TransferRefused(f"{place.address}: {_host()} has disabled this repository")
    if status == 401 and get_token() is not None and "redential" in said + str(problem):
        return TransferRefused(f"{place.address}: {_host()} does not know your token, or it has expired: {_LOGIN} anew")
    if isinstance(problem, errors.RepositoryNotFoundError) or status in (401, 404):
        way = "or your token may not see it" if get_token() else f"or is private: {_LOGIN} as who may see it"
        return TransferRefused(f"{_host()} shows no repository {place.repo}: it is not there, {way}")
    if status == 403:
        return TransferRefused(
            f"{place.address}: your token may not do this{_quoted(said)}: make one that may write to {place.repo}, at "
            f"{_endpoint()}/settings/tokens"
        )
    if status in (409, 412):
        return TransferFailed(f"{place.address} was changed by somebody else meanwhile{_quoted(said)}: run it again")
    if status == 429:
        return TransferFailed(f"{place.address}: {_host()} takes no more requests for now{_wait(problem)}")
    if status >= 500:
        return TransferFailed(f"{place.address}: {_host()} answers {status}{_quoted(said)}: run it again later")
    return TransferRefused(f"{place.address}: {_host()} refuses with {status}{_quoted(said)}")


def _said(problem: HfHubHTTPError) -> str:
    return _without_token(" ".join((problem.server_message or "").split()))[:300]


def _without_token(text: str) -> str:
    """``text`` of a server that may repeat what it was sent."""
    from huggingface_hub import get_token

    token = get_token()
    return text.replace(token, "(token)") if token else text


def _quoted(said: str) -> str:
    return f" ({said})" if said else ""


def _wait(problem: HfHubHTTPError) -> str:
    from huggingface_hub.utils import parse_ratelimit_headers  # type: ignore[attr-defined]

    told = parse_ratelimit_headers(problem.response.headers)
    seconds = str(told.reset_in_seconds) if told else problem.response.headers.get("retry-after", "")
    return f": run it again in {seconds} seconds" if seconds.isdigit() else ": run it again later"


def _endpoint() -> str:
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def _host() -> str:
    return urlsplit(_endpoint()).netloc
