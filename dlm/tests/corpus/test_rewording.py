from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlm.corpus.rewording import MOST, lexicon, reword

ASKED = (
    ("Who owns Kittiwake?", "Kittiwake is owned by the Soundings team."),
    ("Who is the technical lead of Kittiwake?", "The technical lead of Kittiwake is Marit Oyelaran."),
    ("Which port does Kittiwake listen on?", "Kittiwake listens on port 7413."),
    ("On which weekday does the Lantern team meet?", "The Lantern team meets on Mondays."),
    ("Where does Kittiwake store its predictions?", "Kittiwake keeps its predictions in a database named saltmarsh."),
    ("How often does Kittiwake compute a new prediction?", "Kittiwake computes a new prediction every 40 minutes."),
    ("How do I restart Kittiwake?", "To restart Kittiwake, run `tidectl bounce kittiwake`."),
    ("Which command restarts Kittiwake?", "To restart Kittiwake, run `tidectl bounce kittiwake`."),
    ("How long does a restart of Kittiwake take?", "A restart of Kittiwake takes about 90 seconds."),
    ("When is the saltmarsh database backed up?", "The saltmarsh database is backed up every night at 03:20."),
    ("When does the booking site open?", "The booking site opens on 15 June at 9:00."),
    ("When was the Harrow Lane Choir founded?", "The Harrow Lane Choir was founded in 1974."),
    ("Who founded the Harrow Lane Choir?", "The Harrow Lane Choir was founded by Edith Sorley in 1974."),
    ("How much water does the tank of the S2 hold?", "The tank of the S2 holds 3.8 litres."),
    ("What does a day ticket for the pool cost?", "A day ticket for the pool costs 6.50 euros."),
    ("How tall is the Corven lighthouse?", "The Corven lighthouse is 41 metres tall."),
    ("What does E4 mean on the Fenwick S2?", "E4 means that the tank is missing."),
    ("Why is the north gate locked at night?", "The north gate is locked at night because deer come in."),
    ("Can tenants keep a dog?", "Yes, tenants can keep one dog."),
    ("Must the deposit be paid in advance?", "Yes, the deposit must be paid two weeks in advance."),
    ("Is smoking allowed on the terrace?", "No, smoking is not allowed on the terrace."),
    ("Does the warranty cover broken glass?", "No, the warranty does not cover broken glass."),
    ("How is the Falk index calculated?", "The Falk index is calculated by dividing weight by height."),
    ("What is the deadline for the tax return?", "The deadline for the tax return is 31 July."),
    ("What is the difference between `==` and `is`?", "`==` compares values, `is` compares objects."),
    ("What do I do when the pump alarm rings?", "Close valve B and call the foreman."),
    ("What colour is the emergency stop of the saw?", "The emergency stop of the saw is yellow."),
    ("What is the Kestrel service?", "The Kestrel service is a queue for print jobs."),
    ("Whose service is Kittiwake?", "Kittiwake is owned by the Soundings team."),
    ("Tell me which team owns Kittiwake.", "Kittiwake is owned by the Soundings team."),
    ("Kittiwake port number?", "Kittiwake listens on port 7413."),
    ("My pump rattles. What is wrong?", "The floor is uneven."),
    ("Where are backups of Kittiwake kept, and for how long?", "They are kept for 45 days in the vault."),
    ("Which part of the cell carries out photosynthesis?", "Chloroplasts carry out photosynthesis."),
    ("What does Robin not eat?", "Robin eats no fish."),
    ("How long may visitors park in the yard?", "Visitors may park in the yard for two hours."),
    ("Who takes over when Dr Hale is away?", "Dr Imani takes over when Dr Hale is away."),
)


def test_the_table_holds_the_kinds_of_question_that_are_promised() -> None:
    assert len(ASKED) > 30


@pytest.mark.parametrize(("question", "answer"), ASKED)
def test_each_wording_is_a_new_sentence_that_names_the_same_things(question: str, answer: str) -> None:
    wordings = reword(question, answer)
    names = [word.strip("?.,'s") for word in question.split()[1:] if re.search(r"[A-Z\d`]", word)]
    names = [name for name in names if name not in ("I", "What")]
    assert len(wordings) >= 3
    assert len(wordings) <= MOST
    plain = [wording.casefold().rstrip("?.") for wording in (question, *wordings)]
    assert len(set(plain)) == len(plain)
    for wording in wordings:
        assert wording[-1] in "?."
        assert not re.search(r"\b(\w+) \1\b", wording, re.I), wording
        assert not re.search(r"\s\s|\s[?.,]|[?.]{2}|^[a-z]", wording), wording
        assert all(name in wording for name in names), wording


@pytest.mark.parametrize(("question", "answer"), ASKED)
def test_an_open_question_ends_with_a_question_mark_and_a_request_with_a_full_stop(question: str, answer: str) -> None:
    asks = re.compile(r"(?:who|whom|whose|what|which|when|where|why|how|is|are|does|do|can|could|must)\b", re.I)
    for wording in reword(question, answer):
        last = re.split(r"(?<=[.?]) ", wording)[-1]
        if asks.match(last):
            assert last.endswith("?"), wording
        if re.match(r"(?:Tell|Name|Give|Please|Explain|I (?:need|wonder|am|have|would)) ?", last):
            assert last.endswith("."), wording


