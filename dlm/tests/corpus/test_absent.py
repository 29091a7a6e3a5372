from __future__ import annotations

import re
import time
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dlm.corpus.absent import LEFT_OPEN, MOST_ASKED, MOST_OTHERS, OTHERS, _attributes, absent, called
from dlm.corpus.known import Known
from dlm.corpus.makers import Block, question
from dlm.corpus.names import RESERVED_NAMES, TRAINED_NAMES, replacements
from dlm.corpus.records import Message, Record

TITLE = "Harbour handbook"
TEXTS = {
    "Kestrel": "Kestrel is painted red. It listens on port 4312. Ask Ilse Brandt about Kestrel, not about Osprey.",
    "Osprey": "Osprey weighs 4 tonnes and stands in Room 204 beside pump-7. The Granite Hut is near Osprey.",
}
ASKED = {
    "Which port does Kestrel listen on?": "Kestrel listens on port 4312.",
    "Who knows Kestrel?": "Ilse Brandt knows Kestrel.",
    "What does Ilse Brandt know?": "Ilse Brandt knows Kestrel.",
    "Where does Osprey stand?": "Osprey stands in Room 204.",
    "What is in Room 204?": "Osprey is in Room 204.",
    "What stands beside pump-7?": "Osprey stands beside pump-7.",
    "What is near the Granite Hut?": "Osprey is near the Granite Hut.",
    "Who is Ilse Brandt?": "She knows Kestrel.",
    "Where is the anchor?": "The anchor is here.",
}


def asked(prompt: str, answer: str, group: str) -> Record:
    return Record("qa", "answer", group, f"s-{group}", (Message("user", prompt), Message("assistant", answer)))


def block(title: str, text: str) -> Block:
    return Block(Record("text", "text", f"b-{title}", f"s-{title}", text=text, title=title), title, 1500)


QUESTIONS = [asked(prompt, answer, str(number)) for number, (prompt, answer) in enumerate(ASKED.items())]
BLOCKS = [block(f"{TITLE} > {thing}", text) for thing, text in TEXTS.items()]
WHOLE = " ".join((TITLE, *TEXTS, *TEXTS.values(), *ASKED, *ASKED.values()))


def made(seed: int = 1, title: str = TITLE, blocks: list[Block] = BLOCKS) -> dict[str, str]:
    return {question(record): record.messages[-1].content for record in absent(QUESTIONS, blocks, title, seed)}


def missing(answer: str) -> str:
    match = re.fullmatch(
        r"The .*? (?:does not mention|says nothing about) (.*)\.|(.*) is not mentioned in .*\.", answer
    )
    assert match, answer
    return match[1] or match[2]


def left_open(seeds: range, blocks: list[Block] = BLOCKS) -> list[tuple[str, str]]:
    return [
        (prompt, answer)
        for seed in seeds
        for prompt, answer in made(seed, blocks=blocks).items()
        if re.search(r"(?:say|mention) (?:what|how|who|whe|which)", answer)
    ]


def test_a_question_about_something_else_is_answered_with_its_name():
    others = {prompt: answer for prompt, answer in made().items() if re.match(r"Which port does \w+ listen on", prompt)}
    assert len(others) == 2
    for prompt, answer in others.items():
        name = missing(answer)
        assert name in prompt
        assert name.casefold() not in WHOLE.casefold()
        assert "4312" not in answer


def test_what_is_put_in_its_place_has_the_shape_of_the_name():
    known, random = Known.of(QUESTIONS, BLOCKS, TITLE), Random(1)
    assert all(re.fullmatch(r"Room \d{3}", new) for new in replacements("Room 204", known, random, 5))
    assert all(re.fullmatch(r"pump-\d+", new) for new in replacements("pump-7", known, random, 5))
    assert all(re.fullmatch(r"[A-Z]\w+ Hut", new) for new in replacements("Granite Hut", known, random, 5))
    assert all(re.fullmatch(r"[A-Z]\w+ [A-Z]\w+", new) for new in replacements("Ilse Brandt", known, random, 5))
    assert len(replacements("Kestrel", known, random, 5)) == 5
    assert replacements("TLS", known, random, 5) == []


def test_names_are_told_from_words_that_open_a_sentence_from_dates_and_from_code():
    known = Known(("On Monday the Osprey and the Fenwick S2 went to Room 204. Nobody saw osprey.py or Ms. Brandt.",))
    text = "Backups of Osprey on Monday: has Room 204 got 3 files, Osprey 70 files and Fenwick S2 none, see `Osprey`?"
    assert known.names(text) == ["Osprey", "Room 204", "Fenwick S2"]
    assert known.names("Osprey's room is pump-7, not osprey.") == ["Osprey", "pump-7"]
    known = Known(("We asked Ms. Brandt, and Ilse Brandt knew.",))
    assert known.names("We asked Ms. Brandt.") == known.names("We asked Ms Brandt.") == ["Brandt"]


