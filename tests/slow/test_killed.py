"""A killed training run loses nothing that was there before."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlm.document import read
from dlm.store import Store

DLM = Path(sys.executable).parent / "dlm"
SHORT = ("--max-steps", "2", "--effort", "quick", "--no-report", "--force")
QUESTION = "Which port does Kittiwake listen on?"

pytestmark = pytest.mark.slow


def test_ten_kills_at_random_moments_leave_a_store_that_answers(run, home, make_document):
    document = make_document()
    run("dlm", "train", document, *SHORT)
    started = time.monotonic()
    run("dlm", "train", document, *SHORT)
    whole = time.monotonic() - started
    before = Store(home, read(document).frontmatter.dlm_id).current()
    assert before is not None
    assert before.number == 2
    answer = run("dlm", "prompt", document, QUESTION, "--max-tokens", 8).stdout
    moments = random.Random(7)
    for _ in range(10):
        process = subprocess.Popen(
            [DLM, "train", document, *SHORT, "--seed", "1"],
            env={**os.environ, "DLM_HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(moments.uniform(0.2, whole * 1.05))
        process.send_signal(signal.SIGKILL)
        process.wait()
        now = Store(home, read(document).frontmatter.dlm_id).current()
        assert now is not None
        said = run("dlm", "prompt", document, QUESTION, "--max-tokens", 8).stdout
        if now.number == before.number:
            assert said == answer
        before, answer = now, said
    assert run("dlm", "train", document, *SHORT).returncode == 0
    after = Store(home, read(document).frontmatter.dlm_id)
    current = after.current()
    assert current is not None
    assert current.number > before.number
    assert not list(current.path.parent.glob(".*partial*"))
