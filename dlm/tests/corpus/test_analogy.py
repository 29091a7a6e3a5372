from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlm.corpus.analogy import by_analogy
from dlm.corpus.makers import Block, question
from dlm.corpus.records import Message, Record

ROOM = 1200
CLUBS = {
    "The Chess club": "The chess club meets on Mondays at 19:00 in the Old Mill. It was founded by Ada Bright in 1981. "
    "The club is led by Tom Reed. Members pay 20 euros a year.",
    "The Rowing club": "The rowing club meets on Fridays at 17:30 in the boat house. It was founded by Lena Moss. "
    "Its leader is Sam Hale. Its deputy leader is Joan Field.",
    "The Film club": "It meets on Sundays at 18:15 in the cinema. Its deputy leader is Rosa Lind. "
    "It was founded by Kurt Vale in 1999.",
    "The Garden club": "The garden club is led by Mia Thorn. It does not meet on Mondays at 19:00.",
    "The Bridge club": "Nobody leads it. It was closed on Mondays at 19:45.",
}
CLUB_PAIRS = [
    ("Who leads the chess club?", "The chess club is led by Tom Reed."),
    ("Who leads the rowing club?", "Sam Hale is the leader of the rowing club."),
    ("When does the rowing club meet?", "The rowing club meets on Fridays at 17:30."),
    ("Who founded the rowing club?", "The rowing club was founded by Lena Moss."),
]


def block(path: str, text: str) -> Block:
    return Block(Record("prose", "text", f"b {path}", f"s {path}", text=text, title=path), path.split(" > ")[-1], ROOM)


def blocks(title: str, sections: dict[str, str]) -> list[Block]:
    return [block(f"{title} > {heading}", text) for heading, text in sections.items()]


def pair(asked: str, answer: str, group: str = "") -> Record:
    turns = (Message("user", asked), Message("assistant", answer))
    return Record("qa", "answer", group or asked, "s pairs", turns)


