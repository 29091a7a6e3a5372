"""One request, and the redirects that it leads to."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from dlm.errors import TransferFailed, TransferRefused

from .addresses import is_here, without_secrets
from .replies import Passing

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def asking(client: httpx.Client, request: httpx.Request, *, redirects: int) -> Iterator[httpx.Response]:
    """The answer, its body unread. Credentials go to the first host alone, and to no other after it. With no
    ``redirects`` allowed, the one that leads elsewhere is the answer.

    Raises:
        Passing: no answer, or the connection broke; also while the body is read inside the block.
        TransferFailed: nobody is to be believed there: the certificate is not the host's.
        TransferRefused: it leads to a place that is not encrypted, or on and on.
    """
    place = without_secrets(str(request.url))
    try:
        reply = _settled(client, request, redirects, place)
        try:
            yield reply
        finally:
            reply.close()
    except httpx.TransportError as problem:
        if "CERTIFICATE_VERIFY_FAILED" in str(problem):
            raise TransferFailed(
                f"{place}: its certificate is not one that this machine trusts ({problem}). If it is your own, point "
                "SSL_CERT_FILE at the certificate of who signed it"
            ) from None
        raise Passing(f"{_named(problem)}: {problem}" if str(problem) else _named(problem)) from None
    except (httpx.InvalidURL, UnicodeError):
        raise TransferRefused(f"{place} leads to something that is no address: ask who runs the server") from None


def _settled(client: httpx.Client, request: httpx.Request, redirects: int, place: str) -> httpx.Response:
    reply = client.send(request, stream=True, follow_redirects=False)
    for _ in range(redirects):
        if (following := reply.next_request) is None:
            return reply
        reply.close()
        _require_safe(reply.request.url, following.url, place)
        # What the client sends to everybody was put into the first request, and is gone from one to another host.
        reply = client.send(following, stream=True, auth=None, follow_redirects=False)
    if redirects and reply.next_request is not None:
        reply.close()
        raise TransferRefused(f"{place} leads on and on: gave up after {redirects} redirects")
    return reply


def _require_safe(before: httpx.URL, after: httpx.URL, place: str) -> None:
    here = after.scheme == "http" and is_here(after.host) and is_here(before.host)
    if after.scheme != "https" and not here:
        raise TransferRefused(
            f"{place} leads to {without_secrets(str(after))}, which is not encrypted: nothing was taken from there. "
            "Ask who runs the server for an address that begins with https://"
        )


def _named(problem: httpx.TransportError) -> str:
    if isinstance(problem, httpx.ConnectTimeout | httpx.ConnectError):
        return "no connection"
    if isinstance(problem, httpx.TimeoutException):
        return "nothing came for too long"
    return "the connection broke"
