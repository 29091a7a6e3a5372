"""Two hosts: a document is trained and served on one, pulled, verified and asked on the other, whatever dies meanwhile.

The hosts are two network namespaces with a cable between them where this user may make some, and else two folders of
this machine that talk over loopback. The test says which it was.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from dlm_peer.address import parse

ROOT = Path(__file__).parents[3]
DLM = [sys.executable, "-c", "from dlm.cli.main import main; main()"]
DOCUMENT = """---
dlm_id: 01J0000000000000000000000D
dlm_version: 15
base_model: path:base
---
# hello

::instruction::
### Q
what is new ?
### A
good morning !

### Q
hello
### A
hello user .
"""
MEGABYTES = 48
PORT = 7337
KILLS = 8

pytestmark = pytest.mark.slow


@dataclass
class Host:
    """One of the two: its folder, its address, and what stands before a command that runs there."""

    folder: Path
    address: str
    before: tuple[str, ...] = ()

    @property
    def env(self):
        return {**os.environ, "DLM_HOME": str(self.folder / "home"), "TOKENIZERS_PARALLELISM": "false"}

    def start(self, *arguments, **given) -> subprocess.Popen:
        command = [*self.before, *DLM, *map(str, arguments)]
        return subprocess.Popen(command, env=self.env, cwd=self.folder, text=True, **given)

    def run(self, *arguments, code: int = 0) -> str:
        process = self.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        told, heard = process.communicate(timeout=300)
        assert process.returncode == code, (told, heard)
        return told


def ip(*arguments: str) -> bool:
    if shutil.which("ip") is None:
        return False
    return subprocess.run(["ip", *arguments], capture_output=True).returncode == 0


@pytest.fixture
def hosts(tmp_path, capsys):
    """Ada's and Bob's."""
    ada, bob = (tmp_path / "ada", tmp_path / "bob")
    ada.mkdir()
    bob.mkdir()
    names = [f"dlm-{who}-{os.getpid()}" for who in ("ada", "bob")]
    ends = [f"dlm{who}{os.getpid() % 1_000_000}" for who in "ab"]
    with ExitStack() as stack:
        apart = True
        for name in names:
            apart = apart and ip("netns", "add", name)
            stack.callback(ip, "netns", "del", name)
        apart = apart and ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        stack.callback(ip, "link", "del", ends[0])
        for number, (name, end) in enumerate(zip(names, ends, strict=True), 1):
            apart = apart and ip("link", "set", end, "netns", name)
            apart = apart and ip("-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", end)
            apart = apart and ip("-n", name, "link", "set", end, "up") and ip("-n", name, "link", "set", "lo", "up")
        with capsys.disabled():
            sys.stdout.write(f"\ntwo hosts: {'network namespaces' if apart else 'loopback: no namespaces here'}\n")
        if apart:
            before = [("ip", "netns", "exec", name) for name in names]
            yield Host(ada, "10.77.0.1", before[0]), Host(bob, "10.77.0.2", before[1])
        else:
            yield Host(ada, "127.0.0.1"), Host(bob, "127.0.0.1")


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory):
    """A folder with a document that a real, tiny model was trained on, its store, and the base."""
    folder = tmp_path_factory.mktemp("hello")
    subprocess.run([sys.executable, ROOT / "tools/tiny_model.py", folder], check=True, capture_output=True)
    (folder / "hello.dlm").write_text(DOCUMENT, encoding="utf-8")
    Host(folder, "").run("train", "hello.dlm", "--no-report", "--max-steps", "300")
    return folder


@pytest.fixture
def trained(hosts, trained_once):
    """The document, on Ada's host; Bob has the base alone."""
    ada, bob = hosts
    shutil.copytree(trained_once, ada.folder, dirs_exist_ok=True)
    shutil.copytree(trained_once / "base", bob.folder / "base")
    return ada.folder / "hello.dlm"


