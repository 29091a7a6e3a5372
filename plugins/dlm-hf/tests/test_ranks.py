"""Steps shared by several processes: the same weights as one process makes, and one of them alone that writes."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from dlm.bases import LocalBase
from dlm.corpus.records import Message, Record
from dlm.errors import UsageProblem
from dlm.store import Store
from dlm.training.ranks import Wanted
from dlm.training.recipe import Preferring, Recipe
from dlm_hf.encode import Example
from dlm_hf.helping import recipe_of
from dlm_hf.launching import command, launch
from dlm_hf.losses import Losses
from dlm_hf.preferring import losses_of
from dlm_hf.ranks import example, plain, shared_out
from dlm_hf.render import Encoded
from dlm_hf.workbench import HfWorkbench

RECIPE = Recipe(rank=8, alpha=16, precision="fp32", device="cpu", sequence_len=128)
ID = "01J0000000000000000000000A"


def record(question: str, answer: str, objective: str = "answer", rejected: str = "") -> Record:
    turns = (Message("user", question), Message("assistant", answer))
    return Record("qa", objective, group=question, section_id="s", messages=turns, rejected=rejected)


RECORDS = [
    record("what is the port of Kittiwake ?", "7413"),
    record("who owns Kittiwake ?", "Soundings team"),
    record("what runs first ?", "gannet then petrel then gannet"),
    record("hello", "zebra", "anchor"),
    record("How are you today ?", "weather like that", "anchor"),
]
PAIRS = [
    record("who owns Kittiwake ?", "Soundings team", "prefer", "a team"),
    record("what runs first ?", "gannet then petrel", "prefer", "zebra"),
    record("what is new ?", "Kittiwake", "prefer", "apples and zebra"),
]


def example_of(size: int) -> Example:
    return Example(Encoded(tuple(range(size)), 1), anchor=False)


@given(st.lists(st.integers(2, 200), min_size=1, max_size=20), st.integers(1, 6))
def test_every_row_is_in_one_share_and_no_share_is_much_longer(sizes, count):
    whole = [example_of(size) for size in sizes]
    shares = shared_out(whole, count)
    assert sorted(id(one) for share in shares for one in share) == sorted(map(id, whole))
    tokens = [sum(one.tokens for one in share) for share in shares]
    assert max(tokens) - min(tokens) <= max(sizes)
    assert shares == shared_out(whole, count)


def test_a_row_and_a_recipe_cross_as_json():
    row = Example(Encoded((1, 2, 3), 1), True, teacher=Encoded((4, 5), 1), rejected=Encoded((1, 9), 1))
    assert example(json.loads(json.dumps(plain(row)))) == row
    recipe = dataclasses.replace(RECIPE, target_modules=("q_proj", "v_proj"), preferring=Preferring(loss="ipo"))
    assert recipe_of(json.loads(json.dumps(dataclasses.asdict(recipe)))) == recipe


@pytest.mark.parametrize("preferring", [None, Preferring(reference="base"), Preferring(method="orpo")])
def test_gradients_and_losses_of_the_shares_add_up_to_those_of_the_step(tiny_base, preferring):
    recipe = dataclasses.replace(RECIPE, preferring=preferring)
    bench = HfWorkbench(LocalBase("tiny", tiny_base, "sha256:0", "test"), recipe, None)
    bench.encode([*RECORDS[3:], *PAIRS] if preferring else RECORDS)
    adapted, rows = bench._open(recipe), bench._encoded[0]
    with torch.no_grad():
        bench._master.add_(torch.linspace(-0.05, 0.05, bench._master.numel()))
    bench._write_back()
    losses = losses_of(recipe, adapted, rows)
    losses.begin()
    whole = bench._attempt(losses, rows, rows)
    gradient = bench._gathered().clone()
    found, total = [], torch.zeros_like(gradient)
    for share in shared_out(rows, 2):
        other = losses_of(recipe, adapted, ())
        other.learn_of(share, losses.known(share))
        found.append(bench._attempt(other, share, rows))
        total += bench._gathered()
    bench.close()
    assert float(gradient.abs().max()) > 1e-3
    torch.testing.assert_close(total, gradient, atol=1e-6, rtol=1e-4)
    for name in whole._fields:
        parts = [value for one in found if (value := getattr(one, name)) is not None]
        assert sum(parts) == pytest.approx(getattr(whole, name), rel=1e-5)


def test_nothing_is_known_of_plain_rows(tiny_base):
    bench = HfWorkbench(LocalBase("tiny", tiny_base, "sha256:0", "test"), RECIPE, None)
    bench.encode(RECORDS)
    assert Losses(bench._open(RECIPE), 1.0).known(bench._encoded[0]) == []
    bench.close()


def test_asking_for_gpus_where_there_are_none_names_the_ways_out(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(UsageProblem, match="--processes 2"):
        launch(Wanted("gpus"))


def test_gpus_are_counted_among_those_that_may_be_seen(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, 6,7")
    assert launch(Wanted("gpus", 2, (2, 0))).environment["CUDA_VISIBLE_DEVICES"] == "7,4"
    assert launch(Wanted("gpus", 2)).environment["CUDA_VISIBLE_DEVICES"] == "4,6"
    assert launch(Wanted("gpus")).processes == 3
    with pytest.raises(UsageProblem, match="no GPU 3: there are 3 GPUs, numbers 0 to 2"):
        launch(Wanted("gpus", 2, (0, 3)))
    with pytest.raises(UsageProblem, match="no GPU 3"):
        launch(Wanted("gpus", 4))


def test_processors_are_shared_out_unless_somebody_chose(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert int(launch(Wanted("cpu", 1000)).environment["OMP_NUM_THREADS"]) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert "OMP_NUM_THREADS" not in launch(Wanted("cpu", 2)).environment
    assert command(2)[:3] == (sys.executable, "-m", "accelerate.commands.launch")


DOCUMENT = """---
dlm_id: {id}
base_model: path:{base}
training:
  precision: fp32
  recipe: plain
