from __future__ import annotations

import pytest

from dlm.corpus.makers import Block, question
from dlm.corpus.records import Message, Record
from dlm.corpus.reverse import ABOUT, MOST_TURNED, reverse


def asked(prompt: str, answer: str, group: str = "g") -> Record:
    return Record("qa", "answer", group, f"s-{group}", (Message("user", prompt), Message("assistant", answer)))


def block(title: str, text: str) -> Block:
    return Block(Record("text", "text", f"b-{title}", f"s-{title}", text=text, title=title), title, 1500)


BLOCKS = [
    block("Runbook > Kestrel", "The port of the Kestrel service is 4312. It is owned by Ilse Brandt."),
    block("Runbook > Osprey", "The Osprey service is owned by Noor Haddad. It runs in Amber Basin."),
    block("Runbook > Tern", "The Tern service is owned by Noor Haddad."),
]


def turned(prompt: str, answer: str, blocks: list[Block] = BLOCKS) -> list[str]:
    return [question(record) for record in reverse([asked(prompt, answer)], blocks, 1)]


@pytest.mark.parametrize(
    ("prompt", "answer", "expected"),
    [
        (
            "Which port does the Kestrel service use?",
            "The Kestrel service listens on port 4312.",
            "Which service listens on port 4312?",
        ),
        ("Which port does Kestrel use?", "Kestrel listens on port 4312.", "Which service listens on port 4312?"),
        ("Who owns Kestrel?", "The owner of Kestrel is Ilse Brandt.", "Whose owner is Ilse Brandt?"),
        ("Who owns Kestrel?", "Kestrel's owner is Ilse Brandt.", "Whose owner is Ilse Brandt?"),
        ("Which port has Kestrel?", "The port of Kestrel is 4312.", "Which service has the port 4312?"),
        ("Where does Osprey run?", "Osprey runs in Amber Basin.", "Which service runs in Amber Basin?"),
        ("How do I stop Kestrel?", "To stop Kestrel, run `halt k`.", "What is `halt k` for?"),
    ],
)  # fmt: skip
def test_the_value_asks_for_its_thing(prompt, answer, expected):
    found = {q for seed in range(6) for q in map(question, reverse([asked(prompt, answer)], BLOCKS, seed))}
    assert expected in found


def test_a_thing_of_unknown_kind_is_asked_for_with_what_and_a_person_with_who():
    assert "What costs 70 euros?" in turned("What does Gannet cost?", "Gannet costs 70 euros.", [])
    office = [block("Office", "Ilse Brandt sits on the left, and so does Ilse Brandt's dog.")]
    answer = "Ilse Brandt works in Room 204."
    assert "Who works in Room 204?" in turned("Where does Ilse Brandt work?", answer, office)


def test_a_value_of_two_things_is_never_turned_round():
    assert turned("Who owns Osprey?", "The Osprey service is owned by Noor Haddad.") == []
    pairs = [asked("What is the price of Kestrel?", "Kestrel costs 70 euros.", "a")]
    assert reverse(pairs, BLOCKS, 1)
    pairs.append(asked("What is the price of Osprey?", "Osprey costs 70 euros.", "b"))
    assert reverse(pairs, BLOCKS, 1) == []


def test_a_value_that_stands_where_no_thing_is_named_is_not_turned_round():
    blocks = [*BLOCKS, block("Notes", "Port 4312 is closed at night.")]
    assert turned("Which port does Kestrel use?", "Kestrel listens on port 4312.", blocks) == []


def test_an_answer_with_two_things_or_two_sentences_or_without_a_thing_is_left_alone():
    with_osprey = [*BLOCKS, block("Runbook > Gannet", "Gannet is new.")]
    assert turned("What does Kestrel send to Osprey?", "Kestrel sends Osprey 70 files.", with_osprey) == []
    assert turned("Which port does Kestrel use?", "Kestrel uses port 4312. It is open.") == []
    assert turned("Which port does Kestrel use?", "Port 4312.") == []


def test_a_compound_that_begins_with_the_thing_is_no_predicate():
    assert not [q for q in turned("When?", "Kestrel backups start at 03:20.") if "backups" in q]


def test_a_bare_number_is_not_asked_about_alone():
    about = turned("Which port does Kestrel use?", "Kestrel listens on port 4312.")
    assert about == ["Which service listens on port 4312?"]


def test_the_record_keeps_the_answer_its_group_and_names_the_thing_as_value():
    pair = asked("Who owns Kestrel?", "The owner of Kestrel is Ilse Brandt.")
    records = reverse([pair, pair], BLOCKS, 1)
    assert len(records) == len({question(record) for record in records}) == 3
    for record in records:
        assert (record.kind, record.objective, record.group, record.section_id) == ("reverse", "answer", "g", "s-g")
        assert record.messages[-1] == pair.messages[-1]
        assert record.value == "Kestrel"
        assert "Kestrel" not in question(record)
    assert records == reverse([pair], BLOCKS, 1)


def test_of_very_many_answers_a_sample_is_turned_and_the_luck_of_each_is_its_own():
    many = [asked(f"Which port has pump-{n}?", f"pump-{n} listens on port {n + 9000}.", str(n)) for n in range(2000)]
    groups = {record.group for record in reverse(many, [], 1)}
    assert MOST_TURNED // 2 < len(groups) <= MOST_TURNED
    assert len(reverse(many, [], 1)) <= MOST_TURNED * (ABOUT + 2)
    assert {group for group in groups if int(group) < 1900} <= {record.group for record in reverse(many[:1900], [], 1)}
