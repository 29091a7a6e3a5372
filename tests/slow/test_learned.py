"""The document is learned, the base stays whole, and sway says so; on the real base with the default recipe."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

KEYS = ("Soundings", "Oyelaran", "7413", "saltmarsh", "tide-watch", "tidectl bounce", "90 sec", "03:20", "45", "petrel")
"""What a right answer to each probe of the runbook must hold, in the document's order."""


@pytest.fixture(scope="module")
def probes(trained) -> list[str]:
    text = trained[0].read_text(encoding="utf-8")
    return re.findall(r"### Q !probe\n(.+)\n", text)


@pytest.fixture(scope="module")
def asked(run, trained, probes, tmp_path_factory):
    """``asked("--base")``: how many of the probes are answered rightly."""
    questions = tmp_path_factory.mktemp("questions") / "probes.jsonl"
    questions.write_text("".join(json.dumps({"question": q}) + "\n" for q in probes))

    def count(*flags: str) -> int:
        out = run("dlm", "prompt", trained[0], "--file", questions, "--max-tokens", 48, "--json", *flags).stdout
        answers = [json.loads(line)["answer"] for line in out.splitlines()]
        return sum(key in answer for key, answer in zip(KEYS, answers, strict=True))

    return count


@pytest.fixture(scope="module")
def check(run, trained, tmp_path_factory):
    """``check(REF)``: the conclusion, the exit code and the probes by name, of ``sway check``."""

    def go(ref: Path) -> tuple[str, int, dict]:
        result = tmp_path_factory.mktemp("result") / "result.json"
        done = run("sway", "check", ref, "--json", result, check=False)
        report = json.loads(result.read_text())
        return report["conclusion"], done.returncode, {probe["name"]: probe for probe in report["probes"]}

    return go


@pytest.fixture
def changed_adapter(trained, make_document, home, run, tmp_path):
    """A second document whose current version is the trained one with other weights."""
    from safetensors.torch import load_file, save_file

    from dlm.document import read
    from dlm.store import Store

    def make(change) -> Path:
        document = make_document()
        source = Store(home, read(trained[0]).frontmatter.dlm_id).current()
        store = Store(home, read(document).frontmatter.dlm_id)

        def write(folder: Path) -> None:
            shutil.copytree(source.path, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("version.json"))
            file = folder / "adapter_model.safetensors"
            save_file(change(load_file(file)), file)

        facts = {k: v for k, v in source.facts.items() if k not in ("version", "run_id", "dlm_id", "adapter_sha256")}
        with store.lock("test"):
            store.begin_run(facts).commit(write, {})
        return document

    return make


def test_facts_are_given_in_other_words_than_they_were_taught(asked):
    assert asked("--base") <= 1
    assert asked() >= 5


def test_sway_says_learned_with_a_p_value(check, trained):
    conclusion, code, probes = check(trained[0])
    assert (conclusion, code) == ("learned", 0)
    assert probes["learned"]["p_value"] <= 0.05
    assert probes["learned"]["ci_95"][0] > 0
    assert probes["elsewhere"]["verdict"] == "pass"


def test_sway_says_no_change_where_every_update_is_zero(check, changed_adapter):
    def untouched(weights):
        return {name: w * 0 if "lora_B" in name else w for name, w in weights.items()}

    conclusion, code, _ = check(changed_adapter(untouched))
    assert (conclusion, code) == ("no change", 1)


@pytest.mark.parametrize("seed", range(3))
def test_sway_never_says_learned_of_random_weights_of_the_same_norms(check, changed_adapter, seed):
    import torch

    def shuffled(weights):
        random = torch.Generator().manual_seed(seed)
        made = {}
        for name, w in weights.items():
            axis = 1 if "lora_A" in name else 0
            signs = torch.randint(0, 2, (w.shape[axis],), generator=random) * 2.0 - 1
            order = torch.randperm(w.shape[axis], generator=random)
            made[name] = (w * (signs if axis else signs[:, None])).index_select(axis, order).contiguous()
        return made

    conclusion, code, _ = check(changed_adapter(shuffled))
    assert conclusion in ("not learned", "changed")
    assert code == 1


def test_the_same_question_gets_the_same_answer_twice(run, trained):
    first, second = (run("dlm", "prompt", trained[0], "Who owns Kittiwake?").stdout for _ in range(2))
    assert first == second != ""
