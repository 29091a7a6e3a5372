"""Which texts speak for one adapter of several."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dlm.corpus.belonging import FOLDS, MOST, samples
from dlm.document import parse

HEAD = """---
dlm_id: 01J0000000000000000000000A
base_model: smollm2-135m
training:
  adapters:
    network: {}
    kitchen: {}
---
"""
BODY = """# House

All of this text is for both teams, whoever reads it in the end.

::instruction::
### Q
Which port does Kittiwake listen on?
### Q
What port is Kittiwake on?
### A
Kittiwake listens on port 7413.

### Q !followup
And the backup?
### A
The backup listens on port 7414.

### Q !probe
Name the port of Kittiwake.
### A
Kittiwake listens on port 7413.

::prose#kitchen::
## Oven

The rye loaf bakes for 52 minutes at 175 degrees in the large oven.

::instruction#kitchen::
### Q
Who supplies the butter?
### A
The Ostrow dairy supplies the butter.
"""


def found(body=BODY, seed=42):
    return samples(parse(HEAD + body), (), seed)


def of(name, kind, body=BODY):
    return {sample.text for sample in found(body) if (sample.adapter, sample.kind) == (name, kind)}


def test_questions_belong_to_the_adapter_of_their_section_in_all_wordings() -> None:
    network = of("network", "question")
    assert {"Which port does Kittiwake listen on?", "What port is Kittiwake on?"} <= network
    assert len(network) > 3, "other wordings, made by rule"
    assert "Who supplies the butter?" in of("kitchen", "question")
    assert not of("network", "question") & of("kitchen", "question")


def test_text_of_one_adapter_speaks_for_it_and_is_asked_about() -> None:
    assert of("kitchen", "text") == {"The rye loaf bakes for 52 minutes at 175 degrees in the large oven."}
    assert any("rye loaf" in question for question in of("kitchen", "question"))


def test_text_for_all_probes_and_follow_ups_speak_for_none() -> None:
    texts = " ".join(sample.text for sample in found())
    for absent in ("both teams", "Name the port", "And the backup"):
        assert absent not in texts


def test_a_section_that_nobody_trains_speaks_for_none() -> None:
    document = parse(HEAD + BODY)
    silent = replace(document, sections=tuple(replace(section, weight=0.0) for section in document.sections))
    assert samples(silent, (), 42) == []


def test_what_stands_beside_the_document_speaks_too() -> None:
    document = parse(HEAD + BODY)
    beside = [section for section in document.sections if section.adapter == "kitchen"]
    without = replace(document, sections=document.sections[:2])
    assert {sample.text for sample in samples(without, beside, 42)} == {sample.text for sample in found()}


def test_texts_that_say_the_same_are_held_out_together_and_each_fold_leaves_every_adapter_some() -> None:
    body = "\n".join(
        f"::instruction#{name}::\n"
        + "\n".join(f"### Q\nWhere is {name} thing {n}?\n### A\nIt is in room {n}.\n" for n in range(20))
        for name in ("network", "kitchen")
    )
    all_of = found(body)
    folds = {}
    for sample in all_of:
        assert folds.setdefault((sample.adapter, sample.group), sample.fold) == sample.fold
    for name in ("network", "kitchen"):
        assert {fold for (owner, _), fold in folds.items() if owner == name} == set(range(FOLDS))


def test_an_adapter_of_one_fact_is_never_held_out() -> None:
    body = "::instruction#kitchen::\n### Q\nWho supplies the butter?\n### A\nThe Ostrow dairy.\n"
    assert {sample.fold for sample in found(body)} == {None}


def test_of_many_a_sample_is_taken_and_an_edit_elsewhere_changes_little() -> None:
    def body(first):
        pairs = [f"### Q\nWhere is thing {n}?\n### A\nIt is in room {n}.\n" for n in range(300)]
        return "::instruction::\n" + "\n".join([f"### Q\n{first}\n### A\nYes.\n", *pairs])

    one, other = of("network", "question", body("Is it so?")), of("network", "question", body("Is it not so?"))
    assert len(one) == len(other) == MOST["question"]
    assert len(one ^ other) <= 8


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_document_and_seed_give_the_same_samples(seed) -> None:
    assert found(seed=seed) == found(seed=seed)
