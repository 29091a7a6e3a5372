"""What a model claims is held against the text, and a wording against its question."""

from __future__ import annotations

import pytest

from dlm_teacher.sameness import Asked, Rival, fault, near_copy, rivals
from dlm_teacher.source import Source
from dlm_teacher.support import fault as unsupported

TEXT = """\
Kittiwake is owned by the Soundings team. Its technical lead is Marit Oyelaran. Requests for new berths go to the
harbour master's desk, not to the team. The service listens on port 7413. A new prediction is computed every 40 minutes
from the readings of eleven gauges. To restart Kittiwake, run `tidectl bounce kittiwake` on gannet first. Never restart
both hosts at once, because the lock keepers would see an empty table.

| berth | depth | keeper |
|---|---|---|
| Alder | 4.5 m | Ines |
| Birch | 6 m | Tomas |
"""
SOURCE = Source("Kittiwake runbook, Ownership", TEXT)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who owns Kittiwake?", "Kittiwake is owned by the Soundings team."),
        ("Who leads the work on Kittiwake?", "The technical lead of Kittiwake is Marit Oyelaran."),
        ("Whom do I ask for a new berth at Kittiwake?", "Requests for new berths go to the harbour master's desk."),
        ("Which port does Kittiwake use?", "The service listens on port 7,413."),
        ("How often does Kittiwake predict anew?", "A new prediction is computed every forty minutes."),
        ("How many gauges does a prediction take?", "It is computed from the readings of 11 gauges."),
        ("How do I restart Kittiwake?", "Run `tidectl bounce kittiwake` on gannet first."),
        ("How deep is the berth Alder?", "The berth Alder is 4.5 m deep."),
        ("Who keeps Birch?", "Tomas is the keeper of Birch."),
        ("May both hosts of Kittiwake be restarted at once?", "Never restart both hosts at once."),
    ],
)
def test_what_the_text_says_is_borne_out(question, answer):
    assert unsupported(question, answer, SOURCE) is None


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who leads the work on Kittiwake?", "Oliver is the technical lead of Kittiwake."),
        ("Which port does Kittiwake use?", "The service listens on port 7414."),
        ("Which port does Kittiwake use?", "The service listens on port 741."),
        ("How often does Kittiwake predict anew?", "A new prediction is computed every 40 hours."),
        ("How do I restart Kittiwake?", "Run `tidectl start kittiwake --force` on gannet first."),
        ("How do I restart Kittiwake?", "Run `systemctl restart kittiwake` on gannet first."),
        ("Who founded Gannetry in 1999?", "The Soundings team founded it."),
        ("Who owns Kittiwake?", "It is maintained by volunteers from many different countries."),
    ],
)
def test_what_the_text_does_not_hold_is_dropped(question, answer):
    assert unsupported(question, answer, SOURCE) is not None


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who owns Kittiwake?", "Marit Oyelaran owns Kittiwake."),
        ("Who owns Kittiwake?", "The harbour master owns Kittiwake."),
        ("How deep is the berth Alder?", "The berth Alder is 6 m deep."),
        ("Who keeps Birch?", "Ines is the keeper of Birch."),
        ("How many gauges does Kittiwake read?", "Kittiwake reads 40 gauges."),
    ],
)
def test_words_of_the_text_put_together_to_something_else_are_dropped(question, answer):
    assert unsupported(question, answer, SOURCE) == "not said in one place"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Where do requests for new berths go?", "Requests for new berths go to the team."),
        ("Who owns Kittiwake?", "Kittiwake is not owned by the Soundings team."),
        ("How do I restart the hosts of Kittiwake?", "Restart both hosts at once."),
    ],
)
def test_a_denial_is_not_turned_round(question, answer):
    assert unsupported(question, answer, SOURCE) == "the other way round"


