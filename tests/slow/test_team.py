"""Every type of section, a source folder and two named adapters, through the commands, on the real base.

The recipe is `plain`, which makes nothing of the text and asks the base nothing first: the whole takes a minute.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dlm.document.ulid import new_ulid

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples" / "team.dlm"
QUICK = ("--max-steps", "24", "--no-report")
LEADS, KEEPS = "Who leads the museum?", "Who keeps the garden?"


@pytest.fixture(scope="module")
def team(tmp_path_factory) -> Path:
    """The example with an identity of its own, its source beside it."""
    folder = tmp_path_factory.mktemp("team")
    shutil.copytree(EXAMPLE.with_suffix(""), folder / "team")
    text = EXAMPLE.read_text(encoding="utf-8").replace("training:", "training:\n  recipe: plain", 1)
    start = text.index("dlm_id: ") + len("dlm_id: ")
    path = folder / "team.dlm"
    path.write_text(text[:start] + new_ulid() + text[start + 26 :], encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(run, team) -> dict:
    return json.loads(run("dlm", "train", team, *QUICK, "--json").stdout)


def test_one_command_trains_both_adapters_through_all_their_phases(made) -> None:
    assert [(one["adapter"], one["phase"]) for one in made["phases"]] == [
        ("museum", "sft"),
        ("garden", "sft"),
        ("garden", "preference"),
    ]
    assert [one["recipe"]["rank"] for one in made["phases"]] == [16, 8, 8]
    assert made["sources"][0]["file_count"] == 1
    folder = Path(made["path"])
    facts = json.loads((folder / "version.json").read_text(encoding="utf-8"))
    for name in ("museum", "garden"):
        assert (folder / "adapters" / name / "adapter_config.json").is_file()
        outcome = facts["adapters"][name]["outcome"]
        assert outcome["held_out_best"] < outcome["held_out_before"]


def test_each_adapter_answers_what_it_alone_was_taught(run, team, made) -> None:
    asked = team.with_name("asked.jsonl")
    asked.write_text("".join(json.dumps(question) + "\n" for question in (LEADS, KEEPS)), encoding="utf-8")

    def says(adapter: str) -> list[str]:
        told = run("dlm", "prompt", team, "--file", asked, "--adapter", adapter, "--json").stdout
        return [json.loads(line)["answer"] for line in told.splitlines()]

    leads, keeps = says("museum")
    assert "Ines Varga" in leads
    assert "Tomas Lindqvist" not in keeps
    leads, keeps = says("garden")
    assert "Tomas Lindqvist" in keeps
    assert "Ines Varga" not in leads


def test_the_record_shows_each_adapter(run, team, made) -> None:
    shown = run("dlm", "metrics", "show", team, "--run", made["run_id"]).stdout
    assert "adapters   museum, garden" in shown
    assert shown.index("a token, museum") < shown.index("a token, garden, sft") < shown.index("garden, preference")


def test_one_adapter_is_trained_again_and_the_other_stays_to_the_byte(run, team, made) -> None:
    again = json.loads(run("dlm", "train", team, *QUICK, "--adapter", "museum", "--seed", "7", "--json").stdout)
    before, after = (
        {name: (Path(one["path"]) / "adapters" / name / "adapter_model.safetensors").read_bytes() for name in names}
        for one, names in ((made, ("museum", "garden")), (again, ("museum", "garden")))
    )
    assert after["garden"] == before["garden"]
    assert after["museum"] != before["museum"]
    assert again["version"] == made["version"] + 1
