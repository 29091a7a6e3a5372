"""What ``--gpus`` and ``--processes`` ask for, and the parent of the processes that they start."""

from __future__ import annotations

import os
import signal
import sys

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.errors import TrainingFailed, UsageProblem
from dlm.testing.toy import ToyBackend
from dlm.training.ranks import PROCESSES, Launch, Wanted, launched, wanted


@pytest.mark.parametrize(
    ("gpus", "asked"),
    [
        ("all", Wanted("gpus")),
        ("2", Wanted("gpus", 2)),
        ("0,1", Wanted("gpus", 2, (0, 1))),
        ("3,1", Wanted("gpus", 2, (3, 1))),
        ("2,", Wanted("gpus", 1, (2,))),
    ],
)
def test_gpus_are_asked_for_by_number_or_by_name(gpus, asked):
    assert wanted(gpus, None) == asked


@pytest.mark.parametrize("gpus", ["", "0", "none", "-1", "1,1", "0,,1", "1.5", "0,x", "٣", "9999"])
def test_what_means_no_gpus_is_a_mistake_that_says_what_does(gpus):
    with pytest.raises(UsageProblem, match="give all, how many, or which ones"):
        wanted(gpus, None)


def test_gpus_and_processes_contradict_each_other():
    assert wanted(None, 2) == Wanted("cpu", 2)
    assert wanted(None, None) is None
    with pytest.raises(UsageProblem, match="one of them"):
        wanted("all", 2)


@pytest.mark.usefixtures("plugins")
def test_a_backend_of_one_process_says_so_before_anything_is_read(home, tmp_path):
    done = CliRunner().invoke(main, ["train", str(tmp_path / "none.dlm"), "--processes", "2"])
    assert done.exit_code == 2
    assert "one process" in done.output
    assert not home.exists()


@pytest.mark.usefixtures("plugins")
def test_watching_is_done_in_one_process(home, write):
    done = CliRunner().invoke(main, ["train", str(write()), "--watch", "--gpus", "all"])
    assert done.exit_code == 2
    assert "--watch trains in one process" in done.output


@pytest.fixture
def program(monkeypatch, plugins):
    """``program(code)`` runs in place of the processes."""

    def choose(code, count=2):
        command = (sys.executable, "-c", code)
        monkeypatch.setattr(ToyBackend, "launch", lambda self, asked: Launch(count, command, {"MORE": "said"}))

    return choose


def test_the_exit_code_that_the_first_process_wrote_down_is_passed_back(program):
    program(
        "import os, sys; from dlm.training.ranks import processes, write_word;"
        "assert processes() == 2 and os.environ['MORE'] == 'said';"
        "write_word('ended', exit_code=len(sys.argv))"
    )
    assert launched(Wanted("cpu", 2), ["train", "$(reboot); doc.dlm"]) == 3


def test_processes_that_die_without_a_word_are_a_failure_that_says_why_if_anybody_knows(program):
    program("import os; os._exit(9)")
    with pytest.raises(TrainingFailed, match="ended with 9"):
        launched(Wanted("cpu", 2), [])
    program("from dlm.training.ranks import write_word; write_word('died', why='process 2 of 2 was ended by SIGKILL')")
    with pytest.raises(TrainingFailed, match="process 2 of 2 was ended by SIGKILL"):
        launched(Wanted("cpu", 2), [])


def test_one_process_is_not_started_by_another(program, monkeypatch):
    program("raise SystemExit(7)", count=1)
    assert launched(Wanted("gpus", 1), []) is None
    program("raise SystemExit(7)")
    monkeypatch.setenv(PROCESSES, "2")
    assert launched(Wanted("gpus", 2), []) is None


@pytest.mark.skipif(os.name == "nt", reason="sends signals")
def test_a_request_to_end_reaches_the_first_process(program):
    program(
        "import os, signal, sys, time; from dlm.training.ranks import write_word;"
        "signal.signal(signal.SIGTERM, lambda *_: (write_word('ended', exit_code=143), sys.exit(0)));"
        "write_word('first', pid=os.getpid()); os.kill(os.getppid(), signal.SIGTERM); time.sleep(60)"
    )
    before = signal.getsignal(signal.SIGTERM)
    assert launched(Wanted("cpu", 2), []) == 143
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(os.name == "nt", reason="sends signals")
def test_ctrl_c_before_the_first_process_is_there_ends_the_launcher(program):
    program("import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(60)")
    assert launched(Wanted("cpu", 2), []) == 130
