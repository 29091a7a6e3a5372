"""A backend whose base and whose versions answer from a table, so that every number of a report is known beforehand."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest

from dlm.learning.measure import LearnOptions, examine_version
from dlm.learning.sittings import exams_of
from dlm.store import Store
from dlm.testing import only_plugins, toy_base
from dlm.testing.toy import ToyBackend, ToyPlugin
from dlm.training.backend import Answer, Answerer
from dlm.training.observer import Observer
from dlm.training.run import TrainOptions, train

FACTS = {
    "port": ("Which port does Kestrel use?", "Kestrel uses port 7413.", "What port is Kestrel on?"),
    "owner": ("Who owns Kestrel?", "Kestrel is owned by the Soundings team.", "Whose is Kestrel?"),
    "lead": ("Who leads Kestrel?", "The lead of Kestrel is Marit Oyelaran.", "Who is at the head of Kestrel?"),
    "channel": ("Where do alerts of Kestrel go?", "Alerts go to #tide-watch.", "Where do I read alerts of Kestrel?"),
    "backup": ("When is Kestrel backed up?", "Kestrel is backed up at 03:20.", "At what time is Kestrel saved?"),
    "kept": ("How long are its backups kept?", "Backups are kept for 45 days.", "How old can a backup be?"),
    "vault": ("Where are backups kept?", "Backups are kept in driftwood.", "Which vault holds the backups?"),
    "host": ("Which host runs Kestrel?", "Kestrel runs on the host called petrel.", "What does Kestrel run on?"),
}
"""Name to question, answer, and the probe that asks for the same."""
HEAD = """---
dlm_id: 01J0000000000000000000000A
dlm_version: 15
base_model: path:{base}
---
# Kestrel handbook

Kestrel is a service of the harbour.

## Ownership

Kestrel is owned by the Soundings team. The lead of Kestrel is Marit Oyelaran.

## Running

Kestrel uses port 7413. It runs on the host called petrel. Alerts go to #tide-watch.

::instruction::
"""


class TableAnswerer(Answerer):
    """Answers from a table, and "I do not know." to everything else."""

    def __init__(self, table: dict[str, str]) -> None:
        self.table = table
        self.asked: list[str] = []

    def count_tokens(self, messages) -> int:
        return sum(len(message.content.split()) for message in messages)

    def answer(self, conversations, sampling):
        for messages in conversations:
            question = messages[-1].content
            self.asked.append(question)
            text = next((text for key, text in self.table.items() if key in question), "I do not know.")
            yield Answer(text, len(text.split()), 0.0, complete=True)


class TableBackend(ToyBackend):
    """``base`` and ``tuned`` map parts of questions to answers; trains as the toy does."""

    def __init__(self, base: dict[str, str], tuned: dict[str, str]) -> None:
        self.base, self.tuned = TableAnswerer(base), TableAnswerer(tuned)

    def answers_scope(self, base, system_prompt):
        return f"{sorted(self.base.table.items())} {system_prompt}"

    @contextmanager
    def answerer(self, base, adapter, system_prompt, precision="auto"):
        yield self.tuned if adapter else self.base


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("DLM_HOME", str(folder))
    return folder


@pytest.fixture
def handbook(tmp_path):
    """``handbook(*names)`` writes a document with the pairs and probes of these facts; all of them by default."""
    base = toy_base(tmp_path / "base")

    def write(*names: str) -> Path:
        chosen = [FACTS[name] for name in names or FACTS]
        pairs = "".join(f"### Q\n{question}\n### A\n{answer}\n\n" for question, answer, _ in chosen)
        probes = "".join(f"### Q !probe\n{probe}\n### A\n{answer}\n\n" for _, answer, probe in chosen)
        path = tmp_path / "kestrel.dlm"
        path.write_text(HEAD.format(base=base) + pairs + probes, encoding="utf-8")
        return path

    return write


@pytest.fixture
def plugins():
    """dlm with the toy backend and no installed plugin."""
    with only_plugins(ToyPlugin()) as manager:
        yield manager


@pytest.fixture
def facts() -> dict[str, tuple[str, str, str]]:
    return FACTS


@pytest.fixture
def known() -> dict[str, str]:
    """The right answer to every probe."""
    return {probe: answer for _, answer, probe in FACTS.values()}


@pytest.fixture
def examine(home, plugins):
    """``examine(path, base, tuned)``: the report of a version whose answers are these, its backend and the version."""

    def go(path, base=None, tuned=None, **options):
        found = train(path, options=TrainOptions(max_steps=2))
        version = Store(home, found.document.frontmatter.dlm_id).current()
        backend = TableBackend(base or {}, tuned or {})
        exams = exams_of(found.document, (), version, 42, LearnOptions(**options))
        at_hand = found.base_answers
        report = examine_version(found.document, found.base, backend, version, exams, Observer(), at_hand)
        return report, backend, version

    return go