def test_a_name_that_looks_like_one_of_the_document_is_never_used():
    known = Known(("They are called Kingfishers and Puffi.",))
    drawn = replacements("Kestrel", known, Random(1), 1000)
    assert len(drawn) > 100
    assert not {"Kingfisher", "Puffin"} & set(drawn)


def test_of_a_question_without_a_name_none_is_made():
    """From replaced nouns a small model learns to refuse any question that is put in other words."""
    assert not [prompt for seed in range(20) for prompt in made(seed) if re.fullmatch(r"Where is the \w+\?", prompt)]
    plain = [asked("When is the mineral in the cellar drained?", "The mineral is drained at dusk.", "g")]
    assert absent(plain, [block("Cellar", "The mineral in the cellar is drained at dusk.")], "Cellar notes", 1) == []


def test_every_answer_names_what_the_question_asks_for():
    about_others = left = 0
    for seed in range(20):
        opened = dict(left_open(range(seed, seed + 1)))
        for prompt, answer in made(seed).items():
            thing = next((name for name in ("Kestrel", "Osprey", "Ilse Brandt", "pump-7") if name in answer), "")
            if prompt in opened:
                assert thing
                assert thing in prompt
                left += 1
            else:
                assert missing(answer) in prompt
                about_others += 1
    assert about_others > 100
    assert left > 20


def test_only_properties_that_nothing_speaks_of_are_left_open():
    """One thing is red, the other weighs four tonnes: of neither may the adapter say that the document is silent."""
    open_ones = [answer for _, answer in left_open(range(40))]
    assert len(open_ones) > 150
    assert any("Ilse Brandt" in answer for answer in open_ones)
    assert not [answer for answer in open_ones if re.search(r"colour (?:Kestrel|Osprey)|much (?:\w+) weighs", answer)]
    for said, closed in (("Tern hums at night.", "loud"), ("Tern needs a 12 V plug.", "power")):
        more = [answer for _, answer in left_open(range(40), [*BLOCKS, block("Tern", said)])]
        assert [answer for answer in open_ones if closed in answer]
        assert not [answer for answer in more if closed in answer]


def test_few_properties_are_asked_and_only_of_what_is_plainly_named():
    text = "They met in Section 9 of the Harbour. Nobody uses TLS in Section 9. The Harbour knows Kestrel and TLS."
    names = ("Section 9", "TLS", "Harbour", "Kestrel")
    pairs = [asked(f"What about {name} {n}?", "Nothing.", f"{name}{n}") for name in names for n in ("now", "then")]
    records = absent(pairs, [block("Notes", text)], "", 1)
    open_ones = [
        question(r) for r in records if re.search(r"say (?:wh|how)|mention (?:wh|how)", r.messages[-1].content)
    ]
    assert open_ones
    assert len(open_ones) == len([prompt for prompt in open_ones if "Kestrel" in prompt]) <= LEFT_OPEN == 2


@pytest.mark.parametrize("attribute", _attributes(), ids=lambda attribute: attribute.clause)
def test_a_property_is_never_asked_where_the_words_of_its_own_question_stand(attribute):
    thing = "Ilse Brandt" if attribute.person else "Kestrel"
    pairs = [asked(f"What about {thing} {n}?", "Nothing.", n) for n in ("now", "then")]
    for wording in attribute.ask:
        blocks = [block("Notes", f"Here is {thing}. {wording.format(s=thing)}")]
        for seed in range(10):
            answers = [record.messages[-1].content for record in absent(pairs, blocks, "", seed)]
            assert not [answer for answer in answers if attribute.clause.format(s=thing) in answer]


def test_a_person_is_asked_about_as_a_person():
    about = [prompt for seed in range(20) for prompt in made(seed) if "Ilse Brandt" in prompt and prompt not in ASKED]
    assert not [prompt for prompt in about if "serial number" in prompt or "material" in prompt]


def test_a_task_and_a_follow_up_are_left_alone():
    task = asked('Put this in the passive: "Ilse Brandt wrote to Kestrel."', "It was written.", "t")
    before = (Message("user", "Who knows Kestrel?"), Message("assistant", "Ilse Brandt."))
    follow_up = Record("qa", "answer", "f", "s", (*before, Message("user", "And Osprey?"), Message("assistant", "No.")))
    prompts = {question(record) for record in absent([*QUESTIONS, task, follow_up], BLOCKS, TITLE, 1)}
    assert not [prompt for prompt in prompts if prompt.startswith(("Put this", "And "))]


