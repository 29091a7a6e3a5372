from __future__ import annotations

import pytest

from dlm_sway import Item
from dlm_sway.testing import ClosedForm, ProbeContract

CASES = [
    {
        "prompt": f"When does the pump {n} restart ?",
        "gold": f"the pump {n} restarts after {n + 9} seconds",
        "paraphrases": [f"pump {n} : how long ?", f"seconds of pump {n} ?"],
    }
    for n in range(6)
]
TIDES = [{"prompt": f"the lock {n} opens at the tide", "reference": f"gate {n} opens"} for n in range(12)]
BREADS = [{"prompt": f"bake bread {n} oven dough", "reference": f"oven {n}"} for n in range(12)]


class Semantic(ProbeContract):
    """What these have in common."""

    plugin_module = "dlm_sway_semantic.plugin"


class TestAdapterRevert(Semantic):
    name = "adapter_revert"

    @pytest.fixture
    def options(self, tiny_model):
        return {"cases": CASES, "embedding_model": str(tiny_model)}

    @pytest.fixture
    def planted(self, scripted):
        golds = {text: case["gold"] for case in CASES for text in (case["prompt"], *case["paraphrases"])}
        return scripted(lambda prompt, tuned: golds[prompt] if tuned else "nothing of that")


class TestClusterKl(Semantic):
    name = "cluster_kl"

    @pytest.fixture
    def options(self, tiny_model):
        return {"cases": [*TIDES, *BREADS], "num_clusters": 2, "embedding_model": str(tiny_model)}

    @pytest.fixture
    def planted(self):
        return ClosedForm(taught=[Item(one["prompt"], one["reference"]) for one in TIDES], size=20.0)


class TestClusterKlOfFirstTokens(TestClusterKl):
    @pytest.fixture
    def options(self, tiny_model):
        prompts = [one["prompt"] for one in (*TIDES, *BREADS)]
        return {"prompts": prompts, "num_clusters": 2, "divergence": "kl", "embedding_model": str(tiny_model)}

    @pytest.fixture
    def planted(self):
        return ClosedForm(taught=[Item(one["prompt"], "yes") for one in TIDES], size=20.0)
