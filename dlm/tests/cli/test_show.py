"""``dlm show``: what was trained, what has changed since, what is damaged; and nothing is written by looking."""

from __future__ import annotations

import json
import socket

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.document import read
from dlm.training.run import train


@pytest.fixture
def show(plugins, home):
    def show(path, *options):
        result = CliRunner().invoke(main, ["show", str(path), *options])
        assert result.exit_code == 0, result.output
        return result.stdout

    return show


def shown(show, path):
    return json.loads(show(path, "--json"))


def everything(folder):
    """Each file below ``folder`` with its size, its time and its content."""
    return {path: (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"") for path in folder.rglob("*")}


def test_before_the_first_training_it_says_so_and_makes_no_file(show, write, tmp_path):
    path = write()
    before = everything(tmp_path)
    assert show(path).splitlines()[0] == f"{path}: not trained yet"
    found = shown(show, path)
    assert (found["store_initialized"], found["adapter_version"], found["versions"]) == (False, 0, [])
    assert {"dlm_id", "base_model", "source_path", "training_cache_config"} <= set(found)
    assert found["source_path"] == str(path)
    assert everything(tmp_path) == before


def test_after_a_training_it_tells_version_losses_and_sizes_and_changes_nothing(show, write, home, tmp_path):
    path = write()
    report = train(path)
    before = everything(tmp_path)
    lines = show(path).splitlines()
    assert lines[0] == f"{path}: trained as v0001"
    assert any(line.startswith("  held out   loss ") for line in lines)
    assert all(len(line) <= 80 for line in lines if str(tmp_path) not in line)
    found = shown(show, path)
    assert (found["store_initialized"], found["adapter_version"], found["training_runs"]) == (True, 1, 1)
    assert found["held_out_best"] == report.outcome.held_out_best
    assert found["total_size_bytes"] == sum(
        file.stat().st_size for file in home.rglob("store/*/**/*") if file.is_file()
    )
    assert (found["orphaned"], found["problems"]) == (False, [])
    assert found["changes"] == {"new": 0, "edited": 0, "unchanged": 2, "removed": 0, "forgotten": 0}
    assert everything(tmp_path) == before


def test_what_has_changed_since_the_last_training_is_counted(show, write):
    path = write()
    train(path)
    text = path.read_text("utf-8")
    path.write_text(text.replace("Ada Hale.", "Ben Hale.", 1) + "\n::prose::\nA new part.\n", "utf-8")
    assert show(path).splitlines()[0] == f"{path}: trained as v0001, and changed since"
    assert shown(show, path)["changes"] == {"new": 1, "edited": 1, "unchanged": 1, "removed": 0, "forgotten": 0}
    path.write_text(text.split("::instruction::")[0], "utf-8")
    assert shown(show, path)["changes"] == {"new": 0, "edited": 0, "unchanged": 1, "removed": 1, "forgotten": 0}


def test_sources_are_counted_and_their_changes_too_without_remembering_them(show, write, tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.md").write_text("# A\n\nThe first file.\n", "utf-8")
    path = write("training: {sources: [{path: notes}]}")
    train(path)
    (folder / "b.md").write_text("# B\n\nThe second file.\n", "utf-8")
    before = everything(tmp_path)
    found = shown(show, path)
    assert [source["file_count"] for source in found["training_sources"]] == [2]
    assert found["changes"]["new"] == 1
    assert everything(tmp_path) == before


def test_what_was_forgotten_since_the_last_training_is_a_change_until_the_next_one(show, write, home):
    path = write()
    train(path)
    section = read(path).sections[1].id
    assert CliRunner().invoke(main, ["forget", str(path), section, "--yes"]).exit_code == 0
    assert show(path).splitlines()[0] == f"{path}: trained as v0001, and changed since"
    assert shown(show, path)["changes"]["forgotten"] == 1
    train(path)
    assert show(path).splitlines()[0] == f"{path}: trained as v0002"
    assert (shown(show, path)["changes"]["forgotten"], shown(show, path)["forgotten"]) == (0, 1)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("manifest.json", "manifest.json is damaged"),
        ("replay/ledger.json", "ledger.json is damaged"),
        ("adapter/current.txt", "current.txt does not name a version"),
        ("adapter/versions/v0001/version.json", "is no whole version"),
    ],
)
def test_a_damaged_store_is_told_and_the_rest_is_shown(show, write, home, damage, said):
    path = write()
    train(path)
    (store,) = (home / "store").iterdir()
    (store / damage).write_text("{", "utf-8")
    lines = show(path).splitlines()
    assert "named below" in lines[0]
    text = " ".join(" ".join(lines).split())
    assert said in text
    assert "Lamp" in text
    assert shown(show, path)["problems"]


def test_a_source_that_is_missing_is_a_problem_and_no_failure(show, write):
    path = write("training: {sources: [{path: nowhere}]}")
    found = shown(show, path)
    assert "nowhere" in found["problems"][0]
    assert found["changes"] is None


def test_a_base_on_the_hub_is_not_asked_for(show, write, monkeypatch):
    path = write()
    path.write_text(
        path.read_text("utf-8").replace(path.read_text("utf-8").split("\n")[3], "base_model: hf:a/b"), "utf-8"
    )

    def refuse(*arguments, **options):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "socket", refuse)
    assert shown(show, path)["base"]["folder"] is None


def test_a_document_with_mistakes_is_refused_with_them(plugins, home, write):
    path = write("trainin: {}")
    result = CliRunner().invoke(main, ["show", str(path)])
    assert result.exit_code == 2
    assert f"{path}:5:1: " in result.stderr
