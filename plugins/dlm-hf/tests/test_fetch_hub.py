"""Fetching from a hub: a small one on this machine, asked through the real client."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dlm.bases import HubSource
from dlm.errors import BaseModelError
from dlm_hf.convert import fetch_hub

COMMIT = "0123456789" + "a" * 30
OTHER = "9876543210" + "b" * 30
TWIN = "9876543210" + "c" * 30
FILES = {"config.json": b'{"model_type": "tiny"}', "model.safetensors": b"weights", "pytorch_model.bin": b"pickle"}


class Hub(BaseHTTPRequestHandler):
    """The repositories ``org/tiny``, and ``org/gated`` that answers nobody."""

    def do_GET(self) -> None:
        self._reply(body=True)

    def do_HEAD(self) -> None:
        self._reply(body=False)

    def _reply(self, body: bool) -> None:
        path = self.path.partition("?")[0]
        if "org/gated" in path:
            self._send(401, b"{}", {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted."}, body)
        elif path.startswith("/api/models/org/tiny/commits/"):
            self._send(200, json.dumps([_commit(sha) for sha in (COMMIT, OTHER, TWIN)]).encode(), {}, body)
        elif path in ("/api/models/org/tiny", f"/api/models/org/tiny/revision/{COMMIT}"):
            siblings = [{"rfilename": name} for name in FILES]
            info = {"id": "org/tiny", "sha": COMMIT, "siblings": siblings, "private": False, "tags": [], "downloads": 0}
            self._send(200, json.dumps(info).encode(), {}, body)
        elif path.startswith(f"/api/models/org/tiny/tree/{COMMIT}"):
            tree = [{"type": "file", "path": n, "size": len(c), "oid": _oid(c)} for n, c in FILES.items()]
            self._send(200, json.dumps(tree).encode(), {}, body)
        elif path.startswith(f"/org/tiny/resolve/{COMMIT}/") and path.rpartition("/")[2] in FILES:
            content = FILES[path.rpartition("/")[2]]
            self._send(200, content, {"ETag": f'"{_oid(content)}"', "X-Repo-Commit": COMMIT}, body)
        else:
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound", "X-Error-Message": "no such thing"}, body)

    def _send(self, status: int, content: bytes, headers: dict[str, str], body: bool) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), "Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


def _oid(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def _commit(sha: str) -> dict[str, object]:
    return {"id": sha, "title": "t", "message": "", "authors": [], "date": "2026-01-01T00:00:00.000Z"}


@pytest.fixture
def hub(monkeypatch, tmp_path: Path):
    from huggingface_hub import constants

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("revision", [None, COMMIT, COMMIT[:10]])
def test_the_whole_commit_is_told_and_no_pickle_is_fetched(hub, tmp_path: Path, revision: str | None) -> None:
    said: list[str] = []
    assert fetch_hub(HubSource("org/tiny", revision), tmp_path, said.append) == COMMIT
    assert (tmp_path / "model.safetensors").read_bytes() == b"weights"
    assert not (tmp_path / "pytorch_model.bin").exists()
    assert said == [f"downloading org/tiny at {COMMIT}"]


@pytest.mark.parametrize(("prefix", "count"), [("0" * 12, "0 commits"), ("9876543210", "2 commits")])
def test_a_beginning_that_fits_no_commit_or_several_is_refused(hub, tmp_path: Path, prefix: str, count: str) -> None:
    with pytest.raises(BaseModelError, match=f"org/tiny has {count} that begin with {prefix}"):
        fetch_hub(HubSource("org/tiny", prefix), tmp_path, pytest.fail)


@pytest.mark.parametrize("revision", [None, COMMIT[:10]])
def test_a_gated_repository_says_how_to_get_access(hub, tmp_path: Path, revision: str | None) -> None:
    with pytest.raises(BaseModelError, match=r"org/gated is gated on the hub: .*HF_TOKEN"):
        fetch_hub(HubSource("org/gated", revision), tmp_path, pytest.fail)
