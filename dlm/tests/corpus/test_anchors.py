from __future__ import annotations

from collections import Counter

import pytest

from dlm.corpus import nouns
from dlm.corpus.anchors import SHARES, near, prompts
from dlm.corpus.makers import Block, question
from dlm.corpus.records import Message, Record

TEXT = """The gauge sends a reading to the server. A reading is kept for a day. Water runs past the gauge.

They report to the harbour office. Run the backup and do not light the lamp by hand. See `the socket` and the Kestrel.
"""


def block(text: str = TEXT, title: str = "Tide runbook > Backup") -> Block:
    return Block(Record("text", "text", "b", "s", text=text, title=title), "Backup", 1500)


def asked_near(*questions: str, seed: int = 1, text: str = TEXT) -> dict[str, list[str]]:
    pairs = [Record("qa", "answer", "g", "s", (Message("user", q), Message("assistant", "Yes."))) for q in questions]
    found: dict[str, list[str]] = {}
    for record in near("Tide runbook", [block(text)], pairs, seed):
        found.setdefault(record.group, []).append(question(record))
    return found


def test_the_mix_has_four_kinds_in_their_shares_and_no_prompt_twice():
    found = prompts()
    counts, weights = Counter[str](), Counter[str]()
    for record in found:
        sub = record.group.partition("-")[0]
        counts[sub] += 1
        weights[sub] += record.weight
    assert counts["chat"] >= 200
    assert counts["question"] >= 200
    assert counts["thing"] >= 150
    assert counts["prose"] >= 80
    total = sum(weights.values())
    for sub, share in SHARES.items():
        assert weights[sub] / total == pytest.approx(share / sum(SHARES.values()))
    assert len({record.text or question(record).casefold() for record in found}) == len(found)
    assert len({record.group for record in found}) == len(found)


def test_a_prompt_waits_for_the_answer_of_the_base():
    for record in prompts():
        assert (record.kind, record.objective, record.section_id) == ("anchor", "anchor", "")
        assert bool(record.text) == record.group.startswith("prose-") != bool(record.messages)
        assert [message.role for message in record.messages] == ["user"] * len(record.messages)


def test_near_prompts_ask_in_general_about_the_ordinary_nouns_of_the_document():
    found = asked_near()
    assert {"near-gauge", "near-reading", "near-server", "near-lamp", "near-harbour"} <= set(found)
    assert all(len(wordings) == 2 for wordings in found.values())
    everything = {seed: asked_near(seed=seed) for seed in range(8)}
    assert "What is a gauge?" in {q for found in everything.values() for q in found["near-gauge"]}
    assert "Why are gauges useful?" in {q for found in everything.values() for q in found["near-gauge"]}


def test_near_prompts_leave_verbs_names_code_and_headings_to_the_document():
    found = asked_near()
    assert not {"near-report", "near-light", "near-kestrel", "near-backup", "near-runbook", "near-day"} & set(found)


def test_what_the_document_asks_itself_is_no_near_prompt():
    for seed in range(8):
        assert "What is a gauge?" not in asked_near("what is a gauge", seed=seed)["near-gauge"]


def test_near_prompts_of_a_noun_stay_when_another_part_is_edited():
    before, after = asked_near(), asked_near(text=f"{TEXT}\nThe ferry has an engine.\n")
    assert set(after) - set(before) == {"near-ferry", "near-engine"}
    assert all(after[group] == wordings for group, wordings in before.items())
    assert near("Empty", [block("123.")], [], 1) == []


def test_nouns_know_their_article_and_their_plural():
    articles = {"port": "a port", "hour": "an hour", "engine": "an engine", "unit": "a unit", "water": "water"}
    assert {noun: nouns.with_article(noun) for noun in articles} == articles
    plurals = {"box": "boxes", "city": "cities", "day": "days", "shelf": "shelves", "chairman": "chairmen"}
    assert {noun: nouns.plural(noun) for noun in plurals} == plurals
    assert not nouns.counted() & nouns.uncounted()
    for noun in nouns.counted() - {"child", "person"}:
        assert nouns.singular(nouns.plural(noun)) == noun
    assert nouns.singular("xyzzy") == ""
