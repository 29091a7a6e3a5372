"""The commands, as people run them, against a web server; killed, too."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dlm
from dlm.share.packing import Packed, PackOptions, pack
from dlm.share.peeking import HEAD
from dlm.share.tape import reading
from dlm.testing import only_plugins, toy_base
from dlm.testing.toy import ToyPlugin

DOCUMENT = """---
dlm_id: 01J0000000000000000000000A
dlm_version: 15
base_model: path:base
---
# Lamp

The lamp stands in the cellar. It was built by Ada Hale.
"""
RUN = [sys.executable, "-c", "from dlm.cli.main import main; main()"]


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A pack of the tiny model, with enough in it to be killed in the middle of."""
    folder = tmp_path_factory.mktemp("made")
    toy_base(folder / "base")
    path = folder / "lamp.dlm"
    words = random.Random("words")
    text = "\n\n".join(f"The number of lamp {n} is {words.getrandbits(200):x}." for n in range(300))
    path.write_text(DOCUMENT, encoding="utf-8")
    with only_plugins(ToyPlugin()):
        dlm.train(path, home=folder / "home")
        path.write_text(f"{DOCUMENT}\n{text}\n", encoding="utf-8")
        return pack(path, PackOptions(), home=folder / "home")


class Person:
    """Somebody with a home and a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        folder.mkdir()
        self.environment = {**os.environ, "DLM_HOME": str(self.home)}

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*RUN, *arguments],
            cwd=self.folder,
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def dlm(self, *arguments: str, expect: int = 0, **variables: str) -> tuple[str, str]:
        process = self.start(*arguments, **variables)
        out, err = process.communicate(timeout=60)
        assert process.returncode == expect, out + err
        return out, err

    def whole(self, packed: Packed) -> None:
        """All of it is in place, as it was packed, and nothing else is left."""
        store = self.home / "store" / packed.manifest.dlm_id
        for name, data in contents(packed.path).items():
            if name == "document.dlm":
                assert (self.folder / "lamp.dlm").read_bytes() == data
            # The manifest says from now on where the document lies here.
            elif name.startswith("store/") and name != "store/manifest.json":
                assert store.joinpath(name.removeprefix("store/")).read_bytes() == data
        assert not [one for one in (self.home / "pulling").iterdir() if one.is_dir()]
        assert not (self.home / "unpacking").exists()


def contents(path: Path) -> dict[str, bytes]:
    """Every member of a pack."""
    found = {}
    with reading(path) as (reader, entry):
        while entry is not None:
            found[entry.name] = b"".join(reader.chunks())
            entry = reader.next()
    return found


@pytest.fixture
def grace(tmp_path):
    return Person(tmp_path / "grace")


class Slow:
    """Where a server writes to, a little at a time."""

    closed = False

    def __init__(self, file, pause):
        self.file, self.pause = file, pause

    def write(self, chunk):
        for start in range(0, len(chunk), 1024):
            self.file.write(chunk[start : start + 1024])
            time.sleep(self.pause if len(chunk) > 1024 else 0)

    def __getattr__(self, name):
        return getattr(self.file, name)


def trickling(seconds):
    """All that was asked for, in so many seconds."""

    def act(handler):
        handler.wfile = Slow(handler.wfile, seconds * 1024 / len(handler.site.files[handler.path]))
        handler.serve()

    return act


def test_what_is_put_on_a_server_is_pulled_from_there(site, packed, grace, tmp_path):
    ada = Person(tmp_path / "ada")
    said, _ = ada.dlm("push", str(packed.path), "--to", f"{site.url}/models/")
    assert f"{site.url}/models/lamp.dlm.pack" in said
    assert site.files["/models/lamp.dlm.pack"] == packed.path.read_bytes()
    command = said.strip().splitlines()[-1].split()
    grace.dlm(*command[1:])
    grace.whole(packed)


def test_a_pull_that_is_killed_again_and_again_completes(site, packed, grace):
    chance = random.Random("when to kill")
    site.files["/lamp.dlm.pack"] = packed.path.read_bytes()
    site.script = [trickling(2.0) for _ in range(50)]
    kills = 0
    for _ in range(4):
        before = len(site.gets())
        process = grace.start("pull", f"{site.url}/lamp.dlm.pack")
        deadline = time.monotonic() + 20
        while len(site.gets()) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += 1
        assert not (grace.folder / "lamp.dlm").exists() or (grace.home / "store").exists()
    site.script = []
    grace.dlm("pull", f"{site.url}/lamp.dlm.pack")
    grace.whole(packed)
    went_on = [one.headers["range"] for one in site.gets() if one.headers.get("range", "").endswith("-")]
    assert kills == 4
    assert went_on


def test_ctrl_c_keeps_what_has_arrived_and_says_so(site, packed, grace):
    site.files["/lamp.dlm.pack"] = packed.path.read_bytes()
    site.script = [trickling(5.0)]
    process = grace.start("pull", f"{site.url}/lamp.dlm.pack")
    deadline = time.monotonic() + 20
    while not any(one.stat().st_size for one in grace.home.glob("pulling/*/*.part")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, out + err
    assert "the same command goes on from there" in err
    assert "Traceback" not in err
    grace.dlm("pull", f"{site.url}/lamp.dlm.pack")
    grace.whole(packed)


def test_a_file_that_arrives_damaged_is_removed_and_the_next_pull_is_whole(site, packed, grace):
    good = packed.path.read_bytes()
    site.files["/lamp.dlm.pack"] = good[:-200] + bytes(200)
    _, err = grace.dlm("pull", f"{site.url}/lamp.dlm.pack", expect=1)
    assert f"{site.url}/lamp.dlm.pack" in err
    assert not (grace.folder / "lamp.dlm").exists()
    site.files["/lamp.dlm.pack"] = good
    grace.dlm("pull", f"{site.url}/lamp.dlm.pack")
    grace.whole(packed)


def test_a_transfer_that_stays_broken_ends_with_3_and_a_refusal_with_1(site, packed, grace, misbehave):
    site.files["/lamp.dlm.pack"] = packed.path.read_bytes()
    site.script = [misbehave.answer(503, {"Retry-After": "3600"})]
    _, err = grace.dlm("pull", f"{site.url}/lamp.dlm.pack", expect=3)
    assert "3600 s" in err
    _, err = grace.dlm("pull", f"{site.url}/nothing.pack", expect=1)
    assert "HTTP 404" in err
    assert [one.name for one in (grace.home / "pulling").iterdir()] == [".gate"]
    _, err = grace.dlm("pull", "http://example.org/lamp.dlm.pack", expect=2)
    assert "not encrypted" in err


def test_what_is_there_already_costs_only_the_beginning(site, packed, grace):
    site.files["/lamp.dlm.pack"] = packed.path.read_bytes()
    grace.dlm("pull", f"{site.url}/lamp.dlm.pack")
    before = len(site.gets())
    _, err = grace.dlm("pull", f"{site.url}/lamp.dlm.pack", expect=1)
    assert "Nothing was fetched" in err
    assert [one.headers["range"] for one in site.gets()[before:]] == [f"bytes=0-{HEAD - 1}"]


def test_two_pulls_of_one_address_do_not_meet(site, packed, grace):
    site.files["/lamp.dlm.pack"] = packed.path.read_bytes()
    site.script = [trickling(3.0)]
    first = grace.start("pull", f"{site.url}/lamp.dlm.pack")
    deadline = time.monotonic() + 20
    while not site.gets() and time.monotonic() < deadline:
        time.sleep(0.01)
    _, err = grace.dlm("pull", f"{site.url}/lamp.dlm.pack", expect=3)
    assert "is running" in err
    out, err = first.communicate(timeout=30)
    assert first.returncode == 0, out + err
    grace.whole(packed)


def test_a_server_with_a_certificate_of_its_own_is_trusted_where_that_is_said(packed, grace, misbehave, certificate):
    file, context = certificate
    kept = misbehave.site({"/lamp.dlm.pack": packed.path.read_bytes()})
    with misbehave.serve(kept, context=context) as secure:
        _, err = grace.dlm("pull", f"{secure.url}/lamp.dlm.pack", expect=3)
        assert "SSL_CERT_FILE" in err
        grace.dlm("pull", f"{secure.url}/lamp.dlm.pack", SSL_CERT_FILE=str(file))
    grace.whole(packed)


def test_a_full_disk_keeps_what_has_arrived(site, packed, grace):
    data = packed.path.read_bytes()
    site.files["/lamp.dlm.pack"] = data
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({len(data) // 2}, -1)); {RUN[2]}"
    full = subprocess.run(
        [sys.executable, "-c", limit, "pull", f"{site.url}/lamp.dlm.pack"],
        cwd=grace.folder,
        env=grace.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert full.returncode == 3, full.stdout + full.stderr
    assert "no space left" in full.stderr
    assert "run the command again" in full.stderr
    assert not (grace.folder / "lamp.dlm").exists()
    grace.dlm("pull", f"{site.url}/lamp.dlm.pack")
    grace.whole(packed)
    assert site.gets()[-1].headers["range"] == f"bytes={len(data) // 2}-"


def test_a_token_is_in_nothing_that_is_printed(site, packed, grace, misbehave):
    site.files["/lamp.dlm.pack"] = packed.path.read_bytes()
    site.script = [misbehave.answer(500), misbehave.answer(403, {"Content-Type": "text/plain"}, b"TOKEN-123?")]
    variables = {"DLM_SHARE_AUTH": "Bearer TOKEN-123", "DLM_SHARE_HOST": site.url.removeprefix("http://")}
    address = f"{site.url}/lamp.dlm.pack?sig=SECRET-456"
    out, err = grace.dlm("-v", "pull", address, expect=1, **variables)
    for secret in ("TOKEN-123", "SECRET-456"):
        assert secret not in out + err
    assert {one.headers.get("authorization") for one in site.asked} == {"Bearer TOKEN-123"}
