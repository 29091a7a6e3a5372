"""``dlm prompt --grounded`` as a user meets it. The backend trains as the toy does and answers from a table."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.testing.toy import ToyBackend
from dlm.training.backend import Answer, Answerer

pytestmark = pytest.mark.usefixtures("plugins", "home")

TUNED = {
    "Where does the lamp stand?": "The lamp stands in the cellar.",
    "Where does the jar stand?": "The jar stands on the shelf beside the bottles of Ada Hale, under the stairs.",
    "Who built the lamp?": "Bo Hale built the lamp.",
    "Who sells the ladder?": "Ada Hale built the lamp.",
}
BASE = {"Who built the lamp?": "Ada Hale built the lamp."}


class TableAnswerer(Answerer):
    def __init__(self, table) -> None:
        self.table = table

    def count_tokens(self, messages) -> int:
        return sum(len(message.content.split()) for message in messages)

    def answer(self, conversations, sampling):
        for messages in conversations:
            text = self.table.get(messages[-1].content, "")
            yield Answer(text, len(text.split()), 0.0, complete=True)


@pytest.fixture(autouse=True)
def answers(monkeypatch):
    @contextmanager
    def answerer(self, base, adapter, system_prompt, precision="auto"):
        yield TableAnswerer(TUNED if adapter else BASE)

    monkeypatch.setattr(ToyBackend, "answerer", answerer)


@pytest.fixture
def trained(write, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "jars.md").write_text(
        "# Jars\n\nThe jar stands on the shelf beside the bottles of Ada Hale, under the stairs.\n", encoding="utf-8"
    )
    path = write("training:\n  sources:\n    - path: notes")
    assert run("-q", "train", path, "--max-steps", 2).exit_code == 0
    return path


def run(*arguments, **options):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], **options)


def test_a_supported_answer_is_printed_with_the_line_that_says_it(trained):
    done = run("-q", "prompt", trained, "Where does the lamp stand?", "--grounded")
    assert done.exit_code == 0, done.output
    line = (
        trained.read_text(encoding="utf-8")
        .split("\n")
        .index("The lamp stands in the cellar. It was built by Ada Hale.")
    )
    assert done.stdout == (
        f'The lamp stands in the cellar.\n  from lamp.dlm:{line + 1} (Lamp): "The lamp stands in the cellar."\n'
    )


def test_what_a_source_says_is_supported_and_wrapped_at_80_columns(trained):
    done = run("-q", "prompt", trained, "Where does the jar stand?", "--grounded")
    assert done.stdout.splitlines()[1:] == [
        '  from notes/jars.md:3 (Jars): "The jar stands on the shelf beside the bottles',
        '    of Ada Hale, under the stairs."',
    ]


def test_an_unsupported_answer_is_replaced_and_the_nearest_passage_shown(trained):
    done = run("-q", "prompt", trained, "Who built the lamp?", "--grounded")
    assert done.exit_code == 0
    said = done.stdout.splitlines()
    assert said[:2] == ["The document does not say.", "  the model said: Bo Hale built the lamp."]
    assert said[2].startswith("  nearest: lamp.dlm:")
    assert '"Ada Hale built the lamp."' in said[2]
    unknown = run("-q", "prompt", trained, "Who sells the ladder?", "--grounded").stdout.splitlines()
    assert unknown == ["The document does not say.", "  the model said: Ada Hale built the lamp."]


def test_json_tells_whether_and_where_for_every_question_of_a_file(trained, tmp_path):
    asked = tmp_path / "asked.jsonl"
    asked.write_text("\n".join(json.dumps(question) for question in TUNED), encoding="utf-8")
    done = run("-q", "prompt", trained, "--file", asked, "--grounded", "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["question"], one["supported"]) for one in found] == [
        (question, supported) for question, supported in zip(TUNED, (True, True, False, False), strict=True)
    ]
    assert found[2]["answer"] == "Bo Hale built the lamp."
    assert set(found[0]["passage"]) == {"section", "heading", "file", "line", "text"}
    assert found[3]["passage"] is None
    assert "supported" not in json.loads(run("-q", "prompt", trained, "Who?", "--json").stdout)


def test_the_base_is_held_against_the_document_too(write):
    path = write()
    assert (
        "Ada Hale built the lamp.\n  from lamp.dlm:"
        in run("-q", "prompt", path, "Who built the lamp?", "--base", "--grounded").stdout
    )
    assert run("-q", "prompt", path, "Who sells ladders?", "--base", "--grounded").stdout == (
        "The document does not say.\n  the model said: nothing\n"
    )
