"""``dlm gc`` and ``dlm unlock`` on a real document and a real store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.store import Store, checkpoint, finished
from dlm.store.using import using

DLM_ID = "01J9ZQ4T8WXYV5E7KD3MNPRSTA"
DOCUMENT = f"""---
dlm_id: {DLM_ID}
dlm_version: 15
base_model: smollm2-135m
---
# Harbour

The harbour opens at 06:10.
"""
WEIGHTS = b"w" * 50_000


@pytest.fixture
def document(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
    path = tmp_path / "harbour.dlm"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


@pytest.fixture
def trained(document: Path, adapter) -> Store:
    """Five versions of which the second is current, rejected weights, what a dead process left, a damaged cache."""
    store = Store(document.parent / "home", DLM_ID)
    with store.lock("train"):
        for _ in range(5):
            store.begin_run({}).commit(adapter(WEIGHTS), {})
        store.begin_run({}).reject(adapter(WEIGHTS), "NaN")
        store.use(2)
    partial = store.layout.versions / ".v0009.partial-abcdef"
    partial.mkdir()
    (partial / "adapter_model.safetensors").write_bytes(WEIGHTS)
    (store.layout.root / ".manifest.json.ab.tmp").write_bytes(b"half")
    store.layout.tokens.parent.mkdir()
    store.layout.tokens.with_name("tokens.sqlite.damaged").write_bytes(WEIGHTS)
    return store


def call(*arguments: object):
    return CliRunner().invoke(main, [str(one) for one in arguments])


def names(store: Store) -> list[str]:
    return sorted(path.name for path in store.layout.versions.iterdir())


def test_what_nobody_can_use_goes_and_every_version_stays(document: Path, trained: Store) -> None:
    before = sum(file.stat().st_size for file in trained.layout.root.rglob("*") if file.is_file())
    result = call("gc", document)
    assert result.exit_code == 0
    assert names(trained) == ["v0001", "v0002", "v0003", "v0004", "v0005"]
    assert not list(trained.layout.root.rglob("*.damaged"))
    after = sum(file.stat().st_size for file in trained.layout.root.rglob("*") if file.is_file())
    freed = json.loads(call("gc", document, "--json").stdout)["bytes"]
    assert freed == 0, "a second sweep finds nothing"
    assert before - after > 150_000
    assert "removed  v0006-rejected" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("freed 15")
    assert all(len(line) <= 80 for line in result.stdout.splitlines() if "home" not in line)


def test_keep_removes_the_oldest_and_never_the_current_one(document: Path, trained: Store) -> None:
    listing = json.loads(call("gc", document, "--keep", 1, "--json").stdout)["stores"][0]
    assert names(trained) == ["v0002", "v0005"]
    fates = {Path(item["path"]).name: (item["fate"], item["why"]) for item in listing["items"]}
    assert fates["v0001"] == ("removed", "older than the newest 1")
    assert fates["v0002"] == ("kept", "current")
    assert trained.current().number == 2
    trained.current().verify()
    with trained.lock("train"):
        run = trained.begin_run({})
        assert run._number == 7, "numbers are never used twice"
        run.cancel()


def test_a_dry_run_says_the_same_and_touches_nothing(document: Path, trained: Store) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in trained.layout.root.rglob("*"))
    dry = json.loads(call("gc", document, "--keep", 2, "--dry-run", "--json").stdout)
    assert sorted((path, path.stat().st_mtime_ns) for path in trained.layout.root.rglob("*")) == before
    assert "would free" in call("gc", document, "--keep", 2, "--dry-run").stdout
    wet = json.loads(call("gc", document, "--keep", 2, "--json").stdout)
    assert wet["stores"] == dry["stores"]


def test_a_version_that_somebody_reads_stays(document: Path, trained: Store) -> None:
    with using(trained.version(1)):
        assert "a running process reads it" in call("gc", document, "--keep", 1).stdout
        assert names(trained) == ["v0001", "v0002", "v0005"]
    call("gc", document, "--keep", 1)
    assert names(trained) == ["v0002", "v0005"]


def test_the_start_of_a_stopped_warm_run_stays_and_so_does_its_checkpoint(document: Path, trained: Store) -> None:
    with trained.lock("train"):
        run = trained.begin_run({"warm_from": 3})
        moment = checkpoint.Moment(run.id, 1, 8)
        facts = {"began_with": run.facts, "steps": 16}
        checkpoint.write(trained.layout, moment, lambda folder: (folder / "state").write_bytes(b"s"), facts)
        run.cancel()
    result = call("gc", document, "--keep", 1)
    assert names(trained) == ["v0002", "v0003", "v0005"]
    assert "a stopped run began with it" in result.stdout
    assert trained.checkpoint() is not None


def test_all_sweeps_every_store_and_passes_over_one_that_is_busy(document: Path, trained: Store, adapter) -> None:
    other = Store(document.parent / "home", "01J9ZQ4T8WXYV5E7KD3MNPRSTB")
    with other.lock("train"):
        other.begin_run({}).commit(adapter(), {})
        other.begin_run({}).reject(adapter(), "NaN")
        result = call("gc", "--all")
    assert result.exit_code == 0
    assert "`dlm train` (process" in result.stdout
    assert len(other.contents().rejected) == 1
    assert trained.contents().rejected == ()


def test_a_sweep_while_a_training_runs_removes_nothing(document: Path, trained: Store) -> None:
    with trained.lock("train"):
        result = call("gc", document)
    assert result.exit_code == 3
    assert len(trained.contents().rejected) == 1


def test_a_sweep_that_dies_anywhere_leaves_whole_versions(tmp_path, document, trained, crash_at) -> None:
    import shutil

    from dlm.store.gc import sweep

    for moment in range(1, 500):
        store = Store(tmp_path / str(moment), DLM_ID)
        shutil.copytree(trained.layout.root, store.layout.root)

        def work(store: Store = store) -> None:
            sweep(store, 1)

        crashed = crash_at(moment, store.layout.root, work)
        assert store.current().number == 2
        assert store.contents().damaged == ()
        for version in store.versions():
            version.verify()
        shutil.rmtree(store.layout.root)
        if not crashed:
            break
    assert moment > 15


@pytest.mark.parametrize("arguments", [(), ("--all", "doc"), ("doc", "--keep", "0"), ("doc", "--repair", "--dry-run")])
def test_what_makes_no_sense_is_a_usage_error(document: Path, arguments) -> None:
    assert call("gc", *[document if one == "doc" else one for one in arguments]).exit_code == 2


def test_a_document_that_was_never_trained_is_not_given_a_store(document: Path) -> None:
    result = call("gc", document)
    assert (result.exit_code, "nothing was trained yet" in result.stdout) == (0, True)
    assert not (document.parent / "home").exists()


def test_a_damaged_manifest_is_rebuilt_when_asked(document: Path, trained: Store) -> None:
    trained.layout.manifest.write_text("{")
    refused = call("gc", document)
    assert refused.exit_code == 3
    assert "dlm gc DOC --repair" in refused.stderr
    result = call("gc", document, "--repair")
    assert result.exit_code == 0
    assert "moved to manifest.json.damaged" in result.stderr
    assert trained.layout.manifest.with_name("manifest.json.damaged").read_text() == "{"
    assert [run.adapter_version for run in trained.manifest().training_runs] == [1, 2, 3, 4, 5]
    assert trained.current().number == 2
    assert call("gc", document, "--repair").stderr == ""


def test_unlock_says_that_nobody_holds_it_and_makes_nothing(document: Path) -> None:
    result = call("unlock", document)
    assert (result.exit_code, result.output.startswith("nobody is working on")) == (0, True)
    assert not (document.parent / "home").exists()


HOLDER = """
import sys, time
from pathlib import Path
from dlm.store import Store
with Store(Path(sys.argv[1]), sys.argv[2]).lock("train"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_unlock_names_the_holder_and_leaves_it_alive_then_clears_its_note(document: Path, trained: Store) -> None:
    home = document.parent / "home"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, home, DLM_ID], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        held = call("unlock", document)
        assert held.exit_code == 3
        assert f"`dlm train` (process {holder.pid} on" in held.stderr
        assert holder.poll() is None
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    assert trained.layout.lock_note.exists()
    cleared = call("unlock", document)
    assert cleared.exit_code == 0
    assert f"removed the note of `dlm train` (process {holder.pid} on" in cleared.stdout
    assert not trained.layout.lock_note.exists()
    assert json.loads(call("unlock", document, "--json").stdout)["removed_note"] is None


