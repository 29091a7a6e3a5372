"""What a pack carries to another machine, and what stays here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

import dlm
from dlm.cli.main import main
from dlm.errors import NotTrained, PackRefused, StoreLocked, UsageProblem
from dlm.export.options import ExportOptions
from dlm.export.run import export_to
from dlm.share.manifest import schema
from dlm.share.packing import PackOptions, pack
from dlm.share.receiving import receive
from dlm.share.unpacking import clear, unpack
from dlm.store import Store
from dlm.testing import toy_base

DLM_ID = "01J0000000000000000000000A"
CONTRACTS = Path(__file__).parents[3] / "contracts"
BODY = """# Lamp

The lamp stands in the cellar. It was built by Ada Hale.
"""
DELETED = "The safe opens with 84-17-32 and nothing else."
EXTRA = f"\n::instruction::\n### Q\nHow does the safe open?\n### A\n{DELETED}\n"
TWO = """training:
  adapters:
    tone: {}
    facts: {}
"""


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Another machine: a folder with the base, and a home of its own."""

    def move() -> Path:
        folder = tmp_path / "grace"
        toy_base(folder / "base")
        monkeypatch.setenv("DLM_HOME", str(folder / "home"))
        return folder

    return move


def test_a_pack_goes_on_elsewhere_as_if_it_had_been_trained_there(document, elsewhere):
    path = document()
    before = run("prompt", path, "Who built the lamp?", "--max-tokens", 4).stdout
    done = run("pack", path)
    assert (done.exit_code, path.with_name("lamp.dlm.pack").is_file()) == (0, True)
    assert max(map(len, done.stdout.splitlines()[2:])) <= 80

    there = elsewhere()
    packed = shutil.move(path.with_name("lamp.dlm.pack"), there)
    shutil.rmtree(path.parents[1])
    assert run("verify", packed).exit_code == 0
    assert run("unpack", packed).exit_code == 0
    moved = there / "lamp.dlm"
    assert run("prompt", moved, "Who built the lamp?", "--max-tokens", 4).stdout == before
    facts = json.loads(run("show", moved, "--json").stdout)
    assert facts["problems"] == []
    assert (facts["adapter_version"], facts["source_path"], facts["changes"]["unchanged"]) == (1, str(moved), 2)
    moved.write_text(moved.read_text() + "\nThe lamp is green.\n")
    assert dlm.train(moved).version == 2
    assert run("gc", moved).exit_code == run("report", moved, "--version-number", "v1").exit_code == 0


@pytest.mark.parametrize("profile", ["share", "full", "adapter-only"])
def test_every_profile_keeps_what_it_takes_to_answer(document, elsewhere, profile):
    path = document("system_prompt: 'Be short: always.'")
    before = run("prompt", path, "Who?", "--max-tokens", 4).stdout
    pack(path, PackOptions(profile, out=path.with_name("x.pack")))
    there = elsewhere()
    done = unpack(path.with_name("x.pack"), out=there)
    assert run("prompt", done.document, "Who?", "--max-tokens", 4).stdout == before
    assert (b"Ada Hale" in done.document.read_bytes()) == (profile != "adapter-only")
    assert bool(list(done.store.glob("logs/*"))) == (profile == "full")


def test_what_was_deleted_where_it_lay_and_who_agreed_never_travel(document, home, tmp_path):
    path = document("training:\n  replay:\n    removed: keep", BODY + EXTRA)
    path.write_text(path.read_text().replace(EXTRA, ""))
    dlm.train(path)
    store = Store(home, DLM_ID)
    assert DELETED in store.layout.ledger.read_text(), "the store keeps it, or this test says nothing"
    plant(store)

    made = pack(path, PackOptions())
    everything = b"\n".join(members(made.path))
    for secret in (DELETED, "84-17-32", str(tmp_path), "hf_" + "a" * 34, "licence.example", "heard"):
        assert secret.encode() not in everything, secret
    assert any("learned 1 section that the document no longer has" in note for note in made.notes)
    full = b"\n".join(members(pack(path, PackOptions("full", force=True)).path))
    assert DELETED.encode() in full
    assert str(path).encode() in full


