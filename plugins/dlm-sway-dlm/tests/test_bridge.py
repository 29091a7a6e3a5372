"""Both faces, asked through the cores they plug into."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import dlm_sway_dlm.for_dlm
import dlm_sway_dlm.for_sway
from dlm.corpus.anchors import anchors
from dlm.plugins import manager as dlm_manager
from dlm_sway.data import general_items
from dlm_sway.errors import TargetError
from dlm_sway.plugins import manager as sway_manager
from dlm_sway.testing import modules_after

HEAVY = {"torch", "numpy", "pydantic", "ruamel.yaml", "transformers"}


def test_dlm_offers_the_sway_command_with_the_summary_it_has():
    offer = dlm_manager().entry("dlm_commands", "sway")
    assert offer.source.startswith("dlm-sway-dlm ")
    command = dlm_manager().resolve("dlm_commands", "sway")
    assert command.get_short_help_str(limit=200) == offer.entry.summary


def test_a_path_that_is_no_document_is_left_to_others():
    assert dlm_sway_dlm.for_sway.dlm_sway_resolve_target("somewhere/adapter") is None


def test_sway_asks_the_bridge_about_documents(tmp_path):
    with pytest.raises(TargetError, match="no such document"):
        sway_manager().hook.dlm_sway_resolve_target(ref=str(tmp_path / "none.dlm"))


@pytest.mark.parametrize("module", ["dlm_sway_dlm.for_dlm", "dlm_sway_dlm.for_sway"])
def test_importing_a_face_is_cheap(module):
    assert not modules_after(f"import {module}") & HEAVY


def test_each_face_imports_its_own_core_only():
    assert "dlm_sway" not in modules_after("import dlm_sway_dlm.for_dlm")
    assert "dlm" not in modules_after("import dlm_sway_dlm.for_sway")


def test_the_control_questions_of_sway_are_not_among_those_dlm_trains_on():
    """Training pins the model on its anchors; judging harm on the same questions would prove nothing."""
    trained = {plain(turn.content) for record in anchors() for turn in record.messages if turn.role == "user"}
    control = {plain(item.prompt) for item in general_items()}
    assert len(trained) > 50
    assert len(control) > 20
    assert not trained & control


def plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def test_dlm_sway_ends_as_sway_check_does(tmp_path):
    """A subprocess on both sides: same message, same exit code."""
    missing = str(tmp_path / "none.dlm")
    environment = {**os.environ, "DLM_HOME": str(tmp_path / "home")}
    first, second = (
        subprocess.run(
            [sys.executable, "-P", "-c", f"from {package}.cli.main import main; main()", *arguments, missing],
            capture_output=True,
            text=True,
            env=environment,
        )
        for package, arguments in (("dlm", ["sway"]), ("dlm_sway", ["check"]))
    )
    assert (first.returncode, first.stdout, first.stderr) == (second.returncode, second.stdout, second.stderr)
    assert first.returncode == 2
    assert "no such document" in first.stderr


def test_the_home_option_of_dlm_reaches_sway(tmp_path):
    """``dlm --home`` decides where the store is, whoever reads it."""
    document = tmp_path / "notes.dlm"
    document.write_text("---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\nbase_model: smollm2-135m\n---\nThe lamp is green.\n")
    damaged = tmp_path / "home/store/01M81FN4JAC853MSGR8B0PH69S/adapter/current.txt"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("adapter/versions/v0009\n")
    dlm = [sys.executable, "-P", "-c", "from dlm.cli.main import main; main()"]
    done = subprocess.run(
        [*dlm, "--home", str(tmp_path / "home"), "sway", str(document)],
        capture_output=True,
        text=True,
        env={**os.environ, "DLM_HOME": str(tmp_path / "elsewhere")},
    )
    assert done.returncode == 2
    assert "v0009" in done.stderr
