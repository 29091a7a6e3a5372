"""What the adapter is held to is not what it is judged by."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from dlm.corpus.anchors import prompts
from dlm_sway.data import general_items

sys.path.append(str(Path(__file__).parent.parent / "bench"))
exam, domains = import_module("learning.exam"), import_module("learning.domains")


def plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())


TRAINED = {plain(message.content) for record in prompts() for message in record.messages}


@pytest.mark.parametrize(
    "judging",
    [
        [item.prompt for item in general_items()],
        [*exam.chats(), *(item.question for item in exam.general())],
        [prompt for domain in domains.DOMAINS for prompt in domain.near],
    ],
    ids=["sway", "bench", "near"],
)
def test_no_anchor_prompt_is_asked_by_who_judges(judging):
    assert len(TRAINED) > 500
    assert len(judging) >= 30
    assert not TRAINED & {plain(prompt) for prompt in judging}
