"""What a stranger puts into words: no line of theirs passes for one of ours, and ``pack.json`` says what is there."""

from __future__ import annotations

import json

import pytest

from dlm.cli.visible import in_a_line, visible
from dlm.errors import PackInvalid, PackRefused
from dlm.export.options import ExportOptions
from dlm.export.run import export_to
from dlm.share.packing import PackOptions, pack
from dlm.share.receiving import receive

DLM_ID = "01J0000000000000000000000A"
FACTS = "store/adapter/versions/v0001/version.json"
LEARNING = "store/adapter/versions/v0001/learning.json"
FORGED = "x\n  signature  oms, by ada\x1b[2J\u202e"


@pytest.fixture
def run(plugins, tmp_path):
    from click.testing import CliRunner

    from dlm.cli.main import main

    return lambda *arguments: CliRunner().invoke(
        main, [str(one) for one in arguments], env={"DLM_HOME": str(tmp_path / "own")}
    )


def of_maker(forge) -> None:
    forge.json["created_by"] = FORGED


def of_moment(forge) -> None:
    forge.json["created_at"] = FORGED


def of_tester(forge) -> None:
    sha256 = json.loads(forge.members[FACTS])["adapter_sha256"]
    judged = {"adapter": "", "adapter_sha256": sha256, "conclusion": FORGED, "outcome": FORGED, "report": FORGED}
    claims = json.loads(forge.members["claims.json"])
    forge.members["claims.json"] = json.dumps({**claims, "judged": [judged]}).encode()


@pytest.mark.parametrize("put", [of_maker, of_moment, of_tester])
def test_words_of_the_maker_add_no_line_and_move_no_cursor(forge, run, tmp_path, put):
    put(forge)
    path = forge.write(tmp_path / "odd.pack")
    done = run("verify", path)
    assert done.exit_code == 0
    assert [line for line in done.output.splitlines() if line.startswith("  signature")] == ["  signature  none"]
    assert not {"\x1b", "\u202e"} & set(done.output)
    assert json.loads(run("verify", path, "--json").output)["manifest"]["document"]["name"] == "lamp.dlm"


def of_moment_that_is_long(forge) -> None:
    forge.json["created_at"] = "x" * 41


def of_maker_that_is_long(forge) -> None:
    forge.json["created_by"] = "x" * 67 + "  signature  oms, by ada"


def of_verdicts_without_end(forge) -> None:
    of_tester(forge)
    claims = json.loads(forge.members["claims.json"])
    forge.members["claims.json"] = json.dumps({**claims, "judged": claims["judged"] * 65}).encode()


@pytest.mark.parametrize("put", [of_maker_that_is_long, of_moment_that_is_long, of_verdicts_without_end])
def test_words_that_a_terminal_would_break_into_lines_are_refused(forge, tmp_path, put):
    put(forge)
    with pytest.raises(PackInvalid, match=r"at most|too long"):
        receive(forge.write(tmp_path / "odd.pack"), None)


def test_what_looks_like_a_space_is_one():
    assert in_a_line("a\u00a0b\u2800c\u3164d\te\nf\u2028g\u202eh") == "a b c d\ufffde\ufffdf\ufffdg\ufffdh"
    assert visible("a\u00a0b\te\nf\u202eh") == "a\u00a0b\te\nf\ufffdh"


def test_an_error_shows_a_strangers_words_and_obeys_none(run):
    done = run("verify", "a\x1b]0;owned\x07\x9b2Jb.pack")
    assert done.exit_code in (1, 2)
    assert "]0;owned" in done.output
    assert not {"\x1b", "\x07", "\x9b"} & set(done.output)


