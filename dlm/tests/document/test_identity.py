"""Section ids: blind to what nobody can see, awake to everything else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlm.document import Document, parse, records
from dlm.document.identity import canonical, pair_id, prior_ids, section_id

FRONT = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\nbase_model: x\n---\n"
WORD = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"], exclude_characters="`~:\\#-<"), min_size=1)
LINE = st.lists(WORD, max_size=4).map(" ".join)
TEXT = st.lists(LINE, min_size=1, max_size=6).map("\n".join).filter(str.strip)
TRAILING = st.lists(st.sampled_from(["", " ", "\t", "  \t"]), min_size=1)
STEADY = settings(deadline=None, derandomize=True)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def document(*sections: str) -> Document:
    return parse(FRONT + "".join(f"::prose::\n{section}\n" for section in sections))


def ids(found: Document) -> list[str]:
    return [section.id for section in found.sections]


@STEADY
@given(TEXT, ENDS, TRAILING, st.integers(0, 3), st.integers(0, 3))
def test_an_id_does_not_depend_on_what_nobody_can_see(
    text: str, end: str, trailing: list[str], before: int, after: int
) -> None:
    lines = [""] * before + text.split("\n") + [""] * after
    visible = [line + trailing[index % len(trailing)] for index, line in enumerate(lines)]
    unseen = "\ufeff" + FRONT.replace("\n", end) + "::prose:: \t" + end + end.join(visible)
    assert ids(parse(unseen)) == ids(document(text))


@STEADY
@given(st.lists(TEXT, min_size=1, max_size=4), TEXT, st.integers(0, 4))
def test_an_id_does_not_depend_on_neighbours_or_place(texts: list[str], new: str, at: int) -> None:
    at = min(at, len(texts))
    found = ids(document(*texts[:at], new, *texts[at:]))
    assert found[:at] + found[at + 1 :] == ids(document(*texts))
    assert found[at] == ids(document(new))[0]
    assert ids(document(*reversed(texts))) == ids(document(*texts))[::-1]


@STEADY
@given(TEXT, st.data())
def test_every_visible_edit_changes_the_id(text: str, data: st.DataObject) -> None:
    seen = canonical(text)
    at = data.draw(st.sampled_from([index for index, char in enumerate(seen) if not char.isspace()]))
    for edited in (seen[:at] + seen[at + 1 :], seen[:at] + "\u00b6" + seen[at:], seen[:at] + "\n\n\u00b6" + seen[at:]):
        assert section_id("prose", None, {}, edited) != section_id("prose", None, {}, seen)


@STEADY
@given(TEXT, st.dictionaries(WORD, WORD, min_size=1, max_size=3), WORD)
def test_type_adapter_and_attributes_change_the_id(text: str, attributes: dict[str, str], name: str) -> None:
    key = next(iter(attributes))
    variants = [
        section_id("prose", None, {}, text),
        section_id("instruction", None, {}, text),
        section_id("prose", name, {}, text),
        section_id("prose", None, attributes, text),
        section_id("prose", None, attributes | {key: attributes[key] + "'"}, text),
    ]
    assert len(set(variants)) == len(variants)
    assert section_id("prose", None, dict(reversed(attributes.items())), text) == variants[3]


def test_parts_cannot_be_confused_with_one_another() -> None:
    assert section_id("a", "b", {}, "c") != section_id("a", "", {}, "b\nc")
    assert section_id("a", None, {"k": "v"}, "") != section_id("a", None, {}, '"k","v"')


@STEADY
@given(st.lists(TEXT.map(str.strip), min_size=1, max_size=4, unique=True), TEXT)
def test_a_pair_keeps_its_group_when_its_wordings_or_neighbours_move(questions: list[str], answer: str) -> None:
    assert pair_id(questions, answer) == pair_id(reversed(questions), answer)
    assert pair_id(questions, answer) != pair_id([*questions, "one more"], answer)


def test_reordering_pairs_keeps_every_group_and_changes_the_section() -> None:
    one, two = "### Q\nOne?\n### Q\nFirst?\n### A\n1\n", "### Q\nTwo?\n### A\n2\n"
    there, back = (parse(f"{FRONT}::instruction::\n{text}") for text in (one + two, two + one))
    assert {record.group for record in records(there)} == {record.group for record in records(back)}
    assert ids(there) != ids(back)
    assert len({record.group for record in records(there)}) == 2


def test_the_digest_follows_every_visible_change_of_the_file() -> None:
    text = FRONT + "Text.\n"
    assert parse(text).digest == parse(text.replace("\n", "\r\n") + "\n\n").digest
    assert parse(text).digest != parse(text + "More.").digest
    assert parse(text).digest != parse(text.replace("base_model: x", "base_model: y")).digest


@pytest.mark.parametrize(
    ("body", "index", "expected"),
    [
        ("A fact.", 0, "825ef91eed61fe66"),
        ("A fact.\n", 0, "825ef91eed61fe66"),
        ("A fact.\n", 0, "9560c956bd21faa3"),
        ("\nA fact.\n\n::prose::\nb", 0, "825ef91eed61fe66"),
        ("A fact.\r\n\r\n::prose::\r\nb", 0, "9560c956bd21faa3"),
        ('a\n::image path="pics/a.png" alt="b"::\nc', 1, "9f3a1ebbc37d5f02"),
        ('a\n::audio path="a.wav" transcript="b"::\n', 1, "b6dcc1e26bccd513"),
        ("::prose#tone::\nA fact.", 0, "825ef91eed61fe66"),
    ],
)
def test_the_ids_of_the_trainer_before_are_recognised(body: str, index: int, expected: str) -> None:
    """Each is the start of ``printf 'prose\\nA fact.' | sha256sum`` and the like."""
    assert expected in prior_ids(parse(FRONT + body).sections[index])


def test_prior_ids_follow_the_text_and_never_the_place() -> None:
    one, two = document("a", "b").sections
    assert not prior_ids(one) & prior_ids(two)
    assert prior_ids(one) & prior_ids(document("z", "a").sections[1])
    assert all(len(each) == 16 for each in prior_ids(one))


def test_a_weight_is_no_part_of_the_identity_and_a_title_is() -> None:
    plain, heavy, titled = (parse(f"{FRONT}::prose{fence}::\na") for fence in ("", ' weight="3"', ' title="b"'))
    assert ids(plain) == ids(heavy) != ids(titled)
