"""Which API key goes to which endpoint.

A document may come from a stranger. It names an endpoint and a variable, and must not be able to send the reader's keys
anywhere: a key leaves for a host only when the reader's own environment says so.
"""

from __future__ import annotations

import os
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from dlm.errors import UsageProblem

from ..options import WHERE

DEFAULT = "OPENAI_API_KEY"
TRUST = "DLM_TEACHER_TRUST"
"""Environment variable: hosts, separated by commas, that may be sent a key."""
_OWN_HOST = {DEFAULT: "api.openai.com"}


class Address(NamedTuple):
    """Where an endpoint lies."""

    url: str
    host: str
    secure: bool
    """Encrypted, or on this machine."""


def address(model: str) -> Address:
    """The chat endpoint of the service at ``model``.

    Raises:
        UsageProblem: it is no address, or holds a password.
    """
    try:
        parts = urlsplit(model)
        host, port = parts.hostname, parts.port
    except ValueError as problem:
        raise UsageProblem(f"{WHERE}.model is no address ({problem}): write one such as https://host/v1") from problem
    if not host or any(c.isspace() or not c.isprintable() for c in model):
        raise UsageProblem(f"{WHERE}.model is no address: write one such as https://host/v1")
    if parts.username is not None or parts.password is not None:
        raise UsageProblem(
            f"{WHERE}.model holds a password, and documents are passed on: write the address without it, and put the "
            f"key into the environment variable that {WHERE}.api_key_env names"
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions") + "/chat/completions"
    where = f"[{host}]" if ":" in host else host
    place = where if port is None else f"{where}:{port}"
    url = f"{parts.scheme}://{place}{path}" + (f"?{parts.query}" if parts.query else "")
    return Address(url, host, parts.scheme == "https" or _here(host))


def key_for(where: Address, variable: str | None) -> str | None:
    """The key to send to ``where``; ``None`` when none is to be sent. ``variable`` is what the document names.

    Raises:
        UsageProblem: the document names a variable that is empty, or whose key may not go there.
    """
    name = variable or DEFAULT
    allowed = _here(where.host) or where.host == _OWN_HOST.get(name) or where.host in _trusted()
    if variable is not None and not allowed:
        raise UsageProblem(
            f"{WHERE} asks to send the key in ${name} to {where.host}. A document alone cannot do that: if you trust "
            f"that host with it, run `export {TRUST}={where.host}` first"
        )
    # An HTTP header holds Latin-1 without control characters; a pasted key often ends with a line break.
    key = os.environ.get(name, "").strip()
    if variable is not None and not key:
        raise UsageProblem(f"{WHERE}.api_key_env names ${name}, which is empty: run `export {name}=...` first")
    if not key or not allowed:
        return None
    if not key.isascii() or not key.isprintable():
        raise UsageProblem(f"the key in ${name} holds a character that no key has: export it again")
    if not where.secure:
        raise UsageProblem(f"{WHERE}.model would send the key in ${name} unencrypted: write https:// for {where.host}")
    return key


def refused(where: Address, variable: str | None) -> str:
    """What to do about an endpoint that wants a key, or another one."""
    name = variable or DEFAULT
    if os.environ.get(name, "").strip() and key_for(where, variable) is not None:
        return f"it did not accept the key in ${name}: check that key"
    return (
        f"it wants a key: run `export {name}=...`, and `export {TRUST}={where.host}` to let it go there "
        f"({WHERE}.api_key_env names another variable)"
    )


def _trusted() -> set[str]:
    return {host.strip().casefold() for host in os.environ.get(TRUST, "").split(",")} - {""}


def _here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
