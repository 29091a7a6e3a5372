from __future__ import annotations

import pytest

from dlm_sway.testing import ProbeContract

CASES = [
    {"prompt": f"What is the name of berth {i}?", "reference": f"Berth {i} is called harbour{i}."} for i in range(6)
]


class TestDeltaKl(ProbeContract):
    name = "delta_kl"
    plugin_module = "dlm_sway_probes.plugin"

    @pytest.fixture
    def options(self):
        return {"prompts": ["The tide", "A berth", "The lock"], "cases": CASES}


class TestDeltaKlAsAGuard(ProbeContract):
    name = "delta_kl"
    plugin_module = "dlm_sway_probes.plugin"

    @pytest.fixture
    def options(self):
        return {"cases": CASES, "divergence": "kl", "assert_mean_lte": 0.3}


class TestAnswerGain(ProbeContract):
    name = "answer_gain"
    plugin_module = "dlm_sway_probes.plugin"

    @pytest.fixture
    def options(self):
        return {"cases": CASES}