def said(records: list[Record]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for record in records:
        found.setdefault(question(record), []).append(record.messages[-1].content)
    return found


def clubs(**changed: str) -> dict[str, list[str]]:
    sections = CLUBS | {f"The {name.capitalize()} club": text for name, text in changed.items()}
    return said(by_analogy([pair(*one) for one in CLUB_PAIRS], blocks("Village clubs", sections)))


def test_a_question_is_carried_over_to_a_thing_that_only_prose_speaks_of():
    found = clubs()
    assert found["When does the film club meet?"][0] == "The film club meets on Sundays at 18:15."
    assert found["Who founded the film club?"][0] == "The film club was founded by Kurt Vale."
    assert found["Who leads the garden club?"] == ["The garden club is led by Mia Thorn."]


def test_the_sentence_itself_answers_too_with_its_pronoun_resolved():
    found = clubs()
    assert "The film club meets on Sundays at 18:15 in the cinema." in found["When does the film club meet?"]
    assert "The rowing club's leader is Sam Hale." in found["Who leads the rowing club?"]


def test_what_only_resembles_a_fact_is_not_taken_for_one():
    found = clubs()
    everything = " ".join(answer for answers in found.values() for answer in answers)
    assert "Who leads the film club?" not in found, "a deputy is no leader"
    assert "When does the garden club meet?" not in found, "it says when it does not meet"
    assert not any("bridge club" in asked for asked in found), "it says nothing of the kind"
    assert "Rosa Lind" not in everything
    assert "Joan Field" not in everything


@pytest.mark.parametrize(
    "sentence",
    [
        "The film club is not led by Ann Moor.",
        "The film club was led by Ann Moor.",
        "Until last year, the film club is led by Ann Moor.",
        "The film club is led by Ann Moor only if nobody else comes.",
        "The film club may be led by Ann Moor.",
        "The rowing club is led by Ann Moor.",
        "The film club is often led by Ann Moor.",
        "The film club is led by Ann Moor and Tom Reed.",
    ],
)
def test_a_sentence_that_turns_the_fact_is_not_taken_for_it(sentence):
    assert "Ann Moor" not in str(clubs(film=sentence))


def test_two_values_for_one_property_give_no_question():
    found = clubs(film="It meets on Sundays at 18:15. The film club meets on Mondays at 20:00.")
    assert "When does the film club meet?" not in found


def test_a_value_of_another_shape_gives_no_question():
    found = clubs(film="It was founded by a group of friends who wanted better films.")
    assert "Who founded the film club?" not in found


def test_a_fact_that_a_pair_asks_for_gets_the_wordings_of_the_others():
    sections = {name: f"{name} is owned by {owner}." for name, owner in (("Lumen", "Ada Hale"), ("Osprey", "Bo Lind"))}
    pairs = [
        pair("Who owns Lumen?", "Lumen is owned by Ada Hale."),
        pair("Who is in charge of Osprey?", "Osprey is owned by Bo Lind."),
    ]
    found = said(by_analogy(pairs, blocks("Services", sections)))
    assert found == {
        "Who is in charge of Lumen?": ["Lumen is owned by Ada Hale."],
        "Who owns Osprey?": ["Osprey is owned by Bo Lind."],
    }


def test_a_sentence_with_two_facts_does_not_join_their_questions():
    sections = {
        "Lumen": "Lumen was built and is owned by Ada Hale.",
        "Osprey": "Osprey is owned by Bo Lind.",
        "Tindra": "Tindra is owned by Cy Marsh.",
    }
    pairs = [
        pair("Who built Lumen?", "Lumen was built by Ada Hale."),
        pair("Who owns Lumen?", "Lumen is owned by Ada Hale."),
        pair("Who owns Osprey?", "Osprey is owned by Bo Lind."),
    ]
    found = said(by_analogy(pairs, blocks("Services", sections)))
    assert "Who owns Tindra?" in found
    assert not any(asked.startswith("Who built") and "Lumen" not in asked for asked in found)


def test_what_an_answer_adds_about_one_thing_is_not_said_of_another():
    sections = {"Lumen": "Lumen listens on port 4312.", "Osprey": "Osprey listens on port 5090."}
    pairs = [pair("Which port does Lumen use?", "Lumen listens on port 4312, behind the old firewall in Oslo.")]
    found = said(by_analogy(pairs, blocks("Services", sections)))
    assert found["Which port does Osprey use?"] == ["Osprey listens on port 5090."]


def test_a_form_that_no_pair_shows_is_read_by_its_words_and_what_is_missing():
    names = {"Lumen": "4312", "Osprey": "5090", "Tindra": "6011", "Verity": "7400"}
    sections = {name: f"{name} listens on port {port}." for name, port in names.items()}
    sections |= {"Wicket": "The port of Wicket is 8123.", "Drift": "Drift was moved to port 9000 metres away."}
    pairs = [pair(f"What is the port of {n}?", f"{n} has port {p}.") for n, p in list(names.items())[:3]]
    found = said(by_analogy(pairs, blocks("Services", sections)))
    assert found["What is the port of Wicket?"][0] == "Wicket has port 8123."
    assert "What is the port of Drift?" not in found


def test_lists_lines_and_tables_are_read_as_properties():
    rows = ("| Room | Seats | Phone | Free |", "|---|---|---|---|", "| Aster | 12 | 4410 | yes |")
    sections = {
        "Plan": "\n".join((*rows, "| Birch Hall | 80 | 4471 | no |")),
        "Aster": "- Floor: second\n- Opening hours: 8:00 to 18:00\n- Note: Please ask before you move the tables.",
        "Birch Hall": "Floor: first\nOpening hours: 9:00 to 22:00",
    }
    found = said(
        by_analogy([pair("Which floor is Aster on?", "Aster is on the second floor.")], blocks("Rooms", sections))
    )
    assert found["What is the phone of Birch Hall?"] == ["The phone of Birch Hall is 4471."]
    assert found["How many seats for Aster?"] == ["The number of seats for Aster is 12."]
    assert found["What are the opening hours of Aster?"] == ["The opening hours of Aster are 8:00 to 18:00."]
    assert "Birch Hall is on the first floor." in found["Which floor is Birch Hall on?"]
    assert not any("note" in asked.lower() or "free" in asked.lower() for asked in found)


def test_code_is_no_list_of_properties():
    fenced = "```yaml\nport: 4312\nowner: Ada\n```"
    assert by_analogy([], blocks("Services", {"Lumen": fenced, "Osprey": fenced.replace("4312", "5090")})) == []


def test_a_record_belongs_to_the_section_that_states_its_fact():
    made = by_analogy([pair(*one) for one in CLUB_PAIRS], blocks("Village clubs", CLUBS))
    film = [record for record in made if "film club" in question(record)]
    assert film
    assert {(record.group, record.section_id) for record in film} == {
        ("b Village clubs > The Film club", "s Village clubs > The Film club")
    }
    assert {(record.kind, record.objective, record.text, record.title) for record in made} == {
        ("analogy", "answer", "", "")
    }


def test_no_pair_is_repeated_and_nothing_is_made_twice():
    pairs = [pair(*one) for one in CLUB_PAIRS]
    made = by_analogy(pairs, blocks("Village clubs", CLUBS))
    assert not {record.messages for record in made} & {record.messages for record in pairs}
    assert len({record.messages for record in made}) == len(made)


def test_a_document_without_parallels_gives_nothing():
    sections = {
        "Ownership": "Kittiwake is owned by the Soundings team. Its technical lead is Marit Oyelaran.",
        "How it runs": "The service listens on port 7413. It runs on two hosts, called gannet and petrel.",
        "Backups": "The database is backed up every night at 03:20. Backups are kept for 45 days.",
    }
    pairs = [
        pair("Who owns Kittiwake?", "Kittiwake is owned by the Soundings team."),
        pair("Which port does Kittiwake listen on?", "Kittiwake listens on port 7413."),
    ]
    assert by_analogy(pairs, blocks("Kittiwake runbook", sections)) == []
    assert by_analogy([], []) == []


def test_editing_one_section_changes_the_records_of_that_section_only():
    pairs = [pair(*one) for one in CLUB_PAIRS]
    before = by_analogy(pairs, blocks("Village clubs", CLUBS))
    edited = CLUBS | {"The Film club": CLUBS["The Film club"].replace("18:15", "18:45")}
    after = by_analogy(pairs, blocks("Village clubs", edited))
    changed = {record.section_id for record in {*before} ^ {*after}}
    assert changed == {"s Village clubs > The Film club"}


PEOPLE = "Ada Hale,Bo Lind,Cy Marsh,Di Rook,Ed Vale,Flo Moss,Gil Page,Hal Dunn,Ida Kerr,Jo Sand".split(",")
NAMES = "Lumen Osprey Tindra Verity Wicket Drift Anvil Pollux Thistle Cinder".split()
OWNED = ("{} is owned by {}.", "It is owned by {1}.", "Ownership of {} sits with {}.", "Its owner is {1}.")
SAVED = ("Backups of {} start at {}:15.", "It is backed up at {1}:15.", "The backup of {} begins at {}:15.")


def invented(seed: int) -> tuple[list[Record], list[Block], dict[str, str]]:
    """Pairs about six of ten services, the text about all of them, and what every question should be answered with."""
    drawn = random.Random(seed)
    rows = zip(NAMES, drawn.sample(PEOPLE, 10), drawn.sample(range(10, 24), 10), strict=True)
    sections, truth, pairs = {}, {}, []
    for at, (name, owner, hour) in enumerate(rows):
        owned, saved = drawn.choice(OWNED).format(name, owner), drawn.choice(SAVED).format(name, hour)
        sections[name] = f"{name} is old. {owned} {saved} It was moved in spring."
        truth |= {f"Who owns the {name} service?": owner, f"When is the {name} service backed up?": f"{hour}:15"}
        if at < 6:
            pairs.append(pair(f"Who owns the {name} service?", f"The {name} service is owned by {owner}."))
            pairs.append(pair(f"When is the {name} service backed up?", f"The {name} service is saved at {hour}:15."))
    return pairs, blocks("Services", sections), truth


def test_nearly_every_fact_of_parallel_documents_is_found_and_none_is_wrong():
    right = 0
    for seed in range(10):
        pairs, text, truth = invented(seed)
        found = said(by_analogy(pairs, text))
        assert all(truth[asked] in answer for asked, answers in found.items() for answer in answers)
        right += len(found.keys() - {question(record) for record in pairs})
    assert right >= 0.8 * 10 * 8


WORDS = st.sampled_from(
    "the Lumen Osprey is owned by Ada `x y` 4312 at 9:00 . , ? it its | - : \n not of # é \ue000".split(" ")
)
TEXT = st.lists(WORDS, max_size=25).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), max_size=4), st.lists(st.tuples(TEXT, TEXT), max_size=4))
def test_it_takes_any_text_and_gives_the_same_again(pairs, sections):
    asked = [pair(one or "?", other or ".") for one, other in pairs]
    found = [block(f"Title > {heading}" if heading.strip() else "Title", text) for heading, text in sections]
    made = by_analogy(asked, found)
    assert made == by_analogy(asked, found)
    assert all(question(record).strip() and record.messages[-1].content.strip() for record in made)


def test_the_work_grows_with_the_document_and_not_with_its_square():
    def seconds(count: int) -> float:
        sections = {f"Thing{at}": f"Thing{at} is owned by Ada Hale{at}. It stands in bay B{at}." for at in range(count)}
        pairs = [pair(f"Where does Thing{at} stand?", f"Thing{at} stands in bay B{at}.") for at in range(count // 2)]
        start = time.process_time()
        assert by_analogy(pairs, blocks("Hall", sections))
        return time.process_time() - start

    seconds(50)
    assert seconds(800) < 12 * seconds(200)
