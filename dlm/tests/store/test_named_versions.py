"""A version of several named adapters: one folder each, one step in which all become visible."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from dlm.errors import StoreError, UsageProblem
from dlm.store import Store

NAMES = ("plans", "code")
"""Not in the order of the alphabet: the order is the document's."""


def write(folder: Path) -> None:
    for name in NAMES:
        place = folder / "adapters" / name
        (place / "adapter_model.safetensors").write_bytes(f"weights of {name}".encode())
        (place / "adapter_config.json").write_text("{}")


@pytest.fixture
def committed(store: Store, facts):
    with store.lock("train"):
        return store.begin_run(facts).commit(
            write, {"shared": True}, adapters={"plans": {"outcome": {"steps": 3}}, "code": {"trained_in": 1}}
        )


def test_a_version_holds_every_adapter_under_its_name_in_the_documents_order(store: Store, committed) -> None:
    assert store.current() == committed
    assert committed.adapters == NAMES
    assert committed.folder_of("code") == committed.path / "adapters/code"
    assert committed.folder_of() == committed.folder_of("plans")
    assert "adapter_sha256" not in committed.facts
    assert committed.facts_of("plans")["adapter_sha256"] == hashlib.sha256(b"weights of plans").hexdigest()
    assert committed.facts_of("plans")["outcome"] == {"steps": 3}
    assert committed.facts_of("code")["trained_in"] == 1
    assert committed.facts_of()["shared"] is True
    manifest = store.manifest()
    assert manifest is not None
    assert manifest.adapter_versions == {"code": 1, "plans": 1}
    assert manifest.adapter_sha256 is None


def test_a_name_that_it_does_not_have_is_answered_with_those_it_has(committed, store: Store, facts, adapter) -> None:
    with pytest.raises(UsageProblem, match=r"v0001 has no adapter 'plan': it has plans, code"):
        committed.folder_of("plan")
    with store.lock("train"):
        flat = store.begin_run(facts).commit(adapter(), {})
    assert flat.adapters == ()
    assert flat.folder_of() == flat.path
    with pytest.raises(UsageProblem, match="it has one adapter, without a name"):
        flat.folder_of("plans")
    manifest = store.manifest()
    assert manifest is not None
    assert manifest.adapter_versions == {}


def test_one_changed_adapter_makes_the_version_damaged(committed) -> None:
    committed.verify()
    (committed.folder_of("code") / "adapter_model.safetensors").write_bytes(b"other")
    with pytest.raises(StoreError, match=r"adapters/code/adapter_model\.safetensors is damaged"):
        committed.verify()


def test_one_missing_adapter_makes_the_folder_no_version(store: Store, committed) -> None:
    (committed.folder_of("code") / "adapter_model.safetensors").unlink()
    with pytest.raises(StoreError, match=r"adapters/code has no adapter_model\.safetensors"):
        store.current()
    assert store.contents().damaged == (committed.path,)


@pytest.mark.parametrize("names", [{"../../x": {"number": 1}}, {"a": {}}, {"a": 1}, ["a"], {"_gate": {"number": 1}}])
def test_names_in_a_damaged_file_never_become_a_path(store: Store, committed, names) -> None:
    path = committed.path / "version.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"adapters": names}))
    with pytest.raises(StoreError, match="names no adapters"):
        store.current()


def test_an_adapter_that_was_not_written_leaves_everything_as_it_was(store: Store, committed, facts) -> None:
    with store.lock("train"), pytest.raises(StoreError, match=r"no adapter_model\.safetensors into .*adapters/notes"):
        store.begin_run(facts).commit(write, {}, adapters={"plans": {}, "code": {}, "notes": {}})
    assert store.current() == committed
    assert not list(store.layout.root.rglob(".v*"))


def test_rejected_adapters_are_kept_aside_together(store: Store, committed, facts) -> None:
    with store.lock("train"):
        kept = store.begin_run(facts).reject(write, "NaN", {name: {} for name in NAMES})
    assert kept.name == "v0002-rejected"
    assert sorted(place.name for place in (kept / "adapters").iterdir()) == ["code", "plans"]
    assert store.current() == committed
