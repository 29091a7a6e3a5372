"""The packaged questions and texts are what their provenance says."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files

from jsonschema import Draft202012Validator

from dlm_sway import data
from dlm_sway.stats.rates import rate_not_above


def test_every_file_is_named_in_the_provenance_and_found_in_the_package() -> None:
    folder = files(data)
    provenance = (folder / "PROVENANCE.md").read_text(encoding="utf-8")
    packs = sorted(one.name for one in folder.iterdir() if one.name.endswith(".jsonl"))
    assert packs == [
        "formats.jsonl",
        "general.jsonl",
        "knowledge.jsonl",
        "prose.jsonl",
        "refusals.jsonl",
        "tools.jsonl",
    ]
    assert all(f"`{name}`" in provenance for name in packs)


def test_two_hundred_facts_of_eight_kinds_each_asked_once() -> None:
    facts = data.knowledge()
    assert len(facts) == len({fact.prompt for fact in facts}) == 200
    kinds = Counter(fact.kind for fact in facts)
    assert len(kinds) == 8
    assert min(kinds.values()) >= 15


def test_a_fact_is_a_beginning_and_two_ends_that_differ() -> None:
    for fact in data.knowledge():
        assert fact.prompt == fact.prompt.strip()
        assert fact.answer.strip() != fact.wrong.strip()
        # A whole word each, so that no tokenizer joins it with what stands before.
        assert fact.answer[0] == fact.wrong[0] == " ", fact


def test_prose_makes_two_dozen_chunks_of_the_usual_size() -> None:
    passages = data.prose()
    assert len({passage.title for passage in passages}) == len(passages) == 14
    assert sum(-(-len(passage.text) // 2048) for passage in passages) == 25
    assert all(passage.text == passage.text.strip() for passage in passages)


def test_calls_of_tools_fit_the_tools() -> None:
    tools = Counter(case.gold_tool_name for case in data.tool_cases())
    assert len(tools) == 16
    assert set(tools.values()) == {6}
    for case in data.tool_cases():
        parameters = case.tool_spec["parameters"]
        Draft202012Validator.check_schema(parameters)
        strict = {**parameters, "additionalProperties": False}
        Draft202012Validator(strict).validate(case.gold_arguments)
        assert case.tool_spec["name"] == case.gold_tool_name


def test_a_guard_with_the_usual_margin_can_be_passed_on_the_packaged_calls() -> None:
    assert rate_not_above(1, len(data.tool_cases()), 0.05, 0.05).outcome == "pass"
    assert rate_not_above(0, 58, 0.05, 0.05).outcome == "inconclusive"


def test_what_a_call_must_say_stands_in_its_request() -> None:
    """But for what the words of a request mean: the name of a currency, on and off, a number word."""
    meant = {"EUR", "JPY", "09:00", "3", "4", "6", "1", "true", "false"}
    for case in data.tool_cases():
        for value in case.gold_arguments.values():
            said = str(value).lower() if isinstance(value, bool) else str(value)
            assert said.lower() in case.prompt.lower() or said in meant, case.prompt


def test_forms_and_refusals_are_balanced() -> None:
    forms = Counter(case.form for case in data.format_cases())
    assert forms == dict.fromkeys(("json", "list", "number", "one_word", "uppercase", "yes_no"), 4)
    declined = Counter(case.decline for case in data.refusal_cases())
    assert declined == {True: 12, False: 12}


def test_no_question_stands_in_two_packs() -> None:
    prompts = [
        *(item.prompt for item in data.general_items()),
        *(fact.prompt for fact in data.knowledge()),
        *(case.prompt for case in data.tool_cases()),
        *(case.prompt for case in data.format_cases()),
        *(case.prompt for case in data.refusal_cases()),
    ]
    assert len(set(prompts)) == len(prompts)
