"""What is asked about sentences of many kinds: the exact questions, and where nothing may be asked."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm.corpus.asking import verbs
from dlm.corpus.asking.sentence import Asked, ask, subject_of

KITTIWAKE = "Kittiwake"

EXACT = {
    # copulas
    "The kettle is called Bertha.": ["What is the kettle called?", "What is the name of the kettle?"],
    "The technical lead of Kittiwake is Marit Oyelaran.": [
        "Who is the technical lead of Kittiwake?",
        "Who is Kittiwake's technical lead?",
    ],
    "The capital of the island is Norhaven.": ["What is the capital of the island?", "What is the island's capital?"],
    "Greta Holm is the head of the choir.": ["Who is Greta Holm?", "Who is the head of the choir?"],
    "Imke Sand is Robin's manager.": ["Who is Imke Sand?", "Who is Robin's manager?"],
    "The favourite restaurant is the Copper Kettle in Quay Street.": ["What is the favourite restaurant?"],
    "The code for the side door is 4471.": ["What is the code for the side door?"],
    "The tower is 34 metres high.": ["How high is the tower?"],
    "Our office is in Quay Street.": ["Where is our office?"],
    "The birthday of Ana Ruiz is on 14 March.": ["When is the birthday of Ana Ruiz?"],
    "The museum is open from 10:00 to 17:00 on weekdays.": ["When is the museum open?"],
    "A blocked filter is the most common reason for a weak air flow.": [
        "What is the most common reason for a weak air flow?"
    ],
    # passives and their agents
    "Kittiwake is owned by the Soundings team.": [
        "Who owns Kittiwake?",
        "Who is Kittiwake owned by?",
        "By whom is Kittiwake owned?",
        "Which team owns Kittiwake?",
    ],
    "The lighthouse was built in 1911 by the engineer Thomas Weld.": [
        "When was the lighthouse built?",
        "Who built the lighthouse?",
        "Who was the lighthouse built by?",
        "By whom was the lighthouse built?",
    ],
    "The contract must be signed by the treasurer before 1 March.": [
        "Who must sign the contract?",
        "Who must the contract be signed by?",
        "By whom must the contract be signed?",
    ],
    "The pool is heated by a wood boiler.": ["What heats the pool?", "What is the pool heated by?"],
    # values with their noun
    "The service listens on port 7413.": [
        "Which port does the service listen on?",
        "On which port does the service listen?",
        "What port does the service listen on?",
    ],
    "Alerts are sent to the channel #tide-watch.": [
        "Which channel are alerts sent to?",
        "To which channel are alerts sent?",
        "What channel are alerts sent to?",
        "Where are alerts sent?",
    ],
    "Larkspur uses the library FastJet.": ["Which library does Larkspur use?"],
    # times, frequencies, durations
    "The saltmarsh database is backed up every night at 03:20.": [
        "How often is the saltmarsh database backed up?",
        "When is the saltmarsh database backed up?",
        "At what time is the saltmarsh database backed up?",
        "What time is the saltmarsh database backed up?",
    ],
    "In winter, the museum closes at 16:00.": [
        "When does the museum close in winter?",
        "At what time does the museum close in winter?",
        "What time does the museum close in winter?",
    ],
    "A new prediction is computed every 40 minutes from the readings.": ["How often is a new prediction computed?"],
    "A restart takes about 90 seconds.": ["How long does a restart take?", "How many seconds does a restart take?"],
    "The oven takes 25 minutes to warm up.": [
        "How long does the oven take to warm up?",
        "How many minutes does the oven take to warm up?",
    ],
    "The director approved the plan in May 2021.": [
        "When did the director approve the plan?",
        "Who approved the plan in May 2021?",
    ],
    "The garden has been closed since 2019.": [
        "Since when has the garden been closed?",
        "What has been closed since 2019?",
    ],
    "The baker gets up at four in the morning.": [
        "When does the baker get up?",
        "At what time does the baker get up?",
        "What time does the baker get up?",
    ],
    "The queen lays up to 2000 eggs a day.": ["How many eggs a day does the queen lay?"],
    "The service depends on the Beacon API.": ["What does the service depend on?"],
    "The water comes from a spring above the village.": ["Where does the water come from?"],
    "The index is rebuilt on Sunday nights, when traffic is low.": ["When is the index rebuilt?"],
    "Logs are deleted after 30 days.": ["After how many days are logs deleted?"],
    # amounts
    "The water tank holds 3.8 litres.": ["How many litres does the water tank hold?"],
    "A ticket costs 4 euros.": ["How much does a ticket cost?"],
    "There are eleven gauges in the network.": ["How many gauges are there in the network?"],
    "One molecule of glucose yields about 30 molecules of ATP.": [
        "How many molecules of ATP does one molecule of glucose yield?"
    ],
    "On the first day, two people sit at the telephone.": ["How many people sit at the telephone on the first day?"],
    "The vaccine must be stored at 4 degrees.": ["At what temperature must the vaccine be stored?"],
    "The API returns at most 100 rows.": ["How many rows does the API return?"],
    # places and ways
    "Photosynthesis takes place in chloroplasts.": ["Where does photosynthesis take place?"],
    "The prize goes to the youngest member.": ["Who does the prize go to?"],
    "Robin travels by train and sits by the window.": ["How does Robin travel?"],
    # reasons and conditions
    "A gauge counts as lost when it has been silent for 25 minutes.": ["When does a gauge count as lost?"],
    "The pattern is quoted, so that find sees it and not the shell.": ["Why is the pattern quoted?"],
    "When the tank is full, the pump stops.": ["What happens when the tank is full?"],
    "If the alarm rings, leave the building by the north door.": ["What do I do if the alarm rings?"],
    # aims
    "To restart Kittiwake, run `tidectl bounce kittiwake` on gannet first.": [
        "How do I restart Kittiwake?",
        "What do I run to restart Kittiwake?",
        "Which command restarts Kittiwake?",
    ],
    "To renew your card, bring a photograph to the desk.": ["How do I renew my card?"],
    # objects, subjects, code
    "E1 means that the humidity sensor is disconnected.": ["What does E1 mean?"],
    "Muscle cells make lactate; yeast makes ethanol.": ["What do muscle cells make?"],
    "A crew of three sails the boat.": ["Who sails the boat?"],
    "`tail -n +2 people.csv` prints everything but the first line.": [
        "What does `tail -n +2 people.csv` print?",
        "What does `tail -n +2 people.csv` do?",
        "Which command prints everything but the first line?",
    ],
    '"Utilise" becomes "use".': ['What does "Utilise" become?'],
    "The citric acid cycle, also called the Krebs cycle, takes place in the matrix.": [
        "Where does the citric acid cycle take place?"
    ],
}

AMONG = {
    "Backups are kept for 45 days in the vault called driftwood.": {
        "How long are backups kept?",
        "For how many days are backups kept?",
        "Which vault are backups kept in?",
        "Where are backups kept?",
    },
    "Volunteers are trained by Greta Holm every spring.": {"Who trains volunteers?", "By whom are volunteers trained?"},
    "Tasks: Piet Hansen writes the new price table by 11 May.": {
        "By when does Piet Hansen write the new price table?",
        "Who writes the new price table by 11 May?",
        "What does Piet Hansen write?",
    },
    "We keep the spare keys in the drawer under the till.": {"Where do we keep the spare keys?"},
    "The ferry calls are logged by the harbour office.": {"Who logs the ferry calls?"},
    "The road is closed for repairs until 3 June.": {"Until when is the road closed for repairs?"},
    "The keys hang on a hook behind the door.": {"Where do the keys hang?"},
}

SILENT = [
    "Is the gate locked?",
    "Never restart both hosts at once, because the lock keepers would see an empty table.",
    "Turn off the lamp before you leave.",
    "Compare values with `==`.",
    "It runs on two hosts.",
    "They are emptied on Fridays.",
    "Nobody knows the code.",
    "The gate is not locked at night.",
    "Strings cannot be changed.",
    "Larkspur is written in Rust.",
    "Payments are handled by Brightpay.",
    "Open: Whether dogs need a ticket.",
    "One command for one job, in a POSIX shell on Linux or macOS.",
    "Words that can be left out without loss are left out.",
    "The second is the base without training.",
    "The same function is the Python API.",
    "- The port is 7413.",
    "The command is ```run```.",
    f"The port of the service {'and so on ' * 20}is 7413.",
    "Yes.",
    "The wifi password is printed on the card by the door.",
    "The greenhouse was a gift from the Aldous family.",
    "Have the spare keys ready.",
    "To, the gate.",
    "The service takes it to",
    "The gate, also called x,",
    "Three more belong to the format.",
    "",
    "一つ目の文。",
]

HINTED = [
    (
        "It is owned by the Soundings team.",
        "Kittiwake",
        "Who owns Kittiwake?",
        "Kittiwake is owned by the Soundings team.",
    ),
    (
        "Its technical lead is Marit Oyelaran.",
        "Kittiwake",
        "Who is the technical lead of Kittiwake?",
        "Kittiwake's technical lead is Marit Oyelaran.",
    ),
    ("This service listens on port 7413.", "Kittiwake", "Which port does Kittiwake listen on?", ""),
    ("It is washed every four weeks.", "the air filter", "How often is the air filter washed?", ""),
    ("They hold four litres of milk each.", "the jugs", "How many litres of milk do the jugs hold?", ""),
    ("She works in the library on Tuesdays.", "Anna Brook", "Where does Anna Brook work?", ""),
    ("He was born in Norway.", "Lars Eide", "Where was Lars Eide born?", "Lars Eide was born in Norway."),
]


def questions(sentence: str, hint: str = "") -> list[str]:
    return [asked.question for asked in ask(sentence, hint)]


@pytest.mark.parametrize("sentence", EXACT)
def test_a_sentence_is_asked_about_in_these_words(sentence):
    assert questions(sentence) == EXACT[sentence]


@pytest.mark.parametrize("sentence", AMONG)
def test_these_questions_are_among_those_of_a_sentence(sentence):
    assert AMONG[sentence] <= set(questions(sentence))


@pytest.mark.parametrize("sentence", SILENT)
def test_nothing_is_asked_where_a_question_could_be_wrong(sentence):
    assert ask(sentence) == []


@pytest.mark.parametrize(("sentence", "hint", "question", "answer"), HINTED)
def test_a_hint_takes_the_place_of_the_pronoun_in_question_and_answer(sentence, hint, question, answer):
    asked = dict(ask(sentence, hint))
    assert question in asked
    assert asked[question] == answer or not answer
    assert not re.search(r"\b(it|its|they|she|he|this)\b", f"{question} {asked[question]}", re.I)


@pytest.mark.parametrize(
    ("sentence", "hint"),
    [
        ("It listens on port 7413.", "Kittiwake runbook"),
        ("It listens on port 7413.", "Ownership"),
        ("It listens on port 7413.", "Backups"),
        ("They are kept for 45 days.", "Kittiwake"),
        ("She works in the library on Tuesdays.", "Kittiwake"),
        ("This guide answers the questions of beginners.", "Python tutor"),
    ],
)
def test_a_heading_that_is_no_name_or_of_the_wrong_number_replaces_nothing(sentence, hint):
    assert ask(sentence, hint) == []


def test_the_answer_is_the_sentence():
    assert ask("The service listens on port 7413; nobody minds.")[0] == Asked(
        "Which port does the service listen on?", "The service listens on port 7413; nobody minds."
    )


def test_the_subject_of_a_sentence_is_the_hint_of_the_next():
    hint = subject_of("The air filter lies behind the grey grille.")
    assert hint == "the air filter"
    assert questions("It is washed every four weeks.", hint)[0] == "How often is the air filter washed?"
    assert subject_of("It listens on port 7413.", KITTIWAKE) == KITTIWAKE
    assert subject_of("Never do that.") == ""


@pytest.mark.parametrize(
    ("base", "third", "past"),
    [
        ("carry", "carries", "carried"),
        ("stay", "stays", "stayed"),
        ("stop", "stops", "stopped"),
        ("fix", "fixes", "fixed"),
        ("go", "goes", "went"),
        ("have", "has", "had"),
        ("publish", "publishes", "published"),
        ("write", "writes", "wrote"),
    ],
)
def test_a_verb_is_inflected_and_recognised(base, third, past):
    assert (verbs.third(base), verbs.past(base)) == (third, past)
    assert base == "have" or {form.base for form in verbs.finite(third)} == {base}


@given(st.text(max_size=60))
def test_any_text_is_asked_about_without_failing(text):
    assert ask(text) == ask(text)


@given(
    st.lists(
        st.sampled_from(
            'The It To When is are was has to be called owned takes place in on by from 3 two port `x y` "q" , ; : and '
            "that when because so every night at 03:20 days Ann Roe team its not up out of , (".split(" ")
        ),
        max_size=14,
    )
)
def test_any_order_of_words_gives_well_formed_questions_or_none(words):
    for hint in ("", "Kittiwake"):
        for question, answer in ask(" ".join(words), hint):
            assert question.endswith("?")
            assert question[0] == question[0].upper()
            assert "  " not in question
            assert answer
