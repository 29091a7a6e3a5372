from __future__ import annotations

import pytest

from dlm.corpus.contradictions import find
from dlm.corpus.makers import Block
from dlm.corpus.records import Message, Record

PORTS = {"Lumen": "4312", "Osprey": "5090", "Tindra": "6011", "Verity": "7400"}


def blocks(title: str, sections: dict[str, str]) -> list[Block]:
    records = [
        Record("prose", "text", at, f"s {at}", text=text, title=f"{title} > {at}") for at, text in sections.items()
    ]
    return [Block(record, record.title, 1200) for record in records]


def pair(asked: str, answer: str, group: str = "") -> Record:
    return Record("qa", "answer", group or answer, "pairs", (Message("user", asked), Message("assistant", answer)))


def services(**changed: str) -> list[Block]:
    sections = {name: f"{name} listens on port {port}. It is old." for name, port in PORTS.items()}
    return blocks("Services", sections | changed)


def ports() -> list[Record]:
    return [pair(f"Which port does {name} use?", f"{name} listens on port {port}.") for name, port in PORTS.items()]


def texts(questions, found_in) -> list[tuple[str, str]]:
    return [(one.first.text, one.second.text) for one in find(questions, found_in)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Backups are kept for 30 days.", "They stay for 45 days."),
        ("The duty officer is Ada Lind.", "The duty officer is Bo Hale."),
        ("Yes, there is one.", "No."),
        ("Run `lampctl on`.", "It is `lampctl start`."),
        ("At 9:00.", "It opens at 10:30."),
    ],
)
def test_one_question_with_two_values_is_reported(first, second):
    asked = [pair("What about it?", first), pair("what about it", second)]
    assert texts(asked, []) == [(first, second)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("For 45 days.", "For six weeks and three days."),
        ("Backups are kept for 45 days.", "They are kept for 45 days in the vault, and tested after 7 days."),
        ("It is owned by Ada Lind.", "Ada Lind owns it."),
        ("It lies in the cellar.", "It lies in the cellar, behind the door."),
        ("Ask Ada.", "Ask at the desk."),
        ("Every 30 days.", "Once a month, at 9:00."),
    ],
)
def test_the_same_said_otherwise_is_none(first, second):
    assert texts([pair("What about it?", first), pair("What about it?", second)], []) == []


def test_the_wordings_of_one_pair_do_not_contradict_it():
    asked = [pair("Who leads?", "Ada Lind.", "one"), pair("Who leads?", "Ada Lind.", "one")]
    assert texts(asked, []) == []


def test_a_pair_and_the_text_about_one_of_many_things_are_compared():
    edited = services(Osprey="Osprey listens on port 5999. It is old.")
    found = find(ports(), edited)
    assert [(one.first.text, one.second.text) for one in found] == [
        ("Osprey listens on port 5090.", "Osprey listens on port 5999.")
    ]
    assert found[0].first.section_id == "pairs"
    assert found[0].second.section_id == "s Osprey"
    assert "5090" in found[0].what
    assert "5999" in found[0].what


def test_two_sentences_about_one_of_many_things_are_compared():
    edited = services(Verity="Verity listens on port 7400. Verity listens on port 7401.")
    assert texts(ports()[:3], edited) == [("Verity listens on port 7400.", "Verity listens on port 7401.")]


def test_a_property_that_many_things_have_twice_may_have_two_values():
    doubled = {name: f"{name} listens on port {port}. {name} listens on port 9{port}." for name, port in PORTS.items()}
    assert texts([], blocks("Services", doubled)) == []
    assert texts(ports(), blocks("Services", doubled)) == []


def test_a_line_that_is_given_twice_is_reported_where_others_give_it_once():
    sections = {name: f"- Port: {port}\n- Tag: #{name.lower()}" for name, port in PORTS.items()}
    assert texts([], blocks("Services", sections)) == []
    sections["Osprey"] += "\n- Port: 5999"
    assert texts([], blocks("Services", sections)) == [("Port: 5090", "Port: 5999")]


def test_an_answer_is_compared_with_the_sentence_that_it_repeats():
    text = {"How it runs": "The service listens on port 7413. It runs on two hosts. Backups are kept for 45 days."}
    asked = [pair("Which port?", "Kittiwake listens on port 7999."), pair("How long?", "Backups are kept for 45 days.")]
    assert texts(asked, blocks("Kittiwake runbook", text)) == [
        ("Kittiwake listens on port 7999.", "The service listens on port 7413.")
    ]


def test_sentences_about_different_things_are_not_compared():
    text = {
        "Hours": "The museum opens on weekdays at 10:00. Logs are kept for 30 days. A gauge's restart takes 20 seconds."
    }
    asked = [
        pair("When does the library open?", "The library opens on weekdays at 9:00."),
        pair("How long are backups kept?", "Backups are kept for 45 days."),
        pair("How long is a restart?", "A restart takes 90 seconds."),
    ]
    assert texts(asked, blocks("Town", text)) == []


def test_a_document_that_agrees_with_itself_has_none():
    assert find(ports(), services()) == []
    assert find([], []) == []