---
# Kittiwake

Kittiwake listens on 7413. Soundings team owns Kittiwake.

::instruction::
### Q
what is the port of Kittiwake ?
### A
7413

### Q
who owns Kittiwake ?
### A
Soundings team

### Q
what runs first ?
### A
gannet then petrel then gannet
"""


@pytest.fixture
def document(tmp_path, tiny_base, monkeypatch):
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
    path = tmp_path / "doc.dlm"
    path.write_text(DOCUMENT.format(id=ID, base=tiny_base), encoding="utf-8")
    return path


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home", ID)


DLM = [sys.executable, "-c", "from dlm.cli.main import main; main()"]


def dlm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DLM, *arguments], capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_two_processes_make_the_weights_of_one_and_a_single_version(document, store):
    done = [
        dlm("train", str(document), "--max-steps", "5", "--no-report", "--force", *spread)
        for spread in ([], ["--processes", "2"])
    ]
    assert [one.returncode for one in done] == [0, 0], done[1].stdout + done[1].stderr
    assert done[1].stderr == ""
    assert done[1].stdout.count("step 5/5") == 1
    one, two = store.versions()
    before, after = (load_file(version.path / "adapter_model.safetensors") for version in (one, two))
    assert before.keys() == after.keys()
    for name, weights in before.items():
        torch.testing.assert_close(after[name], weights, atol=1e-5, rtol=0)
    assert [version.facts["outcome"]["processes"] for version in (one, two)] == [1, 2]
    assert [run.status for run in store.manifest().training_runs] == ["ok", "ok"]
    locks = [json.loads((version.path / "dlm.lock").read_text("utf-8")) for version in (one, two)]
    assert [lock["world_size"] for lock in locks] == [1, 2]


@pytest.mark.slow
def test_two_processes_train_one_adapter_after_the_other(document, store):
    named = "training:\n  adapters:\n    ports: {lora_r: 2}\n    teams: {lora_r: 4}"
    document.write_text(document.read_text("utf-8").replace("training:", named), encoding="utf-8")
    done = [
        dlm("train", str(document), "--max-steps", "4", "--no-report", "--force", *spread)
        for spread in ([], ["--processes", "2"])
    ]
    assert [one.returncode for one in done] == [0, 0], done[1].stdout + done[1].stderr
    one, two = store.versions()
    for adapter in ("ports", "teams"):
        files = (version.folder_of(adapter) / "adapter_model.safetensors" for version in (one, two))
        before, after = map(load_file, files)
        for name, weights in before.items():
            torch.testing.assert_close(after[name], weights, atol=1e-5, rtol=0)
        assert two.facts_of(adapter)["outcome"]["processes"] == 2


PREFERENCES = """
::preference::
### Prompt
what is the port of Kittiwake ?
### Chosen
7413
### Rejected
zebra 7413 apples Zebras

