"""``dlm versions`` and ``dlm use`` on a real document and a real store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.store import Store

DLM_ID = "01J9ZQ4T8WXYV5E7KD3MNPRSTA"
DOCUMENT = f"""---
dlm_id: {DLM_ID}
dlm_version: 15
base_model: smollm2-135m
---
# Harbour

The harbour opens at 06:10.
"""


@pytest.fixture
def document(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
    path = tmp_path / "harbour.dlm"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


@pytest.fixture
def trained(document: Path, adapter) -> Store:
    store = Store(document.parent / "home", DLM_ID)
    with store.lock("train"):
        for loss in (1.5, 0.75):
            outcome = {"steps": 40, "held_out_before": 3.25, "held_out_best": loss}
            store.begin_run({"base": {"key": "smollm2-135m"}}).commit(adapter(), {"outcome": outcome})
        store.begin_run({}).reject(adapter(), "NaN")
    return store


def test_an_untrained_document_has_no_versions_and_asking_creates_none(document: Path) -> None:
    result = CliRunner().invoke(main, ["versions", str(document)])
    assert result.exit_code == 0
    assert f"no trained version yet: run `dlm train {document}`" in result.output
    assert not (document.parent / "home").exists()


def test_versions_shows_the_losses_and_stars_the_current_one(document: Path, trained: Store) -> None:
    lines = CliRunner().invoke(main, ["versions", str(document)]).output.splitlines()
    assert lines[1].startswith("  v0001 ")
    assert lines[2].startswith("* v0002 ")
    assert "3.250 to 0.750" in lines[2]
    assert all(len(line) <= 80 for line in lines[:3])
    assert lines[3].endswith("v0003-rejected")


def test_use_moves_the_star_and_json_says_the_same(document: Path, trained: Store) -> None:
    result = CliRunner().invoke(main, ["use", str(document), "v1"])
    assert (result.exit_code, result.output) == (0, "v0001 is current now\n")
    listing = json.loads(CliRunner().invoke(main, ["versions", str(document), "--json"]).stdout)
    assert listing["current"] == 1
    assert [row["current"] for row in listing["versions"]] == [True, False]
    assert trained.current().number == 1


@pytest.mark.parametrize(("version", "expected"), [("v7", "choose one of v1, v2"), ("latest", "dlm versions")])
def test_a_version_that_is_not_there_is_a_usage_error(document: Path, trained: Store, version, expected) -> None:
    result = CliRunner().invoke(main, ["use", str(document), version])
    assert result.exit_code == 2
    assert expected in result.stderr


def test_a_damaged_pointer_still_lists_what_can_be_chosen(document: Path, trained: Store) -> None:
    trained.layout.pointer.write_text("nonsense")
    result = CliRunner().invoke(main, ["versions", str(document)])
    assert "v0002" in result.stdout
    assert "dlm use DOC vN" in result.stderr
    assert CliRunner().invoke(main, ["use", str(document), "2"]).exit_code == 0
    assert trained.current().number == 2


def test_use_while_a_run_is_going_says_so(document: Path, trained: Store) -> None:
    with trained.lock("train"):
        result = CliRunner().invoke(main, ["use", str(document), "v1"])
    assert result.exit_code == 3
    assert "`dlm train` (process" in result.stderr


def test_runs_without_a_version_are_shown_with_their_true_end(document: Path, trained: Store) -> None:
    with trained.lock("train"):
        trained.begin_run({}).fail("the disk caught fire")
        trained.begin_run({}).cancel("stopped by SIGTERM")
        trained.begin_run({})
        running = CliRunner().invoke(main, ["versions", str(document)]).output
    assert "run 6    running" in running
    dead = CliRunner().invoke(main, ["versions", str(document)]).output
    assert "run 3    rejected   NaN" in dead
    assert "run 4    failed     the disk caught fire" in dead
    assert "run 5    cancelled  stopped by SIGTERM" in dead
    assert "run 6    failed     the process ended without a word" in dead
    assert all(len(line) <= 80 for line in dead.splitlines() if "home" not in line)
    listing = json.loads(CliRunner().invoke(main, ["versions", str(document), "--json"]).stdout)
    assert [run["status"] for run in listing["runs"]] == ["ok", "ok", "rejected", "failed", "cancelled", "failed"]
