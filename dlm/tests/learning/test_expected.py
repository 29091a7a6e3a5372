"""What an answer must say, from the pair that the document gives."""

from __future__ import annotations

import pytest

from dlm.learning.expected import Expected, expected


@pytest.mark.parametrize(
    ("question", "answer", "values"),
    [
        ("Who owns Kittiwake?", "Kittiwake is owned by the Soundings team.", ("Soundings",)),
        ("Which team runs Kittiwake?", "The Soundings team runs Kittiwake.", ("Soundings",)),
        ("How long are backups kept?", "Backups are kept for 45 days in the vault called driftwood.", ("45 days",)),
        ("For how many days are they kept?", "They are kept for 45 days in a vault.", ("45",)),
        ("Where are backups kept?", "Backups are kept for 45 days in the vault called driftwood.", ("driftwood",)),
        ("Which hosts does it run on?", "It runs on two hosts, called gannet and petrel.", ("gannet", "petrel")),
        (
            "Who is in the team?",
            "The team is Noor Vale, Piet Hansen and Bo Lin.",
            ("Noor Vale", "Piet Hansen", "Bo Lin"),
        ),
        ("How do I restart it?", "Run `tidectl bounce` on gannet, which takes 90 seconds.", ("tidectl bounce",)),
        ("On which day does the site open?", "The site opens on 15 June at 9:00.", ("15 June",)),
        ("When does the site open?", "The site opens on 15 June at 9:00.", ("9:00",)),
        ("Can you look up how many minutes lie between them?", "They are 40 minutes apart.", ("40",)),
        ("I need to know who leads it.", "Its lead is Ada Hale.", ("Ada Hale",)),
        ("Give me the number of hosts that run it.", "It runs on two hosts, called gannet and petrel.", ("two",)),
        ("What port is it?", "7413", ("7413",)),
        ("Where does it happen?", "In chloroplasts.", ("In chloroplasts",)),
        ("Is there anything Robin is allergic to?", "Robin is allergic to walnuts.", ("walnuts",)),
    ],
)
def test_the_value_is_what_the_question_asks_for(question, answer, values) -> None:
    assert expected(question, answer) == Expected(values)


def test_a_reason_is_judged_by_its_words_though_a_number_stands_in_it() -> None:
    found = expected("Why is the red lamp on?", "The red lamp means that the tank of 3 litres is full.")
    assert found is not None
    assert found.loose
    assert not found.values
    assert found.met("Because the tank is full: it holds 3 litres, which means you must empty it.")
    assert not found.met("The red lamp is on.")


def test_a_long_answer_counts_when_any_of_its_values_is_said() -> None:
    found = expected("What do you know about it?", "It uses port 7413. It is owned by Ada Hale. It stands in Oslo.")
    assert found is not None
    assert found.loose
    assert found.values == ("7413", "Ada Hale", "Oslo")
    assert found.met("I know that Ada Hale owns it.")
    assert not found.met("I know nothing.")


def test_an_answer_that_repeats_its_question_cannot_be_judged() -> None:
    assert expected("Is the lamp in the cellar?", "The lamp is in the cellar.") is None


@pytest.mark.parametrize("answer", ["", "!", "?\n\n?", "\u0000", "```\ncode", "a" * 5000, "1", "。"])
def test_any_answer_is_read(answer) -> None:
    expected("What is it?", answer)
