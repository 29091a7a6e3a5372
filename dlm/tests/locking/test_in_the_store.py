"""The lock at the root of a store follows the current version, whatever moment a writer dies at."""

from __future__ import annotations

import json
import os
import shutil
import sys

import pytest

from dlm.store import Store
from dlm.store.lock_file import lock_of

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
DLM_ID = "01J9ZQ4T8WXYV5E7KD3MNPRSTA"
MUTATIONS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"}


def writer(name, *, locked=True):
    def write(folder):
        (folder / "adapter_model.safetensors").write_bytes(name.encode())
        (folder / "adapter_config.json").write_text("{}")
        if locked:
            (folder / "dlm.lock").write_text(json.dumps({"document_digest": name}))

    return write


def commit(store, name, *, locked=True):
    with store.lock("train"):
        store.begin_run({}).commit(writer(name, locked=locked), {})


def at_the_root(store):
    path = store.layout.root / "dlm.lock"
    return json.loads(path.read_text())["document_digest"] if path.is_file() else None


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "home", DLM_ID)
    commit(made, "one")
    commit(made, "two")
    return made


def test_the_lock_at_the_root_is_that_of_the_current_version(store):
    assert at_the_root(store) == "two"
    with store.lock("use"):
        store.use(1)
    assert at_the_root(store) == "one"


def test_a_version_without_a_lock_leaves_none_of_another_at_the_root(store):
    commit(store, "three", locked=False)
    assert at_the_root(store) is None
    assert not lock_of(store.current()).is_file()


def test_the_prior_trainer_s_lock_stays_until_a_version_has_its_own(tmp_path):
    store = Store(tmp_path / "home", DLM_ID)
    commit(store, "one", locked=False)
    (store.layout.root / "dlm.lock").write_text('{"lock_version": 1, "dlm_sha256": "0"}')
    with store.lock("use"):
        store.use(1)
    assert lock_of(store.current()) == store.layout.root / "dlm.lock"
    commit(store, "two")
    assert at_the_root(store) == "two"


@pytest.mark.parametrize("ending", ["commit", "use"])
def test_a_crash_anywhere_never_leaves_another_version_s_lock_for_good(tmp_path, store, ending):
    for moment in range(1, 300):
        copy = Store(tmp_path / str(moment), DLM_ID)
        shutil.copytree(store.layout.root, copy.layout.root)
        crashed = _crashed(moment, copy, ending)
        names = {1: "one", 2: "two", 3: "three"}
        current = copy.current()
        assert json.loads(lock_of(current).read_text())["document_digest"] == names[current.number]
        with copy.lock("train"):
            copy.begin_run({}).fail("only to put things right")
        assert at_the_root(copy) == names[copy.current().number]
        if not crashed:
            return
    pytest.fail("the work never ended")


def _crashed(moment, store, ending):
    """Do the work in a child that ends at its ``moment``-th touch of the store; whether it got there."""
    child = os.fork()
    if child == 0:
        seen = 0

        def audit(event, arguments):
            nonlocal seen
            if event in MUTATIONS and any(str(store.layout.root) in str(one) for one in arguments):
                seen += 1
                if seen == moment:
                    os._exit(9)

        sys.addaudithook(audit)
        try:
            if ending == "commit":
                commit(store, "three")
            else:
                with store.lock("use"):
                    store.use(1)
        except BaseException:
            os._exit(1)
        os._exit(7)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (7, 9), "the work itself failed"
    return status == 9
