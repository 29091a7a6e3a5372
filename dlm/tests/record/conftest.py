"""A training in another process, slow enough to be looked at, or killed."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from dlm.store import Store

TRAIN = """
import os, signal, sys, time
from dlm.testing import only_plugins
from dlm.testing.toy import ToyPlugin
from dlm.training.run import Observer, TrainOptions, train

path, steps, pause, die_at = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])

class Slow(Observer):
    def stepped(self, event):
        time.sleep(pause)
        if event.step == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

with only_plugins(ToyPlugin()):
    train(path, options=TrainOptions(max_steps=steps), observer=Slow())
"""


@pytest.fixture
def store(home):
    return Store(home, "01J0000000000000000000000A")


@pytest.fixture
def elsewhere(home):
    """``elsewhere(path, steps=9, pause=0.1, die_at=0)`` trains in a process of its own."""
    started = []

    def start(path, steps=9, pause=0.1, die_at=0):
        command = [sys.executable, "-c", TRAIN, str(path), str(steps), str(pause), str(die_at)]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def until():
    """``until(condition)`` waits for it, at most 30 seconds."""

    def wait(condition):
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.02)

    return wait
