"""A pack sent to a place and fetched from there: nothing leaves that must not, nothing is in place before all holds."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.entries import TransportEntry
from dlm.errors import (
    NotTrained,
    PackInvalid,
    PackRefused,
    SignatureInvalid,
    StoreLocked,
    TransferFailed,
    TransferRefused,
    UsageProblem,
)
from dlm.hookspecs import hookimpl
from dlm.share.leftovers import GONE, PULLING, PUSHING
from dlm.share.members import LIMITS
from dlm.share.packing import PackOptions
from dlm.share.peeking import HEAD, peek
from dlm.share.pulling import PullOptions
from dlm.share.pulling import pull as real_pull
from dlm.share.pushing import PushOptions
from dlm.share.pushing import push as real_push
from dlm.share.standing import Rules
from dlm.share.transport import PACK_FILE, Fetched, Sent, Transport
from dlm.share.unpacking import unpack
from dlm.store import Store
from dlm.testing import only_plugins
from dlm.testing.toy import ToyPlugin

DLM_ID = "01J0000000000000000000000A"


def push(path, place, options=None):
    return real_push(path, str(place), options or PushOptions(), progress=lambda *_: None, say=print)


def pull(place, out, home, **more):
    return real_pull(str(place), PullOptions(out, home, **more), progress=lambda *_: None, say=print)


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


class Spy(Transport):
    """Keeps one pack in memory."""

    kept: bytes | None = None
    sent = 0
    fetches = 0
    settings: object = None
    broken = ""
    headless = False

    def shown(self, place):
        return place.partition("?")[0]

    def check_send(self, place, settings):
        type(self).settings = dict(settings)

    def check_fetch(self, place):
        pass

    def send(self, parcel, place, *, progress, say):
        type(self).sent += 1
        type(self).kept = parcel.pack.read_bytes()
        return Sent(place)

    def head(self, place, count):
        return None if self.headless else self.kept[:count]

    def fetch(self, place, folder, *, progress, say):
        type(self).fetches += 1
        path = folder / PACK_FILE
        if self.broken:
            path.write_bytes(self.kept[:10])
            raise TransferFailed(self.broken)
        path.write_bytes(self.kept)
        return Fetched(path)


class SpyPlugin:
    @hookimpl
    def dlm_transports(self):
        yield TransportEntry(name="spy", target="spy_transport:Spy", summary="", settings={"colour": "Which."})
        yield TransportEntry(name="watch", target="spy_transport:Watch", summary="", sends=False)
        yield TransportEntry(name="bare", target="spy_transport:Bare", summary="", requires=("not_a_module",))


class Watch(Transport):
    """Nobody sends there."""


@pytest.fixture
def spy(monkeypatch, plugins):
    module = ModuleType("spy_transport")
    module.Spy, module.Watch = type("Spy", (Spy,), {}), Watch
    monkeypatch.setitem(sys.modules, "spy_transport", module)
    with only_plugins(ToyPlugin(), SpyPlugin()):
        yield module.Spy


@pytest.fixture
def there(tmp_path):
    folder = tmp_path / "shared disk"
    folder.mkdir()
    return folder


@pytest.fixture
def grace(tmp_path):
    """Another person's folder and home; empty."""
    out = tmp_path / "grace"
    out.mkdir()
    return out, tmp_path / "grace's home"


def nothing_in(grace) -> bool:
    out, home = grace
    return not list(out.iterdir()) and not (home / "store").exists() and not (home / "unpacking").exists()


def test_a_document_is_pushed_and_goes_on_elsewhere(document, there, grace, home):
    done = push(document(), f"{there}/")
    assert done.source == str(there / "lamp.dlm.pack")
    assert [one.name for one in there.iterdir()] == ["lamp.dlm.pack"]
    assert list((home / PUSHING).iterdir()) == []
    out, other = grace
    got = pull(done.source, out, other, digest=done.digest)
    assert got.unpacked.document.read_bytes()
    assert Store(other, DLM_ID).current().number == 1
    assert sorted(one.name for one in (other / PULLING).iterdir()) == [".gate"]


def test_the_command_that_push_prints_is_the_one_that_pulls(document, there, grace, monkeypatch):
    import shlex

    said = run("push", document(), "--to", f"{there}/")
    assert said.exit_code == 0
    command = shlex.split(said.output.strip().splitlines()[-1])
    assert command[:2] == ["dlm", "pull"]
    monkeypatch.chdir(grace[0])
    monkeypatch.setenv("DLM_HOME", str(grace[1]))
    got = run(*command[1:])
    assert got.exit_code == 0, got.output
    assert "pulled v0001 of lamp.dlm" in got.output
    assert (grace[0] / "lamp.dlm").is_file()


