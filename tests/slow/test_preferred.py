"""Text, questions and preferences in one document, by plain ``dlm train`` on the real base.

The writer prefers short plain answers to gushing ones. What is asserted is asked of prompts that were never trained.
"""

from __future__ import annotations

import json
from random import Random

import pytest

from dlm.document.ulid import new_ulid

pytestmark = pytest.mark.slow

HEAD = """---
dlm_id: {id}
dlm_version: 15
base_model: smollm2-135m
---
# Lantern house

The Lantern house is a small museum in Ferrymoor. It opens at 10:15 and closes at 16:40. A ticket costs 7 crowns.

The museum is led by Ines Varga. The oldest lamp was built by Ada Hale in 1907. It stands in the cellar.

::instruction::
### Q
When does the Lantern house open?
### A
It opens at 10:15.

### Q
Who leads the museum?
### A
Ines Varga leads the museum.

### Q
Who built the oldest lamp?
### A
Ada Hale built the oldest lamp in 1907.

### Q
What does a ticket cost?
### A
A ticket costs 7 crowns.

::preference::
"""
ANSWERS = {
    "Can I bring a dog?": "No. Dogs stay outside.",
    "Is there a cloakroom?": "Yes, beside the entrance.",
    "May I take photos?": "Yes, without a flash.",
    "Is there a cafe?": "No. The nearest one is on Quay Street.",
    "Do you take cards?": "Yes, from 5 crowns.",
    "Is there a guided tour?": "Yes, every hour.",
    "Can I get a refund?": "Yes, within 14 days.",
    "Is the museum heated?": "Yes, to 18 degrees.",
    "Where do I park?": "Behind the customs house.",
    "How long does a visit take?": "About an hour.",
    "Do children pay?": "No, not under 12.",
    "Is there a lift?": "Yes, beside the stairs.",
    "Can I touch the lamps?": "No. The glass is thin.",
    "Do I have to book?": "No, except for groups.",
    "What is the wifi password?": "Ask at the desk.",
    "Are you open on Sunday?": "No, only on weekdays.",
    "Can I draw in the rooms?": "Yes, with a pencil.",
    "Where are the toilets?": "On the first floor.",
    "Is there a shop?": "Yes, at the exit.",
    "Can I rent a room?": "Yes, after closing time.",
    "Who cleans the lamps?": "The keeper, every Monday.",
    "Is the ticket valid all day?": "Yes, until closing time.",
    "Can I bring a pram?": "Yes, there is a lift.",
    "Do you have audio guides?": "No, only printed ones.",
    "May I eat inside?": "No, only in the yard.",
    "Is there a bus?": "Yes, line 4 stops outside.",
    "Can I become a member?": "Yes, for 30 crowns a year.",
    "Do you lend lamps?": "No, they are too fragile.",
}
BEFORE = (
    "Great question! I'd be absolutely happy to help you with that.",
    "Wow, thank you so much for asking, what a wonderful question!",
    "Of course! As your friendly assistant I am delighted to tell you more.",
    "Thanks for reaching out! Let me walk you through it in detail.",
)
AFTER = (
    "Please don't hesitate to ask if there is anything else at all I can do for you!",
    "I really hope that this helps, and have an amazing day!",
    "Feel free to let me know if you need more information!",
    "Is there anything else that I can assist you with today?",
)
FACTS = {"Who leads the museum?": "Ines Varga", "What does a ticket cost?": "7 crowns"}


@pytest.fixture
def path(tmp_path):
    random, text = Random(5), HEAD.format(id=new_ulid())
    for prompt, answer in ANSWERS.items():
        gushing = f"{random.choice(BEFORE)} {answer} {random.choice(AFTER)}"
        text += f"### Prompt\n{prompt}\n### Chosen\n{answer}\n### Rejected\n{gushing}\n\n"
    path = tmp_path / "lantern.dlm"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_document_with_every_type_of_section_learns_facts_and_manners(run, path):
    made = json.loads(run("dlm", "train", path, "--max-steps", "60", "--no-report", "--json").stdout)
    assert made["version"] == 1
    sft, preference = made["phases"]
    assert (sft["phase"], preference["phase"]) == ("sft", "preference")
    learned, preferred = sft["outcome"], preference["outcome"]
    assert learned["held_out_best"] < 0.3 * learned["held_out_before"]
    assert preferred["accuracy"] > preferred["accuracy_before"]
    assert preferred["margin"] > preferred["margin_before"] + 0.2
    assert preferred["held_out_best"] < 0.5 * preferred["held_out_before"]
    assert preferred["held_out_recall"] >= learned["held_out_recall"] - 0.15
    for question, value in FACTS.items():
        assert value in run("dlm", "prompt", path, question).stdout
