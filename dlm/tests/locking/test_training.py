"""``dlm train`` and ``dlm lock`` from the command line: what is trained again, what is stopped, what is accepted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.document import read
from dlm.locking import taking
from dlm.locking.guard import locked, unchanged
from dlm.store import Store
from dlm.testing import toy_base
from dlm.training.material import collect

pytestmark = pytest.mark.usefixtures("plugins")
GOLDEN = Path(__file__).parents[3] / "contracts" / "golden" / "lock"
SOURCES = "training:\n  sources:\n    - path: notes\n"
QUICK = ("--max-steps", "3", "--no-report")


def run(*arguments):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def train(path, *more):
    return run("train", path, *QUICK, *more)


def store_of(home):
    return Store(home, "01J0000000000000000000000A")


def numbers(home):
    return [version.number for version in store_of(home).versions()]


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "oil.md").write_text("The oil is kept in the shed.\n", encoding="utf-8")
    return folder


@pytest.fixture
def trained(write, notes):
    """The lamp with one source, trained once."""
    path = write(SOURCES)
    assert train(path).exit_code == 0
    return path


@pytest.fixture
def other_base(tmp_path):
    """Puts other weights where the document's base lies."""
    return lambda: toy_base(tmp_path / "base", "another")


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_training_of_the_very_same_is_not_run_and_says_so(home, trained):
    again = train(trained)
    assert again.exit_code == 0
    assert again.output == (
        f"nothing has changed since v0001: not trained again; `dlm train {trained} --force` trains anyway\n"
    )
    assert numbers(home) == [1]


def test_what_is_not_trained_says_so_to_tools(home, trained):
    record = json.loads(train(trained, "--json").stdout)
    assert (record["trained"], record["version"]) == (False, 1)
    assert Path(record["path"]) == store_of(home).current().path
    assert json.loads(train(trained, "--json", "--force").stdout)["trained"] is True


def test_an_edit_that_nobody_can_see_changes_nothing(home, trained):
    trained.write_bytes(trained.read_bytes().replace(b"\n", b"\r\n") + b"\n\n")
    assert "nothing has changed" in train(trained).output
    assert numbers(home) == [1]


@pytest.mark.parametrize(
    "change",
    ["document", "source", "new source file", "tag", "renamed source file", "title", "flag", "seed", "force", "ignore"],
)
def test_whatever_may_change_the_result_is_trained(home, trained, notes, change):
    flags = {"flag": ("--budget", "2000"), "seed": ("--seed", "7"), "force": ("--force",), "ignore": ("--ignore-lock",)}
    if change == "document":
        edit(trained, "cellar", "attic")
    elif change == "source":
        edit(notes / "oil.md", "shed", "barn")
    elif change == "new source file":
        (notes / "wick.md").write_text("The wick is cut on Monday.\n", encoding="utf-8")
    elif change == "tag":
        (notes / ".dlm").mkdir()
        (notes / ".dlm" / "training.yaml").write_text("dlm_training_version: 1\nmetadata:\n  kind: log\n")
    elif change == "renamed source file":
        (notes / "oil.md").rename(notes / "lamp-oil.md")
    elif change == "title":
        edit(trained, "# Lamp\n", "# Lantern\n")
    result = train(trained, *flags.get(change, ()))
    assert result.exit_code == 0, result.output
    assert numbers(home) == [1, 2]


def test_what_was_trained_in_other_words_is_trained_when_they_come_back(home, trained):
    edit(trained, "cellar", "attic")
    train(trained)
    edit(trained, "attic", "cellar")
    train(trained)
    assert numbers(home) == [1, 2, 3]
    assert "since v0003" in train(trained).output


def test_damaged_weights_are_trained_again(home, trained):
    weights = store_of(home).current().path / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    train(trained)
    assert numbers(home) == [1, 2]


def test_a_document_with_an_augmenter_is_always_trained(home, trained):
    document, store = read(trained), store_of(home)
    _, lock = locked(store)
    material = collect(document, home, lock.seed)
    assert unchanged(store, lock, document, material)
    edit(trained, "training:\n", "training:\n  recipe:\n    augmenters:\n      teacher: {}\n")
    assert unchanged(store, lock, read(trained), material) is None


def test_another_base_is_refused_until_it_is_accepted(home, trained, other_base):
    other_base()
    refused = train(trained)
    assert refused.exit_code == 1
    assert "the base's weights changed" in refused.output
    assert f"`dlm train {trained} --update-lock`" in refused.output
    assert numbers(home) == [1]
    accepted = train(trained, "--update-lock")
    assert accepted.exit_code == 0
    assert "accepted" in accepted.output
    assert "nothing has changed since v0002" in train(trained).output


def test_a_lock_that_is_ignored_is_not_looked_at(home, trained, other_base):
    other_base()
    result = train(trained, "--ignore-lock")
    assert result.exit_code == 0
    assert "lock:" not in result.output
    assert numbers(home) == [1, 2]


def test_a_lighter_difference_is_said_and_stops_only_a_strict_training(home, trained):
    strict = train(trained, "--seed", "7", "--strict-lock")
    assert strict.exit_code == 1
    assert "the seed was 42 and is 7" in strict.output
    assert numbers(home) == [1]
    assert "lock: the seed was 42 and is 7" in train(trained, "--seed", "7").output
    assert numbers(home) == [1, 2]