def test_json_says_the_same_to_programs(document, there, grace):
    sent = json.loads(run("push", document(), "--to", there / "x.pack", "--json").stdout)
    assert list(sent) == ["source", "digest", "bytes", "sidecars", "notes", "manifest"]
    out, home = grace
    got = json.loads(run("pull", sent["source"], "--out", out, "--home", home, "--json").stdout)
    assert list(got) == [
        *("source", "document", "store", "digest", "bytes", "base", "standing", "notes", "manifest"),
    ]
    assert (got["digest"], got["bytes"]) == (sent["digest"], sent["bytes"])
    assert got["standing"]["status"] == "unsigned"


def test_signatures_travel_with_a_pack_and_old_ones_do_not_stay(packed, there, plugins):
    packed.path.with_name("lamp.dlm.pack.pub").write_text("a key")
    (there / "lamp.dlm.pack.minisig").write_text("of an earlier pack")
    (there / "lamp.dlm.pack").write_bytes(b"")
    done = push(packed.path, there)
    assert done.sidecars == (".pub",)
    assert sorted(one.name for one in there.iterdir()) == ["lamp.dlm.pack", "lamp.dlm.pack.pub"]


def test_what_must_not_be_given_away_is_refused_before_anything_is_sent(document, spy):
    path = document(body="# Keys\n\nUse AKIA" + "ABCDEFGHIJKLMNOP to log in.\n")
    with pytest.raises(PackRefused, match="looks like a key of Amazon"):
        push(path, "spy:there")
    assert spy.sent == 0


def test_a_damaged_pack_is_not_sent(packed, spy):
    packed.path.write_bytes(packed.path.read_bytes()[:-9])
    with pytest.raises(PackInvalid, match="cut off"):
        push(packed.path, "spy:there")
    assert spy.sent == 0


def test_options_about_packing_are_none_about_a_pack(packed, spy):
    with pytest.raises(UsageProblem, match="is a pack already"):
        push(packed.path, "spy:there", PushOptions(PackOptions("full")))


def test_settings_are_held_against_those_that_the_place_knows(packed, spy):
    push(packed.path, "spy:there", PushOptions(settings={"colour": "red"}))
    assert spy.settings == {"colour": "red"}
    with pytest.raises(UsageProblem, match=r"--set size.*it knows colour"):
        push(packed.path, "spy:there", PushOptions(settings={"size": "1"}))


def test_what_was_not_trained_is_not_sent(document, spy):
    with pytest.raises(NotTrained, match="dlm train"):
        push(document(train=False), "spy:there")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("watch:me", "nothing can be pushed to watch:me"),
        ("ftp://host/x", "there are a path, .*; a file of that name is ./ftp:..."),
        ("nowhere/x.pack", "mkdir -p"),
    ],
)
def test_places_that_nobody_sends_to_are_refused_before_a_pack_is_made(document, spy, home, place, said):
    with pytest.raises(UsageProblem, match=said):
        push(document(), place)
    assert not (home / PUSHING).exists()


def test_the_command_that_installs_a_scheme_is_named(plugins, packed):
    with pytest.raises(UsageProblem, match=re.escape("pip install 'dlm[https]'")):
        push(packed.path, "https://host/x.pack")


def test_a_transport_without_its_library_is_refused_with_4(packed, spy):
    found = run("pull", "bare:there")
    assert found.exit_code == 4
    assert "bare: needs not_a_module" in found.output


def test_a_file_that_is_no_pack_is_not_replaced(packed, there, plugins):
    (there / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageProblem, match="is no pack"):
        push(packed.path, there / "thesis.txt")
    assert (there / "thesis.txt").read_text() == "years of work"


def test_a_pack_is_not_sent_onto_itself(packed, plugins):
    before = packed.path.read_bytes()
    with pytest.raises(UsageProblem, match="is the pack itself"):
        push(packed.path, packed.path)
    assert packed.path.read_bytes() == before


def test_what_a_push_that_died_has_left_goes_with_the_next(packed, document, there, home):
    left = home / PUSHING / "0123456789abcdef"
    left.mkdir(parents=True)
    (left / "lamp.dlm.pack").write_bytes(b"private")
    left.with_suffix(".lock").touch()
    push(document(), there)
    assert not left.exists()


def test_another_pack_than_the_one_asked_for_is_not_put_in_place(packed, grace, plugins):
    with pytest.raises(PackInvalid, match=r"another pack than the one that was asked for.*sha256:00"):
        pull(packed.path, *grace, digest=f"sha256:{'0' * 64}")
    assert nothing_in(grace)
    assert not [one for one in (grace[1] / PULLING).iterdir() if one.is_dir()]


