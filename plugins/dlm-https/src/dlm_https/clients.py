"""The client for one address: who is trusted, which token is sent, when an attempt is over."""

from __future__ import annotations

import logging
import os
from importlib.metadata import version
from urllib.parse import urlsplit

import httpx

from dlm.errors import UsageProblem

from .addresses import is_here, without_secrets

TOKEN = "DLM_SHARE_AUTH"
"""Environment variable: all of the header ``Authorization``, such as ``Bearer ...``."""
HOST = "DLM_SHARE_HOST"
"""Environment variable: the one host that the token is for, with its port where that is not the usual one."""
_USUAL = {"https": 443, "http": 80}
_CONNECT, _SILENCE = 20.0, 60.0
"""Seconds for the connection, and without a byte after it."""


def client_for(url: str) -> httpx.Client:
    """A client that trusts what this machine trusts (``SSL_CERT_FILE`` counts), and sends the token to its host alone.

    Raises:
        UsageProblem: there is a token, and nothing says for whom.
    """
    # Their lines show addresses with the queries, which `dlm -v` would print.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    headers = {"User-Agent": f"dlm/{version('dlm')}", **authorization(url)}
    return httpx.Client(
        headers=headers,
        verify=httpx.create_ssl_context(),
        timeout=httpx.Timeout(_SILENCE, connect=_CONNECT),
        # What is meant for this machine must not be carried to a proxy in the clear.
        trust_env=not is_here(urlsplit(url).hostname or ""),
    )


def authorization(url: str) -> dict[str, str]:
    """The header with the token, where ``url`` is on the host that it is for; else nothing.

    Raises:
        UsageProblem: nothing says for whom the token is, or it is none.
    """
    token, host = os.environ.get(TOKEN, "").strip(), os.environ.get(HOST, "").strip()
    if not token:
        return {}
    if not host:
        named = urlsplit(without_secrets(url)).netloc
        raise UsageProblem(
            f"{TOKEN} is set, and nothing says which host it is for: it would be sent to any. Run `export "
            f"{HOST}={named}` if it is for that one, or `unset {TOKEN}`"
        )
    if not token.isascii() or not token.isprintable():
        raise UsageProblem(f"{TOKEN} holds a character that no token has: export it again")
    return {"Authorization": token} if _place(url) == _named(host, url) else {}


def advice(url: str) -> str:
    """What to do when a server wants a token, or another one."""
    named = urlsplit(without_secrets(url)).netloc
    if authorization(url):
        return f"it did not accept the token in {TOKEN}: check that, and what it allows"
    return f"if it wants a token, run `export {TOKEN}='Bearer ...' {HOST}={named}` first"


def _place(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    return (parts.hostname or "").lower(), parts.port or _USUAL.get(parts.scheme)


def _named(host: str, url: str) -> tuple[str, int | None]:
    try:
        found = _place(f"{urlsplit(url).scheme}://{host}")
    except ValueError:
        found = "", None
    if not found[0].isascii() or not found[0]:
        raise UsageProblem(f"{HOST}={host} is no host: write host or host:port, in letters from a to z")
    return found
