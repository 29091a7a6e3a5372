"""A document as something sway can test, with a real store and a base in a folder."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from dlm.corpus.study import build
from dlm.document import probes, read
from dlm.document.routing import view
from dlm.errors import UsageProblem
from dlm.store import Store
from dlm.store.gc import sweep
from dlm_sway.errors import SpecError, TargetError
from dlm_sway.plugins import manager
from dlm_sway.scoring.types import Item
from dlm_sway.spec.load import load
from dlm_sway.suite.autogen import autogen
from dlm_sway_dlm import command
from dlm_sway_dlm.for_sway import dlm_sway_read_sections as read_sections
from dlm_sway_dlm.for_sway import dlm_sway_resolve_target
from dlm_sway_dlm.target import learned, parted, resolve, studied

DLM_ID = "01M81FN4JAC853MSGR8B0PH69S"
TEXT = """---
dlm_id: {dlm_id}
dlm_version: 15
base_model: {base}
system_prompt: You are terse.
---
# Notes

The lamp is green.

::instruction::

### Q
Which colour is the lamp?
### A
The lamp is green.

### Q !probe
I cannot see the lamp. What colour should I look for?
### A
Look for a green lamp.
"""


def write_safetensors(path: Path) -> None:
    """One tensor of two zeros, so that the file is a real one."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))


@pytest.fixture
def base(tmp_path) -> Path:
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "tokenizer.json").write_text("{}")
    write_safetensors(folder / "model.safetensors")
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("DLM_HOME", str(folder))
    return folder


@pytest.fixture
def document(tmp_path, home, base) -> Path:
    path = tmp_path / "notes.dlm"
    path.write_text(TEXT.format(dlm_id=DLM_ID, base=f"path:{base}"), "utf-8")
    return path


def commit(path: Path, home: Path, key: str) -> Path:
    """What a training run leaves behind; the version's folder."""
    document = read(path)
    store = Store(home, document.frontmatter.dlm_id)

    def write(folder: Path) -> None:
        write_safetensors(folder / "adapter_model.safetensors")
        (folder / "adapter_config.json").write_text("{}")

    facts = {
        "document_digest": document.digest,
        "section_ids": [section.id for section in document.sections],
        "base": {"key": key, "digest": "sha256:0", "revision": None, "source": "a folder"},
        "recipe": {"seed": 42},
    }
    with store.lock("train"):
        return store.begin_run(facts).commit(write, {"outcome": {}, "precision": "fp32"}).path


@pytest.fixture
def trained(document, home, base) -> Path:
    commit(document, home, f"path:{base}")
    return document


def test_the_target_is_the_current_version_on_its_base(trained, home, base):
    target = resolve(str(trained))
    version = Store(home, DLM_ID).current()
    assert version is not None
    assert target.name == "notes.dlm v0001"
    assert target.models.ft.adapter == version.path
    assert Path(target.models.ft.base).samefile(base)
    assert target.models.base.adapter is None
    assert target.models.differential


def test_the_probe_questions_are_held_out_and_the_taught_ones_are_not_among_them(trained):
    target = resolve(str(trained))
    (probe,) = probes(read(trained))
    question = "I cannot see the lamp. What colour should I look for?"
    assert target.held_out == (Item(question, "Look for a green lamp.", probe.id),)
    assert ("Which colour is the lamp?", "The lamp is green.") in {(i.prompt, i.reference) for i in target.taught}
    assert not {item.prompt for item in target.held_out} & {item.prompt for item in target.taught}


def test_questions_are_asked_under_the_documents_system_prompt(trained):
    assert resolve(str(trained)).system_prompt == "You are terse."


def test_provenance_names_document_version_and_digests(trained, home):
    facts = resolve(str(trained)).provenance
    version = Store(home, DLM_ID).current()
    assert version is not None
    assert facts["document_digest"] == read(trained).digest
    assert (facts["dlm_id"], facts["version"]) == (DLM_ID, "v0001")
    assert facts["adapter_sha256"] == version.facts["adapter_sha256"]
    assert facts["base_digest"].startswith("sha256:")
    assert "note" not in facts


def test_a_document_that_changed_after_training_is_judged_with_a_note(trained):
    trained.write_text(
        trained.read_text("utf-8").replace("The lamp is green.\n\n::", "The lamp is red.\n\n::"), "utf-8"
    )
    note = resolve(str(trained)).provenance["note"]
    assert "changed after v0001 was trained, sections new or edited: 1, gone: 1" in note
    assert f"`dlm train {trained}`" in note


def test_an_untrained_document_says_how_to_train_it(document):
    with pytest.raises(TargetError, match=f"run `dlm train {document}`"):
        resolve(str(document))


