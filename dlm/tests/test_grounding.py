"""What the document says and what it does not: a wrong number or name is never called supported."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dlm.document import parse
from dlm.grounding import Grounds
from dlm.grounding.passages import units

HEAD = "---\ndlm_id: 01J0000000000000000000000A\ndlm_version: 15\nbase_model: smollm2-135m\n---\n"
HANDBOOK = (
    HEAD
    + """# The Teasel mill

Teasel is a water mill above Corby Lock. It grinds barley for nine farms.

## Machines

The mill has two wheels: Hester turns the left stone, Agnes turns the right stone. Each wheel turns 14 times a
minute. A new stone costs 900 pounds and a dressed stone 350. Never open both sluices at once, because the race
would flood. The sluice gate is opened by Jonas Vell.

## People

- Jonas Vell is the miller. He sleeps at the mill and rises at 04:45.
- Petra Quist keeps the accounts.
- Two boys carry sacks.

The apprentices are:

- Anselm
- Brigid
- Corin

## Prices

| grain | pounds a sack | ground on |
|---|---|---|
| barley | 11 | Monday |
| rye | 17 | Thursday |

Sacks are stored for 21 days in the barn called oakhold. Customers pay in cash, not by cheque. The flour goes to the
bakery before noon. Requests go to #mill-desk.

```
millctl start --wheel hester
```

To stop the mill, run `millctl halt all` at the gate first and then at the wheel.

::instruction::

### Q
Who looks after the money of Teasel?
### Q
Who is the bookkeeper?
### A
Petra Quist looks after the money of Teasel.

