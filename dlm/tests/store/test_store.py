"""Commit, reject, fail, go back: what the folders, the pointer and the manifest say afterwards."""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlm.errors import StoreError, StoreLocked, UsageProblem
from dlm.store import Store, home


def test_a_store_nobody_trained_is_empty_and_reading_it_creates_nothing(store: Store, tmp_path: Path) -> None:
    assert store.current() is None
    assert store.versions() == ()
    assert store.manifest() is None
    assert list(tmp_path.iterdir()) == []


def test_home_is_the_option_then_the_variable_then_the_users_folder(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "variable"))
    assert home(tmp_path / "option") == tmp_path / "option"
    assert home() == tmp_path / "variable"
    monkeypatch.setenv("DLM_HOME", "")
    assert home() == Path.home() / ".dlm"


@pytest.mark.parametrize("bad", ["../../etc", "", "01j9zq4t8wxyv5e7kd3mnprsta", "81J9ZQ4T8WXYV5E7KD3MNPRSTA", "a/b"])
def test_an_id_that_is_no_ulid_never_becomes_a_path(tmp_path: Path, bad: str) -> None:
    with pytest.raises(StoreError, match="not a document id"):
        Store(tmp_path, bad)


def test_a_commit_makes_a_version_current_and_tells_its_story(store: Store, adapter, facts) -> None:
    with store.lock("train"):
        run = store.begin_run(facts)
        version = run.commit(adapter(b"one"), {"outcome": {"steps": 9, "held_out_best": 0.5}, "precision": "fp32"})

    assert store.current() == version
    assert version.path == store.layout.root / "adapter/versions/v0001"
    assert store.layout.pointer.read_bytes() == b"adapter/versions/v0001\n"
    assert version.facts["adapter_sha256"] == hashlib.sha256(b"one").hexdigest()
    assert version.facts | facts == version.facts
    assert (version.facts["version"], version.facts["run_id"], version.facts["dlm_id"]) == (1, 1, store.dlm_id)
    manifest = store.manifest()
    assert manifest is not None
    assert (manifest.adapter_version, manifest.base_model, manifest.base_model_sha256) == (1, "tiny", "sha256:b")
    assert manifest.content_hashes == {"aaaaaaaaaaaaaaaa": "aaaaaaaaaaaaaaaa"}
    only = manifest.training_runs[0]
    assert (only.run_id, only.status, only.adapter_version, only.steps) == (1, "ok", 1, 9)
    assert (only.seed, only.final_val_loss) == (7, 0.5)
    assert only.ended_at is not None
    assert not list(store.layout.root.rglob("*.tmp"))
    assert not list(store.layout.root.rglob(".v*"))


def test_a_rejected_version_is_kept_aside_and_its_number_is_not_used_again(store: Store, adapter, facts) -> None:
    with store.lock("train"):
        store.begin_run(facts).commit(adapter(b"good"), {})
        kept = store.begin_run(facts).reject(adapter(b"nan"), "NaN in lora_A")
        assert store.current().number == 1
        third = store.begin_run(facts).commit(adapter(b"better"), {})

    assert kept.name == "v0002-rejected"
    assert json.loads((kept / "version.json").read_text())["rejected"] == "NaN in lora_A"
    assert third.name == "v0003"
    assert [version.number for version in store.versions()] == [1, 3]
    runs = store.manifest().training_runs
    assert [(run.status, run.adapter_version) for run in runs] == [("ok", 1), ("rejected", 2), ("ok", 3)]
    assert runs[1].message == "NaN in lora_A"


def test_a_rejection_never_overwrites_an_older_one(store: Store, adapter, facts) -> None:
    with store.lock("train"):
        run = store.begin_run(facts)
        (store.layout.versions / "v0001-rejected").mkdir()
        assert run.reject(adapter(), "again").name == "v0001-rejected-2"


def test_a_writer_that_raises_leaves_nothing_and_its_own_exception(store: Store, adapter, facts) -> None:
    def half(folder: Path) -> None:
        adapter()(folder)
        raise ZeroDivisionError("in the backend")

    with store.lock("train"):
        store.begin_run(facts).commit(adapter(b"good"), {})
        run = store.begin_run(facts)
        with pytest.raises(ZeroDivisionError):
            run.commit(half, {})
        run.fail("in the backend")

    assert store.current().number == 1
    assert [folder.name for folder in store.layout.versions.iterdir()] == ["v0001"]
    assert [run.status for run in store.manifest().training_runs] == ["ok", "failed"]


def test_a_backend_that_saves_no_adapter_is_told_so(store: Store, facts) -> None:
    with store.lock("train"), pytest.raises(StoreError, match=r"no adapter_model\.safetensors"):
        store.begin_run(facts).commit(lambda folder: None, {})
    assert store.current() is None


def test_a_cancelled_run_is_written_down_and_a_finished_one_cannot_be_cancelled(store: Store, adapter, facts) -> None:
    with store.lock("train"):
        store.begin_run(facts).cancel()
        done = store.begin_run(facts)
        done.commit(adapter(), {})
        done.cancel()
        with pytest.raises(RuntimeError, match="has ended"):
            done.commit(adapter(), {})
    assert [run.status for run in store.manifest().training_runs] == ["cancelled", "ok"]


def test_use_goes_back_and_the_next_run_starts_a_new_number(store: Store, adapter, facts) -> None:
    with store.lock("train"):
        store.begin_run(facts).commit(adapter(b"one"), {})
        store.begin_run(facts).commit(adapter(b"two"), {})
    with store.lock("use"):
        assert store.use(1).number == 1
        assert store.manifest().adapter_version == 1
        with pytest.raises(UsageProblem, match=r"no version v9: choose one of v1, v2"):
            store.use(9)
    with store.lock("train"):
        run = store.begin_run(facts)
        assert store.current().number == 1, "a version the user left stays left"
        assert run.commit(adapter(b"three"), {}).number == 3


