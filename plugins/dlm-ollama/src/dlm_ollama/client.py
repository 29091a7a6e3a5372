"""Ollama's HTTP API, as far as an export needs it.

Nothing here knows what a model is for. Every failure is one of two: nobody answered, or what was answered is a refusal;
both say where. Replies are bounded, redirects are not followed, and a machine's own address never goes through a proxy.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PORT = 11434
SHORT, LONG = 10.0, 600.0
"""Seconds without a sign of life: of a question about the server, and of work that it does."""
_LONGEST = 8 << 20
_LONGEST_LINE = 1 << 20


class Unreachable(Exception):
    """Nobody answers there, or stopped answering."""


class Refused(Exception):
    """The server answered with an error, or with what is no answer; the message is what it said."""

    def __init__(self, said: str, status: int | None = None) -> None:
        super().__init__(said)
        self.status = status


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Ollama:
    """A server of Ollama at ``url``."""

    def __init__(self, url: str | None = None) -> None:
        self.url = url or address(os.environ.get("OLLAMA_HOST", ""))
        host = urllib.request.Request(self.url).host or ""
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if _is_own(host):
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def version(self) -> tuple[int, ...]:
        """Such as ``(0, 34, 1)``; empty for a build without a number.

        Raises:
            Unreachable: nobody answers.
            Refused: whoever answers is no Ollama.
        """
        said = self._json("GET", "/api/version", timeout=SHORT).get("version")
        if not isinstance(said, str):
            raise Refused("what answers there is no Ollama: it names no version")
        found = re.match(r"\d+(?:\.\d+)*", said)
        # A build from source says 0.0.0: its age is not known.
        numbers = tuple(int(part) for part in found.group().split(".")) if found else ()
        return numbers if any(numbers) else ()

    def has_blob(self, digest: str) -> bool:
        """Whether the server holds the file with this digest, ``sha256:...``."""
        try:
            with self._open("HEAD", f"/api/blobs/{digest}", None, SHORT):
                return True
        except Refused as refusal:
            if refusal.status == 404:
                return False
            raise

    def send_blob(self, file: Path, digest: str) -> None:
        """Give the server a file; it checks the digest."""
        with file.open("rb") as stream:
            size = str(file.stat().st_size)
            headers = {"Content-Type": "application/octet-stream", "Content-Length": size}
            with self._open("POST", f"/api/blobs/{digest}", stream, LONG, headers):
                return

    def create(self, body: Mapping[str, Any]) -> Iterator[str]:
        """Make a model; what the server says it is doing, as it does it.

        Raises:
            Unreachable: it stopped talking before it was done.
            Refused: it would not.
        """
        done = False
        for line in self._lines("/api/create", {**body, "stream": True}):
            if (said := line.get("error")) is not None:
                raise Refused(_shown(said), line.get("status"))
            status = _shown(line.get("status") or "")
            done = status == "success"
            yield status
        if not done:
            raise Unreachable("it stopped in the middle of creating the model")

    def chat(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """One reply of a model to a conversation."""
        return self._json("POST", "/api/chat", {**body, "stream": False})

    def generate(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """One reply of a model to a prompt."""
        return self._json("POST", "/api/generate", {**body, "stream": False})

    def _json(self, method: str, path: str, body: Any = None, *, timeout: float = LONG) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with self._open(method, path, data, timeout, {"Content-Type": "application/json"}) as reply:
            return _object(self._read(reply))

    def _lines(self, path: str, body: Any) -> Iterator[dict[str, Any]]:
        headers = {"Content-Type": "application/json"}
        with self._open("POST", path, json.dumps(body).encode(), LONG, headers) as reply:
            while line := self._read(reply, one=True):
                if line.strip():
                    yield _object(line)

    def _read(self, reply: Any, *, one: bool = False) -> bytes:
        try:
            return bytes(reply.readline(_LONGEST_LINE) if one else reply.read(_LONGEST))
        except (OSError, HTTPException) as problem:
            raise Unreachable(f"it stopped answering: {_why(problem)}") from problem

    def _open(self, method: str, path: str, data: Any, timeout: float, headers: Mapping[str, str] | None = None) -> Any:
        request = urllib.request.Request(f"{self.url}{path}", data, dict(headers or {}), method=method)
        try:
            return self._opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as problem:
            with problem:
                raise _refusal(problem) from problem
        except (OSError, HTTPException) as problem:
            raise Unreachable(_why(problem)) from problem


def address(said: str) -> str:
    """The URL that ``OLLAMA_HOST`` means: Ollama's own reading of it, as a client's.

    Nothing is this machine; a host, a port or a scheme may stand alone; ``0.0.0.0`` is where a server listens, and is
    asked at this machine's own address.
    """
    scheme, met, rest = said.strip().strip("\"'").partition("://")
    scheme, rest = (scheme, rest) if met else ("http", scheme)
    port = {"http": 80, "https": 443}.get(scheme, PORT) if met else PORT
    host, _, path = rest.partition("/")
    if found := re.fullmatch(r"(.*):(\d+)", host) if not _is_address(host.strip("[]")) else None:
        host, port = found.group(1), int(found.group(2))
    host = host.strip("[]") or "127.0.0.1"
    if host == "0.0.0.0":
        host = "127.0.0.1"
    shown = "[::1]" if host == "::" else f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}/{path.strip('/')}".rstrip("/")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_own(host: str) -> bool:
    name = host.rsplit(":", 1)[0].strip("[]")
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name).is_loopback)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except ValueError as problem:
        raise Refused(f"its answer is not JSON: {_shown(raw.decode('utf-8', 'replace'))}") from problem
    if not isinstance(found, dict):
        raise Refused(f"its answer is no object: {_shown(found)}")
    return found


def _refusal(problem: urllib.error.HTTPError) -> Refused:
    try:
        text = problem.read(_LONGEST).decode("utf-8", "replace")
    except (OSError, HTTPException):
        text = ""
    try:
        said = json.loads(text)["error"]
    except (ValueError, LookupError, TypeError):
        said = text
    return Refused(f"{problem.code} {problem.reason}: {_shown(said) or 'no reason given'}", problem.code)


def _why(problem: BaseException) -> str:
    """What the network said, without numbers of errors."""
    reason = getattr(problem, "reason", problem)
    return _shown(getattr(reason, "strerror", None) or reason) or type(problem).__name__


def _shown(said: object) -> str:
    """What a server says, fit for a terminal."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(said)).split())
    return f"{text[:300]}..." if len(text) > 300 else text
