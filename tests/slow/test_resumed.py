"""On the real base, through the command line: a run that was killed goes on to the weights it would have had."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlm.document import read
from dlm.store import Store

DLM = Path(sys.executable).parent / "dlm"
STEPS = ("--max-steps", "20", "--no-report")
TINY = """\
---
dlm_id: {id}
dlm_version: 15
base_model: smollm2-135m
training:
  micro_batch_size: 2
---
# Harbour

::instruction::
### Q
When does the harbour open?
### A
At 06:10.

### Q
Who keeps the keys?
### A
The harbour master.
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def tiny(tmp_path: Path):
    """``tiny(name)`` is the same small document with a store of its own."""
    from dlm.document.ulid import new_ulid

    def make(name: str) -> Path:
        path = tmp_path / f"{name}.dlm"
        path.write_text(TINY.format(id=new_ulid()), encoding="utf-8")
        return path

    return make


def adapter(home: Path, document: Path) -> bytes:
    version = Store(home, read(document).frontmatter.dlm_id).current()
    assert version is not None
    return (version.path / "adapter_model.safetensors").read_bytes()


def wait_for_checkpoint(process: subprocess.Popen[bytes], store: Store, step: int) -> None:
    deadline = time.monotonic() + 600
    while (found := store.checkpoint()) is None or found.moment.step < step:
        assert process.poll() is None, "the run ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_stopped_run_ends_with_the_weights_of_an_uninterrupted_one(run, home, tiny, number) -> None:
    whole, stopped = tiny("whole"), tiny("stopped")
    run("dlm", "train", whole, *STEPS)
    store = Store(home, read(stopped).frontmatter.dlm_id)
    process = subprocess.Popen(
        [DLM, "train", stopped, *STEPS],
        env={**os.environ, "DLM_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for_checkpoint(process, store, 6)
    process.send_signal(number)
    assert process.wait() == (-number if number == signal.SIGKILL else 128 + number)
    assert store.current() is None
    at = store.checkpoint()
    assert at is not None
    assert 6 <= at.moment.step < 20
    done = run("dlm", "train", stopped, "--resume", "--no-report")
    assert f"resumed    run 1, after step {at.moment.step} of 20" in done.stdout
    assert adapter(home, stopped) == adapter(home, whole)
    assert not store.layout.checkpoints.exists()
    assert [one.status for one in store.manifest().training_runs] == [
        "failed" if number == signal.SIGKILL else "cancelled",
        "ok",
    ]
