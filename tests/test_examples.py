"""What a newcomer touches first: the example document, the script that asks it, the pre-commit hooks."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from dlm.document import read
from dlm.document.unsupported import unsupported

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.dlm"))
QUICKSTART = ROOT / "examples/quickstart.py"


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(QUICKSTART))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_document_has_no_mistake_and_asks_for_nothing_that_is_not_built(path):
    assert unsupported(read(path)) == []


def test_the_quickstart_asks_every_probe_of_the_runbook(script):
    asked = script["probes"](ROOT / "examples/runbook.dlm")
    assert len(asked) == (ROOT / "examples/runbook.dlm").read_text("utf-8").count("### Q !probe") == 10
    assert asked[0][1] == "The Soundings team is responsible for Kittiwake."


def test_the_quickstart_prints_two_columns_within_80_and_never_breaks_a_word(script):
    answer = "The   tide\nprediction service of the Ferrymoor harbour office, " * 5
    left = script["shown"]("base", {"answer": answer, "complete": False})
    right = script["shown"]("trained", {"answer": "7413", "complete": True})
    lines = script["side_by_side"](left, right).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].endswith("| trained: 7413")
    assert " ".join(left) == f"base: {' '.join(answer.split())} ..."


def test_the_quickstart_shows_an_empty_answer_as_one(script):
    assert script["shown"]("base", {"answer": " \n", "complete": True}) == ["base: (nothing)"]


@pytest.mark.parametrize(
    ("path", "starts"),
    [
        ("sway.yaml", True),
        ("ci/sway.yml", True),
        ("notes/runbook.dlm", True),
        ("out/adapter_config.json", True),
        ("out/adapter_model.safetensors", True),
        ("noway.yaml", False),
        ("sway.yaml.bak", False),
        ("docs/sway.md", False),
    ],
)
def test_the_pre_commit_hooks_start_for_what_can_change_a_verdict(path, starts):
    hooks = YAML(typ="safe").load(ROOT / ".pre-commit-hooks.yaml")
    assert [hook["id"] for hook in hooks] == ["sway-gate", "sway-gate-isolated", "sway-gate-docker"]
    for hook in hooks:
        assert bool(re.search(hook["files"], path)) is starts
        assert hook["entry"] == "sway gate"