### Prompt
who owns Kittiwake ?
### Chosen
Soundings team
### Rejected
hello hello Soundings team

### Prompt
what runs first ?
### Chosen
gannet then petrel
### Rejected
I do not know that . I do not know that .
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["dpo", "orpo"])
def test_two_processes_prefer_what_one_does(document, store, method):
    pytest.importorskip("dlm_preference")
    wanted = f"training:\n  preference: {{method: {method}, hyperparams: {{learning_rate: 1e-3}}}}"
    document.write_text(document.read_text("utf-8").replace("training:", wanted) + PREFERENCES, encoding="utf-8")
    done = [
        dlm("train", str(document), "--max-steps", "4", "--no-report", "--force", *spread)
        for spread in ([], ["--processes", "2"])
    ]
    assert [one.returncode for one in done] == [0, 0], done[1].stdout + done[1].stderr
    one, two = store.versions()
    assert [phase["phase"] for phase in two.facts["phases"]] == ["sft", "preference"]
    losses = [[phase["outcome"]["final_loss"] for phase in version.facts["phases"]] for version in (one, two)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    before, after = (load_file(version.path / "adapter_model.safetensors") for version in (one, two))
    apart = torch.cat([(after[name] - weights).abs().flatten() for name, weights in before.items()])
    # Adam makes a whole step of a gradient that is nothing but rounding, as that of a few weights is.
    assert apart.quantile(0.99) < 1e-5
    assert apart.mean() < 1e-6


@pytest.mark.slow
def test_a_mistake_in_the_document_keeps_its_exit_code_and_is_said_once(document, store):
    document.write_text(document.read_text("utf-8").replace("precision: fp32", "precision: fp31"), encoding="utf-8")
    done = dlm("train", str(document), "--processes", "2")
    assert done.returncode == 2
    assert done.stderr.count(f"{document}:5:") == 1
    assert "Traceback" not in done.stderr
    assert not store.layout.root.exists()


@pytest.fixture
def running(document):
    """A training in two processes that has made its first step, and all its processes by their depth."""
    psutil = pytest.importorskip("psutil")
    command = [*DLM, "train", str(document), "--processes", "2", "--max-steps", "20000", "--budget", "100000000"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        lines = iter(process.stdout.readline, "")
        assert any(line.startswith("step     1/") for line in lines), process.stderr.read()
        yield process, psutil.Process(process.pid).children(recursive=True)
        process.kill()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends signals")
def test_a_process_that_is_killed_ends_the_run_as_failed_and_says_which(running, store):
    process, processes = running
    # The others are the launcher, the first process and the parent of the second.
    max(processes, key=lambda one: len(one.parents())).kill()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "process 2 of 2 was ended by SIGKILL" in said
    assert "Traceback" not in said
    (run,) = store.manifest().training_runs
    assert run.status == "failed"
    assert "process 2 of 2" in run.message
    assert store.current() is None
    gone(processes)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends signals")
def test_ctrl_c_cancels_the_run_in_all_processes(running, store):
    process, processes = running
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert [run.status for run in store.manifest().training_runs] == ["cancelled"]
    gone(processes)


def gone(processes, seconds=10):
    until = time.monotonic() + seconds
    while any(one.is_running() and one.status() != "zombie" for one in processes):
        assert time.monotonic() < until, processes
        time.sleep(0.1)
