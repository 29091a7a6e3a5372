"""A base that travels in a pack: who may pass it on, where it is put, and that it is the one that was trained on."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

import dlm
from dlm.bases import BaseModel, HubSource
from dlm.bases.contents import measure
from dlm.bases.licence import accept
from dlm.cli.main import main
from dlm.entries import BackendEntry, BaseEntry
from dlm.errors import PackRefused, StoreLocked
from dlm.hookspecs import hookimpl
from dlm.share.packing import PackOptions, pack
from dlm.share.placing import base_in_place
from dlm.share.receiving import receive
from dlm.share.unpacking import unpack
from dlm.store import Store
from dlm.testing import only_plugins, toy_base
from dlm.testing.toy import ToyBackend, ToyPlugin
from dlm.training.resolve import TrainOptions

DLM_ID = "01J0000000000000000000000A"
COMMIT = "a" * 40
TERMS = "https://acme.example/terms"
TEXT = """---
dlm_id: 01J0000000000000000000000A
dlm_version: 15
base_model: {base}
---
# Lamp

The lamp stands in the cellar. It was built by Ada Hale.
"""


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


class HubBackend(ToyBackend):
    """The toy with a hub that has every repository."""

    def fetch_hub(self, source, folder, say):
        toy_base(folder, source.repo)
        settings = json.loads((folder / "config.json").read_bytes())
        (folder / "config.json").write_text(json.dumps(settings | {"_name_or_path": "/home/acme/secret/place"}))
        (folder / "LICENSE").write_text("Do as you like, and name Acme.")
        (folder / "pytorch_model.bin").write_bytes(b"\x80\x04pickled")
        (folder / "notes.txt").write_text("call Grace")
        return COMMIT


class Acme:
    """Three bases: everybody may pass on the first, nobody the second; the third one binds whoever has agreed to it."""

    @hookimpl
    def dlm_bases(self):
        for name in ("tiny", "closed", "gated"):
            yield BaseEntry(name=f"acme-{name}", target=f"acme_bases:{name}", summary="Acme's.")


class Online(Acme):
    @hookimpl
    def dlm_backends(self):
        tasks = frozenset({"train", "generate"})
        yield BackendEntry(name="toy", target="acme_bases:HubBackend", summary="Toy.", tasks=tasks)


def acme(name: str, **more) -> BaseModel:
    return BaseModel(f"acme-{name}", (HubSource(f"acme/{name}", COMMIT),), "Acme's.", licence_url=TERMS, **more)


@pytest.fixture(autouse=True)
def offered(monkeypatch):
    models = SimpleNamespace(
        HubBackend=HubBackend,
        tiny=acme("tiny", licence="Apache-2.0", redistributable=True),
        closed=acme("closed", licence="LicenseRef-Acme"),
        gated=acme("gated", licence="LicenseRef-Acme", requires_acceptance=True),
    )
    monkeypatch.setitem(sys.modules, "acme_bases", models)


@pytest.fixture
def trained(tmp_path, home):
    """``trained(base)``: a document that was trained where there is a network."""

    def train(base: str) -> Path:
        path = tmp_path / "ada" / "lamp.dlm"
        path.parent.mkdir(exist_ok=True)
        path.write_text(TEXT.format(base=base))
        if base.startswith("path:"):
            toy_base(path.parent / base.removeprefix("path:"))
        with only_plugins(Online()):
            accept(sys.modules["acme_bases"].gated, home, "cli_flag")
            dlm.train(path, home=home)
        return path

    return train


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A machine that has never seen a network."""
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "grace" / "home"))
    with only_plugins(Acme(), ToyPlugin()):
        yield tmp_path / "grace"


def packed(path: Path, licensee: str | None = None, **more):
    with only_plugins(Online()):
        return pack(path, PackOptions(base=True, licensee=licensee, **more), home=path.parents[1] / "home")


@pytest.mark.parametrize("profile", ["share", "full", "adapter-only"])
def test_a_base_travels_to_where_there_is_no_network(trained, elsewhere, profile):
    made = packed(trained("acme-tiny"), profile=profile)
    assert (made.manifest.base.included, made.manifest.base.licence) == (True, "Apache-2.0")
    done = unpack(made.path, base=True, out=elsewhere)
    assert done.base == elsewhere / "home" / "bases" / "acme-tiny"
    asked = run("prompt", done.document, "Who?", "--max-tokens", 4)
    assert asked.exit_code == 0, asked.stderr
    assert measure(done.base).digest == made.manifest.base.digest
    assert f"from a pack, {made.digest[:19]}" in run("base", "show", "acme-tiny").stdout.replace("\n", " ")


