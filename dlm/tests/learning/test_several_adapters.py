"""The report of a version with named adapters: each is asked about its own sections; together they make one report."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.corpus.study import build
from dlm.document import read
from dlm.document.routing import view
from dlm.errors import UsageProblem
from dlm.learning.measure import LearnOptions, examine_version
from dlm.learning.report import load
from dlm.learning.sittings import exams_of
from dlm.store import Store
from dlm.testing.toy import ToyBackend
from dlm.training.backend import Answer, Answerer
from dlm.training.observer import Observer
from dlm.training.run import TrainOptions, train

QUICK = TrainOptions(max_steps=2)


class Says(Answerer):
    """Says the same to everything, and remembers what it was asked."""

    def __init__(self, text: str) -> None:
        self.text, self.asked = text, []

    def count_tokens(self, messages) -> int:
        return 1

    def answer(self, conversations, sampling, weights=None):
        for messages in conversations:
            self.asked.append(messages[-1].content)
            yield Answer(self.text, 1, 0.0, complete=True)


class NamedBackend(ToyBackend):
    """Each adapter says what a table gives it."""

    def __init__(self, **table: str) -> None:
        self.answerers = {name: Says(text) for name, text in table.items()}

    @contextmanager
    def answerer(self, base, adapter, system_prompt, precision="auto"):
        yield self.answerers[adapter.name if adapter else "base"]


@pytest.fixture
def two(handbook):
    """The handbook's prose and half of its pairs train ``ops``, the other half ``people``; both have probes."""

    def write(order="ops: {}\n    people: {}"):
        path = handbook("port", "backup", "host", "vault")
        text = path.read_text(encoding="utf-8").replace("---\n# K", f"training:\n  adapters:\n    {order}\n---\n# K")
        people = handbook("owner", "lead", "channel", "kept").read_text(encoding="utf-8").split("::instruction::\n")[1]
        path.write_text(f"{text}\n::instruction#people::\n{people}", encoding="utf-8")
        return path

    return write


def examined(report, home, backend, **options):
    version = Store(home, report.document.frontmatter.dlm_id).current()
    exams = exams_of(report.document, (), version, 42, LearnOptions(**options))
    return examine_version(report.document, report.base, backend, version, exams, Observer()), exams, version


def test_each_adapter_is_asked_about_its_own_sections(two, home, plugins, facts) -> None:
    report = train(two(), options=QUICK)
    backend = NamedBackend(base="I do not know.", ops="It is 7413.", people="It is Marit Oyelaran.")
    found, exams, version = examined(report, home, backend)
    assert list(exams) == ["ops", "people"]
    ops, people = backend.answerers["ops"].asked, backend.answerers["people"].asked
    assert facts["port"][2] in ops
    assert facts["port"][2] not in people
    assert facts["lead"][2] in people
    assert facts["lead"][2] not in ops
    own = {item.adapter for item in found.items if item.question == facts["lead"][2]}
    assert own == {"people"}
    assert list(found.adapters) == ["ops", "people"]
    assert sum(score.asked for score in found.adapters.values()) == found.total.asked
    assert found.total.facts == sum(score.facts for score in found.adapters.values()), "facts are counted apart"
    own = [item for item in found.items if (item.kind, item.adapter) == ("fact", "people")]
    assert found.adapters["people"].after == sum("Marit Oyelaran" in item.expected for item in own) > 0
    assert load(version.path) == found
    assert len(set(backend.answerers["base"].asked)) == len(backend.answerers["base"].asked), "the base is asked once"


@pytest.mark.parametrize("order", [("ops", "people"), ("people", "ops")])
def test_a_held_out_question_about_shared_prose_goes_to_the_first_adapter(two, order) -> None:
    path = two(": {}\n    ".join(order) + ": {}")
    # Without pairs the held-out questions are about the headings, which both adapters learn.
    text, pairs = path.read_text(encoding="utf-8").split("::instruction::\n")
    path.write_text(f"{text}::instruction#people::\n{pairs.split('::instruction#people::')[1]}", encoding="utf-8")
    document = read(path)
    exams = exams_of(document, (), None, 42, LearnOptions(limit=None))
    prose = next(section.id for section in document.sections if section.type == "prose")
    about = {name: {q: one.section_id for q, one in _reserved(document, name).items()} for name in order}
    for name, exam in exams.items():
        asked = {about[name][one.question] for one in exam.paper.facts if one.source == "held_out"}
        assert (prose in asked) == (name == order[0] and prose in about[name].values()), name


def _reserved(document, name):
    study = build(view(document, name), 42)
    return {one.messages[-2].content: one for one in (*study.held_out, *study.probes)}


def test_a_users_question_goes_to_the_adapter_that_learns_the_answer(two, home, plugins) -> None:
    path = two()
    rows = [
        {"question": "Tell me the number Kestrel listens on.", "answer": "7413"},
        {"question": "Where do alerts go in the end?", "answer": "#tide-watch"},
        {"question": "What is nowhere in it?", "answer": "Tromsdalen 99"},
    ]
    own = path.with_name("questions.jsonl")
    own.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    exams = exams_of(read(path), (), None, 42, LearnOptions())
    asked = {name: [one.question for one in exam.paper.facts if one.source == "user"] for name, exam in exams.items()}
    assert sorted(q for questions in asked.values() for q in questions) == sorted(row["question"] for row in rows)
    assert rows[0]["question"] in asked["ops"]
    assert rows[2]["question"] in asked["ops"], "what is found nowhere is asked of the first"


def test_the_report_names_each_adapter_in_80_columns(two, home, plugins) -> None:
    path = two()
    result = CliRunner().invoke(main, ["train", str(path), "--max-steps", "2"])
    assert result.exit_code == 0, result.output
    shown = CliRunner().invoke(main, ["report", str(path)]).stdout
    assert "adapter ops" in shown
    assert "adapter people" in shown
    assert all(len(line) <= 80 for line in shown.splitlines() if "/" not in line)
    lines = CliRunner().invoke(main, ["report", str(path), "--questions-only"]).stdout.splitlines()
    assert {json.loads(line)["adapter"] for line in lines} == {"ops", "people"}


def test_a_version_whose_adapters_are_declared_no_more_cannot_be_reported_on(two, home, plugins) -> None:
    path = two()
    train(path, options=QUICK)
    path.write_text(path.read_text().replace("ops: {}\n    people: {}", "other: {}").replace("#people", "#other"))
    result = CliRunner().invoke(main, ["report", str(path), "--again"])
    assert result.exit_code == 2
    assert "v0001 has the adapters ops, people" in str(result.exception or "") + result.stderr
    with pytest.raises(UsageProblem, match="declares none of them any more"):
        exams_of(read(path), (), Store(home, "01J0000000000000000000000A").current(), 42, LearnOptions())