@pytest.mark.parametrize(
    "name",
    ["-rf.dlm", ".bashrc.dlm", "a\x9b2Jb.dlm", "a\u202ecod.dlm", "a\u200bb.dlm", "\u4e00" * 120 + ".dlm", "a\nb.dlm"],
)
def test_a_document_goes_by_a_name_that_people_can_see(forge, document, home, tmp_path, name):
    forge.json["document"]["name"] = name
    with pytest.raises(PackInvalid, match=r"document\.name"):
        receive(forge.write(tmp_path / "odd.pack"), None)
    if len(name.encode()) < 200:
        with pytest.raises(PackRefused, match="rename it"):
            pack(document(name=name), PackOptions(out=tmp_path / "own.pack"), home=home)


CONTRADICTIONS = {
    "adapters": ({"adapters": ["expert"]}, "'expert' of its adapters"),
    "exports": ({"exports": ["gguf"]}, "'gguf' of its exports"),
    "full": ({"profile": "adapter-only"}, "profile is adapter-only"),
    "twice": ({"versions": [1, 1]}, "more than the current version"),
    "twice in full": ({"profile": "full", "versions": [1, 1]}, "a version twice"),
}


@pytest.mark.parametrize("which", CONTRADICTIONS)
def test_pack_json_describes_what_is_there(forge, tmp_path, which):
    changes, said = CONTRADICTIONS[which]
    forge.json.update(changes)
    with pytest.raises(PackInvalid, match=said):
        receive(forge.write(tmp_path / "odd.pack"), None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key": "llama-99"}, "its base is 'llama-99'"),
        ({"revision": "f" * 40}, "another revision"),
        ({"licence": "MIT"}, "under which terms"),
        ({"origin": json.loads('{"a":' * 900 + "1" + "}" * 900)}, "nested too deeply"),
        ({"origin": {"a": float("nan")}}, "a number that is none"),
    ],
)
def test_pack_json_describes_the_base_of_its_version(forge, tmp_path, changes, said):
    forge.json["base"].update(changes)
    with pytest.raises(PackInvalid, match=said):
        receive(forge.write(tmp_path / "odd.pack"), None)


@pytest.mark.parametrize(
    "name", ["store/logs/train-000001-20260101T000000Z.jsonl", "store/augmented/a/b.json", "store/trackers/a/b.json"]
)
def test_a_pack_for_others_that_holds_what_only_a_full_one_does_is_refused(forge, tmp_path, name):
    forge.members[name] = b"{}\n"
    with pytest.raises(PackInvalid, match="which takes no"):
        receive(forge.write(tmp_path / "odd.pack"), None)


def test_a_version_that_does_not_say_how_its_adapters_are_ordered_is_refused(forge, tmp_path):
    facts = json.loads(forge.members[FACTS])
    name = "store/adapter/versions/v0001/adapters/expert/adapter_model.safetensors"
    forge.members[name] = forge.members["store/adapter/versions/v0001/adapter_model.safetensors"]
    own = {"adapter_sha256": facts["adapter_sha256"], "recipe": facts.get("recipe")}
    forge.members[FACTS] = json.dumps({**facts, "adapters": {"expert": own}}).encode()
    forge.json["adapters"] = ["expert"]
    with pytest.raises(PackInvalid, match="in which order"):
        receive(forge.write(tmp_path / "odd.pack"), None)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1, 10**400])
def test_claims_are_numbers_that_can_be_printed_and_read_again(forge, tmp_path, number):
    del forge.members[LEARNING]
    claims = json.loads(forge.members["claims.json"])
    claims["learning"]["total"]["share"] = number
    forge.members["claims.json"] = json.dumps(claims).encode()
    with pytest.raises(PackInvalid, match=r"claims\.json cannot be read"):
        receive(forge.write(tmp_path / "odd.pack"), None)


REACHING = """training:
  sources:
    - path: ~/letters
    - path: texts/../../../etc
    - path: texts
    - path: /srv/vault
  recipe:
    name: study
    augmenters:
      teacher: {model: "https://evil.example/v1?x", name: x}
      local: {model: "path:teacher", more: [{deep: HTTP://other.example}]}
"""