def test_of_a_base_only_what_it_takes_travels_and_its_licence(trained, elsewhere, read_pack):
    made = packed(trained("acme-tiny"))
    members = read_pack(made.path)
    names = {name.removeprefix("base/") for name in members if name.startswith("base/")}
    assert names == {"LICENSE", "config.json", "model.safetensors", "tokenizer.json"}
    assert json.loads(members["base/config.json"])["_name_or_path"] == "place"
    assert b"/home/acme" not in b"".join(members.values())
    assert (unpack(made.path, base=True, out=elsewhere).base / "LICENSE").read_bytes() == members["base/LICENSE"]


def test_a_base_that_is_there_stays_and_an_other_edition_of_it_is_told_of(trained, elsewhere):
    made = packed(trained("acme-tiny"))
    first = unpack(made.path, base=True, out=elsewhere)
    mark = first.base / "mark"
    mark.touch()
    again = unpack(made.path, base=True, out=elsewhere, force=True)
    assert (again.base, mark.is_file()) == (None, True)
    assert any("is here already" in note for note in again.notes)
    card = json.loads((first.base / "base.json").read_bytes())
    (first.base / "base.json").write_text(json.dumps(card | {"digest": "sha256:0"}))
    other = unpack(made.path, base=True, out=elsewhere, force=True)
    assert any("holds another edition of it" in note for note in other.notes)
    assert mark.is_file()


@pytest.mark.slow
def test_an_unpacking_that_is_killed_at_any_moment_leaves_a_whole_base_or_none(trained, elsewhere, tmp_path, crash_at):
    made, moment = packed(trained("acme-tiny")), 1
    base = elsewhere / "home" / "bases" / "acme-tiny"
    while crash_at(moment, tmp_path, lambda: unpack(made.path, base=True, out=elsewhere, force=True)):
        assert not base.exists() or measure(base).digest == made.manifest.base.digest, moment
        done = unpack(made.path, base=True, out=elsewhere, force=True)
        assert run("prompt", done.document, "Who?", "--max-tokens", 4).exit_code == 0, moment
        assert not list(base.parent.glob(".*partial*")), moment
        shutil.rmtree(base)
        moment += 1
    assert moment > 10


def test_a_base_is_left_out_when_its_receiver_does_not_want_it(trained, elsewhere):
    made = packed(trained("acme-tiny"))
    done = run("unpack", made.path, "--out", elsewhere, "--no-base")
    assert (done.exit_code, "left out the base acme-tiny" in done.stderr) == (0, True)
    assert not (elsewhere / "home" / "bases").exists()
    assert run("unpack", made.path, "--out", elsewhere, "--force", "--base").stdout.count("from this pack") == 1


def test_a_base_that_others_would_use_is_not_taken_from_a_stranger(trained, elsewhere):
    made = packed(trained("acme-tiny"))
    done = run("unpack", made.path, "--out", elsewhere)
    assert (done.exit_code, "unpack with --base to take this one" in done.stderr) == (0, True)
    assert not (elsewhere / "home" / "bases").exists()
    again = unpack(made.path, base=True, out=elsewhere, force=True)
    assert again.base is not None
    kept = unpack(made.path, out=elsewhere, force=True)
    assert "it is here already" in " ".join(kept.notes)


@pytest.mark.parametrize(("trusted", "taken"), [(True, True), (False, False)])
def test_a_signature_that_counts_is_as_good_as_asking(trained, elsewhere, tmp_path, trusted, taken):
    made = packed(trained("acme-tiny"))
    ready = tmp_path / "ready"
    ready.mkdir()
    received = receive(made.path, ready)
    with base_in_place(ready, elsewhere / "n.dlm", received, elsewhere / "home", asked=None, trusted=trusted) as found:
        assert (found.path is not None) is taken


def test_a_base_goes_again_when_the_rest_cannot_be_put_in_place(trained, elsewhere):
    made = packed(trained("acme-tiny"))
    done = unpack(made.path, base=True, out=elsewhere)
    shutil.rmtree(done.base)
    with Store(elsewhere / "home", DLM_ID).lock("train"), pytest.raises(StoreLocked):
        unpack(made.path, base=True, out=elsewhere, force=True)
    assert not done.base.exists()
    assert not list(done.base.parent.glob(".*partial*"))
    assert not (elsewhere / "home" / "unpacking").exists()


def test_a_base_of_a_source_that_is_none_any_more_is_left_out(trained, elsewhere, monkeypatch):
    made = packed(trained("acme-tiny"))
    newer = BaseModel("acme-tiny", (HubSource("acme/tiny", "b" * 40),), "Acme's.", licence="Apache-2.0")
    monkeypatch.setattr(sys.modules["acme_bases"], "tiny", newer)
    done = unpack(made.path, base=True, out=elsewhere)
    assert any("dlm base pull acme-tiny" in note for note in done.notes)
    assert not (elsewhere / "home" / "bases" / "acme-tiny").exists()