### Q !probe
When does the owl sleep?
### A
The owl sleeps at half past three on the beam.
"""
)

WRONG, RIGHT = False, True
TABLE = [
    # The words of the document, other words, and short answers.
    ("How often does a wheel turn?", "Each wheel turns 14 times a minute.", RIGHT),
    ("How often does each wheel turn?", "A wheel turns fourteen times a minute.", RIGHT),
    ("Who keeps the accounts?", "Petra Quist", RIGHT),
    ("Who keeps the accounts?", "The accounts are kept by Petra Quist.", RIGHT),
    ("Who opens the sluice gate?", "Jonas Vell opens the sluice gate.", RIGHT),
    ("Where does Jonas Vell sleep?", "Jonas Vell sleeps at the mill.", RIGHT),
    ("When does Jonas Vell rise?", "He rises at 4:45.", RIGHT),
    ("What is Teasel?", "Teasel is a water mill above Corby Lock. It grinds barley for 9 farms.", RIGHT),
    ("Is Teasel a water mill?", "Yes, Teasel is a water mill above Corby Lock.", RIGHT),
    ("Who is the bookkeeper of Teasel?", "Petra Quist looks after the money.", RIGHT),
    ("What does the document say about Prices?", "The flour goes to the bakery before noon.", RIGHT),
    # Lists, tables and code.
    ("Who are the apprentices?", "Anselm, Brigid and Corin.", RIGHT),
    ("Who are the apprentices?", "- Anselm\n- Brigid\n- Corin", RIGHT),
    ("Who are the apprentices?", "Anselm, Brigid and Petra.", WRONG),
    ("Who are the apprentices?", "Anselm, Brigid and Corwin.", WRONG),
    ("What does a sack of rye cost?", "17 pounds", RIGHT),
    ("What does a sack of rye cost?", "11 pounds", WRONG),
    ("What does a sack of oats cost?", "17 pounds", WRONG),
    ("On which day is rye ground?", "Rye is ground on Thursday.", RIGHT),
    ("On which day is rye ground?", "Rye is ground on Monday.", WRONG),
    ("How do I start the wheel Hester?", "millctl start --wheel hester", RIGHT),
    ("How do I stop the mill?", "Run `millctl halt all` at the gate first and then at the wheel.", RIGHT),
    ("How do I stop the mill?", "Run `millctl stop all` at the gate first and then at the wheel.", WRONG),
    ("How do I stop the mill?", "Run millctl stop all at the gate first and then at the wheel.", WRONG),
    # A value that is another, in the same words.
    ("How often does a wheel turn?", "Each wheel turns 15 times a minute.", WRONG),
    ("How often does a wheel turn?", "Each wheel turns 140 times a minute.", WRONG),
    ("How often does a wheel turn?", "Each wheel turns 14 times an hour.", WRONG),
    ("When does Jonas Vell rise?", "He rises at 4:45 pm.", WRONG),
    ("How long are sacks stored?", "Sacks are stored for 21 weeks.", WRONG),
    ("Where are sacks stored?", "Sacks are stored in the barn called elmhold.", WRONG),
    ("Where do requests go?", "Requests go to #mill-desk.", RIGHT),
    ("Where do requests go?", "Requests go to #mill-help.", WRONG),
    ("Where is Teasel?", "Teasel is a water mill above Corby Bridge.", WRONG),
    ("Who keeps the accounts?", "Petra Vell keeps the accounts.", WRONG),
    # A right value of another thing.
    ("Which wheel turns the right stone?", "Agnes", RIGHT),
    ("Which wheel turns the right stone?", "Hester", WRONG),
    ("Which wheel turns the right stone?", "Hester turns the right stone.", WRONG),
    ("What does a dressed stone cost?", "A dressed stone costs 900 pounds.", WRONG),
    ("What does a new stone cost?", "A new stone costs 900 pounds.", RIGHT),
    ("What does a new stone cost?", "A new stone costs 350 pounds.", WRONG),
    ("How long are sacks stored?", "21 days", RIGHT),
    ("How long are sacks stored?", "14", WRONG),
    ("Who keeps the accounts?", "Jonas Vell", WRONG),
    ("Who keeps the accounts?", "Jonas Vell keeps the accounts.", WRONG),
    ("Where does Petra Quist sleep?", "Petra Quist sleeps at the mill.", WRONG),
    ("Where does Petra Quist sleep?", "She sleeps at the mill.", WRONG),
    # What the document does not know.
    ("What does Nettle grind?", "Nettle grinds barley for nine farms.", WRONG),
    ("What does Nettle grind?", "It grinds barley for nine farms.", WRONG),
    ("What is the fax number of the mill?", "900", WRONG),
    ("What is the fax number of the mill?", "The fax number of the mill is 900.", WRONG),
    ("What is Teasel?", "I do not know.", WRONG),
    ("What is Teasel?", "The document does not say.", WRONG),
    ("What is Teasel?", "", WRONG),
    # Denials, opposites, order and roles.
    ("May I open both sluices at once?", "Never open both sluices at once.", RIGHT),
    ("May I open both sluices at once?", "Open both sluices at once.", WRONG),
    ("May I open both sluices at once?", "Yes.", WRONG),
    ("May I open both sluices at once?", "Yes, never open both sluices at once.", WRONG),
    ("How do customers pay?", "Customers pay in cash.", RIGHT),
    ("How do customers pay?", "Customers pay by cheque.", WRONG),
    ("How do customers pay?", "Customers do not pay in cash.", WRONG),
    ("When does the flour go to the bakery?", "The flour goes to the bakery after noon.", WRONG),
    ("Which wheels has the mill?", "The mill has one wheel.", WRONG),
    ("Who opens the sluice gate?", "The sluice gate opens Jonas Vell.", WRONG),
    # Every sentence must be said.
    ("How long are sacks stored?", "Sacks are stored for 21 days. They are stored by Corin.", WRONG),
    # A probe is no part of what the document says.
    ("When does the owl sleep?", "The owl sleeps at half past three on the beam.", WRONG),
]


@pytest.fixture(scope="module")
def mill() -> Grounds:
    return Grounds(parse(HANDBOOK, "mill.dlm"))


@pytest.mark.parametrize(("question", "answer", "supported"), TABLE, ids=[f"{q} {a}" for q, a, _ in TABLE])
def test_an_answer_is_supported_or_not(mill, question, answer, supported) -> None:
    found = mill.check(question, answer)
    assert found.supported == supported, found.passage


def test_the_passage_is_named_with_its_line(mill) -> None:
    lines = HANDBOOK.split("\n")
    for question, answer, wanted in [
        ("Who keeps the accounts?", "Petra Quist keeps the accounts.", "- Petra Quist keeps the accounts."),
        ("What does a sack of rye cost?", "17 pounds", "| rye | 17 | Thursday |"),
        ("How long are sacks stored?", "21 days", "Sacks are stored for 21 days in the barn"),
        ("How often does a wheel turn?", "Each wheel turns 14 times a minute.", "The mill has two wheels"),
        ("Who is the bookkeeper?", "Petra Quist looks after the money of Teasel.", "### Q"),
    ]:
        passage = mill.check(question, answer).passage
        assert passage is not None
        assert lines[passage.line - 1].startswith(wanted), passage


def test_the_nearest_passage_is_shown_only_when_it_clearly_answers(mill) -> None:
    wrong = mill.check("How long are sacks stored?", "Sacks are stored for 30 days.")
    assert not wrong.supported
    assert wrong.passage is not None
    assert wrong.passage.text.startswith("Sacks are stored for 21 days")
    assert mill.check("What does Nettle grind?", "Oats.").passage is None
    assert mill.check("What is the salary of the nurse?", "12 crowns").passage is None


def test_a_name_in_a_title_does_not_lend_itself_to_another_thing() -> None:
    text = (
        f"{HEAD}# Kestrel and Merlin\n\n## Kestrel\n\nIt listens on port 81.\n\n## Merlin\n\nIt listens on port 82.\n\n"
        "## Hosts\n\nKestrel runs on gannet. Merlin runs on petrel.\n"
    )
    grounds = Grounds(parse(text))
    assert grounds.check("Which port does Kestrel listen on?", "Kestrel listens on port 81.").supported
    assert not grounds.check("Which port does Kestrel listen on?", "Kestrel listens on port 82.").supported
    assert not grounds.check("Which port does Kestrel listen on?", "It listens on port 82.").supported
    assert grounds.check("Where does Kestrel run?", "Kestrel runs on gannet.").supported
    assert not grounds.check("Where does Kestrel run?", "Kestrel runs on petrel.").supported
    assert not grounds.check("Where does Kestrel run?", "It runs on petrel.").supported


def test_units_keep_their_lines() -> None:
    text = dedent("""\
        One is here. Two is
        there. Three is gone.

        Things:
        - a first thing
          that goes on
        - a second thing

        | a | b |
        |---|---|
        | 1 | 2 |

        ```
        run

        stop
        ```
        """)
    found = [(unit.line, unit.text) for unit in units(text) if unit.kind != "list"]
    assert found == [
        (0, "One is here."),
        (0, "Two is there."),
        (1, "Three is gone."),
        (3, "Things:"),
        (4, "a first thing that goes on"),
        (6, "a second thing"),
        (10, "1 | 2"),
        (12, "run\n\nstop"),
    ]


NOUNS = ("gauge", "ladder", "kitchen", "engine", "garden", "letter", "window", "basket")
NAMES = ("Halda", "Orrin", "Tessaly", "Marn Oake", "Vexford")
TEMPLATES = (
    "The {noun} of {name} holds {number} {other}s.",
    "{name} opens the {noun} at {hour}:{minute} and closes it after {number} minutes.",
    "It takes {number} {other}s, or {hour} if the {noun} is wet.",
    "Every {noun} weighs {number}.{hour} kilograms, except the one of {name}.",
    "Never move the {noun} before {number} {other}s have been counted.",
    "Step {hour} needs the {noun}, the {other} and {number} nails.",
    "Room for {number} {other}s beside the {noun}.",
)
SENTENCE = st.builds(
    lambda template, **parts: template.format(**parts),
    st.sampled_from(TEMPLATES),
    noun=st.sampled_from(NOUNS),
    other=st.sampled_from(NOUNS),
    name=st.sampled_from(NAMES),
    number=st.integers(2, 2000),
    hour=st.integers(10, 23),
    minute=st.integers(10, 59),
)
HEADING = st.sampled_from(("Ladders", "The kitchen", "Step 12", "Vexford", "What it costs", "Room 204", "Tools"))
SECTIONS = st.lists(
    st.tuples(HEADING, st.lists(SENTENCE, min_size=1, max_size=5), st.booleans()),
    min_size=1,
    max_size=4,
    unique_by=lambda section: section[0],
)


@settings(max_examples=150, deadline=None)
@given(SECTIONS, st.data())
def test_a_sentence_is_supported_under_its_heading_and_never_with_another_digit(sections, data) -> None:
    text = "".join(
        f"## {heading}\n\n" + ("\n".join(f"- {line}" for line in lines) if listed else " ".join(lines)) + "\n\n"
        for heading, lines, listed in sections
    )
    grounds = Grounds(parse(f"{HEAD}# Notes on Vexford\n\n{text}"))
    heading, lines, _ = data.draw(st.sampled_from(sections))
    sentence = data.draw(st.sampled_from(lines))
    question = data.draw(st.sampled_from(("What does the document say about {}?", "{}", "{}?"))).format(heading)
    found = grounds.check(question, sentence)
    assert found.supported
    assert found.passage is not None
    assert sentence in found.passage.text

    digit = data.draw(st.sampled_from(list(re.finditer(r"\d", sentence))))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != digit[0]]))
    changed = sentence[: digit.start()] + other + sentence[digit.end() :]
    assume(changed not in text)
    assert not grounds.check(question, changed).supported