def test_looking_at_an_untrained_document_creates_nothing(document, home):
    with pytest.raises(TargetError):
        resolve(str(document))
    assert not home.exists()


def test_a_base_that_is_not_on_this_disk_says_how_to_get_it(document, home):
    document.write_text(document.read_text("utf-8").replace("system_prompt", "# system_prompt"), "utf-8")
    commit(document, home, "smollm2-135m")
    with pytest.raises(TargetError, match="run `dlm base pull smollm2-135m`"):
        resolve(str(document))


def test_a_missing_document_is_an_error_of_sways(home):
    with pytest.raises(TargetError, match="no such document"):
        resolve("nowhere.dlm")


def test_a_document_with_mistakes_shows_all_of_them_as_an_error_of_sways(document):
    document.write_text(document.read_text("utf-8").replace("dlm_version", "dlm_versoin") + "\n```\nopen", "utf-8")
    with pytest.raises(TargetError) as caught:
        resolve(str(document))
    assert "dlm_versoin" in str(caught.value)
    assert len(str(caught.value).splitlines()) >= 2
    assert caught.value.exit_code == 2


def test_a_version_without_the_facts_that_judging_needs_says_so(trained, home):
    version = Store(home, DLM_ID).current()
    assert version is not None
    facts = json.loads((version.path / "version.json").read_text())
    del facts["recipe"]
    (version.path / "version.json").write_text(json.dumps(facts))
    with pytest.raises(TargetError, match=r"does not say recipe\.seed"):
        resolve(str(trained))


def test_a_document_without_probes_is_judged_on_wordings_that_training_left_out(document, home, base):
    text = document.read_text("utf-8")
    document.write_text(text[: text.index("### Q !probe")], "utf-8")
    commit(document, home, f"path:{base}")
    target = resolve(str(document))
    trained_on = {m.content for r in build(read(document), 42).train for m in r.messages if m.role == "user"}
    assert target.held_out
    assert not {item.prompt for item in target.held_out} & trained_on


def test_sections_carry_their_text_their_pairs_and_what_was_held_out(trained):
    prose, questions = resolve(str(trained)).sections
    assert (prose.kind, prose.text.strip(), prose.headings) == ("prose", "# Notes\n\nThe lamp is green.", ("Notes",))
    assert [(pair.questions[0], pair.probe) for pair in questions.pairs] == [
        ("Which colour is the lamp?", False),
        ("I cannot see the lamp. What colour should I look for?", True),
    ]
    assert [item.prompt for item in questions.taught] == ["Which colour is the lamp?"]
    assert "I cannot see the lamp. What colour should I look for?" in {item.prompt for item in questions.held_out}
    assert not {item.prompt for item in questions.held_out} & {item.prompt for item in questions.taught}


def test_a_suite_reads_the_sections_of_a_document_that_was_never_trained(document):
    (questions,) = (section for section in read_sections(document) if section.kind == "instruction")
    assert [item.prompt for item in questions.held_out] == ["I cannot see the lamp. What colour should I look for?"]


def test_preferences_are_part_of_their_section(document):
    document.write_text(
        document.read_text("utf-8") + "\n::preference::\n\n### Prompt\nHow?\n### Chosen\nSo.\n### Rejected\nNot so.\n",
        "utf-8",
    )
    assert read_sections(document)[-1].preferences == (("How?", "So.", "Not so."),)


FACTS = """
::instruction::

### Q
Which port does the Kestrel service use?
### A
The Kestrel service listens on port 4312.

### Q !probe
On which machine does the Merlin service run?
### A
The Merlin service runs on `falcon-07`.
"""


def test_what_was_held_out_is_also_asked_backwards_where_training_did_not(document, home, base):
    document.write_text(document.read_text("utf-8") + FACTS, "utf-8")
    commit(document, home, f"path:{base}")
    back = {item.prompt: item.reference for one in read_sections(document) for item in one.reversed}
    assert back
    assert set(back.values()) == {"The Merlin service runs on `falcon-07`."}
    study = studied(learned(document))
    trained = {record.messages[-2].content for record in study.train if len(record.messages) > 1}
    assert any("4312" in asked and "Kestrel" not in asked for asked in trained)  # turned round, and trained
    assert not trained & set(back)
    assert dlm_sway_resolve_target(ref=str(document)).sections == read_sections(document)


TWO = "training:\n  adapters:\n    plans: {}\n    code: {}\n"
CODE = """
::instruction#code::

### Q
What does the switch do?
### A
It turns the lamp on.
"""


