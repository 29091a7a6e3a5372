"""Whatever moment a writer dies at, readers are served and the next writer goes on.

The crash is placed by an audit hook: the interpreter reports every file it opens, renames, makes or removes, and the
n-th of these is where the process ends, for every n. Power loss is not covered: that needs a disk that forgets.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlm.errors import StoreError
from dlm.store import Store

# Newer Pythons warn when a process with threads forks; the child here only writes files and ends.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

DLM_ID = "01J9ZQ4T8WXYV5E7KD3MNPRSTA"


def two_adapters(folder: Path) -> None:
    for name in ("plans", "code"):
        (folder / "adapters" / name / "adapter_model.safetensors").write_bytes(name.encode())


@pytest.mark.parametrize("ending", ["commit", "commit several", "reject", "use", "cancel"])
def test_a_crash_at_any_step_leaves_a_store_that_serves_and_goes_on(
    tmp_path: Path, adapter, facts, crash_at, ending
) -> None:
    crashes = 0
    begun = Store(tmp_path / "begun", DLM_ID)
    with begun.lock("train"):
        begun.begin_run(facts).commit(adapter(b"one"), {})
        begun.begin_run(facts).commit(adapter(b"two"), {})
    for moment in range(1, 500):
        store = Store(tmp_path / str(moment), DLM_ID)
        shutil.copytree(begun.layout.root, store.layout.root)

        def work(store: Store = store) -> None:
            with store.lock("train"):
                if ending == "use":
                    store.use(1)
                    return
                run = store.begin_run(facts)
                run.log({"type": "banner"})
                if ending == "commit":
                    run.commit(adapter(b"three"), {})
                elif ending == "commit several":
                    run.commit(two_adapters, {}, adapters={"plans": {}, "code": {}})
                elif ending == "reject":
                    run.reject(adapter(b"nan"), "NaN")
                else:
                    run.cancel()

        crashed = crash_at(moment, store.layout.root, work)
        allowed = {"commit": {2, 3}, "commit several": {2, 3}, "reject": {2}, "use": {1, 2}, "cancel": {2}}[ending]
        _check_served(store, allowed)
        before = _numbers_ever_given(store)
        _check_goes_on(store, adapter, facts, before)
        if not crashed:
            break
        crashes += 1
    else:
        pytest.fail("the work never ended")
    assert crashes > 8, "the hook saw too little to mean anything"


def test_the_first_run_of_all_may_crash_anywhere(tmp_path: Path, adapter, facts, crash_at) -> None:
    crashes = 0
    while True:
        store = Store(tmp_path / str(crashes), DLM_ID)

        def work(store: Store = store) -> None:
            with store.lock("train"):
                store.begin_run(facts).commit(adapter(b"one"), {})

        crashed = crash_at(crashes + 1, store.layout.root, work)
        current = store.current()
        assert current is None or current.number == 1
        _check_goes_on(store, adapter, facts, _numbers_ever_given(store))
        if not crashed:
            break
        crashes += 1
    assert crashes > 20


def test_a_commit_cut_short_after_the_version_was_whole_is_finished_by_the_next_writer(store, adapter, facts) -> None:
    with store.lock("train"):
        store.begin_run(facts).commit(adapter(b"one"), {})
    pointer = store.layout.pointer.read_bytes()
    with store.lock("train"):
        store.begin_run(facts).commit(adapter(b"two"), {"outcome": {"steps": 3}})
    begun = json.loads(store.layout.manifest.read_text())
    begun["training_runs"][1] |= {"status": "running", "adapter_version": None, "ended_at": None}
    store.layout.manifest.write_text(json.dumps(begun | {"adapter_version": 1}))
    store.layout.pointer.write_bytes(pointer)
    assert store.current().number == 1

    with store.lock("train"):
        run = store.begin_run(facts)
        run.cancel()
    assert store.current().number == 2
    assert store.manifest().adapter_version == 2
    adopted = store.manifest().run(2)
    assert (adopted.status, adopted.adapter_version, adopted.steps) == ("ok", 2, 3)
    assert any("v0002 is whole" in note for note in run.recovered)


def test_a_whole_looking_version_with_a_wrong_digest_is_not_adopted(store, adapter, facts) -> None:
    with store.lock("train"):
        store.begin_run(facts).commit(adapter(b"one"), {})
        store.begin_run(facts).commit(adapter(b"two"), {})
    begun = json.loads(store.layout.manifest.read_text())
    begun["training_runs"][1] |= {"status": "running"}
    store.layout.manifest.write_text(json.dumps(begun))
    store.layout.pointer.write_text("adapter/versions/v0001\n")
    (store.layout.version(2) / "adapter_model.safetensors").write_bytes(b"lost pages")
    with store.lock("train"):
        run = store.begin_run(facts)
        run.cancel()
    assert store.current().number == 1
    assert store.manifest().run(2).status == "failed"
    assert any("is damaged" in note for note in run.recovered)


def test_a_writer_killed_at_random_moments_never_harms_readers(tmp_path: Path, adapter, facts) -> None:
    home, dlm_id = tmp_path / "home", DLM_ID
    store, dice = Store(home, dlm_id), random.Random(5)
    highest = 0
    for _ in range(10):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(home), dlm_id], stdout=subprocess.PIPE, text=True)
        assert writer.stdout.readline() == "writing\n"
        deadline = time.monotonic() + dice.uniform(0.0, 0.25)
        while time.monotonic() < deadline:
            _check_reader(store)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        current = store.current()
        if current is not None:
            current.verify()
            assert current.number >= highest
            highest = current.number
    assert highest > 3
    _check_goes_on(store, adapter, facts, _numbers_ever_given(store))


def test_a_full_disk_is_said_and_the_version_before_stays(store, adapter, facts) -> None:
    with store.lock("train"):
        store.begin_run(facts).commit(adapter(b"one"), {})
    result = _in_child_with_small_files(store, facts)
    assert "no space left to write" in result
    assert "DLM_HOME" in result
    assert store.current().number == 1
    assert sorted(folder.name for folder in store.layout.versions.iterdir()) == ["v0001"]
    assert not list(store.layout.root.rglob("*.tmp"))
    with store.lock("train"):
        assert store.begin_run(facts).commit(adapter(b"two"), {}).number == 2


def test_a_library_that_reports_a_full_disk_in_words_only_is_understood(store, facts) -> None:
    def write(folder: Path) -> None:
        raise RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")

    with store.lock("train"), pytest.raises(StoreError, match="no space left to write"):
        store.begin_run(facts).commit(write, {})


def test_a_store_that_may_not_be_written_says_so(store, facts, monkeypatch) -> None:
    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreError, match="not allowed to write"):
        store.lock("train").__enter__()


def _in_child_with_small_files(store: Store, facts: dict[str, object]) -> str:
    """The message of a commit whose adapter is larger than any file may be."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        message = "no error"
        try:
            with store.lock("train"):
                run = store.begin_run(facts)
                try:
                    run.commit(lambda folder: _write_large(folder), {})
                except StoreError as problem:
                    message = str(problem)
                    run.fail(message)
        finally:
            os.write(theirs, message.encode())
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as pipe:
        message = pipe.read()
    os.waitpid(child, 0)
    return message