def plant(store: Store) -> None:
    """Put secrets wherever a store has room for them."""
    token = "hf_" + "a" * 34
    for name in ("logs/train-000009-20260101T000000Z.jsonl", "trackers/wandb/run.json", "augmented/x/y.json"):
        place = store.layout.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps({"token": token, "text": DELETED}))
    (store.layout.root / "notes.txt").write_text(token)
    facts = json.loads(store.layout.manifest.read_text())
    facts["license_acceptance"] = {"accepted_at": "2026-01-01T00:00:00Z", "license_url": "https://licence.example"}
    store.layout.manifest.write_text(json.dumps(facts))


def members(path: Path) -> list[bytes]:
    """Names and contents, as stock tools see them."""
    from dlm.share.tape import reading

    found = []
    with reading(path) as (reader, entry):
        while entry is not None:
            found += [entry.name.encode(), b"".join(reader.chunks())]
            entry = reader.next()
    return found


def test_an_access_token_in_the_document_is_an_error_that_names_its_line(document):
    path = document(body="# Access\n\nUse the token hf_" + "b" * 34 + " to fetch the lamp.\n")
    with pytest.raises(PackRefused, match=r"lamp\.dlm:8:1: this looks like an access token"):
        pack(path, PackOptions())
    assert not path.with_name("lamp.dlm.pack").exists()
    assert pack(path, PackOptions("full")).manifest.profile == "full"


@pytest.mark.parametrize("profile", ["share", "adapter-only"])
def test_a_place_on_this_machine_in_the_frontmatter_is_an_error(document, profile):
    path = document()
    path.write_text(path.read_text().replace("path:base", f"path:{path.parent / 'base'}"))
    with pytest.raises(PackRefused, match="base_model names"):
        pack(path, PackOptions(profile))


def test_the_same_content_gives_the_same_bytes(document, monkeypatch):
    path = document()
    first = pack(path, PackOptions()).path.read_bytes()
    os.utime(path, (1, 1))
    for file in path.parents[1].rglob("*"):
        os.utime(file, (5, 5))
    assert pack(path, PackOptions(force=True)).path.read_bytes() == first
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    second = pack(path, PackOptions(force=True))
    assert second.manifest.created_at == "2001-09-09T01:46:40Z"
    assert second.path.read_bytes() != first


def test_a_pack_that_was_unpacked_packs_to_the_same_content(document, elsewhere):
    path = document()
    first = pack(path, PackOptions())
    there = elsewhere()
    done = unpack(first.path, out=there)
    assert pack(done.document, PackOptions()).digest == first.digest


def test_stock_tools_read_a_pack(packed, tmp_path):
    if not (shutil.which("zstd") and shutil.which("tar") and shutil.which("sha256sum")):
        pytest.skip("zstd, tar or sha256sum is not installed")
    tar = tmp_path / "x.tar"
    subprocess.run(["zstd", "-qd", packed.path, "-o", tar], check=True)
    subprocess.run(["tar", "-xf", tar, "-C", tmp_path], check=True)
    told = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert told.stdout.count("OK") == len(packed.manifest.members) + 1


def test_nothing_is_replaced_without_force(packed, home, tmp_path):
    first = unpack(packed.path, out=tmp_path / "a")
    with pytest.raises(PackRefused, match="is there already, and is of the same document"):
        unpack(packed.path, out=tmp_path / "b")
    assert not (tmp_path / "b").exists()
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "lamp.dlm").write_text("mine")
    with pytest.raises(PackRefused, match="is another text"):
        unpack(packed.path, home=tmp_path / "h", out=tmp_path / "c")
    assert (tmp_path / "c" / "lamp.dlm").read_text() == "mine"
    assert not (tmp_path / "h" / "store").exists()

    (first.store / "mark").touch()
    unpack(packed.path, out=tmp_path / "c", force=True)
    assert not (first.store / "mark").exists()
    assert (tmp_path / "c" / "lamp.dlm").read_text() != "mine"
    assert not (home / "unpacking").exists()