@pytest.fixture
def team(document, home, base) -> Path:
    """A document with two adapters, trained."""
    text = document.read_text("utf-8").replace("system_prompt", f"{TWO}system_prompt") + CODE
    document.write_text(text, "utf-8")
    found = read(document)
    known = {
        name: {"recipe": {"seed": 42}, "section_ids": [section.id for section in view(found, name).sections]}
        for name in ("plans", "code")
    }

    def write(folder: Path) -> None:
        for name in known:
            write_safetensors(folder / "adapters" / name / "adapter_model.safetensors")

    facts = {
        "document_digest": found.digest,
        "base": {"key": f"path:{base}", "digest": "sha256:0", "revision": None, "source": "a folder"},
    }
    store = Store(home, DLM_ID)
    with store.lock("train"):
        store.begin_run(facts).commit(write, {}, adapters=known)
    return document


@pytest.mark.parametrize(("ref", "name"), [("", "plans"), ("#plans", "plans"), ("#code", "code")])
def test_one_of_several_adapters_is_judged_by_what_trained_it(team, home, ref, name):
    target = dlm_sway_resolve_target(ref=f"{team}{ref}")
    version = Store(home, DLM_ID).current()
    assert version is not None
    assert target.name == f"notes.dlm v0001 {name}"
    assert target.models.ft.adapter == version.folder_of(name)
    assert target.provenance["adapter"] == name
    assert target.provenance["adapter_sha256"] == version.facts_of(name)["adapter_sha256"]
    assert "note" not in target.provenance
    taught = {item.prompt for item in target.taught}
    assert ("What does the switch do?" in taught) == (name == "code")
    assert ("Which colour is the lamp?" in taught) == (name == "plans")


def test_an_adapter_that_is_not_there_is_answered_with_those_that_are(team, trained):
    with pytest.raises(TargetError, match="no adapter 'cod'"):
        resolve(f"{team}#cod")
    assert dlm_sway_resolve_target(ref="folder#x") is None
    assert dlm_sway_resolve_target(ref="my.dlm#x/folder") is None


@pytest.mark.parametrize("name", ["plans", "code"])
def test_a_suite_may_name_one_of_the_adapters(team, home, name):
    suite = team.with_name("sway.yaml")
    suite.write_text(autogen(f"{team}#{name}", suite, manager()), "utf-8")
    assert suite.read_text("utf-8").count(f"notes.dlm#{name}") >= 4  # both models, the sections, the head
    loaded = load(suite, manager())
    version = Store(home, DLM_ID).current()
    assert loaded.suite.models.ft.adapter == version.folder_of(name)
    assert loaded.suite.dlm_source == f"{team}#{name}"
    asked = {question for one in loaded.sections for pair in one.pairs for question in pair.questions}
    assert ("What does the switch do?" in asked) == (name == "code")


def test_a_suite_that_names_no_adapter_of_the_document_says_which_there_are(team):
    suite = team.with_name("sway.yaml")
    suite.write_text(autogen(f"{team}#code", suite, manager()).replace("notes.dlm#code", "notes.dlm#cod"), "utf-8")
    with pytest.raises(SpecError, match="no adapter 'cod'"):
        load(suite, manager())


def test_before_the_first_training_a_name_means_what_will_train_it(document):
    document.write_text(document.read_text("utf-8").replace("system_prompt", f"{TWO}system_prompt") + CODE, "utf-8")
    named = read_sections(Path(f"{document}#code"))
    assert [pair.questions[0] for one in named for pair in one.pairs] == ["What does the switch do?"]
    with pytest.raises(TargetError, match=r"no adapter 'cod' \(plans, code\)"):
        read_sections(Path(f"{document}#cod"))


def test_a_file_whose_name_holds_the_mark_is_a_file(team):
    odd = team.with_name("a.dlm#b.dlm")
    odd.write_text("")
    assert parted(str(odd)) == (odd, None)
    assert parted("a.dlm#b") == (Path("a.dlm"), "b")
    assert parted("a.txt") is None


def test_the_command_takes_the_name_as_an_option(monkeypatch):
    asked = []
    monkeypatch.setattr(command.subprocess, "run", lambda *a, **k: asked.append(a[0]) or SimpleNamespace(returncode=0))
    result = CliRunner().invoke(command.sway, ["--json", "--adapter", "code", "notes.dlm"])
    assert (result.exit_code, asked[0][-2:]) == (0, ["--json", "notes.dlm#code"])
    assert isinstance(CliRunner().invoke(command.sway, ["--adapter", "code"]).exception, UsageProblem)


def test_a_version_that_sway_judges_is_not_removed_meanwhile(trained, home, base):
    judged = resolve(str(trained)).models.ft.adapter
    newer = [commit(trained, home, f"path:{base}") for _ in range(2)]
    found = sweep(Store(home, DLM_ID), keep=1).items
    fates = {item.path: item.why for item in found}
    assert fates[judged] == "a running process reads it"
    assert fates[newer[0]] == "older than the newest 1"
    assert judged.is_dir()
    assert not newer[0].exists()
