"""A whole training, through its real parts, that is killed or fails at any file operation, or on a disk that is full.

The invariant: whoever reads sees the version, the ledger and the lock of before, or those of after, never a mixture;
the next training works, and one that was stopped after a checkpoint can go on to the weights it would have had.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dlm.errors import DlmError, StoreError
from dlm.store import Store, runs
from dlm.training.run import Observer, TrainOptions, train

pytestmark = [
    pytest.mark.usefixtures("plugins"),
    # Newer Pythons warn when a process with threads forks; the child here only trains the toy and ends.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]
STEPS = TrainOptions(max_steps=4)
DLM_ID = "01J0000000000000000000000A"
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
REFUSED, UNTOUCHED = 3, 7


TWO = "training:\n  adapters:\n    plans: {lora_r: 4}\n    code: {}"


def weights(version) -> bytes:
    """Of every adapter."""
    return b"".join(file.read_bytes() for file in sorted(version.path.rglob("adapter_model.safetensors")))


@pytest.fixture
def trained(home: Path, write) -> tuple[Path, bytes]:
    """A document with one version, edited since; and the weights that the next training makes."""
    return edited(home, write())


@pytest.fixture
def team(home: Path, write) -> tuple[Path, bytes]:
    """The same of a document with two adapters."""
    return edited(home, write(TWO))


def edited(home: Path, path: Path) -> tuple[Path, bytes]:
    train(path, options=STEPS)
    path.write_text(path.read_text(encoding="utf-8").replace("in the cellar.", "in the attic."), encoding="utf-8")
    other = home.with_name("other")
    shutil.copytree(home, other)
    return path, weights(train(path, options=STEPS, home=other))


def check_served(store: Store, after: bytes) -> None:
    """Old or new, and all of it."""
    current = store.current()
    assert current is not None
    current.verify()
    assert current.number in (1, 2)
    assert (weights(current) == after) is (current.number == 2)
    assert store.ledger().version == current.number, "version and ledger belong together"
    facts = json.loads((current.path / "version.json").read_text(encoding="utf-8"))
    lock = json.loads((current.path / "dlm.lock").read_text(encoding="utf-8"))
    assert lock["last_run_id"] == facts["run_id"]


def check_goes_on(store: Store, path: Path, home: Path, after: bytes) -> None:
    stopped, current = store.checkpoint(), store.current()
    assert current is not None
    assert stopped is None or current.number == 1, "what ended well has nothing to go on from"
    if stopped is not None:
        report = train(path, home=home, options=TrainOptions(resume=True))
        assert weights(report) == after
    else:
        report = train(path, home=home, options=STEPS)
        assert weights(report) == after
    manifest = store.manifest()
    assert manifest is not None
    assert all(run.status != "running" for run in manifest.training_runs)
    ended_well = {run.adapter_version for run in manifest.training_runs if run.status == "ok"}
    assert ended_well == {version.number for version in store.versions()}
    hidden = [file for file in store.layout.root.rglob(".*") if file.name != ".lock"]
    assert hidden == []
    assert not store.layout.checkpoints.exists()


def every(stride: int) -> Iterator[int]:
    return iter(range(1, 2000, stride))


def crash_everywhere(trained, home: Path, crash_at, stride: int) -> int:
    path, after = trained
    crashes = 0
    for moment in every(stride):
        place = home.with_name(f"crash-{moment}")
        shutil.copytree(home, place)
        store = Store(place, DLM_ID)
        crashed = crash_at(moment, place, lambda place=place: train(path, home=place, options=STEPS))
        check_served(store, after)
        check_goes_on(store, path, place, after)
        shutil.rmtree(place)
        if not crashed:
            break
        crashes += 1
    return crashes


def test_a_training_may_die_at_many_a_file_operation(trained, home, crash_at) -> None:
    assert crash_everywhere(trained, home, crash_at, stride=17) > 3


@pytest.mark.slow
def test_a_training_may_die_at_any_file_operation(trained, home, crash_at) -> None:
    assert crash_everywhere(trained, home, crash_at, stride=1) > 80


def test_a_training_of_two_adapters_may_die_at_many_a_file_operation(team, home, crash_at) -> None:
    assert crash_everywhere(team, home, crash_at, stride=19) > 3


@pytest.mark.slow
def test_a_training_of_two_adapters_may_die_at_any_file_operation(team, home, crash_at) -> None:
    assert crash_everywhere(team, home, crash_at, stride=1) > 100


def in_child(work: Callable[[], object]) -> int:
    """0 when ``work`` was done, 7 when it says that nothing stood in its way, 3 when it ended in an error that is told
    to people, 1 for any other."""
    child = os.fork()
    if child == 0:
        end = 1
        try:
            end = UNTOUCHED if work() is False else 0
        except DlmError:
            end = REFUSED
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(end)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def refuse_writing(root: Path, moment: int, number: int) -> list[str]:
    """From the ``moment``-th write below ``root`` on, every one fails; what takes no room still works. The names that
    were refused so far."""
    seen, refused = 0, list[str]()

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        made = event == "os.mkdir" or (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING)
        if made and str(root) in str(arguments[0]):
            seen += 1
            if seen >= moment:
                refused.append(str(arguments[0]))
                raise OSError(number, os.strerror(number), str(arguments[0]))

    sys.addaudithook(audit)
    return refused


def fail_everywhere(trained, home: Path, number: int, stride: int) -> int:
    path, after = trained
    failures = 0
    for moment in every(stride):
        place = home.with_name(f"fail-{moment}")
        shutil.copytree(home, place)

        def work(place: Path = place, moment: int = moment) -> bool:
            refused = refuse_writing(place, moment, number)
            train(path, home=place, options=STEPS)
            return bool(refused)

        end = in_child(work)
        assert end in (0, UNTOUCHED, REFUSED), f"write {moment} ended in an error nobody explains"
        store = Store(place, DLM_ID)
        check_served(store, after)
        assert end == REFUSED or store.current().number == 2
        check_goes_on(store, path, place, after)
        shutil.rmtree(place)
        if end == UNTOUCHED:
            break
        failures += end == REFUSED
    return failures


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_many_a_write_may_be_refused(trained, home, number) -> None:
    assert fail_everywhere(trained, home, number, stride=13) > 2


@pytest.mark.slow
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_any_write_may_be_refused(trained, home, number) -> None:
    assert fail_everywhere(trained, home, number, stride=1) > 20


@contextmanager
def small_disk(place: Path, kilobytes: int) -> Iterator[None]:
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", place], capture_output=True)
    if made.returncode != 0:
        pytest.skip("only root may mount a small file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="only root may mount a file system")
@pytest.mark.parametrize("number", [errno.ENOSPC])
def test_many_a_write_of_two_adapters_may_be_refused(team, home, number) -> None:
    assert fail_everywhere(team, home, number, stride=11) > 2


@pytest.mark.parametrize("spare", [4, 16, 28, 40, 64, 96])
def test_a_disk_that_is_full_after_so_many_kilobytes(trained, home, tmp_path, spare) -> None:
    path, after = trained
    used = sum(-(-file.stat().st_size // 4096) * 4 for file in home.rglob("*") if file.is_file())
    folders = sum(4 for file in home.rglob("*") if file.is_dir())
    place = tmp_path / "small"

    def work() -> None:
        runs.ROOM_MB = 0
        train(path, home=place / "home", options=STEPS)

    with small_disk(place, used + folders + spare):
        shutil.copytree(home, place / "home")
        end = in_child(work)
        assert end in (0, REFUSED)
        store = Store(place / "home", DLM_ID)
        check_served(store, after)
        roomy = home.with_name("roomy")
        shutil.copytree(place / "home", roomy)
    check_goes_on(Store(roomy, DLM_ID), path, roomy, after)


def test_no_file_may_grow_and_the_message_says_where(trained, home, capfd) -> None:
    path, after = trained

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            train(path, options=STEPS)
        except StoreError as problem:
            os.write(1, str(problem).encode())
            raise

    assert in_child(work) == REFUSED
    said = capfd.readouterr().out
    assert "no space left to write" in said
    assert "What was there before is untouched" in said
    check_served(Store(home, DLM_ID), after)


KILLED = """
import os, signal, sys
from pathlib import Path
from dlm.store.runs import Run
from dlm.testing import only_plugins
from dlm.testing.toy import ToyPlugin, ToyWorkbench
from dlm.training.run import Observer, TrainOptions, train

