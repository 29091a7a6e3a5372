"""The general questions of the learning report are asked by nobody else: what guards must not be practised."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dlm.corpus.anchors import anchors, prompts
from dlm.corpus.makers import question
from dlm.learning.paper import general_items, packaged_near
from dlm_sway.data import general_items as sway_items

ROOT = Path(__file__).parent.parent
MINE = [*(one.question for one in general_items()), *packaged_near()]


def plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.casefold()))


def trained() -> list[str]:
    return [question(record) for record in (*anchors(), *prompts()) if record.messages]


def bench() -> list[str]:
    folder = ROOT / "bench" / "learning"
    lines = [
        *(folder / "general.txt").read_text("utf-8").splitlines(),
        *(folder / "chats.txt").read_text("utf-8").splitlines(),
    ]
    return [line.partition("|")[0] for line in lines]


def exams() -> list[str]:
    files = [*(ROOT / "bench").glob("learning/*.jsonl"), *(ROOT / "bench").glob("handbooks/*.jsonl")]
    entries = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    return [entry["question"] for entry in entries if "question" in entry]


@pytest.mark.parametrize("others", [trained, bench, exams, lambda: [item.prompt for item in sway_items()]])
def test_no_question_of_the_report_is_used_elsewhere(others) -> None:
    theirs = {plain(text) for text in others()}
    assert len(theirs) > 10
    assert not [text for text in MINE if plain(text) in theirs]


def test_there_are_forty_general_questions_and_no_question_holds_its_answer() -> None:
    assert len(general_items()) == 40
    assert len({plain(text) for text in MINE}) == len(MINE)
    assert not [one.question for one in general_items() if one.met(one.question)]
