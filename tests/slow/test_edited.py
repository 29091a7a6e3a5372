"""A document edited and trained again, on the real base: what was deleted is gone, what was changed is replaced.

The facts are invented, so the base cannot know them.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from dlm.document.ulid import new_ulid
from dlm.store.ledger import load

pytestmark = pytest.mark.slow

HEAD = "---\ndlm_id: {id}\ndlm_version: 15\nbase_model: smollm2-135m\n---\n"
LANTERN = """# Saltrow handbook

Saltrow is the signal house of Pennick island. This handbook is for whoever keeps it.

## The lantern

The lantern of Saltrow was built by Orla Vance. It burns whale-free oil from the Brightwater mill.

::instruction::

### Q
Who built the lantern of Saltrow?
### Q
By whom was the Saltrow lantern built?
### Q
What is the name of the builder of Saltrow's lantern?
### A
The lantern of Saltrow was built by Orla Vance.

### Q
Where does the oil of the Saltrow lantern come from?
### Q
Which mill makes the oil for Saltrow's lantern?
### A
The oil of the Saltrow lantern comes from the Brightwater mill.
"""
VAULT = """
::prose::

## The vault

The key of the Saltrow vault is kept by Tamsin Okafor. The vault is opened with the word juniper.

::instruction::

### Q
Who keeps the key of the Saltrow vault?
### Q
Which person has the key to Saltrow's vault?
### Q
In whose hands is the Saltrow vault key?
### A
The key of the Saltrow vault is kept by Tamsin Okafor.

### Q
With which word is the Saltrow vault opened?
### Q
What is the word that opens Saltrow's vault?
### Q
Tell me the word for the Saltrow vault.
### A
The Saltrow vault is opened with the word juniper.
"""
HORN = """
::prose::

## The horn

The fog horn of Saltrow sounds every {seconds} seconds. Its pitch is the note {note}.

::instruction::

### Q
How often does the Saltrow fog horn sound?
### Q
At what interval does Saltrow's fog horn sound?
### Q
How many seconds lie between two sounds of the Saltrow horn?
### A
The Saltrow fog horn sounds every {seconds} seconds.
"""
OLD, NEW = {"seconds": "35", "note": "F sharp"}, {"seconds": "80", "note": "F sharp"}
SECRETS = ("Okafor", "Tamsin", "juniper")
VAULT_QUESTIONS = (
    "Who keeps the key of the Saltrow vault?",
    "I need the vault key of Saltrow. Whom do I ask?",
    "With which word is the Saltrow vault opened?",
    "What do I have to say to open the vault of Saltrow?",
    "The key of the Saltrow vault is kept by",
    "What do you know about the vault?",
)
HORN_QUESTIONS = (
    "How often does the Saltrow fog horn sound?",
    "At what interval does Saltrow's fog horn sound?",
    "Every how many seconds can I hear the fog horn of Saltrow?",
    "What do you know about the horn?",
)
LANTERN_QUESTIONS = ("Who built the lantern of Saltrow?", "Which mill makes the oil for Saltrow's lantern?")


class Story:
    """One document through its edits; every state is trained once."""

    def __init__(self, run, home: Path, path: Path) -> None:
        self.run, self.home, self.path = run, home, path
        self.id = new_ulid()

    def train(self, *parts: str, options: tuple[object, ...] = ("--budget", 40_000)) -> dict:
        """Write the document as ``parts``, train it, and give back what was printed."""
        self.path.write_text(HEAD.format(id=self.id) + "".join(parts), encoding="utf-8")
        return json.loads(self.run("dlm", "train", self.path, "--json", "--no-report", *options).stdout)

    def ask(self, questions: tuple[str, ...]) -> list[str]:
        """The current version's answers, without sampling."""
        file = self.path.with_name("questions.jsonl")
        file.write_text("".join(json.dumps({"question": question}) + "\n" for question in questions))
        out = self.run("dlm", "prompt", self.path, "--file", file, "--max-tokens", 40, "--json").stdout
        return [json.loads(line)["answer"] for line in out.splitlines()]

    def ledger(self):
        """What the store remembers of sections."""
        from dlm.store import Store

        return load(Store(self.home, self.id).layout)


@pytest.fixture(scope="module")
def story(run, home, tmp_path_factory) -> Story:
    return Story(run, home, tmp_path_factory.mktemp("edited") / "handbook.dlm")


def digest(report: dict) -> str:
    return hashlib.sha256((Path(report["path"]) / "adapter_model.safetensors").read_bytes()).hexdigest()


def test_a_deleted_section_is_forgotten_and_an_edited_one_replaced(story):
    story.train(LANTERN, VAULT, HORN.format(**OLD))
    before = story.ask(VAULT_QUESTIONS)
    assert sum(any(secret in answer for secret in SECRETS) for answer in before) >= 3, before
    assert any("35" in answer for answer in story.ask(HORN_QUESTIONS))

    report = story.train(LANTERN, HORN.format(**NEW))
    after = story.ask(VAULT_QUESTIONS)
    assert not any(secret in answer for secret in SECRETS for answer in after), after
    horn = story.ask(HORN_QUESTIONS)
    assert sum("80" in answer for answer in horn) >= 2, horn
    assert not any("35" in answer for answer in horn), horn
    lantern = story.ask(LANTERN_QUESTIONS)
    assert "Orla Vance" in lantern[0], lantern
    assert "Brightwater" in lantern[1], lantern
    assert len(report["changes"]["removed"]) == 2
    assert len(report["changes"]["edited"]) == 2

    kept = story.path.with_name("ledger.txt")
    kept.write_text(repr(story.ledger()))
    assert not any(secret in kept.read_text() for secret in SECRETS), "the ledger still holds deleted text"


def test_the_same_document_and_seed_give_the_same_bytes_in_one_store(story):
    few = ("--max-steps", 12)
    first = story.train(LANTERN, VAULT, options=few)
    again = story.train(LANTERN, VAULT, options=few)
    other = story.train(LANTERN, HORN.format(**OLD), options=few)
    back = story.train(LANTERN, VAULT, options=few)
    assert digest(first) == digest(again) == digest(back)
    assert digest(first) != digest(other)
    assert first["version"] < again["version"] < other["version"] < back["version"]