def half_done(store: Store, run_id: int) -> None:
    """What a run leaves that is stopped after the first of its adapters."""
    done = finished.keep(store.layout, run_id, "plans", lambda folder: (folder / "weights").write_bytes(WEIGHTS))
    facts = {"began_with": {}, "steps": 16, finished.KEY: {"plans": done}}
    moment = checkpoint.Moment(run_id, 2, 8)
    checkpoint.write(store.layout, moment, lambda folder: (folder / "state").write_bytes(b"s"), facts)


def test_adapters_that_a_run_has_finished_stay_as_long_as_it_can_go_on(document: Path, trained: Store) -> None:
    with trained.lock("train"):
        run = trained.begin_run({})
        half_done(trained, run.id)
        run.cancel()
    assert "a stopped run can go on from it" in call("gc", document).stdout
    finished.verify(trained.layout, trained.checkpoint().facts)


def test_they_go_at_once_with_the_checkpoint_of_a_run_that_has_ended(document: Path, trained: Store) -> None:
    with trained.lock("train"):
        # It died between its version and tidying up.
        half_done(trained, 5)
    assert call("gc", document).stdout.count("its run has ended") == 2
    assert not list(trained.layout.checkpoints.iterdir())


def test_the_curves_of_trackers_stay(document: Path, trained: Store) -> None:
    curves = trained.layout.trackers / "tensorboard" / "run-000001" / "events"
    curves.parent.mkdir(parents=True)
    curves.write_bytes(WEIGHTS)
    assert "kept     trackers" in call("gc", document, "--keep", 1).stdout
    assert curves.read_bytes() == WEIGHTS