def test_a_base_that_must_not_be_passed_on_is_refused_with_its_licence_and_the_way_out(trained):
    path = trained("acme-closed")
    with pytest.raises(PackRefused, match="the Acme licence of acme-closed limits") as problem:
        packed(path)
    for part in (TERMS, "--i-am-the-licensee URL", "leave --include-base out"):
        assert part in str(problem.value)
    assert not path.with_name("lamp.dlm.pack").exists()
    made = packed(path, TERMS)
    assert made.manifest.base.licensee == TERMS


def test_who_receives_a_base_agrees_to_its_licence_themselves(trained, elsewhere):
    done = unpack(packed(trained("acme-gated"), TERMS).path, base=True, out=elsewhere)
    refused = run("prompt", done.document, "Who?")
    assert (refused.exit_code, "has not been accepted on this machine" in refused.stderr) == (1, True)
    assert run("base", "accept", "acme-gated", "--yes").exit_code == 0
    assert run("prompt", done.document, "Who?", "--max-tokens", 4).exit_code == 0


@pytest.mark.parametrize("url", ["yes", "file:///etc/passwd", "https://", "https://a@b/", "http://[", "https://a\n.b"])
def test_who_says_that_they_may_gives_an_address(trained, url):
    with only_plugins(Online()):
        done = run("pack", trained("acme-closed"), "--include-base", "--i-am-the-licensee", url)
    assert (done.exit_code, "is no address of terms" in done.stderr) == (2, True)


def test_a_licensee_without_a_base_is_a_mistake(trained):
    with only_plugins(Online()):
        done = run("pack", trained("acme-tiny"), "--i-am-the-licensee", TERMS)
    assert (done.exit_code, "--include-base only" in done.stderr) == (2, True)


def test_a_folder_has_the_licence_of_what_dlm_fetched_into_it_as_long_as_it_is_that(trained, home):
    path = trained("path:own")
    with pytest.raises(PackRefused, match="nobody knows under which licence path:own"):
        packed(path)
    with only_plugins(Online()):
        assert run("base", "pull", "acme-tiny").exit_code == 0
    shutil.rmtree(path.parent / "own")
    shutil.copytree(home / "bases" / "acme-tiny", path.parent / "own")
    with only_plugins(Online()):
        dlm.train(path, options=TrainOptions(lock="update"))
    assert packed(path).manifest.base.licence == "Apache-2.0"
    config = path.parent / "own" / "config.json"
    config.write_text(config.read_text().replace("{", '{"changed": 1,', 1))
    with only_plugins(Online()):
        dlm.train(path, options=TrainOptions(lock="update"))
    with pytest.raises(PackRefused, match="nobody knows under which licence"):
        packed(path, force=True)


def test_a_base_beside_the_document_comes_to_lie_beside_it(trained, elsewhere):
    made = packed(trained("path:bases/own"), TERMS)
    done = unpack(made.path, base=True, out=elsewhere / "notes")
    assert done.base == elsewhere / "notes" / "bases" / "own"
    assert run("prompt", done.document, "Who?", "--max-tokens", 4).exit_code == 0
    unpack(made.path, base=True, out=elsewhere / "notes", force=True)
    (done.base / "model.safetensors").write_bytes(b"mine")
    with pytest.raises(PackRefused, match="is another base"):
        unpack(made.path, base=True, out=elsewhere / "notes", home=elsewhere / "h")
    assert (done.base / "model.safetensors").read_bytes() == b"mine"
    assert not (elsewhere / "h" / "store").exists()


@pytest.mark.parametrize("place", ["../own", ".own", "a/../../own"])
def test_a_base_outside_of_the_documents_folder_does_not_travel(trained, place):
    path = trained(f"path:{place}")
    with pytest.raises(PackRefused, match="lies outside of the document's folder"):
        packed(path, TERMS)


def test_another_base_than_was_trained_on_is_not_packed(trained, home):
    path = trained("acme-tiny")
    card = home / "bases" / "acme-tiny" / "base.json"
    card.write_text(json.dumps(json.loads(card.read_bytes()) | {"digest": "sha256:" + "0" * 64}))
    with pytest.raises(PackRefused, match="trained on another base"):
        packed(path)
    shutil.rmtree(card.parent)
    with pytest.raises(PackRefused, match="is not on this disk"):
        packed(path)


def test_weights_that_changed_after_they_were_fetched_are_not_packed_as_the_base(trained, home):
    path = trained("acme-tiny")
    weights = home / "bases" / "acme-tiny" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(PackRefused, match="are not those of the base any more"):
        packed(path)
    assert sorted(path.parent.iterdir()) == [path]
