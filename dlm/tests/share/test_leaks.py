"""Secrets are planted wherever a trained document has room for them; a pack for others holds none of them.

Packs are looked through as stock tools see them: decompressed, every byte.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner

import dlm
from dlm.cli.main import main
from dlm.errors import PackRefused
from dlm.export.options import ExportOptions
from dlm.export.run import export_to
from dlm.share import packing, redacting
from dlm.share.packing import PackOptions, pack
from dlm.share.unpacking import unpack
from dlm.store import Store
from dlm.training.resolve import TrainOptions

DLM_ID = "01J0000000000000000000000A"
TOKEN = "hf_" + "q" * 34
WORD = "Xylophagous-84-17-32"
ELSEWHERE = "/srv/vault/ada/ledger.txt"
GONE = f"""
::instruction::
### Q
How does the safe open, {WORD}?
### A
It opens with {WORD}, as {ELSEWHERE} says, and with {TOKEN}.

::prose::

# Safe

The safe {WORD} is described in {ELSEWHERE}, its token is {TOKEN}.
"""
BODY = """# Lamp

The lamp stands in the cellar. It was built by Ada Hale.

::instruction::
### Q
Who built the lamp?
### A
Ada Hale built the lamp.

### Q !probe
Name the maker of the lamp.
### A
Ada Hale built the lamp.
"""
TERMS = "https://licence.example"
EVERYTHING = PackOptions(exports=True, base=True, licensee=TERMS, force=True)


def plain(path: Path) -> bytes:
    """The tar inside."""
    with path.open("rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file).read()


def secrets(path: Path) -> list[str]:
    """What must not travel: deleted text, where things lay, tokens, the questions of a user, a tester's words."""
    return [WORD, ELSEWHERE, TOKEN, str(path.parents[2]), "Zebedee", "Quoth the tester"]


def found_in(data: bytes, path: Path) -> list[str]:
    return [one for one in secrets(path) if one.encode() in data or json.dumps(one)[1:-1].encode() in data]


@pytest.fixture
def lived(document, home, tmp_path):
    """A document with a past: trained with secrets, which were deleted, and trained again; judged, asked, exported."""
    path = document("training:\n  replay:\n    removed: forget", BODY + GONE, train=False)
    settings = path.parent / "base" / "config.json"
    facts = json.loads(settings.read_bytes()) | {"_name_or_path": str(tmp_path / "ada" / "models" / "toy")}
    settings.write_text(json.dumps(facts))
    dlm.train(path)
    path.write_text(path.read_text().replace(GONE, ""))
    dlm.train(path, options=TrainOptions(lock="update"))
    version = Store(home, DLM_ID).current()
    _ask(path)
    _plant(version.path, path, tmp_path)
    export_to(path, "toy", options=ExportOptions())
    return path


def _ask(path: Path) -> None:
    """A learning report with a question that its user brought along."""
    own = path.with_name("questions.jsonl")
    own.write_text('{"question": "What does Zebedee fear?", "answer": "The dark."}\n')
    asked = CliRunner().invoke(main, ["report", str(path), "--again", "--questions", str(own)])
    assert "learning.json" in {one.name for one in path.parents[2].rglob("*")}, asked.output


def _plant(version: Path, path: Path, root: Path) -> None:
    """What other programs, or an earlier dlm, could have left."""
    store = version.parents[2]
    for name in ("logs/train-000009-20260101T000000Z.jsonl", "trackers/wandb/run.json", "augmented/x/y.json"):
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).write_text(json.dumps({"token": TOKEN, "text": WORD, "path": ELSEWHERE}))
    _into(version / "adapter_config.json", base_model_name_or_path=str(root / "ada" / "notes" / "base"))
    _into(version / "version.json", source_path=str(path))
    _into(version / "dlm.lock", sources={ELSEWHERE: "sha256:0"}, license_acceptance={"license_url": TERMS, "by": WORD})
    told = {"target": {"adapter_sha256": json.loads((version / "version.json").read_bytes())["adapter_sha256"]}}
    result = {"schema_version": 1, "status": "finished", "conclusion": "learned", "gate": {"outcome": "pass"}}
    words = {"summary": ["Quoth the tester"], "spec_path": ELSEWHERE, "base_model_id": str(root)}
    scored = {"score": {"overall": 1.0, "band": "healthy"}, "probes": [{"verdict": "pass", "message": WORD}]}
    path.with_name("sway.json").write_text(json.dumps({**result, **scored, **words, "provenance": told}))


