"""The base is asked once: what is kept of its answers, for how long, and what becomes of it when text is removed."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.document import read
from dlm.learning.base_answers import BaseAnswers
from dlm.learning.measure import LearnOptions
from dlm.learning.stored import report_after
from dlm.store import Store
from dlm.testing.toy import ToyBackend
from dlm.training.observer import Observer
from dlm.training.run import TrainOptions, train

FEW = TrainOptions(max_steps=2)


def kept_in(home) -> dict:
    path = Store(home, "01J0000000000000000000000A").layout.base_answers
    return json.loads(path.read_text(encoding="utf-8"))["answers"] if path.exists() else {}


class Says(Observer):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_the_base_is_not_asked_the_same_again(examine, handbook, known, home) -> None:
    first, asked, _ = examine(handbook(), base=known, tuned=known)
    second, backend, _ = examine(handbook(), base=known)
    assert asked.base.asked
    assert backend.base.asked == []
    assert [item.said_before for item in second.items] == [item.said_before for item in first.items]
    assert [item.said_open for item in second.items] == [item.said_open for item in first.items]
    assert [item.said_after for item in second.items] != [item.said_after for item in first.items]
    assert len(kept_in(home)) == len(set(asked.base.asked))


def test_another_base_or_prompt_is_asked_itself(examine, handbook, known) -> None:
    examine(handbook(), base=known)
    report, backend, _ = examine(handbook(), base={})
    assert len(backend.base.asked) > len(report.items)
    assert report.sources["probe"].before == 0
    path = handbook()
    path.write_text(path.read_text().replace("---\n#", "system_prompt: Be brief.\n---\n#"), encoding="utf-8")
    _, told, _ = examine(path, base={})
    assert len(told.base.asked) == len(backend.base.asked)


def test_only_what_is_new_is_asked_and_only_what_is_asked_is_kept(examine, handbook, known, home) -> None:
    _, first, _ = examine(handbook(), base=known)
    path = handbook()
    path.write_text(path.read_text().replace("7413", "9999"), encoding="utf-8")
    report, second, _ = examine(path, base=known)
    assert 0 < len(second.base.asked) < len(first.base.asked) / 3
    assert any("9999" in prompt for prompt in second.base.asked)
    count = len(report.items) + report.total.open_asked
    assert len(kept_in(home)) <= count < len({*first.base.asked, *second.base.asked})


def test_a_backend_that_cannot_tell_what_decides_its_answers_is_asked_each_time(tmp_path) -> None:
    asked: list[str] = []

    def ask(texts):
        asked.extend(texts)
        return [text.upper() for text in texts]

    for _ in range(2):
        kept = BaseAnswers(tmp_path / "answers.json", None)
        assert kept.to(["a", "b", "a"], ask, print) == ["A", "B", "A"]
    assert asked == ["a", "b", "a", "b"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema_version": 2, "answers": {"x": "y"}}', '{"schema_version": 1, "answers": 5}']
)
def test_a_damaged_file_costs_time_and_nothing_else(tmp_path, text) -> None:
    path = tmp_path / "answers.json"
    path.write_text(text, encoding="utf-8")
    assert BaseAnswers(path, "s").to(["a"], lambda texts: ["A"] * len(texts), print) == ["A"]
    assert BaseAnswers(path, "s").missing(["a", "b"]) == ["b"]


def test_a_file_that_cannot_be_written_is_said_and_costs_no_report(tmp_path) -> None:
    said: list[str] = []
    kept = BaseAnswers(tmp_path / "nowhere" / "answers.json", "s")
    assert kept.to(["a"], lambda texts: ["A"] * len(texts), said.append) == ["A"]
    assert "not kept" in said[0]


@pytest.mark.usefixtures("plugins")
def test_an_edit_takes_the_old_words_off_the_disk_and_the_next_report_keeps_the_rest(home, handbook) -> None:
    path = handbook()
    report_after(train(path, options=FEW), LearnOptions(), Observer())
    before = kept_in(home)
    path.write_text(path.read_text().replace("7413", "9999"), encoding="utf-8")
    trained = train(path, options=FEW)
    assert kept_in(home) == {}
    assert trained.base_answers == before
    ToyBackend.loaded.clear()
    says = Says()
    assert report_after(trained, LearnOptions(), says)
    after = kept_in(home)
    assert 0.5 * len(before) < len(after.keys() & before.keys()) < len(after)
    assert "of the base, which answered the others before" in says.lines[-1]
    again = train(path, options=FEW)
    assert again.base_answers == {}
    report_after(again, LearnOptions(), says)
    assert "and 0 of the base" in says.lines[-1]
    assert kept_in(home) == after


@pytest.mark.usefixtures("plugins")
def test_reports_of_older_versions_go_when_the_text_they_quote_is_edited_or_removed(home, handbook) -> None:
    store = Store(home, "01J0000000000000000000000A")
    path = handbook()
    for text in (path.read_text(), path.read_text()):
        path.write_text(text, encoding="utf-8")
        report_after(train(path, options=FEW), LearnOptions(), Observer())
    assert [(version.path / "learning.json").exists() for version in store.versions()] == [True, True]
    path.write_text(text.replace("7413", "9999"), encoding="utf-8")
    train(path, options=FEW)
    assert not any(b"7413" in file.read_bytes() for file in store.layout.root.rglob("*.json"))
    assert [(version.path / "learning.json").exists() for version in store.versions()] == [False, False, False]


@pytest.mark.usefixtures("plugins")
def test_forgetting_takes_the_base_s_answers_with_it(home, handbook) -> None:
    path = handbook()
    report_after(train(path, options=FEW), LearnOptions(), Observer())
    assert kept_in(home)
    done = CliRunner().invoke(main, ["forget", str(path), read(path).sections[-1].id, "--yes"])
    assert done.exit_code == 0, done.output
    assert kept_in(home) == {}


@pytest.mark.usefixtures("plugins")
def test_asking_again_asks_the_base_too(home, handbook) -> None:
    path = str(handbook())
    assert CliRunner().invoke(main, ["train", path, "--max-steps", "2"]).exit_code == 0
    ToyBackend.loaded.clear()
    assert CliRunner().invoke(main, ["report", path, "--again"]).exit_code == 0
    assert ToyBackend.loaded.total() == 2
    assert CliRunner().invoke(main, ["report", path, "--limit", "5"]).exit_code == 0
    assert ToyBackend.loaded.total() == 3
