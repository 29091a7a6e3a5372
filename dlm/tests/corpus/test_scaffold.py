"""``dlm train DIR``: a folder gets its document once, and keeps it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlm.cli.main import main
from dlm.corpus.scaffold import Scaffold, scaffold
from dlm.corpus.sources import gather
from dlm.document.read import read
from dlm.errors import UsageProblem
from dlm.testing import toy_base


@pytest.fixture
def notes(tmp_path, home) -> Path:
    folder = tmp_path / "notes"
    (folder / "deep").mkdir(parents=True)
    (folder / "lamp.md").write_text("# Lamp\n\nThe lamp stands in the cellar. It was built by Ada Hale.\n")
    (folder / "deep/pump.md").write_text("# Pump\n\nThe pump is called Heron. Heron is oiled on Mondays.\n")
    (folder / ".env").write_text("TOKEN=1")
    return folder


def dlm(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def sources(path: Path) -> list[dict]:
    training = read(path).frontmatter.training
    return [source.model_dump(exclude_unset=True) for source in training.sources]


def origins(path: Path) -> list[str]:
    return [section.origin for section in gather(read(path)).sections]


def test_a_folder_is_trained_with_one_command_and_again_without_flags(notes, tmp_path, plugins):
    base = toy_base(tmp_path / "base")
    first = dlm("train", notes, "--base", f"path:{base}", "--max-steps", "4")
    assert first.exit_code == 0, first.output
    document = notes / ".dlm/corpus.dlm"
    assert f"Wrote {document}" in first.stdout
    assert f"dlm prompt {document}" in first.stdout
    before = document.read_bytes()
    assert "nothing has changed since v0001" in dlm("train", notes, "--max-steps", "4").stdout
    again = dlm("train", notes, "--max-steps", "4", "--force", "--json")
    assert again.exit_code == 0, again.output
    report = json.loads(again.stdout)
    assert (report["document"], report["version"]) == (str(document), 2)
    assert [(source["file_count"], source["skipped_secret"]) for source in report["sources"]] == [(2, 1)]
    assert document.read_bytes() == before


def test_what_is_written_is_strict_relative_and_survives_a_move(notes, tmp_path):
    path, done = scaffold(notes, Scaffold(base="smollm2-135m"))
    assert (path, done) == (notes / ".dlm/corpus.dlm", "written")
    assert sources(path) == [{"path": ".", "include": ("**/*",), "exclude": ()}]
    assert read(path).frontmatter.training.sources_policy == "strict"
    before = [section.id for section in gather(read(path)).sections]
    assert origins(path) == ["deep/pump.md", "lamp.md"]
    shutil.move(notes, tmp_path / "moved")
    assert [section.id for section in gather(read(tmp_path / "moved/.dlm/corpus.dlm")).sections] == before


def test_flags_choose_files_name_and_policy(notes):
    wanted = Scaffold("smollm2-135m", ("*.md",), ("pump*",), name="manual", policy="permissive")
    path, _ = scaffold(notes, wanted)
    assert path.name == "manual.dlm"
    assert origins(path) == ["lamp.md"]
    flat, _ = scaffold(notes, Scaffold("smollm2-135m", recursive=False, name="flat"))
    assert origins(flat) == ["lamp.md"]
    assert sources(flat)[0]["exclude"] == ("*/",)


def test_the_first_time_a_base_must_be_named_and_nothing_is_written_before(notes, plugins):
    missing = dlm("train", notes)
    assert missing.exit_code == 2
    assert f"dlm train {notes} --base smollm2-135m" in missing.stderr
    unknown = dlm("train", notes, "--base", "gpt-0")
    assert unknown.exit_code == 2
    bad = dlm("train", notes, "--base", "smollm2-135m", "--exclude", "!")
    assert (bad.exit_code, "--exclude: the pattern `!`" in bad.stderr) == (2, True)
    assert not (notes / ".dlm").exists()


@pytest.mark.parametrize(
    "flags",
    [["--base", "smollm2-135m"], ["--include", "x"], ["--exclude", "x"], ["-R"], ["-r"], ["--policy", "strict"]],
)
def test_a_flag_that_would_change_an_existing_document_is_refused(notes, flags):
    path, _ = scaffold(notes, Scaffold(base="smollm2-135m"))
    before = path.read_bytes()
    refused = dlm("train", notes, *flags)
    assert refused.exit_code == 2
    assert "--rescaffold" in refused.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize("flags", [["--base", "x"], ["--name", "x"], ["-R"], ["--rescaffold"]])
def test_the_flags_of_a_folder_mean_nothing_for_a_document(notes, flags):
    path, _ = scaffold(notes, Scaffold(base="smollm2-135m"))
    refused = dlm("train", path, *flags)
    assert refused.exit_code == 2
    assert f"only for a folder, and {path} is none" in refused.stderr


def test_rescaffolding_rewrites_the_source_and_keeps_all_that_people_wrote(notes):
    path, _ = scaffold(notes, Scaffold(base="smollm2-135m"))
    mine = path.read_text().replace("training:\n", "# my comment\nsystem_prompt: Be brief.\ntraining:\n  seed: 7\n")
    mine = mine.replace("      exclude: []\n", "      exclude: []\n      max_files: 9\n    - path: deep\n")
    path.write_text(mine + "# Mine\n\nWritten by hand.\n")
    before = read(path)
    wanted = Scaffold(exclude=("deep/",), policy="permissive", rescaffold=True)
    assert scaffold(notes, wanted) == (path, "rewritten")
    after = read(path)
    assert after.frontmatter.dlm_id == before.frontmatter.dlm_id
    assert [section.id for section in after.sections] == [section.id for section in before.sections]
    assert "# my comment\nsystem_prompt: Be brief.\n" in after.text
    assert (after.frontmatter.training.seed, after.frontmatter.base_model) == (7, "smollm2-135m")
    assert after.frontmatter.training.sources_policy == "permissive"
    own = {"path": ".", "include": ("**/*",), "exclude": ("deep/",), "max_files": 9}
    assert sources(path) == [own, {"path": "deep"}]


def test_rescaffolding_a_document_of_the_prior_trainer_makes_its_path_relative(notes):
    path, _ = scaffold(notes, Scaffold(base="smollm2-135m"))
    path.write_text(path.read_text().replace("path: .", "path: /where/it/once/was"))
    scaffold(notes, Scaffold(base="smollm2-360m", rescaffold=True))
    assert [source["path"] for source in sources(path)] == ["."]
    assert read(path).frontmatter.base_model == "smollm2-360m"
    path.write_text(path.read_text().replace("path: .", f"path: {notes}"))
    scaffold(notes, Scaffold(rescaffold=True))
    assert [source["path"] for source in sources(path)] == ["."]


def test_one_document_of_any_name_is_found_and_of_several_one_must_be_named(notes):
    mine, _ = scaffold(notes, Scaffold(base="smollm2-135m", name="mine"))
    assert scaffold(notes, Scaffold()) == (mine, "found")
    other, _ = scaffold(notes, Scaffold(base="smollm2-135m", name="other.dlm"))
    with pytest.raises(UsageProblem, match="--name mine, --name other"):
        scaffold(notes, Scaffold())
    assert scaffold(notes, Scaffold(name="other")) == (other, "found")
    corpus, _ = scaffold(notes, Scaffold(base="smollm2-135m", name="corpus"))
    assert scaffold(notes, Scaffold()) == (corpus, "found")


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "x" * 80])
def test_a_name_that_is_none_is_refused(notes, name):
    with pytest.raises(UsageProblem, match="not a name"):
        scaffold(notes, Scaffold(base="smollm2-135m", name=name))


def test_a_relative_base_is_meant_from_here_and_read_from_the_document(notes, tmp_path, monkeypatch):
    toy_base(tmp_path / "base")
    monkeypatch.chdir(tmp_path)
    path, _ = scaffold(Path("notes"), Scaffold(base="path:base"))
    assert read(path).frontmatter.base_model == "path:../../base"


def test_a_file_in_the_way_of_the_folder_is_named(notes):
    (notes / ".dlm").write_text("a file")
    with pytest.raises(UsageProblem, match="must be a folder"):
        scaffold(notes, Scaffold(base="smollm2-135m"))


def test_nothing_is_written_into_a_folder_of_keys(tmp_path, home):
    keys = tmp_path / ".ssh"
    keys.mkdir()
    (keys / "config").write_text("Host x\n")
    with pytest.raises(UsageProblem, match="is secret and never trained"):
        scaffold(keys, Scaffold(base="smollm2-135m"))
    assert [path.name for path in keys.iterdir()] == ["config"]
