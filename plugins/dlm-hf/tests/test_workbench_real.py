"""Own answers, recall and a reading teacher on a real base, with a real tokenizer and in bf16 where there is."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from dlm.corpus.records import Message, Record
from dlm.training.recipe import Recipe
from dlm_hf import own_answers
from dlm_hf.teaching import divergence, taught
from dlm_hf.workbench import HfWorkbench

pytestmark = pytest.mark.slow
QUESTIONS = [
    Record("anchor", "anchor", str(number), "", (Message("user", text),))
    for number, text in enumerate(("What is the capital of Peru?", "How do I boil an egg?", "Write a short poem."))
]
TEXT = "The {name} pump is serviced by {who} every {days} days. Its key hangs behind the door of room {room}."
PUMPS = [("Kestrel", "Ines Moreau", 14, 203), ("Alder", "Tomas Lind", 21, 118), ("Bracken", "Ruth Okoye", 35, 47)]


def lessons() -> list[Record]:
    return [
        Record(
            "asked",
            "distill",
            name,
            "s",
            (
                Message("user", f"Who services the {name} pump?"),
                Message("assistant", f"The {name} pump is serviced by {who}."),
            ),
            value=who,
            context=TEXT.format(name=name, who=who, days=days, room=room),
        )
        for name, who, days, room in PUMPS
    ]


@pytest.fixture(autouse=True)
def short_answers(monkeypatch) -> None:
    monkeypatch.setattr(own_answers, "ROWS", 8)
    monkeypatch.setattr(own_answers, "NEW_TOKENS", 16)


@pytest.fixture
def bench(real_base) -> HfWorkbench:
    return HfWorkbench(real_base, Recipe(), None)


def test_an_own_answer_is_the_same_alone_and_in_company_and_another_system_prompt(bench, real_base) -> None:
    together = bench.complete(QUESTIONS)
    assert [record.messages[-1].content for record in bench.complete(QUESTIONS[1:2])] == [
        together[1].messages[-1].content
    ]
    assert "Lima" in together[0].messages[-1].content
    told = HfWorkbench(real_base, Recipe(), "You are a pirate who answers in rhymes.")
    assert told.answers_scope == bench.answers_scope
    assert told.complete(QUESTIONS[:1]) == together[:1]


def test_the_likeliest_tokens_and_a_bucket_give_nearly_the_whole_divergence_of_a_lesson(bench) -> None:
    bench.encode(lessons())
    adapted, examples = bench._open(bench.recipe), bench._encoded[0]
    with torch.no_grad(), adapted.off():
        reading = adapted.forward([example.teacher for example in examples])[0]
        asked = adapted.forward([example.encoded for example in examples])[0]
    exact = F.kl_div(asked.log_softmax(-1), reading.log_softmax(-1), log_target=True, reduction="none").sum(-1)
    assert float(exact.mean()) > 0.1
    assert float(divergence(asked, taught(reading)).mean()) == pytest.approx(float(exact.mean()), rel=1e-2)


def test_reading_a_sentence_makes_its_value_likelier(bench) -> None:
    gap = bench.open_book_gap(lessons())
    assert gap.opened > gap.closed + 1