def test_use_refuses_a_version_whose_adapter_changed(store: Store, adapter, facts) -> None:
    with store.lock("train"):
        store.begin_run(facts).commit(adapter(b"one"), {})
        store.begin_run(facts).commit(adapter(b"two"), {})
        (store.layout.version(1) / "adapter_model.safetensors").write_bytes(b"changed")
        with pytest.raises(StoreError, match="is damaged"):
            store.use(1)
    assert store.current().number == 2


def test_writing_needs_the_lock(store: Store, facts) -> None:
    with pytest.raises(RuntimeError, match="lock"):
        store.begin_run(facts)


def test_the_second_writer_is_told_who_holds_the_lock_and_what_to_do(store: Store) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(store.layout.root.parent.parent), store.dlm_id],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreLocked, match=rf"`dlm train` \(process {holder.pid} on .*kill {holder.pid}"):
            store.lock("train").__enter__()
        assert store.current() is None
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with store.lock("train"):
        assert json.loads(store.layout.lock_note.read_text())["pid"] == os.getpid()
    assert not store.layout.lock_note.exists()


def test_two_writers_in_one_process_exclude_each_other(store: Store) -> None:
    other = Store(store.layout.root.parent.parent, store.dlm_id)
    with store.lock("train"), pytest.raises(StoreLocked):
        other.lock("train").__enter__()


def test_a_damaged_pointer_is_named_and_the_next_writer_repairs_it(store: Store, adapter, facts) -> None:
    with store.lock("train"):
        store.begin_run(facts).commit(adapter(), {})
    for text in ("../../../../etc/passwd\n", "", "\0\xff", "adapter/versions/v0009\n"):
        store.layout.pointer.write_text(text)
        with pytest.raises(StoreError, match="dlm use DOC vN"):
            store.current()
        with store.lock("train"):
            store.begin_run(facts).cancel()
        assert store.current().number == 1


def test_a_damaged_manifest_stops_writers_not_readers_and_can_be_moved_away(store: Store, adapter, facts) -> None:
    with store.lock("train"):
        store.begin_run(facts).commit(adapter(), {})
    store.layout.manifest.write_text('{"dlm_id": 1}')
    assert store.current().number == 1
    with store.lock("train"):
        with pytest.raises(StoreError, match=r"manifest\.json is damaged .*`dlm gc DOC --repair`"):
            store.begin_run(facts)
        store.layout.manifest.rename(store.layout.manifest.with_suffix(".damaged"))
        run = store.begin_run(facts)
        assert run.id == 2
        run.cancel()
    runs = store.manifest().training_runs
    assert [(run.run_id, run.status, run.adapter_version) for run in runs] == [(1, "ok", 1), (2, "cancelled", None)]


def test_a_newer_manifest_is_not_touched(store: Store, facts) -> None:
    store.layout.root.mkdir(parents=True)
    store.layout.manifest.write_text('{"schema_version": 2, "x": 1}')
    with store.lock("train"), pytest.raises(StoreError, match="newer dlm"):
        store.begin_run(facts)
    assert store.layout.manifest.read_text() == '{"schema_version": 2, "x": 1}'


def test_keys_of_newer_versions_and_times_of_older_ones_survive(store: Store, facts) -> None:
    old = {
        "dlm_id": store.dlm_id,
        "schema_version": 1,
        "created_at": "2026-01-02T03:04:05",
        "updated_at": "2026-01-02T03:04:05",
        "base_model": "tiny",
        "adapter_version": 0,
        "training_runs": [{"run_id": 4, "started_at": "2026-01-02T03:04:05", "status": "completed", "novel": 1}],
        "from_the_future": {"x": [1]},
    }
    store.layout.root.mkdir(parents=True)
    store.layout.manifest.write_text(json.dumps(old))
    with store.lock("train"):
        run = store.begin_run(facts)
        run.cancel()
    written = json.loads(store.layout.manifest.read_text())
    assert run.id == 5
    assert written["from_the_future"] == {"x": [1]}
    assert written["created_at"] == "2026-01-02T03:04:05Z"
    assert (written["training_runs"][0]["novel"], written["training_runs"][0]["status"]) == (1, "ok")
    assert store.layout.manifest.read_text() == json.dumps(written, indent=2, sort_keys=True) + "\n"


def test_logs_are_strict_json_lines_with_a_time(store: Store, facts) -> None:
    with store.lock("train"):
        run = store.begin_run(facts)
        run.log({"type": "step", "step": 1, "loss": math.nan, "grad_norm": math.inf})
        run.log({"type": "run_complete", "path": Path("x"), "tags": ("a",)})
        run.cancel()
    first, second = (json.loads(line, parse_constant=pytest.fail) for line in run.log_path.read_text().splitlines())
    assert first.pop("timestamp").endswith("Z")
    assert first == {"type": "step", "step": 1, "loss": None, "grad_norm": None}
    assert (second["path"], second["tags"]) == ("x", ["a"])
    assert run.log_path.parent == store.layout.logs
    assert run.log_path.name.startswith("train-000001-")


HOLDER = """
import sys, time
from pathlib import Path
from dlm.store import Store
with Store(Path(sys.argv[1]), sys.argv[2]).lock("train"):
    print("held", flush=True)
    time.sleep(60)
"""