@pytest.mark.parametrize("digest", ["sha256:12", "0" * 64, "sha256:" + "G" * 64])
def test_a_digest_is_given_whole(packed, grace, plugins, digest):
    with pytest.raises(UsageProblem, match="give all of it"):
        pull(packed.path, *grace, digest=digest)


def test_a_pack_that_is_damaged_is_removed_so_that_the_next_pull_begins_anew(packed, grace, spy):
    good = packed.path.read_bytes()
    spy.kept = good[:-100] + bytes(100)
    with pytest.raises(PackInvalid) as caught:
        pull("spy:there?token=SECRET", *grace)
    assert "spy:there" in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert nothing_in(grace)
    spy.kept = good
    pull("spy:there", *grace)
    assert spy.fetches == 2


def test_what_has_arrived_of_a_broken_transfer_is_kept_under_the_address_without_its_secrets(packed, grace, spy):
    spy.kept, spy.broken = packed.path.read_bytes(), "the line is dead"
    with pytest.raises(TransferFailed, match="the line is dead"):
        pull("spy:there?token=1", *grace)
    with pytest.raises(TransferFailed):
        pull("spy:there?token=2", *grace)
    (folder,) = [one for one in (grace[1] / PULLING).iterdir() if one.is_dir()]
    assert [one.name for one in folder.iterdir()] == [PACK_FILE]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_signature_that_does_not_count_yet_keeps_what_was_fetched(packed, grace, spy):
    spy.kept = packed.path.read_bytes()
    with pytest.raises(SignatureInvalid, match=r"spy:there is not signed.*is kept"):
        pull("spy:there", *grace, rules=Rules("enforce"))
    assert nothing_in(grace)
    (folder,) = [one for one in (grace[1] / PULLING).iterdir() if one.is_dir()]
    assert (folder / PACK_FILE).read_bytes() == spy.kept


def test_what_is_there_already_is_not_fetched_again(packed, grace, spy):
    spy.kept = packed.path.read_bytes()
    pull("spy:there", *grace)
    with pytest.raises(
        PackRefused, match=r"v0001 would come, which was trained at the same moment.*--force.*Nothing was fetched"
    ):
        pull("spy:there", *grace)
    assert spy.fetches == 1
    pull("spy:there", *grace, force=True)
    assert spy.fetches == 2


def test_where_the_beginning_cannot_be_seen_the_download_is_kept(packed, grace, spy):
    spy.kept, spy.headless = packed.path.read_bytes(), True
    pull("spy:there", *grace)
    with pytest.raises(PackRefused, match=r"--force.*is kept for the next pull"):
        pull("spy:there", *grace)
    assert [one for one in (grace[1] / PULLING).iterdir() if one.is_dir()]


def test_an_update_replaces_with_force_and_a_file_of_another_text_never_without(document, there, grace):
    path = document()
    push(path, there)
    out, home = grace
    pull(there, out, home)
    push(document(body="# Lamp\n\nThe lamp was sold.\n"), there)
    with pytest.raises(
        PackRefused,
        match=r"v0001 is here, of .*v0002 of .* would come\. .*lamp\.dlm is there, too, and is another text",
    ):
        pull(there, out, home)
    pull(there, out, home, force=True)
    assert "sold" in (out / "lamp.dlm").read_text()
    assert Store(home, DLM_ID).current().number == 2


def test_one_address_is_pulled_by_one_process_at_a_time(packed, grace, spy, monkeypatch):
    spy.kept = packed.path.read_bytes()
    within, go_on = threading.Event(), threading.Event()
    fetch = spy.fetch

    def slow(self, *arguments, **more):
        within.set()
        assert go_on.wait(10)
        return fetch(self, *arguments, **more)

    monkeypatch.setattr(spy, "fetch", slow)
    first = threading.Thread(target=pull, args=("spy:there", *grace))
    first.start()
    assert within.wait(10)
    with pytest.raises(StoreLocked, match="another `dlm pull` of spy:there is running"):
        pull("spy:there", *grace)
    go_on.set()
    first.join()
    assert (grace[0] / "lamp.dlm").exists()


