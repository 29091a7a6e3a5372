"""What is taken for an address, what of it may be shown, and what lies beside it."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from dlm.errors import UsageProblem

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?!\.)){0,252}|[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._-]{1,15})?")
_LONGEST = 8192


def require(url: str) -> None:
    """See to it that ``url`` is an address whose server proves who it is.

    Raises:
        UsageProblem: it is none, is not encrypted, or holds a password.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as problem:
        raise UsageProblem(f"this is no address ({problem}): write one such as https://host/name.dlm.pack") from problem
    if not host or len(url) > _LONGEST or any(c.isspace() or not c.isprintable() for c in url):
        raise UsageProblem("this is no address: write one such as https://host/name.dlm.pack")
    if parts.username is not None or parts.password is not None:
        raise UsageProblem(
            f"the address holds a password, and addresses are kept and shown: write {without_secrets(url)}, and put "
            f"the token into DLM_SHARE_AUTH, with DLM_SHARE_HOST={host}"
        )
    # Of other letters some look like these, and some are written in another way by one part of a program than by the
    # next: then a token that is for one host goes to another.
    if not _HOST.fullmatch(host):
        raise UsageProblem(
            f"{host!a} is no name of a host: letters from a to z, digits, dots and minus signs. Write one with other "
            "letters as it is looked up, such as xn--bcher-kva.example"
        )
    if not is_safe(url):
        raise UsageProblem(
            f"{without_secrets(url)} is not encrypted: anybody on the way could read and change what passes. Write "
            "https://; http:// is for this machine alone"
        )
    if not parts.path.strip("/"):
        raise UsageProblem(
            f"{without_secrets(url)} names a server and no file: write {without_secrets(url).rstrip('/')}/name.dlm.pack"
        )


def is_safe(url: str) -> bool:
    """Whether the way there is encrypted, or leaves this machine nowhere."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_here(parts.hostname or ""))


def is_here(host: str) -> bool:
    """Whether ``host`` is this machine, without asking anybody."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def without_secrets(url: str) -> str:
    """Scheme, host and path: queries hold signatures and tokens, and so does what stands before the host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "the address"
    host = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, host if port is None else f"{host}:{port}", parts.path, "", ""))


def beside(url: str, suffix: str) -> str:
    """The address of what has ``suffix`` behind its name: in front of the query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path + suffix, parts.query, ""))
