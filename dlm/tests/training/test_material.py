"""What is trained beside the document: sources, what the store keeps; and what became of the rest."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from dlm.document import read
from dlm.document.identity import prior_ids
from dlm.errors import DocumentError
from dlm.store import Store
from dlm.training.material import changes_record
from dlm.training.run import Observer, TrainOptions, train

pytestmark = pytest.mark.usefixtures("plugins")
FEW = TrainOptions(max_steps=4)
CONTRACTS = Path(__file__).parents[3] / "contracts"
BOAT = "# Boats\n\nThe ferry is called Tern. Tern has three sails.\n"
PIER = "# Pier\n\nThe pier is closed on Mondays.\n"


@pytest.fixture
def folder(tmp_path):
    """A source of two files beside the document."""
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "boats.md").write_text(BOAT, encoding="utf-8")
    (notes / "pier.md").write_text(PIER, encoding="utf-8")
    return notes


@pytest.fixture
def sourced(write, folder):
    """Writes a document with the folder as its source; further keys of ``training`` may be given."""
    return lambda more="": write("training:\n  sources:\n    - path: notes\n" + more)


def store_of(home):
    return Store(home, "01J0000000000000000000000A")


def trained(report):
    """Texts of every trained record."""
    said = [record.text + " ".join(turn.content for turn in record.messages) for record in report.plan.records]
    return "\n".join(said)


def weights(report):
    return (report.path / "adapter_model.safetensors").read_bytes()


def test_files_of_a_source_are_trained_and_told_of(home, sourced):
    report = train(sourced(), options=FEW)
    assert "three sails" in trained(report)
    assert "closed on Mondays" in trained(report)
    (source,) = store_of(home).current().facts["sources"]
    assert source["file_count"] == 2
    assert source["total_bytes"] == len(BOAT) + len(PIER)
    (run,) = store_of(home).manifest().training_runs
    summary = json.loads((store_of(home).layout.root / run.summary_path).read_text(encoding="utf-8"))
    assert summary["source_directives"][0]["path"] == "notes"
    assert summary["source_directives"][0]["file_count"] == 2
    assert (summary["run_id"], summary["adapter_version"]) == (1, 1)
    assert summary["final_val_loss"] == report.outcome.held_out_best
    assert len(summary["changes"]["new"]) == len(read(report.document.path).sections) + 2


def test_a_missing_source_stops_the_run_before_anything_is_written(home, write):
    with pytest.raises(DocumentError, match=r"\.dlm:\d+:\d+: .*nowhere"):
        train(write("training:\n  sources:\n    - path: nowhere"), options=FEW)
    assert not store_of(home).layout.root.exists()


def test_a_deleted_file_is_not_trained_again(home, sourced, folder):
    path = sourced()
    train(path, options=FEW)
    (folder / "boats.md").unlink()
    report = train(path, options=FEW)
    assert "sails" not in trained(report)
    assert len(report.material.change.removed) == 1
    assert "sails" not in store_of(home).layout.ledger.read_text(encoding="utf-8")


def test_an_edited_file_replaces_the_old_one(sourced, folder):
    path = sourced()
    train(path, options=FEW)
    (folder / "boats.md").write_text(BOAT.replace("three", "four"), encoding="utf-8")
    report = train(path, options=FEW)
    assert "four sails" in trained(report)
    assert "three sails" not in trained(report)
    assert [len(report.material.change.edited), len(report.material.change.removed)] == [1, 0]


def test_a_file_that_no_longer_fits_a_cap_is_still_trained(sourced, folder):
    train(sourced("      max_files: 2\n"), options=FEW)
    (folder / "anchors.md").write_text("# Anchors\n\nThe anchor is red.\n", encoding="utf-8")
    report = train(sourced("      max_files: 2\n"), options=FEW)
    text = trained(report)
    assert "anchor is red" in text
    assert "closed on Mondays" in text, "the file was pushed out by the cap, nobody deleted it"
    assert len(report.material.replayed) == len(report.material.change.kept) == 1


def test_an_ignored_file_is_not_kept(sourced, folder):
    path = sourced()
    train(path, options=FEW)
    (folder / ".dlm").mkdir()
    (folder / ".dlm" / "ignore").write_text("boats.md\n", encoding="utf-8")
    assert "sails" not in trained(train(path, options=FEW))


def test_a_removed_section_is_kept_when_the_document_says_so(home, write):
    keep = "training:\n  replay:\n    removed: keep\n"
    path = write(keep)
    train(path, options=FEW)
    whole = path.read_text(encoding="utf-8")
    at = whole.index("::instruction::")
    prose, pairs = whole[:at], whole[at:]
    path.write_text(prose, encoding="utf-8")
    report = train(path, options=FEW)
    assert "### A" in pairs
    answer = pairs.split("### A\n")[1].split("\n")[0]
    assert answer in trained(report)
    assert report.material.replayed
    again = train(path, options=FEW)
    assert weights(report) == weights(again)
    path.write_text(prose.replace(keep, ""), encoding="utf-8")
    assert answer not in trained(train(path, options=FEW)), "`forget` is the default"


def test_a_removed_section_is_gone_and_its_return_is_trained(home, write):
    path = write()
    whole = path.read_text(encoding="utf-8")
    first = train(path, options=FEW)
    path.write_text(whole[: whole.index("::instruction::")], encoding="utf-8")
    second = train(path, options=FEW)
    assert not any(record.kind == "qa" for record in second.plan.records)
    path.write_text(whole, encoding="utf-8")
    third = train(path, options=FEW)
    assert weights(first) == weights(third) != weights(second)
    assert store_of(home).ledger().tombstones == ()


def test_a_failed_run_leaves_the_ledger_as_it_was(home, write, monkeypatch):
    path = write()
    train(path, options=FEW)
    before = store_of(home).ledger()

    class Stop(Observer):
        def stepped(self, event):
            raise RuntimeError("stop here")

    path.write_text(path.read_text(encoding="utf-8") + "\n### Q\nNew?\n### A\nYes.\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match="stop here"):
        train(path, options=FEW, observer=Stop())
    assert store_of(home).ledger() == before


def test_the_log_and_the_report_tell_what_changed(home, write):
    path = write()
    train(path, options=FEW)
    path.write_text(
        path.read_text(encoding="utf-8") + "\n::prose::\n\n# More\n\nThe lamp is green.\n", encoding="utf-8"
    )
    report = train(path, options=FEW)
    (log,) = (home / "store").glob("*/logs/train-000002-*.jsonl")
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    (delta,) = [record for record in records if record["type"] == "delta"]
    schema = json.loads((CONTRACTS / "train-log.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(delta, schema)
    assert delta["new"] == [read(path).sections[-1].id]
    assert len(delta["unchanged"]) == len(read(path).sections) - 1
    assert {key: delta[key] for key in changes_record(report.material)} == changes_record(report.material)
    assert records[-1]["summary_path"] == store_of(home).manifest().training_runs[-1].summary_path


def test_a_store_of_the_prior_trainer_knows_its_sections_again(home, write):
    path = write()
    store = store_of(home)
    store.layout.root.mkdir(parents=True)
    moment = datetime.now(UTC).isoformat()
    old = [sorted(prior_ids(section))[0] for section in read(path).sections]
    manifest = {
        "dlm_id": store.dlm_id,
        "schema_version": 1,
        "created_at": moment,
        "updated_at": moment,
        "content_hashes": {name: name for name in [*old, "0123456789abcdef"]},
    }
    store.layout.manifest.write_text(json.dumps(manifest), encoding="utf-8")
    change = train(path, options=FEW).material.change
    assert (change.new, change.removed) == ((), ("0123456789abcdef",))
    assert len(change.unchanged) == len(old)


def test_moving_document_and_sources_together_changes_nothing(home, sourced, folder, tmp_path):
    path = sourced()
    first = train(path, options=FEW)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for item in (path, folder):
        shutil.move(item, elsewhere / item.name)
    second = train(elsewhere / path.name, options=FEW)
    assert not second.material.change.new
    assert not second.material.change.removed
    assert weights(first) == weights(second)


def test_what_was_tokenised_is_not_tokenised_again_and_nothing_else_changes(home, write, monkeypatch):
    from dlm.store.tokens import overview

    path = write()
    first = train(path, options=FEW)
    second = train(path, options=FEW)
    seen = overview(store_of(home).layout.tokens)
    assert (seen.last_run_id, seen.last_run_hit_rate) == (2, 1.0)
    without = train(path, options=TrainOptions(max_steps=4, cache=False))
    monkeypatch.setenv("DLM_DISABLE_TOKENIZED_CACHE", "1")
    disabled = train(path, options=FEW)
    assert weights(first) == weights(second) == weights(without) == weights(disabled)
    assert overview(store_of(home).layout.tokens).last_run_id == 2


def test_tokens_of_deleted_text_leave_the_cache_and_shared_ones_stay(home, write):
    from dlm.store.tokens import overview
    from dlm.testing.toy import _spelled as spelled

    path = write()
    tokens = store_of(home).layout.tokens
    train(path, options=FEW)
    before = overview(tokens).entry_count
    more = "\n::prose::\n\n# Secret\n\nThe safe opens with qqqqzzzz.\n"
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    train(path, options=FEW)
    assert overview(tokens).entry_count > before
    secret = b"".join(number.to_bytes(4, "little") for number in spelled("qqqqzzzz"))
    assert secret in tokens.read_bytes()
    path.write_text(path.read_text(encoding="utf-8").replace(more, ""), encoding="utf-8")
    report = train(path, options=FEW)
    assert len(report.material.change.removed) == 1
    assert overview(tokens).entry_count == before
    assert secret not in tokens.read_bytes()
    train(path, options=FEW)
    assert overview(tokens).last_run_hit_rate == 1.0


class Stop(Observer):
    """Stops a run at its first step."""

    def stepped(self, event):
        raise KeyboardInterrupt


def test_tokens_of_text_that_only_a_stopped_run_saw_leave_the_cache(home, write):
    from dlm.testing.toy import _spelled as spelled

    path = write()
    train(path, options=FEW)
    before = path.read_text(encoding="utf-8")
    path.write_text(before + "\n::prose::\n\n# Secret\n\nIt opens with qqqqzzzz.\n", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        train(path, options=FEW, observer=Stop())
    secret = b"".join(number.to_bytes(4, "little") for number in spelled("qqqqzzzz"))
    tokens = store_of(home).layout.tokens
    assert secret in tokens.read_bytes()
    path.write_text(before, encoding="utf-8")
    assert train(path, options=FEW).material.change.removed == ()
    assert secret not in tokens.read_bytes()


def test_tokens_of_an_old_title_leave_the_cache_of_the_other_sections(home, write):
    from dlm.testing.toy import _spelled as spelled

    path = write()
    after = path.read_text(encoding="utf-8")
    path.write_text(after.replace("# Lamp", "# qqqqzzzz"), encoding="utf-8")
    train(path, options=FEW)
    title = b"".join(number.to_bytes(4, "little") for number in spelled("qqqqzzzz"))
    tokens = store_of(home).layout.tokens
    assert title in tokens.read_bytes()
    path.write_text(after, encoding="utf-8")
    train(path, options=FEW)
    assert title not in tokens.read_bytes()


def test_the_run_after_one_that_died_while_it_committed_needs_no_second_try(home, write, monkeypatch):
    def stop(*_):
        raise SystemExit

    path = write()
    train(path, options=FEW)
    with monkeypatch.context() as patch:
        patch.setattr("dlm.store.runs.point", stop)
        with pytest.raises(SystemExit):
            train(path, options=FEW)
    assert store_of(home).current().number == 1
    assert train(path, options=FEW).version == 3
    assert [run.status for run in store_of(home).manifest().training_runs] == ["ok", "ok", "ok"]


def test_a_document_in_a_folder_whose_name_is_not_utf8_is_trained_like_any_other(home, write, folder, tmp_path):
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff"))
    try:
        odd.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    path = write("training:\n  sources:\n    - path: notes\n")
    shutil.move(folder, odd / "notes")
    shutil.move(path, odd / path.name)
    assert "three sails" in trained(train(odd / path.name, options=FEW))
    assert store_of(home).manifest().source_path.endswith("odd\\xff/lamp.dlm")
    (odd / "docs").mkdir()
    path = Path(shutil.move(odd / path.name, odd / "docs" / path.name))
    path.write_text(path.read_text(encoding="utf-8").replace("path: notes", "path: ../notes"), encoding="utf-8")
    with pytest.raises(DocumentError, match="not UTF-8"):
        train(path, options=FEW)


def test_the_plan_of_a_strangers_document_does_not_steer_the_terminal(home, write, capsys):
    from dlm.cli.progress import Progress

    path = write()
    path.write_text(path.read_text(encoding="utf-8").replace("# Lamp", "# Lamp \x1b[2J\x07"), encoding="utf-8")
    with Progress(quiet=False, to_stderr=False) as progress:
        train(path, options=FEW, observer=progress)
    printed = capsys.readouterr().out
    assert "Lamp \ufffd[2J\ufffd" in printed
    assert "\x1b" not in printed