def _into(file: Path, **more) -> None:
    file.write_text(json.dumps(json.loads(file.read_bytes()) | more))


def with_verdict(path: Path, **more) -> PackOptions:
    from dataclasses import replace

    return replace(EVERYTHING, sway=(path.with_name("sway.json"),), **more)


def test_nothing_secret_travels_for_others(lived):
    made = pack(lived, with_verdict(lived))
    data = plain(made.path)
    assert found_in(data, lived) == []
    for name in (b"base/model.safetensors", b"claims.json", b"store/dlm.lock", b"/certificate.json", b"/learning.json"):
        assert name in data, f"without {name!r} this test says little"


def test_nothing_secret_travels_with_the_weights_alone(lived):
    made = pack(lived, with_verdict(lived, profile="adapter-only", exports=False))
    assert found_in(plain(made.path), lived) == []
    assert b"Ada Hale" not in plain(made.path)


def test_the_secrets_are_there_to_be_found(lived):
    """Else the tests above would say nothing."""
    data = plain(pack(lived, with_verdict(lived, profile="full")).path)
    assert set(found_in(data, lived)) >= {WORD, ELSEWHERE, TOKEN, str(lived.parents[2]), "Zebedee"}


@pytest.mark.parametrize(
    ("guard", "leak"),
    [
        ("version_facts", "version.json names"),
        ("lock_facts", "dlm.lock"),
        ("without_paths", "adapter_config.json names"),
        ("manifest_facts", "store/manifest.json names"),
        ("report_facts", "learning.json names"),
    ],
)
def test_without_its_guard_a_file_leaks_or_is_caught_at_the_last_look(lived, monkeypatch, guard, leak):
    def idle(facts, *more):
        return facts.model_dump(mode="json") if hasattr(facts, "model_dump") else facts

    monkeypatch.setattr(redacting, guard, idle)
    assert leak in _outcome(lived)


def _outcome(path: Path) -> str:
    """What is leaked, or what stopped it."""
    try:
        return " ".join(found_in(plain(pack(path, with_verdict(path)).path), path))
    except PackRefused as problem:
        return str(problem)


def test_a_base_whose_settings_name_a_place_in_any_other_way_is_refused(lived):
    settings = lived.parent / "base" / "generation_config.json"
    settings.write_text(json.dumps({"cache": str(lived.parent / "cache")}))
    dlm.train(lived, options=TrainOptions(lock="update"))
    with pytest.raises(PackRefused, match=r"base/generation_config\.json names"):
        pack(lived, EVERYTHING)


def test_weights_whose_header_names_a_place_are_refused(lived):
    weights = lived.parent / "base" / "model.safetensors"
    data = weights.read_bytes()
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length]) | {"__metadata__": {"from": f"{lived.parent}/model"}}
    raw = json.dumps(head).encode()
    weights.write_bytes(len(raw).to_bytes(8, "little") + raw + data[8 + length :])
    dlm.train(lived, options=TrainOptions(lock="update"))
    with pytest.raises(PackRefused, match=r"base/model\.safetensors names"):
        pack(lived, EVERYTHING)


def test_what_was_unpacked_from_such_a_pack_holds_nothing_secret_either(lived, tmp_path):
    made = pack(lived, with_verdict(lived))
    grace = tmp_path / "grace"
    done = unpack(made.path, home=grace / "home", out=grace)
    for file in (one for one in done.store.rglob("*") if one.is_file() and one.name != "manifest.json"):
        assert found_in(file.read_bytes(), lived) == [], file
    assert packing.pack(done.document, PackOptions(force=True), home=grace / "home").manifest.version == 2