def test_records_keep_the_group_and_section_of_their_question_and_are_of_one_kind():
    records = absent(QUESTIONS, BLOCKS, TITLE, 1)
    groups = {record.group: record.section_id for record in QUESTIONS}
    assert records
    assert all((r.kind, r.objective, r.value) == ("absent", "answer", "") for r in records)
    assert all(groups[record.group] == record.section_id for record in records)


def test_the_same_seed_gives_the_same_records_and_an_edit_elsewhere_changes_none_of_the_others():
    more = [*BLOCKS, block(f"{TITLE} > Tern", "Tern is a small boat.")]
    assert made(3) == made(3) != made(4)
    assert made(3, blocks=more) == made(3)


def test_many_wordings_and_many_pairs_make_no_more_than_can_be_used():
    wordings = [asked(f"Which port does Kestrel use in case {n}?", "Port 4312.", "g") for n in range(30)]
    assert len(absent(wordings, BLOCKS, TITLE, 1)) <= MOST_OTHERS + LEFT_OPEN
    many = [asked(f"Which port does Kestrel use in case {n}?", "Port 4312.", str(n)) for n in range(MOST_ASKED * 3)]
    assert len(absent(many, BLOCKS, TITLE, 1)) <= MOST_ASKED * 2 + LEFT_OPEN


def test_the_names_of_a_long_document_are_looked_up_in_an_index():
    """One search of the whole text for each name that might be missing took minutes."""
    filler = "It lies behind the panel and is opened every second week by two people. " * 12
    blocks = [block(f"{TITLE} > Valve {n}", f"See Valve {n} and pump-{n}. {filler}") for n in range(2200)]
    pairs = [
        asked(f"{ask} {name}-{n // 3}?" if name == "pump" else f"{ask} {name} {n // 3}?", "Behind the panel.", str(n))
        for n, (ask, name) in enumerate([("Where is", "Valve"), ("Who opens", "Valve"), ("What is", "pump")] * 2000)
    ]
    start = time.process_time()
    records = absent(pairs, blocks, TITLE, 1)
    assert time.process_time() - start < 10
    assert 500 < len(records) <= MOST_ASKED * (OTHERS + LEFT_OPEN)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text("aB7_.- \nß", max_size=12), max_size=4), st.text("aB7_.- ß", min_size=1, max_size=8))
def test_a_phrase_is_said_where_it_stands_in_whole_words(texts, phrase):
    whole = re.compile(rf"(?<!\w){re.escape(phrase.casefold())}(?!\w)")
    assert Known(tuple(texts)).says(phrase) == any(whole.search(text.casefold()) for text in texts)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Kittiwake runbook", "the Kittiwake runbook"),
        ("The Members Handbook", "the Members Handbook"),
        ("The huts of the range", "the document"),
        ("Meeting notes", "the document"),
        ("How we work: a guide", "the document"),
        ("", "the document"),
    ],
)
def test_the_document_is_named_where_its_title_fits_a_sentence(title, said):
    assert called(title) == said


def test_no_part_of_a_name_is_both_trained_and_reserved():
    trained, reserved = ({part for name in names for part in name.split()} for names in (TRAINED_NAMES, RESERVED_NAMES))
    assert not trained & reserved
    assert min(len(TRAINED_NAMES), len(RESERVED_NAMES)) >= 150
    known = Known(("Kestrel, Room 204",))
    for name in ("Kestrel", "Ilse Brandt", "Granite Hut", "Room 204"):
        both = [set(replacements(name, known, Random(1), 1000, use)) for use in ("training", "evaluation")]
        assert all(both)
        assert not both[0] & both[1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*TRAINED_NAMES, *RESERVED_NAMES]), min_size=1, max_size=80), st.integers(0, 99))
def test_nothing_that_the_document_holds_is_said_to_be_missing(held, seed):
    text = f"Besides Kestrel there are {', '.join(held)}."
    assume("Kestrel" not in held)
    questions = [asked("Who looks after Kestrel?", "Somebody does.", "g")]
    for record in absent(questions, [block("Notes", text)], "Notes", seed):
        if "looks after" in question(record):
            name = missing(record.messages[-1].content)
            assert not {part.casefold() for part in name.split()} & {w.casefold() for h in held for w in h.split()}