def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

where = sys.argv[2]
observer = Observer()
if where in ("planned", "stepped", "evaluated"):
    setattr(observer, where, kill)
elif where == "second":
    observer.phase_started = lambda plan, number, of: number == 2 and kill()
elif where == "saving":
    ToyWorkbench.save = kill
elif where == "committed":
    Run.summarise = kill
elif where == "summarised":
    import dlm.training.letting_go as letting_go
    letting_go.let_go = kill
with only_plugins(ToyPlugin()):
    train(sys.argv[1], options=TrainOptions(max_steps=4), observer=observer)
"""


@pytest.mark.parametrize("where", ["planned", "stepped", "evaluated", "saving", "committed", "summarised"])
def test_a_kill_between_two_parts_of_a_training_is_survived(trained, home, where) -> None:
    path, after = trained
    environment = {**os.environ, "DLM_HOME": str(home)}
    killed = subprocess.run([sys.executable, "-c", KILLED, path, where], env=environment, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    store = Store(home, DLM_ID)
    check_served(store, after)
    assert store.current().number == (2 if where in ("committed", "summarised") else 1)
    assert (store.checkpoint() is not None) is (where == "saving")
    check_goes_on(store, path, home, after)


def test_a_kill_between_two_adapters_keeps_the_first(team, home) -> None:
    path, after = team
    environment = {**os.environ, "DLM_HOME": str(home)}
    killed = subprocess.run([sys.executable, "-c", KILLED, path, "second"], env=environment, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    store = Store(home, DLM_ID)
    check_served(store, after)
    assert (store.checkpoint().moment.phase, store.checkpoint().moment.step) == (2, 0)
    check_goes_on(store, path, home, after)


class Remembers(Observer):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_a_version_folder_that_was_deleted_by_hand_is_missed_by_nobody(trained, home) -> None:
    path, after = trained
    train(path, options=STEPS)
    store = Store(home, DLM_ID)
    shutil.rmtree(store.layout.version(2))
    with pytest.raises(StoreError, match="`dlm use DOC vN`, or train again with `dlm train DOC`"):
        store.current()
    watching = Remembers()
    report = train(path, options=STEPS, observer=watching)
    assert (report.version, weights(report)) == (3, after)
    assert any("v0001 is whole and was not yet current" in line for line in watching.lines)


def test_a_clock_that_jumps_back_mixes_nothing_up(trained, home, monkeypatch) -> None:
    import datetime as real

    from dlm.store import encoding, recover, summary

    path, after = trained
    store = Store(home, DLM_ID)

    class Earlier(real.datetime):
        @classmethod
        def now(cls, tz=None):
            return real.datetime(2001, 1, 1, tzinfo=tz)

    for module in (encoding, recover, summary, runs):
        monkeypatch.setattr(module, "datetime", Earlier)
    report = train(path, options=STEPS)
    assert (report.version, report.run_id, weights(report)) == (2, 2, after)
    again = train(path, options=TrainOptions(max_steps=4, seed=1))
    assert (again.version, again.run_id) == (3, 3)
    assert store.current().number == 3
    assert [run.run_id for run in store.manifest().training_runs] == [1, 2, 3]