def test_ctrl_c_says_that_the_same_command_goes_on(packed, grace, spy, monkeypatch):
    spy.kept = packed.path.read_bytes()

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(spy, "fetch", stopped)
    found = run("pull", "spy:there", "--out", grace[0], "--home", grace[1])
    assert found.exit_code == 130
    assert "the same command goes on from there" in found.output


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_pull_that_dies_at_any_moment_is_done_by_the_next(packed, tmp_path, crash_at, plugins):
    moment, crashed = 1, True
    while crashed:
        out, home = tmp_path / f"out-{moment}", tmp_path / f"home-{moment}"
        out.mkdir()
        crashed = crash_at(moment, home, lambda out=out, home=home: pull(packed.path, out, home))
        addresses = [one for one in home.glob(f"{PULLING}/*") if one.is_dir() and one.suffix != GONE]
        if crashed and (addresses or not (out / "lamp.dlm").exists()):
            pull(packed.path, out, home)
        assert Store(home, DLM_ID).current().number == 1
        assert (out / "lamp.dlm").read_bytes()
        assert not [one for one in home.glob(f"{PULLING}/*") if one.is_dir() and one.suffix != GONE]
        moment += 2
    assert moment > 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("change", ["train", "edit", "export", "log", "ledger"])
def test_what_was_done_since_a_pull_died_is_not_replaced(packed, grace, spy, monkeypatch, change):
    out, home = grace
    spy.kept = packed.path.read_bytes()
    if (child := os.fork()) == 0:
        # Everything is in place, and the folder of the address is not gone yet.
        monkeypatch.setattr("dlm.share.pulling.unpack", lambda *a, **more: (unpack(*a, **more), os._exit(9)))
        pull("spy:there", out, home)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    if change == "edit":
        (out / "lamp.dlm").write_text("another text")
    elif change in ("export", "log"):
        # Of the same version, and yet more than the pack has.
        kept = Store(home, DLM_ID).layout.root / ("exports/gguf/model.gguf" if change == "export" else "logs/x.jsonl")
        kept.parent.mkdir(parents=True)
        kept.write_text("of my own")
    elif change == "ledger":
        ledger = Store(home, DLM_ID).layout.ledger
        ledger.write_text(ledger.read_text() + "\n")
    else:
        version = Store(home, DLM_ID).current()
        shutil.copytree(version.path, version.path.with_name("v0002"))
    with pytest.raises(PackRefused, match="is there already"):
        pull("spy:there", out, home)


@pytest.mark.parametrize(
    ("place", "said"),
    [("", "the address is empty"), ("org/name", "for the hub write hf:org/name"), ("./x.pack", "is no file")],
)
def test_paths_with_nothing_to_pull_are_refused_with_2(grace, plugins, monkeypatch, tmp_path, place, said):
    monkeypatch.chdir(tmp_path)
    found = run("pull", place, "--out", grace[0], "--home", grace[1])
    assert found.exit_code == 2
    assert said in found.output


def test_the_beginning_of_a_pack_says_what_it_is(packed):
    data = packed.path.read_bytes()
    assert peek(data[:HEAD], "x") == packed.manifest
    for end in (0, 1, 10, 100):
        assert peek(data[:end], "x") is None
    assert peek(b"not a pack at all", "x") is None


def test_the_beginning_of_a_bomb_says_nothing(tmp_path):
    import zstandard

    bomb = zstandard.ZstdCompressor().compress(bytes(2 * LIMITS.free))
    assert peek(bomb, "x") is None


def test_gc_removes_what_nobody_went_on_with(home, plugins):
    gone = home / PULLING / f"{'c' * 32}{GONE}"
    gone.mkdir(parents=True)
    old, new = home / PULLING / ("a" * 32), home / PULLING / ("b" * 32)
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "adapter.dlm.pack.part").write_bytes(bytes(1000))
    for path in (old / "adapter.dlm.pack.part", old):
        os.utime(path, (1, 1))
    said = run("gc", "--all")
    assert said.exit_code == 0, said.output
    assert "30 days" in said.output
    assert not old.exists()
    assert not gone.exists()
    assert new.exists()


def test_the_same_file_is_never_reached_through_a_link_that_is_put_there(packed, there, plugins, tmp_path):
    """What is copied lies where it is wanted, and a link there is replaced, not followed."""
    outside = tmp_path / "outside.pack"
    outside.write_bytes(packed.path.read_bytes())
    (there / "lamp.dlm.pack").symlink_to(outside)
    push(packed.path, there)
    assert not Path(there / "lamp.dlm.pack").is_symlink()


def test_a_file_that_is_too_large_for_a_signature_is_not_even_copied(packed, tmp_path):
    with packed.path.with_name(f"{packed.path.name}.sig").open("wb") as file:
        file.truncate(64 * 2**20)
    with pytest.raises(TransferRefused, match=r"lamp\.dlm\.pack\.sig has 67,108,864 bytes"):
        pull(packed.path, tmp_path / "out", tmp_path / "own")
    assert not list((tmp_path / "own").rglob("*.sig"))
