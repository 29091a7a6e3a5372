"""Processes that read the database while another writes it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager

import pytest

from dlm.record.reading import curve

WRITE = """
import sys, time
from pathlib import Path
from dlm.record import database
from dlm.record.database import Recorder
from dlm.training.events import Evaluated, PhaseStarted, RunEnded, RunStarted, StepLogged, TrainingFinished

database.EVERY = 0
recorder = Recorder(Path(sys.argv[1]), print, strict=True)
recorder.started(RunStarted(1, "id", "title", "base", 42, 400), None)
recorder.phase_started(PhaseStarted("sft", 1, 400, 4000))
for step in range(1, 401):
    time.sleep(0.002)
    recorder.stepped(StepLogged(step, 400, 1 / step, None, 1e-3, 1.0, step * 10, 5.0, step * 2.0))
    recorder.evaluated(Evaluated(step, 1 / step, True))
recorder.ended(RunEnded(TrainingFinished("ok", 1, 1, None), 800.0))
recorder.close()
"""
READ = """
import sys, time
from pathlib import Path
from dlm.record.reading import curve, history
from dlm.store import Store

store = Store(Path(sys.argv[1]), sys.argv[2])
looks, steps, evals = 0, 0, 0
print("ready", flush=True)
while steps < 400 or evals < 400:
    found = curve(store, 1)
    assert len(found.steps) >= steps and len(found.evals) >= evals, "something vanished"
    assert [one.step for one in found.steps] == list(range(1, len(found.steps) + 1)), "a gap"
    steps, evals, looks = len(found.steps), len(found.evals), looks + 1
    assert not history(store).problems, history(store).problems
print(looks)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="readers and writers share the file through POSIX locks here")
def test_two_processes_read_every_step_while_one_writes(store, home):
    store.layout.root.mkdir(parents=True)
    command = [sys.executable, "-c", READ, str(home), store.dlm_id]
    with _reading(command) as first, _reading(command) as second:
        for reader in (first, second):
            assert reader.stdout.readline() == "ready\n"
        command = [sys.executable, "-c", WRITE, str(store.layout.metrics)]
        writer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert writer.returncode == 0, writer.stderr
        for reader in (first, second):
            looks, problems = reader.communicate(timeout=60)
            assert reader.returncode == 0, problems
            assert int(looks) > 1
    assert len(curve(store, 1).steps) == 400


@contextmanager
def _reading(command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