@pytest.mark.parametrize(
    ("question", "answer", "reason"),
    [
        ("According to the text, who owns Kittiwake?", "The Soundings team owns Kittiwake.", "points at the text"),
        ("When was it founded?", "It was founded by the team.", "unclear what it is about"),
        ("Who is the founder of Kittiwake?", "The text does not mention the founder of Kittiwake.", "no answer"),
        ("Who owns Kittiwake?", "Who owns Kittiwake?", "no answer"),
        ("Who owns Kittiwake?", "Kittiwake.", "no answer"),
    ],
)
def test_questions_that_help_nobody_are_dropped(question, answer, reason):
    assert unsupported(question, answer, SOURCE) == reason


OWNER = Asked("Who owns Kittiwake?", "Kittiwake is owned by the Soundings team.", "Kittiwake runbook")
OTHERS = rivals(OWNER.question, [Rival.of("Which port does Kittiwake use?"), Rival.of("Who leads Kittiwake?")])


@pytest.mark.parametrize(
    "wording",
    [
        "Which team owns Kittiwake?",
        "Who is Kittiwake's owner?",
        "Kittiwake belongs to whom?",
        "Tell me the owner of Kittiwake.",
        "Could you tell me who owns Kittiwake?",
        "Owner of Kittiwake?",
        "hey, who's behind kittiwake",
    ],
)
def test_other_wordings_of_a_question_are_kept(wording):
    assert fault(wording, OWNER, OTHERS) is None


@pytest.mark.parametrize(
    ("wording", "reason"),
    [
        ("who owns kittiwake", "repeated"),
        ("Who owns the service?", "names or numbers left out"),
        ("Who owns Kittiwake and Gannet?", "names or numbers added"),
        ("Who owns Kittiwake 2?", "names or numbers added"),
        ("Is Kittiwake owned by Soundings?", "names or numbers added"),
        ("Does Kittiwake have an owner?", "asks something else"),
        ("Where is Kittiwake owned?", "asks something else"),
        ("Who does not own Kittiwake?", "asks something else"),
        ("What port does Kittiwake use?", "asks something else"),
        ("Who leads Kittiwake?", "asks something else"),
    ],
)
def test_a_wording_that_asks_for_something_else_is_dropped(wording, reason):
    assert fault(wording, OWNER, OTHERS) == reason


def test_a_wording_does_not_give_a_lower_case_answer_away():
    asked = Asked("Which database does Kittiwake use?", "Kittiwake uses the database named saltmarsh.")
    assert fault("Is the saltmarsh what Kittiwake uses?", asked, []) == "gives the answer away"


def test_opposites_are_told_apart():
    asked = Asked("What is the maximum load of Crane 4?", "Crane 4 lifts at most 9 tonnes.")
    assert fault("What is the minimum load of Crane 4?", asked, []) == "asks something else"
    assert fault("How much may Crane 4 lift at most?", asked, []) is None


def test_a_question_about_a_thing_may_be_asked_by_the_kind_of_its_answer():
    opening = Asked("What is the opening time of Hut 9?", "Hut 9 opens at 8:30.")
    assert fault("When does Hut 9 open?", opening, []) is None
    keeper = Asked("What is the colour of Hut 9?", "Hut 9 is green.")
    assert fault("When is Hut 9 green?", keeper, []) is not None


def test_a_reserved_question_is_known_in_nearly_the_same_words():
    reserved = [Rival.of("On which port does the Kittiwake service listen?")]
    assert near_copy("On which port does the Kittiwake service listen", reserved)
    assert near_copy("Hello! On which port does the Kittiwake service listen? Thanks.", reserved)
    assert near_copy("On which port does Kittiwake's service listen?", reserved)
    assert not near_copy("What is the port of Kittiwake?", reserved)


def test_a_reserved_frame_around_a_long_question_does_not_reserve_its_other_wordings():
    question = (
        "On which of the two hosts in the cellar of the old customs house should the keeper on duty start to restart "
        "the service that tells pilots how deep the water is?"
    )
    reserved = [Rival.of(f"Hi! {question}")]
    other = question.replace("start to restart", "begin to restart")
    assert near_copy(other, reserved)
    assert not near_copy(other, reserved, [Rival.of(question)])