def test_an_edited_document_passes_the_strictest_lock(home, trained, notes):
    edit(trained, "cellar", "attic")
    edit(notes / "oil.md", "shed", "barn")
    result = train(trained, "--strict-lock")
    assert result.exit_code == 0
    assert "lock:" not in result.output


def test_another_library_is_said_and_another_first_number_refused(home, trained, monkeypatch):
    real = taking.deciding_versions

    def pinned(number):
        return lambda document, plugins: {**real(document, plugins), "torch": number}

    monkeypatch.setattr(taking, "deciding_versions", pinned("2.4.0"))
    assert train(trained, "--update-lock").exit_code == 0
    monkeypatch.setattr(taking, "deciding_versions", pinned("2.5.1"))
    said = train(trained)
    assert said.exit_code == 0
    assert "lock: torch was 2.4.0 and is 2.5.1" in said.output
    monkeypatch.setattr(taking, "deciding_versions", pinned("3.0.0"))
    assert train(trained).exit_code == 1
    assert numbers(home) == [1, 2, 3]


@pytest.mark.parametrize("flags", [("strict", "update"), ("update", "ignore"), ("strict", "update", "ignore")])
def test_two_ways_to_treat_the_lock_contradict_each_other(home, trained, flags):
    result = train(trained, *(f"--{flag}-lock" for flag in flags))
    assert result.exit_code == 2
    assert "give one of them" in result.output
    assert numbers(home) == [1]


def test_a_damaged_lock_stops_a_training_until_a_new_one_is_asked_for(home, trained):
    lock = store_of(home).current().path / "dlm.lock"
    lock.write_text("{")
    stopped = train(trained)
    assert stopped.exit_code == 3
    assert "--update-lock" in stopped.output
    assert train(trained, "--update-lock").exit_code == 0
    assert "nothing has changed since v0002" in train(trained).output


def test_a_prior_trainer_s_lock_at_the_root_is_read_and_then_replaced(home, trained):
    store = store_of(home)
    (store.current().path / "dlm.lock").unlink()
    prior = json.loads((GOLDEN / "prior.json").read_text(encoding="utf-8")) | {"base_model_sha256": "0" * 64}
    (store.layout.root / "dlm.lock").write_text(json.dumps(prior), encoding="utf-8")
    refused = train(trained)
    assert refused.exit_code == 1
    assert "torch was 1.13.1+cu124" in refused.output
    assert train(trained, "--update-lock").exit_code == 0
    assert json.loads((store.layout.root / "dlm.lock").read_text())["document_digest"]


def test_show_tells_of_what_the_version_was_made(home, trained):
    shown = run("lock", "show", trained)
    assert shown.exit_code == 0
    assert shown.output.startswith("v0001, trained ")
    assert "source notes" in shown.output
    assert all(len(line) <= 80 or max(map(len, line.split())) > 60 for line in shown.output.splitlines())
    lock = json.loads(run("lock", "show", trained, "--json").stdout)
    assert lock == json.loads((store_of(home).layout.root / "dlm.lock").read_text(encoding="utf-8"))
    assert (lock["seed"], lock["asked"], lock["last_run_id"]) == (42, {"max_steps": 3}, 1)


def test_check_compares_with_what_was_asked_for_then_and_writes_nothing(home, trained):
    before = {path: path.stat().st_mtime_ns for path in sorted(home.rglob("*"))}
    same = run("lock", "check", trained)
    assert (same.exit_code, same.output) == (0, "a training now would be made of the very same as v0001\n")
    assert {path: path.stat().st_mtime_ns for path in sorted(home.rglob("*"))} == before


def test_check_lists_edits_and_fails_only_where_a_training_would(home, trained, other_base):
    edit(trained, "cellar", "attic")
    edited = run("lock", "check", trained, "--strict-lock")
    assert edited.exit_code == 0
    assert "allow" in edited.output
    edit(trained, "  sources:", "  lora_r: 8\n  sources:")
    assert run("lock", "check", trained).exit_code == 0
    assert run("lock", "check", trained, "--strict-lock").exit_code == 1
    other_base()
    found = run("lock", "check", trained, "--json")
    assert found.exit_code == 1
    record = json.loads(found.stdout)
    assert (record["ok"], record["violations"]) == (False, ["base_model_sha256"])
    assert {one["key"]: one["severity"] for one in record["differences"]}["lora.rank"] == "warn"
    assert numbers(home) == [1]


def test_the_lock_of_an_untrained_document_is_asked_for_in_vain(write):
    for command in ("show", "check"):
        result = run("lock", command, write())
        assert result.exit_code == 2
        assert "run `dlm train" in result.output


def test_require_learned_asks_a_version_that_was_not_trained_again(home, trained):
    result = run("train", trained, "--max-steps", "3", "--require-learned", "0.5")
    assert "nothing has changed since v0001" in result.output
    assert result.exit_code == 4, "the toy backend cannot answer: nobody can tell"
    assert numbers(home) == [1]


def test_the_number_of_processes_is_locked_and_another_one_trains_anew(home, trained, monkeypatch):
    monkeypatch.setenv("DLM_PROCESSES", "2")
    assert "lock: the number of processes was 1 and is 2" in train(trained).output
    assert "nothing has changed since v0002" in train(trained).output
    monkeypatch.delenv("DLM_PROCESSES")
    assert run("lock", "check", trained, "--strict-lock").exit_code == 0
    assert "the number of processes was 2 and is 1" in train(trained).output
    assert numbers(home) == [1, 2, 3]