def test_a_store_that_somebody_trains_is_not_replaced(packed, home, tmp_path):
    done = unpack(packed.path, out=tmp_path / "a")
    with Store(home, DLM_ID).lock("train"), pytest.raises(StoreLocked):
        unpack(packed.path, out=tmp_path / "a", force=True)
    assert Store(home, DLM_ID).current() is not None
    assert done.document.is_file()


@pytest.mark.slow
def test_an_unpacking_that_is_killed_at_any_moment_loses_nothing(packed, home, tmp_path, crash_at):
    unpack(packed.path, out=tmp_path / "a")
    mark = home / "store" / DLM_ID / "mark"
    mark.touch()
    moment = 1
    while crash_at(moment, tmp_path, lambda: unpack(packed.path, out=tmp_path / "a", force=True)):
        current = Store(home, DLM_ID).current()
        if current is None:
            assert run("verify", packed.path).exit_code == 0
        done = unpack(packed.path, home=tmp_path / "other", out=tmp_path / "a", force=True)
        shutil.rmtree(done.store)
        clear(home)
        assert Store(home, DLM_ID).current() is not None, moment
        assert not (home / "unpacking").exists(), moment
        moment += 1
    assert moment > 10
    assert not mark.exists()


def test_an_untrained_document_is_told_to_be_trained(document):
    with pytest.raises(NotTrained, match="dlm train"):
        pack(document(train=False), PackOptions())


def test_a_pack_is_not_written_over_a_file(document):
    path = document()
    path.with_name("lamp.dlm.pack").write_text("mine")
    done = run("pack", path)
    assert done.exit_code == 1
    assert "--force" in done.stderr
    assert path.with_name("lamp.dlm.pack").read_text() == "mine"


def test_named_adapters_and_their_gate_travel(document, elsewhere):
    pair = "::instruction#{0}::\n### Q\nWhat is {0} {1}?\n### A\nIt is {1}.\n"
    body = "\n".join(pair.format(name, number) for number in range(6) for name in ("tone", "facts"))
    path = document(TWO + "  gate:\n    enabled: true", "# Lamp\n\nIt is lit.\n\n" + body)
    made = pack(path, PackOptions())
    assert set(made.manifest.adapters) == {"tone", "facts"}
    there = elsewhere()
    done = unpack(made.path, out=there)
    assert (done.store / "adapter/versions/v0001/adapters/_gate/gate.json").is_file()
    for name in ("tone", "facts"):
        assert run("prompt", done.document, "What is tone 1?", "--adapter", name, "--max-tokens", 4).exit_code == 0


def test_exports_travel_when_asked_for_and_are_as_they_were_written(document, elsewhere, home):
    path = document()
    first = pack(path, PackOptions())
    export_to(path, "toy", options=ExportOptions(certify=False))
    assert pack(path, PackOptions(force=True)).manifest.members == first.manifest.members
    made = pack(path, PackOptions(exports=True, force=True))
    assert made.manifest.exports == ("toy-Q8_0-merged",)
    with pytest.raises(UsageProblem, match="quotes the document"):
        pack(path, PackOptions("adapter-only", exports=True, force=True))
    done = unpack(made.path, out=elsewhere())
    folder = done.store / "exports" / "toy-Q8_0-merged"
    assert run("verify-export", folder, "--files-only").exit_code == 0
    assert json.loads(run("exports", done.document, "--json").stdout)["exports"][0]["current"]


