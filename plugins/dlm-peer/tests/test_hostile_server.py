"""A server that has the right certificate and lies: nothing of it is put in place, or shown as it was sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dlm.errors import TransferFailed, TransferRefused
from dlm_peer import tickets
from dlm_peer.address import Address
from dlm_peer.identity import identity_of
from dlm_peer.transport import Peer

ID = "01J0000000000000000000000A"
DLM = [sys.executable, "-c", "from dlm.cli.main import main; main()"]


@contextmanager
def lying(folder, answer):
    """The address of a server whose every answer ``answer(handler)`` writes."""
    identity = identity_of(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = identity.context().wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        ticket = tickets.fresh(2_000_000_000, 1, f"sha256:{'0' * 64}")
        token = tickets.seal(ticket, ID, bytes(32))
        try:
            yield Address("127.0.0.1", server.server_port, ID, token, identity.fingerprint)
        finally:
            server.shutdown()
            thread.join()


def send(handler, status=200, body=b"", **headers):
    handler.send_response(status)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def fetch(address, folder, say=lambda _: None):
    folder.mkdir(exist_ok=True)
    return Peer().fetch(str(address), folder, progress=lambda done, total: None, say=say)


def test_another_pack_than_the_tickets_is_not_put_in_place(small, serve, tmp_path):
    served = serve(small)
    other = fetch(served.addresses[0], tmp_path / "fetched").pack.read_bytes()
    with lying(tmp_path, lambda handler: send(handler, body=other, ETag='"a"')) as address:
        command = [*DLM, "pull", str(address), "--out", str(tmp_path / "bob")]
        env = {**os.environ, "DLM_HOME": str(tmp_path / "bob" / "home")}
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 1
    assert "another pack than the one that was asked for" in done.stderr
    assert not [path for path in (tmp_path / "bob").rglob("*") if path.is_file() and not path.name.startswith(".")]


def test_names_beside_the_pack_lead_nowhere_else(tmp_path):
    asked = []

    def answer(handler):
        asked.append(handler.path.removeprefix(f"/v1/{ID}"))
        names = "../../x .sig /etc/passwd .part .part.json .SIG .. .sig.pub .a.b.c .sig"
        send(handler, body=b"bytes", ETag='"a"', Dlm_Beside=names)

    with lying(tmp_path, answer) as address:
        fetched = fetch(address, tmp_path / "bob")
    assert asked == ["/pack", "/pack.sig", "/pack.sig.pub"]
    assert set(fetched.sidecars) == {".sig", ".sig.pub"}
    assert all(path.parent == tmp_path / "bob" for path in (tmp_path / "bob").rglob("*"))


def test_a_large_signature_is_not_taken(tmp_path):
    def answer(handler):
        size = 5 if handler.path.endswith("/pack") else 10**9
        send(handler, body=b"bytes", ETag='"a"', Dlm_Beside=".sig", Content_Length=str(size))

    with lying(tmp_path, answer) as address, pytest.raises(TransferRefused, match="1,000,000,000 bytes"):
        fetch(address, tmp_path / "bob")


def test_the_ticket_is_taken_nowhere_else(tmp_path):
    elsewhere = []
    (tmp_path / "second").mkdir()
    with lying(tmp_path / "second", lambda handler: elsewhere.append(handler.path)) as second:
        where = f"https://{second.server}/v1/{ID}/pack"
        with (
            lying(tmp_path, lambda handler: send(handler, 302, Location=where)) as address,
            pytest.raises(TransferRefused, match="HTTP 302"),
        ):
            fetch(address, tmp_path / "bob")
    assert elsewhere == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[" * 4000, b"null", b'{"reason": ["used-up"]}', b'{"reason": "\x1b[31m"}', b"\xff" * 100_000],
)
def test_a_refusal_that_makes_no_sense_is_one_all_the_same(tmp_path, body):
    def answer(handler):
        send(handler, 403, body, Content_Type="application/problem+json")

    with lying(tmp_path, answer) as address, pytest.raises(TransferRefused, match="HTTP 403") as caught:
        fetch(address, tmp_path / "bob")
    assert "\x1b" not in str(caught.value)
    assert address.token not in str(caught.value)


def test_a_server_that_is_always_busy_is_given_up(tmp_path, monkeypatch):
    from dlm_peer import transport

    waited = []
    monkeypatch.setattr(transport.time, "sleep", waited.append)
    monkeypatch.setattr(transport.time, "monotonic", lambda: sum(waited))
    body = json.dumps({"reason": "too-many"}).encode()
    with (
        lying(tmp_path, lambda handler: send(handler, 503, body, Retry_After="99999")) as address,
        pytest.raises(TransferFailed, match="others are pulling for 10 minutes: run the same command again later"),
    ):
        fetch(address, tmp_path / "bob")
    assert 8 <= len(waited) <= 11