@pytest.mark.parametrize("command", ["verify", "unpack"])
def test_what_training_a_strangers_document_would_read_and_send_is_told(forge, run, tmp_path, command):
    from dlm.document.identity import digest

    text = (
        forge.members["document.dlm"].decode().replace("base_model: path:base\n", f"base_model: path:base\n{REACHING}")
    )
    forge.members["document.dlm"] = text.encode()
    forge.json["document"]["digest"] = digest(text)
    del forge.members["claims.json"]
    path = forge.write(tmp_path / "odd.pack")
    told = run(command, path).output
    for what in ("'~/letters'", "'texts/../../../etc'", "'/srv/vault'", "'evil.example'", "'other.example'"):
        assert what in told
    assert told.count("training it") == 5
    assert len(json.loads(run("verify", path, "--json").output)["notes"]) == 5


def test_whatever_stands_in_the_frontmatter_is_told_of_or_passed_over():
    from dlm.share.reaching import reaches

    for odd in (None, 5, [], "x", {"sources": 5}, {"sources": [5, {"path": 5}, {}]}, {"recipe": "study"}):
        assert reaches({"training": odd}) == ()
    assert reaches({"training": {"recipe": {"augmenters": [1]}}}) == ()
    many = [{"path": f"/srv/{number}"} for number in range(100)]
    assert reaches({"training": {"sources": many}})[-1].startswith("95 more like this")
    assert "\x1b" not in reaches({"training": {"sources": [{"path": "/\x1b[2J"}]}})[0]


@pytest.fixture
def exported(document, home, tmp_path):
    """A document with an export; the folder of the export."""
    path = document()
    return path, export_to(path, "toy", options=ExportOptions(certify=False)).folder


@pytest.mark.parametrize("which", ["other bytes", "one more", "another document", "another version"])
def test_a_certificate_is_about_the_files_that_are_inside(exported, forged, tmp_path, which):
    path, export = exported
    forge = forged(pack(path, PackOptions(exports=True)))
    folder = f"store/exports/{export.name}"
    told = json.loads(forge.members[f"{folder}/export_manifest.json"])
    said = {
        "other bytes": "is not the file that was exported",
        "one more": "was put there after the export",
        "another document": "is the export of another document",
        "another version": "is the export of v0007",
    }[which]
    if which == "other bytes":
        name = f"{folder}/{told['artifacts'][0]['path']}"
        forge.members[name] = forge.members[name][::-1] + b"x"
    elif which == "one more":
        forge.members[f"{folder}/run.sh"] = b"#!/bin/sh\ncurl evil.example\n"
    else:
        told |= {"dlm_id": f"{DLM_ID[:-1]}B"} if which == "another document" else {"adapter_version": 7}
        forge.members[f"{folder}/export_manifest.json"] = json.dumps(told).encode()
    del forge.members["claims.json"]
    with pytest.raises(PackInvalid, match=said):
        receive(forge.write(tmp_path / "odd.pack"), None)


def test_an_export_that_was_changed_since_is_not_packed_as_if_it_were_the_one_that_was_tried(exported, tmp_path):
    path, export = exported
    (export / "run.sh").write_text("#!/bin/sh\n")
    for profile in ("share", "full"):
        with pytest.raises(PackRefused, match=r"put there after the export.*dlm export"):
            pack(path, PackOptions(profile, exports=True, out=tmp_path / "x.pack"))
    assert not list(tmp_path.glob("*.pack"))


@pytest.mark.parametrize(
    "change",
    [
        *({"run_id": {}}, {"run_id": True}, {"title": "\ud83d"}, {"outcome": float("nan")}),
        *({"section_ids": 5}, {"section_ids": [[]]}, {"created_at": ["x"]}),
        *({"created_at": "x"}, {"outcome": [1]}, {"base": "x"}),
    ],
)
def test_what_a_version_says_of_itself_can_be_worked_with(forge, tmp_path, change):
    facts = {**json.loads(forge.members[FACTS]), **change}
    forge.members[FACTS] = json.dumps(facts).encode()
    with pytest.raises(PackInvalid, match="does not say how it was made"):
        receive(forge.write(tmp_path / "odd.pack"), None)