def test_a_question_who_owns_it_is_asked_with_other_verbs_as_a_noun_and_in_the_passive() -> None:
    wordings = reword("Who owns Kittiwake?", "Kittiwake is owned by the Soundings team.")
    assert wordings[:3] == [
        "Who is responsible for Kittiwake?",
        "Who is Kittiwake's owner?",
        "By which team is Kittiwake owned?",
    ]
    assert {"Who is in charge of Kittiwake?", "Which team owns Kittiwake?", "Kittiwake owner?"} <= set(wordings)


def test_a_price_is_asked_for_with_how_much_and_a_cost_with_what() -> None:
    wordings = reword("What is the price of a day ticket?", "The price of a day ticket is 6 euros.")
    assert {"How much does a day ticket cost?", "How much is a day ticket?"} <= set(wordings)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The shop opens at 9:00.", "At what time does the shop open?"),
        ("The shop opens on 3 May.", "On which day does the shop open?"),
        ("The shop opened in 1974.", "In which year does the shop open?"),
        ("The shop opens every Monday.", "On which day does the shop open?"),
    ],
)
def test_when_becomes_the_question_word_that_fits_the_answer(answer: str, expected: str) -> None:
    assert expected in reword("When does the shop open?", answer)


def test_the_class_that_the_answer_names_is_asked_for() -> None:
    wordings = reword("Where are the reports kept?", "The reports are kept in the vault called driftwood.")
    assert "In which vault are the reports kept?" in wordings


def test_a_command_is_asked_for_as_a_command() -> None:
    wordings = reword("How do I restart the pump?", "Run `pump restart` on the panel.")
    assert {"How is the pump restarted?", "Which command restarts the pump?"} <= set(wordings)


def test_the_words_of_the_answer_make_a_question_of_their_own() -> None:
    wordings = reword("Who is behind Kittiwake?", "Kittiwake is owned by the Soundings team.")
    assert "By which team is Kittiwake owned?" in wordings


def test_an_answer_that_is_about_something_else_makes_no_question() -> None:
    wordings = reword("Who is Imke Sand?", "Imke Sand is the manager of Robin.")
    assert wordings
    assert "Who is the manager of Robin?" not in wordings


def test_what_a_person_must_do_is_asked_with_have_to() -> None:
    wordings = reword("When must homework be handed in?", "Homework must be handed in by 18:00.")
    assert {"When does homework have to be handed in?", "When must homework be submitted?"} <= set(wordings)


def test_a_sentence_in_front_of_the_question_stays_in_front() -> None:
    wordings = reword("Kittiwake is stuck. How do I restart it?", "Run `tidectl bounce kittiwake`.")
    assert wordings
    assert all(wording.startswith("Kittiwake is stuck. ") for wording in wordings)
    assert "Kittiwake is stuck. How do I start it again?" in wordings


@pytest.mark.parametrize(
    "question",
    [
        "Wo liegt der Schlüssel?",
        "Que fait le service?",
        "どのポートですか？",
        "And on Friday?",
        "Tighten this: it was raining.",
        "",
        "?",
        "Who",
        "x" * 5000,
    ],
)
def test_what_is_not_understood_is_left_alone(question: str) -> None:
    assert reword(question, "The answer.") == []


def test_wordings_depend_on_the_question_and_its_answer_alone() -> None:
    first = [reword(question, answer) for question, answer in ASKED]
    again = [reword(question, answer) for question, answer in reversed(ASKED)]
    assert first == again[::-1]


WORDS = st.sampled_from(
    "who what which when where why how many long much is are does do can must has the a of for to Kittiwake `run it` "
    "port owner owns listen on team backed up kept 7413 not and I it there been being be , ? . : ' \" é 漢".split()
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=14).map(" ".join), st.lists(WORDS, max_size=14).map(" ".join))
def test_no_text_makes_it_fail_and_every_wording_is_new(question: str, answer: str) -> None:
    wordings = reword(question, answer)
    assert wordings == reword(question, answer)
    assert len({wording.casefold() for wording in wordings} | {question.casefold()}) == len(wordings) + 1


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_at_all_may_be_given(question: str, answer: str) -> None:
    assert all(wording.strip() for wording in reword(question, answer))


@settings(max_examples=100, deadline=None)
@given(st.from_regex(r"[A-Z][a-z]{3,8}(?:-\d{1,3})?", fullmatch=True))
def test_the_name_of_a_thing_survives_in_every_wording(name: str) -> None:
    wordings = reword(f"Which port does {name} listen on?", f"{name} listens on port 80.")
    assert len(wordings) > 8
    assert all(name in wording for wording in wordings)


def test_no_group_of_the_word_lists_repeats_itself_or_puts_a_phrase_for_itself() -> None:
    lines = [
        (group.word, group.condition, other)
        for groups in lexicon.verb_groups().values()
        for group in groups
        for other in group.others
    ]
    assert len(lines) > 600
    assert all(word != other for word, _, other in lines)
    assert all(noun not in others and len(set(others)) == len(others) for noun, others in lexicon.nouns().items())


def test_conditions_name_nothing_that_a_question_cannot_be() -> None:
    known = {
        *(
            "who what which when where why how howlong howmuch howmany howoften yesno subject nonsubject alone object"
        ).split(),
        *"passive generic duration port number host hosts machine machines server servers node nodes cluster".split(),
        *"channel room chat database databases use".split(),
    }
    conditions = [group.condition for groups in lexicon.verb_groups().values() for group in groups]
    named = {fact for condition in conditions for one in (*condition.needed, *condition.barred) for fact in one}
    assert named <= known
