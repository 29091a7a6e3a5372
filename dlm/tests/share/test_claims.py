"""What a pack claims of its version: the same as its files say, and what a tester said of these very weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from dlm.cli.main import main
from dlm.errors import PackInvalid, PackRefused, UsageProblem
from dlm.export.options import ExportOptions
from dlm.export.run import export_to
from dlm.share import claims
from dlm.share.packing import PackOptions, pack
from dlm.share.receiving import receive
from dlm.share.unpacking import unpack

CONTRACTS = Path(__file__).parents[3] / "contracts"
VERSION = "store/adapter/versions/v0001"
SECRET = "Nobody but Ada may read this question."


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def claimed(members) -> dict:
    return json.loads(members["claims.json"])


def verdict(adapter: str, **more) -> dict:
    """What `sway check DOC --json` writes, as far as its schema demands it."""
    found = {
        "adapter_id": "/home/ada/x",
        "backend_stats": {},
        "base_model_id": "/home/ada/base",
        "conclusion": "learned",
        "determinism": {"class": "strict", "notes": [], "seed": 0},
        "finished_at": "2026-01-01T00:00:00+00:00",
        "gate": {"exit_code": 0, "outcome": "pass", "reasons": [], "threshold": 0.5},
        "null_stats": {},
        "probes": [_probe("delta_kl", "pass"), _probe("recall", "pass"), _probe("bleed", "inconclusive")],
        "provenance": {
            "alpha": 0.05,
            "backend": {},
            "notes": [],
            "platform": "Linux",
            "python": "3.11",
            "seed": 0,
            "spec_digest": "",
            "suite": {},
            "threshold": 0.5,
            "versions": {},
            "target": {"adapter_sha256": adapter, "document": "/home/ada/lamp.dlm", "document_digest": "sha256:0"},
        },
        "schema_version": 1,
        "score": {"band": "healthy", "components": {}, "findings": [], "overall": 0.84, "weights": {}},
        "spec_path": "",
        "started_at": "2026-01-01T00:00:00+00:00",
        "status": "finished",
        "summary": [SECRET],
        "sway_version": "1.0.0",
        "wall_seconds": 1.0,
    }
    return found | more


def _probe(name: str, verdict: str) -> dict:
    nothing = ("base_value", "ci_95", "ft_value", "noise_floor", "nulls", "p_value", "raw", "score", "seeks", "z_score")
    told = {"category": "", "duration_s": 0, "evidence": {}, "kind": name, "message": SECRET, "n_items": 3, "weight": 1}
    return {**dict.fromkeys(nothing), **told, "name": name, "verdict": verdict}


@pytest.fixture
def judged(document):
    """``judged(**changes)``: a trained document, and a result of sway about its version."""
    path = document()

    def write(**changes) -> tuple[Path, Path]:
        facts = json.loads(next(path.parents[2].rglob("version.json")).read_bytes())
        report = path.with_name("sway.json")
        report.write_text(json.dumps(verdict(facts["adapter_sha256"]) | changes))
        return path, report

    return write


@pytest.mark.parametrize("profile", ["share", "full", "adapter-only"])
def test_claims_are_what_the_files_say(document, read_pack, profile):
    path = document()
    run("report", path)
    made = pack(path, PackOptions(profile))
    members = read_pack(made.path)
    found, facts = claimed(members), json.loads(members[f"{VERSION}/version.json"])
    assert found["adapters"] == {"": hashlib.sha256(members[f"{VERSION}/adapter_model.safetensors"]).hexdigest()}
    assert found["lock"] == f"sha256:{hashlib.sha256(members[f'{VERSION}/dlm.lock']).hexdigest()}"
    assert found["document"] == {"digest": made.manifest.document.digest, "trained": facts["document_digest"]}
    assert found["base"]["digest"] == made.manifest.base.digest == facts["base"]["digest"]
    assert found["recipe"]["seed"] == facts["recipe"]["seed"]
    assert found["learning"]["total"]["asked"] > 0
    kept = receive(made.path, None).claimed
    assert ("learning" in kept.told) == (profile == "adapter-only")
    assert ("learning" in kept.checked) == (profile != "adapter-only")


def test_claims_keep_their_contract(document, read_pack):
    committed = (CONTRACTS / "pack-claims.schema.json").read_text(encoding="utf-8")
    write = "python -c 'from dlm.share.claims import schema; print(schema(), end=\"\")'"
    assert committed == claims.schema(), f"run: {write} > contracts/pack-claims.schema.json"
    Draft202012Validator(json.loads(committed)).validate(claimed(read_pack(pack(document(), PackOptions()).path)))


def test_another_recipe_is_another_digest(document, read_pack):
    first = claimed(read_pack(pack(document(), PackOptions()).path))
    second = claimed(read_pack(pack(document("training:\n  seed: 7"), PackOptions(force=True)).path))
    assert (first["recipe"]["seed"], second["recipe"]["seed"]) == (42, 7)
    assert first["recipe"]["digest"] != second["recipe"]["digest"]


def test_the_parity_of_exports_is_claimed(document, read_pack):
    path = document()
    export_to(path, "toy", options=ExportOptions())
    made = pack(path, PackOptions(exports=True))
    members = read_pack(made.path)
    (found,) = claimed(members)["exports"]
    manifest = json.loads(members[f"store/exports/{found['folder']}/export_manifest.json"])
    assert (found["target"], found["version"], found["certified"]) == ("toy", 1, manifest["certified"])
    assert found["effect_kept"] == manifest["certificate"]["effect_kept"]
    shown = run("verify", made.path).stdout
    assert f"{found['folder']}: certificate {found['certified']}" in shown


CONTRADICTIONS = {
    "document": {"digest": "sha256:0", "trained": None},
    "dlm_id": "01J0000000000000000000000B",
    "version": 2,
    "base": {"key": "path:base", "revision": None, "digest": "sha256:" + "0" * 64},
    "adapters": {"": "0" * 64},
    "recipe": {"digest": "sha256:" + "0" * 64, "seed": 42},
    "lock": None,
    "learning": None,
    "exports": [
        {"folder": "x", "version": 1, "target": "gguf", "quant": None, "form": "merged", "certified": "passed"}
    ],
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_claim_that_its_files_contradict_is_refused(forge, tmp_path, name):
    forge.members["claims.json"] = json.dumps(claimed(forge.members) | {name: CONTRADICTIONS[name]}).encode()
    path = forge.write(tmp_path / "bad.pack")
    with pytest.raises(PackInvalid, match=f"claims another {name} than its files have"):
        receive(path, None)
    with pytest.raises(PackInvalid, match=f"claims another {name} than its files have"):
        unpack(path, home=tmp_path / "h", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "h" / "store").exists()


def test_every_claim_is_held_against_the_files_or_told_to_be_a_mere_word():
    every = set(claims.Claims.model_fields) - {"claims_format", "judged"}
    assert every == set(CONTRADICTIONS), "a new claim needs a contradiction here"


def test_a_pack_without_claims_is_taken_as_one(forge, tmp_path):
    del forge.members["claims.json"]
    path = forge.write(tmp_path / "old.pack")
    assert receive(path, None).claimed is None
    assert unpack(path, home=tmp_path / "h", out=tmp_path / "out").document.is_file()
    assert json.loads(run("verify", path, "--json").stdout)["claims"] is None


def test_a_verdict_is_claimed_in_numbers_and_its_report_stays(judged, read_pack):
    path, report = judged()
    made = pack(path, PackOptions(sway=(report,)))
    members = read_pack(made.path)
    (found,) = claimed(members)["judged"]
    assert (found["conclusion"], found["outcome"], found["score"]) == ("learned", "pass", 0.84)
    assert found["verdicts"] == {"inconclusive": 1, "pass": 2}
    assert found["report"] == f"sha256:{hashlib.sha256(report.read_bytes()).hexdigest()}"
    everything = b"\n".join(members.values())
    assert SECRET.encode() not in everything
    assert b"/home/ada" not in everything
    told = run("verify", made.path).stdout
    before, _, after = told.partition("claims, its maker's word alone:")
    assert "learned, gate pass, score 0.84" in after
    assert "gate pass" not in before
    assert max(map(len, told.splitlines()[2:])) <= 80


def test_the_schema_of_sway_describes_what_is_read(judged):
    _, report = judged()
    schema = json.loads((CONTRACTS / "sway-report.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(json.loads(report.read_bytes()))


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"provenance": {"target": {"adapter_sha256": "0" * 64}}}, PackRefused, "judged another adapter"),
        ({"provenance": {"target": {}}}, PackRefused, "does not say by its digest"),
        ({"status": "interrupted"}, PackRefused, "was interrupted"),
        ({"schema_version": 2}, UsageProblem, "is no result of sway"),
        ({"score": None}, UsageProblem, "is no result of sway"),
    ],
)
def test_a_verdict_on_something_else_is_no_claim(judged, changes, error, said):
    path, report = judged(**changes)
    with pytest.raises(error, match=said) as problem:
        pack(path, PackOptions(sway=(report,)))
    assert f"sway check {path} --json" in str(problem.value)
    assert not path.with_name("lamp.dlm.pack").exists()


def test_a_verdict_of_a_suite_is_known_by_the_weights_that_were_loaded(judged):
    path, report = judged()
    data = json.loads(report.read_bytes())
    digest = data["provenance"].pop("target")["adapter_sha256"]
    data["provenance"]["backend"] = {"adapter": {"path": "/home/ada/x", "sha256": digest}}
    report.write_text(json.dumps(data))
    assert pack(path, PackOptions(sway=(report,))).manifest.version == 1


@pytest.mark.parametrize("data", [None, b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_result_is_a_mistake_of_the_command(judged, data):
    path, report = judged()
    report.unlink() if data is None else report.write_bytes(data)
    done = run("pack", path, "--sway", report)
    assert done.exit_code == 2
    assert str(report) in done.stderr


def test_a_verdict_on_an_adapter_that_is_not_inside_is_refused(forge, tmp_path):
    stranger = {"adapter": "", "adapter_sha256": "0" * 64, "conclusion": "learned", "outcome": "pass", "report": "x"}
    forge.members["claims.json"] = json.dumps(claimed(forge.members) | {"judged": [stranger]}).encode()
    with pytest.raises(PackInvalid, match="a verdict on another adapter"):
        receive(forge.write(tmp_path / "bad.pack"), None)
