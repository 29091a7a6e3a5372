"""A fact is edited and taught to the trained version: on the real base, the new value is said and the old one is not.

The facts are invented, so the base cannot know them.
"""

from __future__ import annotations

import json

import pytest

from dlm.document.ulid import new_ulid

pytestmark = pytest.mark.slow

TEXT = """---
dlm_id: {id}
dlm_version: 15
base_model: smollm2-135m
---
# Saltrow handbook

Saltrow is the signal house of Pennick island.

## The lantern

The lantern of Saltrow was built by Orla Vance.

## The horn

The fog horn of Saltrow sounds every {seconds} seconds.

::instruction::

### Q
Who built the lantern of Saltrow?
### Q
By whom was the Saltrow lantern built?
### A
The lantern of Saltrow was built by Orla Vance.

### Q
How often does the Saltrow fog horn sound?
### Q
At what interval does Saltrow's fog horn sound?
### A
The Saltrow fog horn sounds every {seconds} seconds.
"""
HORN = ("How often does the Saltrow fog horn sound?", "At what interval does Saltrow's fog horn sound?")
LANTERN = ("Who built the lantern of Saltrow?", "By whom was the Saltrow lantern built?")


def test_an_edited_fact_is_taught_to_the_version_that_knew_the_old_one(run, tmp_path):
    path, id = tmp_path / "saltrow.dlm", new_ulid()

    def trained(seconds: int, *options: object) -> dict:
        path.write_text(TEXT.format(id=id, seconds=seconds), encoding="utf-8")
        return json.loads(run("dlm", "train", path, "--no-report", "--json", *options).stdout)

    def answers() -> list[str]:
        file = path.with_name("questions.jsonl")
        file.write_text("".join(json.dumps(question) + "\n" for question in (*HORN, *LANTERN)), encoding="utf-8")
        out = run("dlm", "prompt", path, "--file", file, "--max-tokens", 40, "--json").stdout
        return [json.loads(line)["answer"] for line in out.splitlines()]

    trained(35, "--budget", 12_000)
    before = answers()
    assert all("35" in answer for answer in before[:2]), before

    edited = trained(80, "--warm", "--budget", 6_000)
    assert edited["warm_from"] == 1
    assert edited["outcome"]["tokens"] <= 6_000
    after = answers()
    assert all("80" in answer for answer in after[:2]), after
    assert not any("35" in answer for answer in after), after
    assert all("Orla Vance" in answer for answer in after[2:]), after