@pytest.mark.parametrize("profile", ["share", "full"])
def test_an_export_under_a_name_that_no_pack_holds_is_not_said_to_be_inside(document, home, profile):
    path = document()
    folder = export_to(path, "toy", options=ExportOptions(certify=False)).folder
    folder.rename(folder.with_name("my export"))
    made = pack(path, PackOptions(profile, exports=True))
    assert made.manifest.exports == ()
    assert any("my export" in note for note in made.notes)
    assert receive(made.path, None).manifest.exports == ()


def test_an_export_that_names_a_place_or_is_older_than_the_document_stays(document, home):
    path = document()
    folder = export_to(path, "toy", options=ExportOptions(certify=False)).folder
    (folder / "run.sh").write_text(f"serve {home}/base\n")
    made = pack(path, PackOptions(exports=True))
    assert made.manifest.exports == ()
    assert any("run.sh names a place" in note for note in made.notes)
    (folder / "run.sh").unlink()
    path.write_text(path.read_text() + "\nThe lamp is green.\n")
    made = pack(path, PackOptions(exports=True, force=True))
    assert made.manifest.exports == ()
    assert any("the document has changed since" in note for note in made.notes)


def test_a_whole_store_moves_with_its_versions_and_curves(document, elsewhere):
    path = document()
    path.write_text(path.read_text() + "\nThe lamp is green.\n")
    dlm.train(path)
    before = run("metrics", "show", path, "--run", 1, "--json")
    done = unpack(pack(path, PackOptions("full")).path, out=elsewhere())
    assert [version.number for version in Store(done.store.parents[1], DLM_ID).versions()] == [1, 2]
    after = run("metrics", "show", done.document, "--run", 1, "--json")
    assert (before.exit_code, after.exit_code) == (0, 0), after.output
    assert len(json.loads(after.stdout)["steps"]) == len(json.loads(before.stdout)["steps"]) > 0
    assert run("use", done.document, "v1").exit_code == 0


def test_a_learning_report_travels_without_the_questions_of_its_user(document, home, tmp_path):
    path = document()
    (path.parent / "questions.jsonl").write_text('{"question": "What does Zebedee fear?", "answer": "The dark."}\n')
    asked = run("report", path, "--again", "--questions", path.parent / "questions.jsonl")
    report = next(home.rglob("learning.json"))
    assert "Zebedee" in report.read_text(), asked.output
    made = pack(path, PackOptions())
    everything = b"\n".join(members(made.path))
    assert b"learning.json" in everything
    assert b"Zebedee" not in everything


def test_every_file_of_a_store_is_either_packed_or_known_to_stay(document, home):
    path = document()
    notes = pack(path, PackOptions("full")).notes
    assert notes == ()


def test_packing_says_how_far_it_is(document):
    heard = []
    made = pack(document(), PackOptions(), progress=lambda done, total: heard.append((done, total)))
    assert heard == sorted(heard)
    assert heard[-1] == (made.manifest.bytes, made.manifest.bytes)


def test_a_pack_keeps_its_contract(packed):
    committed = (CONTRACTS / "pack-manifest.schema.json").read_text(encoding="utf-8")
    write = "python -c 'from dlm.share.manifest import schema; print(schema(), end=\"\")'"
    assert committed == schema(), f"run: {write} > contracts/pack-manifest.schema.json"
    Draft202012Validator(json.loads(committed)).validate(packed.manifest.model_dump(mode="json"))


def test_verify_says_what_is_inside_and_writes_nothing(packed, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    done = run("verify", packed.path)
    assert "v0001" in done.stdout
    assert receive(packed.path, None).digest in done.stdout
    assert json.loads(run("verify", packed.path, "--json").stdout)["format"] == 2
    assert sorted(tmp_path.rglob("*")) == before
    packed.path.write_bytes(packed.path.read_bytes()[:-9])
    done = run("verify", packed.path)
    assert (done.exit_code, "is cut off" in done.stderr) == (1, True)
