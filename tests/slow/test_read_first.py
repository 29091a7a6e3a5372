"""On the real base, through the command line: the text is read first, then questions are learned, in one version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors import safe_open

pytestmark = pytest.mark.slow
PAGES = Path(__file__).parents[2] / "docs" / "reference"
SIZE = 40_000
HEAD = """\
---
dlm_id: {id}
dlm_version: 15
base_model: smollm2-135m
training:
  cpt:
    schedule: dapt
    embed_warmup_steps: 4
---
"""
HARBOUR = """
::instruction weight="50"::
### Q
When does the harbour open?
### A
At 06:10.

### Q
Who keeps the keys of the harbour?
### A
The harbour master.
"""


@pytest.fixture(scope="module")
def trained(run, tmp_path_factory):
    """About 40 kB of prose and two pairs, trained for some steps; what ``--json`` printed, and the run's record."""
    from dlm.document.ulid import new_ulid

    text = ""
    for page in sorted(PAGES.glob("*.md")):
        if len(text) < SIZE:
            text += page.read_text(encoding="utf-8") + "\n"
    path = tmp_path_factory.mktemp("read") / "reference.dlm"
    path.write_text(HEAD.format(id=new_ulid()) + text + HARBOUR, encoding="utf-8")
    made = json.loads(run("dlm", "train", path, "--max-steps", "32", "--no-report", "--json").stdout)
    record = json.loads(run("dlm", "metrics", "show", path, "--run", "1", "--json").stdout)
    return path, made, record


def test_reading_makes_text_likelier_that_was_never_read(trained):
    _, made, _ = trained
    read, asked = made["phases"]
    assert (read["phase"], asked["phase"]) == ("cpt", "sft")
    first, then = read["outcome"], asked["outcome"]
    assert first["held_out_prose_loss"] < first["held_out_prose_loss_before"] - 0.3
    assert then["held_out_prose_loss_before"] == pytest.approx(first["held_out_prose_loss"], abs=0.02)
    assert then["held_out_prose_loss"] < first["held_out_prose_loss_before"] - 0.2


def test_the_answers_are_learned_afterwards_and_the_base_stays_whole(trained):
    _, made, record = trained
    outcome = made["phases"][1]["outcome"]
    assert outcome["held_out_answer_loss"] < outcome["held_out_answer_loss_before"] - 0.3
    for phase in ("cpt", "sft"):
        moved = [one["anchor_kl"] for one in record["steps"] if one["phase"] == phase and one["anchor_kl"] is not None]
        assert sum(moved[-10:]) / len(moved[-10:]) < 0.1


def test_a_question_is_answered_by_the_adapter_with_its_embeddings(run, trained):
    path, made, _ = trained
    tokens = made["phases"][1]["recipe"]["embedded"]
    assert tokens
    with safe_open(Path(made["path"]) / "adapter_model.safetensors", "pt") as tensors:
        (rows,) = [tensors.get_tensor(name) for name in tensors.keys() if "trainable_tokens" in name]  # noqa: SIM118
    assert rows.shape == (len(tokens), 576)
    assert "06:10" in run("dlm", "prompt", path, "When does the harbour open?").stdout


def test_metrics_tell_text_from_answers(run, trained):
    path, _, record = trained
    assert all(one["held_out_prose_loss"] and one["held_out_answer_loss"] for one in record["evals"])
    assert "recall      text   answers" in run("dlm", "metrics", "show", path, "--run", "1").stdout