def serving(host: Host, document: Path, errors) -> subprocess.Popen:
    options = ("--public", "--i-know-this-is-public", "--host", host.address, "--port", PORT)
    return host.start("serve", document, *options, stdout=subprocess.PIPE, stderr=errors)


def ticket(process: subprocess.Popen) -> str:
    for line in process.stdout:
        if "dlm pull" in line:
            return line.split("'")[1]
    raise AssertionError("no ticket was printed")


def test_a_document_answers_on_the_other_host_as_it_does_on_the_first(hosts, trained, tmp_path):
    ada, bob = hosts
    with (tmp_path / "server.txt").open("wb") as heard:
        server = serving(ada, trained, heard)
        place = ticket(server)
        assert parse(place).host == ada.address
        told = bob.run("pull", place)
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
        server.stdout.close()
    assert parse(place).ticket.digest in told
    assert bob.address in (tmp_path / "server.txt").read_text()
    asked = [host.run("prompt", host.folder / "hello.dlm", "what is new ?") for host in hosts]
    assert asked == ["good morning !\n"] * 2
    # Bob can hand it on: what he has makes a pack whose every member is whole, and whose weights are Ada's.
    bob.run("pack", "hello.dlm", "--out", "again.pack")
    assert "again.pack: whole, as it was made" in bob.run("verify", "again.pack")
    weights = [next((one.folder / "home").glob("store/*/adapter/versions/v0001/*.safetensors")) for one in hosts]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_whatever_is_killed_a_pull_that_is_tried_again_completes(hosts, trained, tmp_path):
    ada, bob = hosts
    chance = random.Random("kills")
    (version,) = (ada.folder / "home").glob("store/*/adapter/versions/v0001")
    header = (2).to_bytes(8, "little") + b"{}"
    (version / "padding.safetensors").write_bytes(header + chance.randbytes(MEGABYTES * 1_000_000))
    goals = sorted(chance.sample(range(1_000_000, (MEGABYTES - 4) * 1_000_000), KILLS))
    killed = []
    with (tmp_path / "server.txt").open("wb") as heard, (tmp_path / "client.txt").open("wb") as seen:
        server = serving(ada, trained, heard)
        place = ticket(server)
        client = bob.start("pull", place, stderr=seen, stdout=seen)
        for goal in goals:
            if not reached(bob, goal, client):
                break
            assert not (bob.folder / "hello.dlm").exists()
            killed.append(chance.choice(["server", "client"]))
            if killed[-1] == "client":
                client.kill()
                client.wait()
                client = bob.start("pull", place, stderr=seen, stdout=seen)
            else:
                kill(server)
                server = serving(ada, trained, heard)
                ticket(server)
        assert client.wait(120) == 0, (tmp_path / "client.txt").read_text()
        kill(server)
    assert set(killed) == {"server", "client"}, (tmp_path / "client.txt").read_text()
    (there,) = (bob.folder / "home").glob("store/*/adapter/versions/v0001/padding.safetensors")
    assert there.read_bytes() == (version / "padding.safetensors").read_bytes()
    assert bob.run("prompt", "hello.dlm", "what is new ?") == "good morning !\n"
    assert not [path for path in (bob.folder / "home" / "pulling").iterdir() if path.is_dir()]


def reached(host: Host, goal: int, client: subprocess.Popen) -> bool:
    """Wait until so many bytes have arrived; False when the pull ended before."""
    while arrived(host) < goal:
        if client.poll() is not None:
            return False
        time.sleep(0.001)
    return True


def kill(server: subprocess.Popen) -> None:
    server.kill()
    server.wait()
    server.stdout.close()


def arrived(host: Host) -> int:
    """Bytes of the pack that lie in the folder of the pull."""
    try:
        return max((path.stat().st_size for path in (host.folder / "home").glob("pulling/*/*.part")), default=0)
    except FileNotFoundError:
        return 0
