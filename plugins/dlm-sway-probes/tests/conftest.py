"""Models, sections and questions whose truth is known, for the probes that need more than a table."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from dlm_sway import Item, SectionData
from dlm_sway.scoring.types import BASE, Answer
from dlm_sway.sections import SectionPair
from dlm_sway.testing import ClosedForm


def answer(text, ended=True):
    """What a model wrote; a token a word."""
    words = text.split()
    return Answer(text, tuple(sum(map(ord, word)) for word in words), ended)


class Scripted(ClosedForm):
    """A model that writes what it is told: ``script(item, tuned)`` gives a text, or an :class:`Answer`."""

    def __init__(self, script, **keys):
        super().__init__(**keys)
        self.script = script

    def generate(self, prompts, view, *, max_new_tokens):
        found = [self.script(item, view != BASE) for item in prompts]
        return [one if isinstance(one, Answer) else answer(one) for one in found]


def section(at):
    """A section of its own words."""
    pumps = (f"In hall {at} the pump p{at}x{n} lifts water{n * at} over sill{n} and gate{at}y{n}." for n in range(14))
    return SectionData(f"s{at}", "prose", " ".join(pumps), headings=(f"Hall {at}",))


PAIRS = tuple(SectionPair((f"Where is {n}?",), f"Here {n}.") for n in range(4))
SECTIONS = (*map(section, range(6)), SectionData("qa", "instruction", "...", pairs=PAIRS))
TAUGHT_TEXTS = [one.text for one in SECTIONS[:6]]
TAUGHT = [item for one in SECTIONS for item in one.taught]


def wrong_triples(n=10):
    """Triples of which the closed-form base prefers the worse answer."""
    base, found = ClosedForm(), []
    for at in range(200):
        one, other = Item(f"Choose {at}.", f"left{at} side"), Item(f"Choose {at}.", f"right{at} side")
        a, b = (seen.base_logprob for seen in base.compare([one, other], BASE))
        if abs(a - b) > 0.5:
            better, worse = (one, other) if a < b else (other, one)
            found.append({"prompt": one.prompt, "chosen": better.reference, "rejected": worse.reference})
    return found[:n]


def reading_cases(n=8):
    """Questions that the closed-form base answers better with the text before them."""
    base, found = ClosedForm(), []
    for at in range(400):
        text, item = f"Berth {at} is deep.", Item(f"How is berth {at}?", f"deep{at} enough", f"fact {at}")
        plain, reading = base.compare([item, item._replace(prompt=f"{text}\n\n{item.prompt}")], BASE)
        if 1.0 < (reading.base_logprob - plain.base_logprob) / plain.positions < 1.5:
            found.append({"prompt": item.prompt, "reference": item.reference, "group": item.group, "context": text})
    return found[:n]


def tool_case(at):
    """A request with a tool of its own."""
    values = {"type": "object", "properties": {"hall": {"type": "integer"}}, "required": ["hall"]}
    return {
        "prompt": f"Open gate {at} of hall {at * 7}.",
        "tool_spec": {"name": f"open_gate_{at}", "description": f"Opens gate {at}.", "parameters": values},
        "gold_tool_name": f"open_gate_{at}",
        "gold_arguments": {"hall": at * 7},
    }


TOOL_CASES = [tool_case(at) for at in range(20)]


def right_call(item, **other):
    """The call that a request of ``TOOL_CASES`` asks for, in the words of a model that likes to talk."""
    case = next(one for one in TOOL_CASES if item.prompt.endswith(one["prompt"]))
    call = {"name": case["gold_tool_name"], "arguments": case["gold_arguments"], **other}
    return f"Sure:\n```json\n{json.dumps(call)}\n```"


@pytest.fixture
def known():
    """All of the above, by name."""
    return SimpleNamespace(
        Scripted=Scripted,
        answer=answer,
        sections=SECTIONS,
        taught=TAUGHT,
        taught_texts=TAUGHT_TEXTS,
        wrong_triples=wrong_triples(),
        reading_cases=reading_cases(),
        tool_cases=TOOL_CASES,
        right_call=right_call,
    )
