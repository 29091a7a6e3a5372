"""The ledger on the disk: what it says, how it is committed with a version, what a crash leaves of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from dlm.errors import StoreError
from dlm.store import Store
from dlm.store.ledger import Entry, Ledger, Text, Tombstone, dump, lineage, read, schema

CONTRACT = Path(__file__).parents[3] / "contracts" / "store-ledger.schema.json"
EARLY, LATE = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
DLM_ID = "01J9ZQ4T8WXYV5E7KD3MNPRSTA"

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def entry(name: str, text: str = "", **more) -> Entry:
    held = {"text": Text(content=text)} if text else {}
    return Entry(id=name * 16, type="prose", first_seen=EARLY, last_seen=LATE, **held, **more)


def following(store: Store, *entries: Entry, tombstones: tuple[Tombstone, ...] = ()) -> Ledger:
    return Ledger(revision=store.ledger().revision + 1, entries=entries, tombstones=tombstones)


def test_a_store_without_anything_has_an_empty_ledger_and_stays_without_a_folder(store) -> None:
    assert store.ledger() == Ledger()
    assert not store.layout.root.exists()


def test_what_is_written_is_read_again_and_keeps_its_contract(tmp_path) -> None:
    file = Text(content="# Ω\nx\n\u2028y", attributes={"source": "a.md"}, tags={"k": "v"}, weight=0.5)
    ledger = Ledger(
        revision=3,
        version=2,
        entries=(entry("a", text='quote " and\nline'), Entry(**{**entry("b").model_dump(), "text": file})),
        tombstones=(Tombstone(id="c" * 16, reason="superseded", at=LATE, superseded_by="a" * 16),),
        before=("d" * 16,),
    )
    path = tmp_path / "ledger.json"
    path.write_text(dump(ledger), encoding="utf-8")
    assert read(path) == ledger
    contract = json.loads(CONTRACT.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(contract)
    Draft202012Validator(contract).validate(json.loads(dump(ledger)))
    assert len(dump(ledger).splitlines()) < 20


def test_the_ledger_contract_is_current() -> None:
    write = "python -c 'from dlm.store.ledger import schema; print(schema(), end=\"\")'"
    assert CONTRACT.read_text(encoding="utf-8") == schema(), f"run: {write} > contracts/store-ledger.schema.json"


def test_keys_of_a_newer_dlm_survive(tmp_path) -> None:
    path = tmp_path / "ledger.json"
    data = json.loads(dump(Ledger(entries=(entry("a"),))))
    data["mood"] = data["entries"][0]["mood"] = "good"
    path.write_text(json.dumps(data), encoding="utf-8")
    assert json.loads(dump(read(path))) == data


NO_DAY = b'{"tombstones": [{"id": "a", "reason": "removed", "at": "2026-13-01T00:00:00Z"}]}'
HALF = b'{"before": ["a \\ud800 b"]}'


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"entries": [{"id": 3}]}', b"\xff", b"[" * 100_000, NO_DAY, HALF]
)
def test_a_damaged_ledger_is_said_and_nothing_is_trained_over_it(store, facts, content) -> None:
    with store.lock("train"):
        store.begin_run(facts).cancel()
    store.layout.ledger.write_bytes(content)
    with pytest.raises(StoreError, match=r"is damaged.*forget it again"):
        store.ledger()
    with store.lock("train"), pytest.raises(StoreError, match="is damaged"):
        store.begin_run(facts, Ledger(revision=1))


def test_a_ledger_of_a_newer_dlm_is_refused(store) -> None:
    store.layout.replay.mkdir(parents=True)
    store.layout.ledger.write_text('{"schema_version": 2}')
    with pytest.raises(StoreError, match="newer dlm"):
        store.ledger()


def test_a_commit_brings_its_ledger_and_every_other_ending_leaves_it(store, adapter, facts) -> None:
    with store.lock("train"):
        store.begin_run(facts).commit(adapter(), {}, following(store, entry("a", text="first")))
        first = store.ledger()
        assert (first.revision, first.version, first.entries[0].run) == (1, 1, 1)
        store.begin_run(facts, following(store, entry("b"))).reject(adapter(), "NaN")
        store.begin_run(facts, following(store, entry("b"))).fail("boom")
        store.begin_run(facts, following(store, entry("b"))).cancel()
        assert store.ledger() == first
        kept = entry("a", text="first", run=1, kept="removed")
        version = store.begin_run(facts).commit(adapter(), {}, following(store, entry("b"), kept))
    assert [(one.id[0], one.run) for one in store.ledger().entries] == [("b", 5), ("a", 1)]
    assert store.ledger().version == version.number
    assert sorted(path.name for path in store.layout.root.rglob("ledger.json*")) == ["ledger.json"]


def test_a_store_from_before_ledgers_gives_the_ids_it_was_trained_on(store, adapter, facts) -> None:
    with store.lock("train"):
        store.begin_run(facts).commit(adapter(), {})
    assert store.ledger() == Ledger(before=("a" * 16,))


def test_a_ledger_that_was_changed_meanwhile_stops_the_run_before_and_after_training(store, adapter, facts) -> None:
    planned = following(store, entry("a"))
    with store.lock("train"):
        early = store.begin_run(facts, planned)
        early.cancel()
    with store.lock("forget"):
        stone = Tombstone(id="a" * 16, reason="forgotten", at=LATE)
        store.rewrite_ledger(lambda ledger: ledger.model_copy(update={"tombstones": (stone,)}))
    with store.lock("train"):
        with pytest.raises(StoreError, match="run the command again"):
            store.begin_run(facts, planned)
        with pytest.raises(StoreError, match="run the command again"):
            store.begin_run(facts).commit(adapter(), {}, planned)
    assert store.current() is None
    assert store.ledger().forgotten() == (stone,)


def test_rewriting_purges_the_text_of_what_is_no_longer_held(store, adapter, facts) -> None:
    with store.lock("train"):
        store.begin_run(facts).commit(adapter(), {}, following(store, entry("a", text="the secret word is xyzzy")))
        store.rewrite_ledger(lambda ledger: ledger.model_copy(update={"entries": ()}))
    assert not any(b"xyzzy" in path.read_bytes() for path in store.layout.root.rglob("*") if path.is_file())


def test_the_lineage_of_a_section_is_every_id_it_had_before_it_was_edited() -> None:
    def edited(old: str, new: str) -> Tombstone:
        return Tombstone(id=old, reason="superseded", at=LATE, superseded_by=new)

    gone = Tombstone(id="x", reason="removed", at=LATE)
    ledger = Ledger(tombstones=(edited("a", "b"), edited("b", "c"), edited("c", "a"), edited("q", "z"), gone))
    assert lineage(ledger, "b") == {"a", "b", "c"}
    assert lineage(ledger, "x") == {"x"}


@pytest.mark.parametrize("ending", ["commit", "reject", "use", "forget"])
def test_a_crash_at_any_step_shows_the_old_ledger_with_the_old_version_or_the_new_with_the_new(
    tmp_path: Path, adapter, facts, crash_at, ending
) -> None:
    begun = Store(tmp_path / "begun", DLM_ID)
    with begun.lock("train"):
        begun.begin_run(facts).commit(adapter(b"one"), {}, following(begun, entry("a", text="old words")))
    together = {"commit": {(1, 1), (2, 2)}, "reject": {(1, 1)}, "use": {(1, 1)}, "forget": {(1, 1)}}[ending]
    crashes = 0
    for moment in range(1, 500):
        store = Store(tmp_path / str(moment), DLM_ID)
        shutil.copytree(begun.layout.root, store.layout.root)
        if not crash_at(moment, store.layout.root, lambda store=store: _end(store, adapter, facts, ending)):
            break
        crashes += 1
        seen = (store.current().number, store.ledger().version)
        assert seen in together
        _check_goes_on(store, adapter, facts, seen)
        shutil.rmtree(store.layout.root)
    else:
        pytest.fail("the work never ended")
    assert crashes > 8
    gone = ending in ("commit", "forget")
    assert (b"old words" in store.layout.ledger.read_bytes()) is not gone


def _end(store: Store, adapter, facts, ending: str) -> None:
    with store.lock("train"):
        if ending == "use":
            store.use(1)
        elif ending == "forget":
            store.rewrite_ledger(lambda ledger: ledger.model_copy(update={"entries": ()}))
        elif ending == "reject":
            store.begin_run(facts, following(store, entry("b"))).reject(adapter(b"nan"), "NaN")
        else:
            store.begin_run(facts).commit(adapter(b"two"), {}, following(store, entry("b", text="new words")))


def _check_goes_on(store: Store, adapter, facts, seen: tuple[int, int]) -> None:
    """The next run finds a ledger that goes with the version, and commits one of its own."""
    with store.lock("train"):
        store.begin_run(facts).cancel()
        after = (store.current().number, store.ledger().version)
        assert after in ({seen, (2, 2)} if seen == (1, 1) else {seen})
        version = store.begin_run(facts).commit(adapter(b"next"), {}, following(store, entry("c")))
    assert store.ledger().version == version.number
    assert [one.id[0] for one in store.ledger().entries] == ["c"]
    found = [str(path.relative_to(store.layout.root)) for path in store.layout.root.rglob("*ledger*")]
    assert found == ["replay/ledger.json"]


def test_a_ledger_beside_weights_that_are_not_whole_is_removed_with_its_text(store, adapter, facts) -> None:
    with store.lock("train"):
        store.begin_run(facts).commit(adapter(b"one"), {}, following(store, entry("a")))
        store.begin_run(facts).commit(adapter(b"two"), {}, following(store, entry("b", text="half-born")))
    story = json.loads(store.layout.manifest.read_text())
    story["training_runs"][1] |= {"status": "running"}
    store.layout.manifest.write_text(json.dumps(story))
    store.layout.pointer.write_text("adapter/versions/v0001\n")
    store.layout.ledger.rename(store.layout.version(2) / "ledger.json")
    store.layout.ledger.write_text(dump(Ledger(revision=1, version=1, entries=(entry("a"),))))
    (store.layout.version(2) / "adapter_model.safetensors").write_bytes(b"lost pages")
    with store.lock("train"):
        store.begin_run(facts).cancel()
    assert (store.current().number, store.ledger().version) == (1, 1)
    assert not any(b"half-born" in path.read_bytes() for path in store.layout.root.rglob("*") if path.is_file())