def _write_large(folder: Path) -> None:
    (folder / "adapter_model.safetensors").write_bytes(b"x" * 1_000_000)


def _check_served(store: Store, allowed: set[int]) -> None:
    current = store.current()
    assert current is not None
    assert current.number in allowed
    current.verify()


def _check_reader(store: Store) -> None:
    current = store.current()
    if current is not None:
        assert (current.path / "adapter_model.safetensors").read_bytes() == b"x" * 5000


def _numbers_ever_given(store: Store) -> int:
    return store.contents().highest()


def _check_goes_on(store: Store, adapter, facts, before: int) -> None:
    with store.lock("train"):
        version = store.begin_run(facts).commit(adapter(b"next"), {})
    assert version.number > before
    assert store.current() == version
    manifest = store.manifest()
    assert manifest.adapter_version == version.number
    assert all(run.status != "running" for run in manifest.training_runs)
    assert len({run.run_id for run in manifest.training_runs}) == len(manifest.training_runs)
    made = {run.adapter_version for run in manifest.training_runs if run.status == "ok"}
    assert made == {one.number for one in store.versions()}
    hidden = [path.name for path in store.layout.root.rglob(".*") if path.name != ".lock"]
    assert hidden == []


WRITER = """
import sys
from pathlib import Path
from dlm.store import Store

def write(folder):
    (folder / "adapter_model.safetensors").write_bytes(b"x" * 5000)
    (folder / "adapter_config.json").write_text("{}")

store = Store(Path(sys.argv[1]), sys.argv[2])
print("writing", flush=True)
while True:
    with store.lock("train"):
        store.begin_run({}).commit(write, {})
"""
