"""A real limit on a process's memory: the step that does not fit in it is done in smaller passes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import torch

import dlm_hf.workbench
from dlm.bases import LocalBase
from dlm.corpus.records import Message, Record, StudySet
from dlm.training.recipe import Recipe
from dlm.training.schedule import make_plan

WORDS = "Kittiwake listens on the port of Soundings and gannet runs first then petrel every 40 minutes".split()
RECIPE = Recipe(
    rank=8, alpha=16, learning_rate=1e-2, precision="fp32", device="cpu", sequence_len=256, batch_rows=8, max_steps=3
)
ROOM = 220
"""MB beside what the first evaluation has left: for two rows, not for the eight of a step."""


def record(number: int) -> Record:
    luck = Random(f"answer {number}")
    turns = (
        Message("user", f"what is {number} ?"),
        Message("assistant", " ".join(luck.choice(WORDS) for _ in range(90))),
    )
    return Record("answer", "answer", group=str(number), section_id="s", messages=turns)


def train(base: Path, room: int = 0) -> tuple[list[float], list[str]]:
    """Losses and what was said of three steps with ``room`` MB, if any is given."""
    study = StudySet(tuple(map(record, range(8))), (record(8),), {"answer": 1.0})
    bench = dlm_hf.workbench.HfWorkbench(LocalBase("wide", base, "sha256:0", "test"), RECIPE, None)
    said: list[str] = []
    losses: list[float] = []
    bench.say = said.append
    rows, held_out = bench.encode(study.train), bench.encode(study.held_out)
    plan = make_plan(RECIPE, study, rows, held_out)
    bench.train(
        plan,
        lambda event: losses.append(event.loss),
        lambda event: limit(room) if room and event.step == 0 else None,
    )
    return losses, said


def limit(room: int) -> None:
    """Let this process have ``room`` MB more than it has."""
    import resource

    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    held = next(int(line.split()[1]) for line in lines if line.startswith("VmData"))
    resource.setrlimit(resource.RLIMIT_DATA, (held * 1024 + room * 2**20, resource.RLIM_INFINITY))


@pytest.fixture
def wide_base(make_base) -> Path:
    """A small base with a large vocabulary: what a step takes is its logits."""
    from transformers import AutoConfig, AutoModelForCausalLM

    folder = make_base()
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder, vocab_size=60_000)).save_pretrained(folder)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what a process holds in private memory")
def test_a_step_that_does_not_fit_under_a_real_limit_is_done_in_smaller_passes(wide_base, monkeypatch):
    # The estimate would see the memory of the machine, whatever else runs there.
    monkeypatch.setattr(dlm_hf.workbench, "rows_that_fit", lambda *_: None)
    losses, said = train(wide_base)
    assert not said
    command = [sys.executable, __file__, str(wide_base)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    *said, limited = done.stdout.splitlines()
    assert said[0].startswith("out of memory in a step: going on with 4 rows"), said
    assert list(map(float, limited.split())) == pytest.approx(losses, rel=1e-5)


if __name__ == "__main__":
    dlm_hf.workbench.rows_that_fit = lambda *_: None  # type: ignore[assignment]
    found, lines = train(Path(sys.argv[1]), ROOM)
    sys.stdout.write("\n".join([*lines, " ".join(map(str, found))]))
