"""Calls of tools: what counts as one, what makes it right, and when their number decides."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dlm_sway.data import tool_cases
from dlm_sway.plugins import manager
from dlm_sway.testing import context
from dlm_sway_probes.tool_calls import Call, disagreement, find_call, is_valid
from dlm_sway_probes.tool_use_fidelity import ToolCase

CALL = {"name": "set_timer", "arguments": {"minutes": 12}}
SCHEMA = {"type": "object", "properties": {"minutes": {"type": "integer"}}, "required": ["minutes"]}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def probe(**keys):
    found = manager().resolve("dlm_sway_probes", "tool_use_fidelity")
    return found(found.spec_type(name="it", kind="tool_use_fidelity", **keys))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(CALL),
        f"Sure! I will.\n```json\n{json.dumps(CALL, indent=1)}\n```\nDone.",
        f"<tool_call>{json.dumps(CALL)}</tool_call>",
        f"In braces {{like these}} or an object {{}}: {json.dumps(CALL)} and more }}",
    ],
)
def test_a_call_is_found_wherever_it_stands(text):
    assert find_call(text) == Call("set_timer", {"minutes": 12})


@pytest.mark.parametrize("text", ["", "I set the timer.", '{"minutes": 12}', '{"name": "set_timer", "arg', "[1, 2]"])
def test_what_is_no_call_is_none(text):
    assert find_call(text) is None


@given(st.text(alphabet='{}[]"`:, abname1\n', max_size=60))
def test_any_text_can_be_searched(text):
    call = find_call(text)
    assert call is None or isinstance(call, Call)


@pytest.mark.parametrize(
    ("arguments", "valid"),
    [
        ({"minutes": 12}, True),
        ({"minutes": 12, "loud": True}, True),
        ({"minutes": "12"}, False),
        ({"minutes": True}, False),
        ({}, False),
        ("minutes", False),
        (None, False),
    ],
)
def test_arguments_are_held_against_the_schema(arguments, valid):
    assert is_valid(Call("set_timer", arguments), SCHEMA) is valid


def test_schemas_are_checked_all_the_way_down():
    nested = {"type": "object", "properties": {"when": SCHEMA, "day": {"enum": ["today", "tomorrow"]}}}
    assert is_valid(Call("remind", {"when": {"minutes": 1}, "day": "today"}), nested)
    assert not is_valid(Call("remind", {"when": {}, "day": "today"}), nested)
    assert not is_valid(Call("remind", {"day": "some day"}), nested)


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ({"a": 1, "b": " Lisbon "}, {"a": 1.0, "b": "lisbon"}, 0.0),
        ({"a": 1}, {"a": True}, 1.0),
        ({"a": None}, {}, 1.0),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, 0.5),
        ({"a": [1, 2]}, {"a": [2, 1]}, 1.0),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3}, pytest.approx(1 / 3)),
        ({}, {}, 0.0),
    ],
)
def test_disagreement_is_a_share_of_the_values(one, other, share):
    assert disagreement(one, other) == share
    assert disagreement(other, one) == share


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
def test_arguments_agree_with_themselves(arguments):
    assert disagreement(arguments, json.loads(json.dumps(arguments))) == 0.0


@pytest.mark.parametrize(
    ("other", "right", "valid"),
    [
        ({}, 1.0, 1.0),
        ({"arguments": {"hall": 3}}, 0.0, 1.0),
        ({"arguments": {"hall": "seven"}}, 0.0, 0.0),
        ({"name": "open_gate"}, 0.0, 1.0),
    ],
)
def test_a_call_is_right_with_the_right_tool_and_the_right_arguments(known, other, right, valid):
    model = known.Scripted(lambda item, tuned: known.right_call(item, **other) if tuned else "No.")
    found = probe(cases=known.tool_cases[1:6]).run(context(model))
    assert (found.base_value, found.ft_value) == (0.0, right)
    assert found.evidence["json_valid_rate_ft"] == valid
    assert found.evidence["hallucination_rate"] == (1.0 if other == {"name": "open_gate"} else 0.0)


def test_the_tools_stand_in_the_question_and_among_them_the_right_one(known):
    seen = []
    model = known.Scripted(lambda item, tuned: seen.append(item.prompt) or "No.")
    probe(cases=known.tool_cases, other_tools=3).run(context(model))
    for case, prompt in zip(known.tool_cases, seen, strict=False):
        offered = [line for line in prompt.splitlines() if line.startswith('{"name": "open')]
        assert len(offered) == 4
        assert sum(case["gold_tool_name"] == json.loads(line)["name"] for line in offered) == 1


@pytest.mark.parametrize(
    ("lost", "margin", "verdict"), [(0, -0.05, "inconclusive"), (0, -0.15, "pass"), (12, -0.15, "fail")]
)
def test_calls_that_were_lost_are_counted_by_an_exact_bound(known, lost, margin, verdict):
    broken = {case["prompt"] for case in known.tool_cases[:lost]}
    model = known.Scripted(
        lambda item, tuned: "No." if tuned and item.prompt.rpartition(": ")[2] in broken else known.right_call(item)
    )
    keys = {"assert_validity_delta_gte": margin, "assert_hallucination_lte": 0.2}
    found = probe(cases=known.tool_cases, **keys).run(context(model))
    assert (found.verdict, found.raw) == (verdict, lost / 20)


def test_a_base_that_calls_nothing_has_nothing_to_lose(known):
    keys = {"assert_validity_delta_gte": -0.3, "assert_hallucination_lte": 0.3}
    found = probe(cases=known.tool_cases, **keys).run(context(known.Scripted(lambda item, tuned: "No.")))
    assert found.verdict == "inconclusive"
    assert "the base gets 0 of 20 calls right" in found.message


def test_an_invented_tool_fails_a_gain_however_large(known):
    def invents(item, tuned):
        even = int(item.prompt.rpartition("gate ")[2].split()[0]) % 2 == 0
        return known.right_call(item, **({} if even else {"name": "abracadabra"})) if tuned else "No."

    keys = {"assert_validity_delta_gte": 0.2, "assert_hallucination_lte": 0.2}
    found = probe(cases=known.tool_cases, **keys).run(context(known.Scripted(invents)))
    assert (found.verdict, found.seeks) == ("fail", "change")
    assert "a tool that does not exist" in found.message


def test_the_packaged_cases_can_be_answered_right():
    for case in tool_cases():
        made = ToolCase(**case._asdict())
        assert is_valid(Call(case.gold_tool_name, case.gold_arguments), made.schema_of_arguments)


def test_other_ways_to_write_a_tool_mean_the_same():
    case = {"prompt": "12 minutes, please.", "gold_tool_name": "set_timer"}
    bare = ToolCase(**case, tool_spec={"name": "set_timer", "parameters": SCHEMA})
    for spec in ({"type": "function", "function": bare.tool_spec}, {"name": "set_timer", **SCHEMA}):
        assert ToolCase(**case, tool_spec=spec).shown == bare.shown


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tool_spec": {"name": "set_timer", "parameters": {"type": "integr"}}}, "no JSON Schema"),
        ({"gold_tool_name": "start_timer"}, "the tool is called 'set_timer'"),
    ],
)
def test_a_case_that_no_call_could_answer_is_refused(change, said):
    case = {"prompt": "x", "tool_spec": {"name": "set_timer", "parameters": SCHEMA}, "gold_tool_name": "set_timer"}
    with pytest.raises(ValidationError, match=said):
        probe(cases=[{**case, **change}])


def test_a_margin_of_zero_is_refused():
    with pytest.raises(ValidationError, match="0 can never be shown"):
        probe(assert_validity_delta_gte=0)
