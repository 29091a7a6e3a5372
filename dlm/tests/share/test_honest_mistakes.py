"""What somebody is told who means well: a wrong name, a wrong file, the same command twice."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

import dlm
from dlm.cli.main import main
from dlm.cli.rows import COLUMNS, row
from dlm.document.identity import digest
from dlm.errors import PackRefused
from dlm.share.already import require_free
from dlm.share.packing import PackOptions, pack
from dlm.share.receiving import receive
from dlm.share.unpacking import unpack
from dlm.store import Store


@pytest.fixture
def run(plugins, tmp_path, monkeypatch):
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "own"))
    return lambda *arguments: CliRunner().invoke(main, [str(one) for one in arguments])


@pytest.mark.parametrize("command", ["verify", "unpack", "sign"])
def test_what_is_no_pack_is_named_for_what_it_is(run, tmp_path, command):
    (tmp_path / "notes.dlm").write_text("---\n")
    for name, said in (
        ("x.pack", "there is no pack"),
        ("notes.dlm", f"`dlm pack {tmp_path / 'notes.dlm'}`"),
        (".", "is a folder"),
    ):
        done = run(command, tmp_path / name)
        assert (done.exit_code, said in done.stderr) == (2, True), done.stderr


def test_a_pack_under_the_name_of_a_document_is_read_all_the_same(packed, run):
    path = packed.path.with_name("lamp.dlm")
    packed.path.rename(path)
    assert run("verify", path).exit_code == 0


@pytest.mark.parametrize("arguments", [("trust", "add", "x.pub"), ("verify", "x.pack", "--key", "x.pub")])
def test_a_key_that_is_not_there_is_a_mistake_of_whoever_typed_it(run, arguments):
    done = run(*arguments)
    assert (done.exit_code, "no " in done.stderr, "x.pub" in done.stderr) == (2, True, True)


@pytest.mark.parametrize("content", ["-----BEGIN PRIVATE KEY-----\n", "untrusted comment: minisign secret key\n"])
def test_a_private_key_is_called_one(run, tmp_path, content):
    (tmp_path / "k").write_text(content)
    done = run("trust", "add", tmp_path / "k")
    assert (done.exit_code, "is a private key" in done.stderr) == (1, True)


@pytest.mark.parametrize("command", ["verify", "unpack", "pull"])
def test_a_digest_that_was_told_lets_one_pack_in_and_no_other(packed, run, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    other = run(command, packed.path, "--digest", "sha256:" + "0" * 64)
    assert (other.exit_code, "is another pack" in other.stderr) == (1, True)
    part = run(command, packed.path, "--digest", packed.digest[:20])
    assert (part.exit_code, "give all of it" in part.stderr) == (2, True)
    assert not (tmp_path / "own" / "store").exists()
    assert run(command, packed.path, "--digest", packed.digest).exit_code == 0


def test_a_pack_goes_into_a_folder_that_is_named_and_into_none_that_is_not_there(document, home, run, tmp_path):
    path, folder = document(), tmp_path / "out"
    folder.mkdir()
    assert pack(path, PackOptions(out=folder)).path == folder / "lamp.dlm.pack"
    done = run("pack", path, "--out", tmp_path / "no" / "x.pack")
    assert (done.exit_code, "mkdir -p" in done.stderr) == (2, True)


def test_what_would_be_lost_is_told_whole_before_force_is_given(document, home, tmp_path):
    path = document()
    made = pack(path, PackOptions())
    manifest = receive(made.path, None).manifest
    with pytest.raises(PackRefused, match="would come, which was trained at the same moment"):
        require_free(home, path, manifest, force=False)
    path.write_text(path.read_text() + "\nThe lamp is red.\n")
    dlm.train(path)
    with pytest.raises(PackRefused) as told:
        require_free(home, path, manifest, force=False)
    assert "v0001 and v0002 are here (v0002 is current)" in str(told.value)
    assert f"{path} is there, too, and is another text" in str(told.value)
    assert manifest.document.digest != digest(path.read_text())


def test_a_damaged_store_can_be_replaced(document, home, tmp_path):
    made = pack(document(), PackOptions())
    done = unpack(made.path, home=tmp_path / "h", out=tmp_path / "o")
    shutil.rmtree(Store(tmp_path / "h", done.received.manifest.dlm_id).layout.version(1))
    with pytest.raises(PackRefused, match=r"is damaged .*--force"):
        unpack(made.path, home=tmp_path / "h", out=tmp_path / "o")
    unpack(made.path, home=tmp_path / "h", out=tmp_path / "o", force=True)


def test_pushing_without_a_signature_over_a_signed_pack_says_so(packed, run, tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "lamp.dlm.pack.sig").write_text("{}")
    done = run("push", packed.path, "--to", folder)
    assert (done.exit_code, "removed the signature" in done.stderr) == (0, True)
    assert [one.name for one in folder.iterdir()] == ["lamp.dlm.pack"]
    assert "removed" not in run("push", packed.path, "--to", folder).stderr


@pytest.mark.parametrize("command", ["unpack", "pull"])
def test_the_command_that_asks_it_works_in_every_folder(packed, run, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    assert f"DLM_HOME={tmp_path / 'newer'} dlm prompt" in run(command, packed.path, "--home", "newer").stdout


def test_a_place_that_cannot_be_made_is_the_one_that_is_named(packed, run, tmp_path):
    (tmp_path / "file").write_text("")
    done = run("unpack", packed.path, "--out", tmp_path / "file" / "out")
    assert (done.exit_code, str(tmp_path / "file" / "out") in done.stderr) == (3, True), done.stderr
    assert not list((tmp_path / "own" / "store").glob("*"))


@pytest.mark.parametrize(("what", "said"), [("", "is a folder"), ("nope.dlm", "there is no file")])
def test_what_cannot_be_pushed_is_named_for_what_it_is(run, tmp_path, what, said):
    done = run("push", tmp_path / what, "--to", tmp_path)
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr


def test_an_address_that_is_empty_is_not_the_current_folder(packed, run, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for command in (("push", packed.path, "--to", ""), ("pull", " ")):
        done = run(*command)
        assert (done.exit_code, "the address is empty" in done.stderr) == (2, True), done.stderr
    assert not list((tmp_path / "here").iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_ctrl_c_where_a_password_is_asked_for_ends_as_everywhere(tmp_path):
    import pty

    command = [sys.executable, "-P", "-c", "from dlm.cli.main import main; main()", "key", "new"]
    given = {name: value for name, value in os.environ.items() if name != "DLM_SIGN_PASSWORD"}
    terminal, inside = pty.openpty()
    child = subprocess.Popen(
        command,
        env=given | {"DLM_HOME": str(tmp_path)},
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
    )
    shown = b""
    while b"Password" not in shown:
        shown += os.read(terminal, 1024)
    child.send_signal(signal.SIGINT)
    assert child.wait(30) == 130
    os.close(inside)
    os.close(terminal)
    assert not (tmp_path / "keys").exists()


def test_a_folder_without_a_pack_is_told_so(run, tmp_path):
    done = run("pull", tmp_path)
    assert (done.exit_code, "a folder without a pack" in done.stderr) == (2, True)


def test_a_command_of_a_plugin_that_is_not_here_is_told_with_what_installs_it(run):
    done = run("serve", "x.dlm")
    assert (done.exit_code, "pip install 'dlm[peer]'" in done.stderr) == (2, True)
    assert "No such command" in run("srve").stderr


def test_rows_fit_and_what_is_copied_stays_in_one_piece():
    whole = "sha256:" + "0" * 64
    assert row("digest", whole) == f"  digest\n    {whole}"
    told = row("note", "nobody knows who made it; " * 9)
    assert all(len(line) <= COLUMNS for line in told.splitlines())
    assert all(line.startswith(" " * 13) for line in told.splitlines()[1:])
    assert "\x1b" not in row("from", "a\x1b[2Jb")
