"""Trained documents, servers that are processes of their own, and a client that can misbehave."""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import dlm
from dlm.store import Store
from dlm.testing import only_plugins, toy_base
from dlm.testing.toy import ToyPlugin
from dlm_peer.address import Address, parse

SMALL = "01J0000000000000000000000A"
LARGE = "01J0000000000000000000000B"
MEGABYTES = 16
DLM = [sys.executable, "-c", "from dlm.cli.main import main; main()"]
TEXT = "---\ndlm_id: {}\ndlm_version: 15\nbase_model: path:base\n---\n# Lamp\n\nAda Hale built the lamp.\n"
IMPATIENT = """\
import json, sys
from pathlib import Path
from dlm.share.packing import PackOptions
from dlm_peer.counter import Wish, open_counter
from dlm_peer.settings import Patience, Settings
given = json.loads(sys.argv[2])
settings = Settings(**given.pop("settings", {}))
wish = Wish(Path(sys.argv[1]), None, 0, False, False, PackOptions(), None, settings)
say = lambda line: print(line, file=sys.stderr, flush=True)
with open_counter(wish, say, Patience(**given)) as opened:
    print(json.dumps({"tickets": [str(one) for one in opened.addresses]}), flush=True)
    opened.run()
"""


@dataclass
class Trained:
    """A document, and the DLM_HOME that its store is in."""

    document: Path
    home: Path


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    toy_base(folder / "base")
    (folder / "lamp.dlm").write_text(TEXT.format(SMALL), encoding="utf-8")
    with only_plugins(ToyPlugin()):
        dlm.train(folder / "lamp.dlm", home=folder / "home")
    return folder


@pytest.fixture
def small(trained_once, tmp_path):
    """A document that the toy backend trained; its pack has some kilobytes."""
    shutil.copytree(trained_once, tmp_path / "ada")
    return Trained(tmp_path / "ada" / "lamp.dlm", tmp_path / "ada" / "home")


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """One with many megabytes of weights that cannot be compressed."""
    folder = tmp_path_factory.mktemp("large")
    document = folder / "tower.dlm"
    document.write_text(TEXT.format(LARGE), encoding="utf-8")
    store = Store(folder / "home", LARGE)
    header = (2).to_bytes(8, "little") + b"{}"
    data = header + random.Random("large").randbytes(MEGABYTES * 1_000_000)

    def write(place: Path) -> None:
        (place / "adapter_config.json").write_text("{}", encoding="utf-8")
        (place / "adapter_model.safetensors").write_bytes(data)

    with store.lock("train"):
        store.begin_run({}).commit(write, {})
    return Trained(document, folder / "home")


@dataclass
class Server:
    """A running ``dlm serve``."""

    process: subprocess.Popen
    told: dict
    heard: Path
    home: Path
    addresses: list[Address] = field(init=False)

    def __post_init__(self):
        self.addresses = [parse(one) for one in self.told["tickets"]]

    @property
    def place(self) -> str:
        """The first ticket's address."""
        return self.told["tickets"][0]

    @property
    def folder(self) -> Path:
        """What the server keeps."""
        return self.home / "serving" / self.addresses[0].dlm_id

    @property
    def stderr(self) -> str:
        return self.heard.read_text(encoding="utf-8")

    def stop(self, how: int = signal.SIGTERM, seconds: float = 30) -> int:
        self.process.send_signal(how)
        return self.process.wait(seconds)

    def hears(self, words: str, seconds: float = 10) -> None:
        """Wait until ``words`` were printed."""
        until = time.monotonic() + seconds
        while words not in self.stderr:
            assert time.monotonic() < until, self.stderr
            time.sleep(0.02)


@pytest.fixture
def serve(tmp_path):
    """``serve(trained, *options)`` starts a server, ``serve(trained, patience={...})`` an impatient one."""
    running = []

    def started(trained: Trained, *options: str, patience: dict | None = None) -> Server:
        command = [
            sys.executable,
            "-c",
            "from dlm.cli.main import main; main()",
            "serve",
            str(trained.document),
            "--json",
        ]
        command += options if "--port" in options else ("--port", "0", *options)
        if patience is not None:
            command = [sys.executable, "-c", IMPATIENT, str(trained.document), json.dumps(patience)]
        heard = tmp_path / f"server-{len(running)}.txt"
        env = {**os.environ, "DLM_HOME": str(trained.home)}
        with heard.open("wb") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=env)
        running.append(process)
        line = process.stdout.readline()
        assert line, heard.read_text()
        return Server(process, json.loads(line), heard, trained.home)

    yield started
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


class Http:
    """Requests with and without a ticket, over TLS that looks at nothing."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.path = f"/v1/{address.dlm_id}/pack"

    def connect(self, *, receive: int | None = None) -> ssl.SSLSocket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.socket()
        if receive is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        plain.settimeout(20)
        try:
            plain.connect((self.address.host, self.address.port))
            return context.wrap_socket(plain)
        except OSError:
            plain.close()
            raise

    def headers(self, token: str | None = None, pull: str = "0" * 32) -> dict[str, str]:
        return {"Authorization": f"Bearer {token or self.address.token}", "Dlm-Pull": pull}

    def ask(self, method: str = "GET", path: str | None = None, headers: dict | None = None, **more: str):
        """Status, headers and body of an answer. ``more`` are further headers, with _ for -."""
        link = http.client.HTTPConnection(self.address.host)
        link.sock = self.connect()
        given = self.headers() if headers is None else headers
        link.request(method, self.path if path is None else path, headers=given | _named(more))
        with link.getresponse() as answer:
            found = answer.status, dict(answer.getheaders()), answer.read()
        link.close()
        return found

    def reason(self, **asked) -> tuple[int, str]:
        status, headers, body = self.ask(**asked)
        assert headers["content-type"] == "application/problem+json"
        return status, json.loads(body)["reason"]


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def http_to():
    """Makes an :class:`Http` of an address."""
    return Http
