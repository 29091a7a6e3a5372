"""A hub on the loopback interface, and people with machines of their own who push to it and pull from it.

The hub is a process, and so is every command: the hub's client reads its address when it is first imported.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from dlm.document import read
from dlm.store import Store

ROOT = Path(__file__).parents[3]
ULID = "01HRSHWZ4BQ3F8K2Y5N7V9XTCD"
COMMIT = "b" * 40
SECRET = "The harbour's port is 7413."
_DLM = (sys.executable, "-P", "-c", "from dlm.cli.main import main; main()")


@dataclass(frozen=True)
class Hub:
    """The hub, seen from outside."""

    url: str

    def ask(self, path: str, body: Any = None, token: str = "hf_ada") -> bytes:
        """What it answers."""
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self.url + path, data, {"Authorization": f"Bearer {token}"}), timeout=20) as answer:
            return answer.read()

    def misbehave(self, method: str, path: str, **how: Any) -> None:
        """Once, or ``times``."""
        self.ask("/_faults", {"method": method, "path": path, **how})

    def log(self, method: str, path: str = "") -> list[dict[str, Any]]:
        """What was asked of it."""
        return [one for one in json.loads(self.ask("/_log")) if one["method"] == method and path in one["path"]]

    def files(self, repo: str, revision: str = "main") -> dict[str, bytes]:
        """All of a repository, read with what the client itself uses for that."""
        rows = json.loads(self.ask(f"/api/models/{repo}/tree/{revision}"))
        return {row["path"]: self.raw(repo, row["path"], revision) for row in rows}

    def raw(self, repo: str, name: str, revision: str = "main") -> bytes:
        """A file."""
        found = json.loads(self.ask(f"/api/models/{repo}/revision/{revision}?blobs=true"))
        [one] = [one for one in found["siblings"] if one["rfilename"] == name]
        if large := one.get("lfs"):
            with urlopen(f"{self.url}/storage/object/{large['sha256']}", timeout=20) as answer:
                return answer.read()
        return self.ask(f"/{repo}/resolve/{revision}/{name}")

    def commit(self, repo: str, revision: str = "main") -> str:
        """The last one."""
        return str(json.loads(self.ask(f"/api/models/{repo}/revision/{revision}"))["sha"])

    def make(self, repo: str, files: dict[str, str], **keys: Any) -> None:
        """A repository that somebody made without dlm."""

        owner, name = repo.split("/")
        self.ask("/api/repos/create", {"organization": owner, "name": name, **keys}, f"hf_{owner}")
        self.write(repo, files)

    def write(self, repo: str, files: dict[str, str]) -> None:
        """As somebody does in the browser."""
        from base64 import b64encode

        lines: list[dict[str, Any]] = [{"key": "header", "value": {"summary": "by hand"}}]
        for path, text in files.items():
            lines.append({"key": "file", "value": {"path": path, "content": b64encode(text.encode()).decode()}})
        data = "\n".join(map(json.dumps, lines)).encode()
        token = {"Authorization": f"Bearer hf_{repo.split('/')[0]}"}
        urlopen(Request(f"{self.url}/api/models/{repo}/commit/main", data, token), timeout=20).close()


@dataclass(frozen=True)
class Person:
    """Somebody at a machine of their own."""

    folder: Path
    env: dict[str, str]
    started: list[subprocess.Popen[str]]

    @property
    def home(self) -> Path:
        """Where their dlm keeps everything."""
        return self.folder / "home"

    def start(self, *words: str | Path, **env: str) -> subprocess.Popen[str]:
        """A command of dlm, going on."""
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen([*_DLM, *map(str, words)], cwd=self.folder, env={**self.env, **env}, **pipes)
        self.started.append(process)
        return process

    def dlm(self, *words: str | Path, code: int = 0, **env: str) -> str:
        """What a command prints, on both ends; it ends with ``code``."""
        process = self.start(*words, **env)
        out, err = process.communicate(timeout=60)
        assert process.returncode == code, out + err
        assert "Traceback" not in err
        return out + err

    def trained(self, text: str = SECRET, *, megabytes: float = 0.1, base: str = f"hf:org/tiny@{COMMIT}") -> Path:
        """A document, and a version of it whose weights are noise: nothing here looks into them."""
        path = self.folder / "harbour.dlm"
        path.write_text(f"---\ndlm_id: {ULID}\ndlm_version: 15\nbase_model: {base}\n---\n# Harbour\n\n{text}\n")

        def write(place: Path) -> None:
            place.mkdir(parents=True, exist_ok=True)
            config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "base_model_name_or_path": str(self.folder)}
            (place / "adapter_config.json").write_text(json.dumps(config))
            size = int(megabytes * 1_000_000)
            (place / "adapter_model.safetensors").write_bytes(random.Random(text).randbytes(size))

        self.commit(path, write)
        return path

    def commit(self, path: Path, write: Any, **more: Any) -> None:
        """A version of the document in ``path``, as a training leaves it."""
        origin = {"key": f"hf:org/tiny@{COMMIT}", "digest": "sha256:" + "a" * 64, "revision": COMMIT, "source": "hub"}
        document = read(path)
        facts = {"document_digest": document.digest, "section_ids": [], "base": origin, "recipe": {"seed": 42}}
        store = Store(self.home, ULID)
        with store.lock("train"):
            store.begin_run({**facts, **more.pop("facts", {})}).commit(write, {"precision": "fp32"}, **more)

    def store(self) -> dict[str, bytes]:
        """What lies in the store of the document, but for where it lies."""
        root = self.home / "store" / ULID
        found = {one.relative_to(root).as_posix(): one.read_bytes() for one in root.rglob("*") if one.is_file()}
        return {name: data for name, data in found.items() if not name.endswith(".lock") and "version" in name}


@pytest.fixture(scope="session")
def server():
    process = subprocess.Popen(
        [sys.executable, "-P", ROOT / "tools/loopback_hub.py"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield Hub(process.stdout.readline().strip())
    process.terminate()
    process.communicate(timeout=10)


@pytest.fixture
def hub(server: Hub) -> Hub:
    """The hub, well behaved for now."""
    server.ask("/_well", {})
    return server


@pytest.fixture
def person(hub: Hub, tmp_path: Path):
    """``person("ada")``: with a folder, a store and a token of their own."""
    started: list[subprocess.Popen[str]] = []

    def make(name: str) -> Person:
        folder = tmp_path / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "DLM_", "TRANSFORMERS_"))}
        own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "hf"), "DLM_HOME": str(folder / "home")}
        token = {"HF_TOKEN": f"hf_{name}"} if name != "guest" else {}
        return Person(folder, {**kept, **own, **token, "HF_HUB_DISABLE_TELEMETRY": "1", "COLUMNS": "80"}, started)

    yield make
    for process in started:
        process.kill()
        process.communicate(timeout=10)


@pytest.fixture
def repo(request: pytest.FixtureRequest) -> str:
    """A repository of Ada's that is not there yet."""
    import zlib

    return f"ada/r{zlib.crc32(request.node.nodeid.encode()):08x}"
