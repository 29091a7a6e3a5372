from __future__ import annotations

import pytest

from dlm_sway.testing import ProbeContract

PROMPTS = ["The tide", "A berth", "The lock"]
CASES = [
    {"prompt": f"What is the name of berth {i}?", "reference": f"Berth {i} is called harbour{i}."} for i in range(6)
]
WORDINGS = [
    {"prompt": case["prompt"], "gold": case["reference"], "paraphrases": [f"Name berth {i}.", f"Berth {i}: its name?"]}
    for i, case in enumerate(CASES)
]


class Standard(ProbeContract):
    """What these have in common."""

    plugin_module = "dlm_sway_probes.plugin"


def contract(kind, **options):
    """The contract for ``kind`` with these keys of its entry."""

    class TestIt(Standard):
        name = kind

        @pytest.fixture
        def options(self):
            return options

    return TestIt


TestDeltaKl = contract("delta_kl", prompts=PROMPTS, cases=CASES)
TestDeltaKlAsAGuard = contract("delta_kl", cases=CASES, divergence="kl", assert_mean_lte=0.3)
TestAnswerGain = contract("answer_gain", cases=CASES)
TestCalibrationDrift = contract("calibration_drift", items_limit=40)
TestCalibrationDriftOfWhatIsKnown = contract("calibration_drift", items_limit=40, known_only=True)
TestExternalPerplexity = contract("external_perplexity", max_chunks=6)
TestParaphraseInvariance = contract("paraphrase_invariance", cases=WORDINGS)
TestPromptCollapse = contract("prompt_collapse", prompts=PROMPTS, cases=CASES, context_lengths=[0, 64, 128])
TestAdapterAblation = contract("adapter_ablation", prompts=PROMPTS, cases=CASES)
