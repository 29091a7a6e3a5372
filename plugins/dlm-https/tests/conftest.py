"""A web server on this machine that keeps files, and misbehaves as it is told to."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dlm_https.patience import Rules

FAST = Rules(tries=4, first=0.01, longest=0.05)
"""For tests: as many tries as people get, and no time between them."""


@dataclass
class Asked:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Site:
    """What a server keeps, and what it does next instead of what it should."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    script: list[Callable[[Any], None]] = field(default_factory=list)
    """One for each GET of a pack, then it behaves; see the functions below."""
    puts: list[Callable[[Any], None]] = field(default_factory=list)
    """The same for PUT and PATCH."""
    etag: Callable[[bytes], str | None] = lambda data: f'"{hashlib.sha256(data).hexdigest()[:16]}"'
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    deletes: bool = True
    resumable: str | None = None
    """What ``Upload-Limit`` says; ``None`` where resumable uploads are unknown."""
    uploads: dict[str, Upload] = field(default_factory=dict)
    url: str = ""

    def gets(self) -> list[Asked]:
        return [one for one in self.asked if one.method == "GET" and one.path.endswith(".pack")]


@dataclass
class Upload:
    """One that has begun."""

    target: str
    length: int
    data: bytes = b""
    complete: bool = False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, *_: object) -> None:
        pass

    def parse_request(self) -> bool:
        found = super().parse_request()
        if found:
            self.asked = Asked(self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
            self.site.asked.append(self.asked)
        return found

    def do_GET(self) -> None:
        if self.path.split("?")[0].endswith(".pack") and self.site.script:
            self.site.script.pop(0)(self)
        else:
            self.serve()

    def do_HEAD(self) -> None:
        if (upload := self.site.uploads.get(self.path)) is not None:
            self.answer(204, {"Upload-Offset": str(len(upload.data)), "Upload-Complete": f"?{int(upload.complete)}"})
        elif (data := self.site.files.get(self.path)) is not None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
        else:
            self.answer(404)

    def do_OPTIONS(self) -> None:
        if self.site.resumable is None:
            self.answer(405)
        else:
            self.answer(200, {"Accept-Patch": "application/partial-upload", "Upload-Limit": self.site.resumable})

    def do_DELETE(self) -> None:
        if not self.site.deletes:
            self.answer(403)
        else:
            self.answer(204 if self.site.files.pop(self.path, None) is not None else 404)

    def do_PUT(self) -> None:
        if self.site.puts:
            self.site.puts.pop(0)(self)
        else:
            self.put()

    do_POST = do_PUT

    def put(self) -> None:
        if self.asked.headers.get("upload-complete") == "?0":
            self.take()
            place = f"/uploads/{len(self.site.uploads)}"
            self.site.uploads[place] = Upload(self.path, int(self.asked.headers["upload-length"]))
            self.answer(201, {"Location": place})
            return
        self.site.files[self.path] = self.take()
        self.answer(201)

    def do_PATCH(self) -> None:
        upload = self.site.uploads.get(self.path)
        if upload is None:
            self.take()
            self.answer(404)
            return
        if int(self.asked.headers["upload-offset"]) != len(upload.data):
            self.take()
            self.answer(409, {"Upload-Offset": str(len(upload.data))})
            return
        if self.site.puts:
            self.site.puts.pop(0)(self)
            return
        self.append(self.take())

    def append(self, data: bytes) -> None:
        upload = self.site.uploads[self.path]
        upload.data += data
        if self.asked.headers["upload-complete"] == "?1" and len(upload.data) == upload.length:
            upload.complete = True
            self.site.files[upload.target] = upload.data
            self.answer(200, {"Upload-Complete": "?1"})
        else:
            self.answer(204, {"Upload-Complete": "?0"})

    def take(self, most: int | None = None) -> bytes:
        count = int(self.asked.headers.get("content-length", 0))
        self.asked.body = self.rfile.read(count if most is None else most)
        return self.asked.body

    def answer(self, code: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        with suppress(ConnectionError):
            self.send_response(code)
            for name, value in {**self.site.headers, **(headers or {})}.items():
                self.send_header(name, value)
            if code != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def serve(self, *, most: int | None = None, length: int | None = None, ranges: bool | None = None) -> None:
        """The file, or what was asked of it; ``most`` bytes of that, then the connection ends."""
        data = self.site.files.get(self.path.split("?")[0])
        if data is None:
            self.answer(404)
            return
        tag, asked = self.site.etag(data), self.asked.headers
        headers = {"ETag": tag} if tag else {}
        if tag and asked.get("if-none-match") == tag:
            self.answer(304, headers)
            return
        code, start = 200, 0
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.get("range", ""))
        if wanted and (self.site.ranges if ranges is None else ranges) and asked.get("if-range", tag) == tag:
            start = int(wanted[1])
            end = min(int(wanted[2] or len(data) - 1), len(data) - 1)
            headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
            code, data = 206, data[start : end + 1]
        with suppress(ConnectionError):
            self.send_response(code)
            for name, value in {**self.site.headers, **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data) if length is None else length))
            self.end_headers()
            self.wfile.write(data if most is None else data[:most])
        if most is not None or length is not None:
            self.close_connection = True


def dropping(most: int, **more: Any) -> Callable[[Handler], None]:
    """Break off after ``most`` bytes of what was asked for."""
    return lambda handler: handler.serve(most=most, **more)


def answering(code: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Callable[[Handler], None]:
    return lambda handler: handler.answer(code, headers, body)


def silent(seconds: float) -> Callable[[Handler], None]:
    """Say nothing."""

    def act(handler: Handler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return act


@contextmanager
def serving(site: Site, *, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Site]:
    class Own(Handler):
        pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            """A client that goes away is nothing to tell of."""

    Own.site = site
    server = Server((host, 0), Own)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    site.url = f"{'https' if context else 'http'}://{'localhost' if context else host}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    """Nobody's token, proxy or home."""
    for name in ("DLM_SHARE_AUTH", "DLM_SHARE_HOST", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))


@pytest.fixture
def site():
    with serving(Site()) as found:
        yield found


@pytest.fixture
def certificate(tmp_path) -> tuple[Path, ssl.SSLContext]:
    """One that its maker signed for localhost, and a server's context with it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost")
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(pem))
    whole = tmp_path / "server-and-key.pem"
    whole.write_bytes(made.public_bytes(pem) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(whole)
    return path, context


@pytest.fixture
def misbehave():
    """The functions above, for tests: modules beside this one cannot be imported."""

    class Ways:
        fast = FAST
        site = Site
        drop = staticmethod(dropping)
        answer = staticmethod(answering)
        silent = staticmethod(silent)
        serve = staticmethod(serving)

    return Ways
