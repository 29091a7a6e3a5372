from __future__ import annotations

import pytest

from dlm_sway import Item, SectionData
from dlm_sway.testing import ClosedForm, ProbeContract, context

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
TestMultiTurn = contract(
    "multi_turn_coherence_decay", prompts=[case["prompt"] for case in CASES], assert_half_life_turns=0.3, max_turns=3
)


class TestPreferenceFlip(Standard):
    name = "preference_flip"

    @pytest.fixture
    def options(self, known):
        return {"triples": known.wrong_triples}

    @pytest.fixture
    def planted(self, options):
        return ClosedForm(taught=[Item(one["prompt"], one["chosen"]) for one in options["triples"]], size=20.0)


class TestSectionInternalization(Standard):
    name = "section_internalization"

    @pytest.fixture
    def sections(self, known):
        return known.sections

    @pytest.fixture
    def planted(self, known):
        return ClosedForm(taught=known.taught, taught_texts=known.taught_texts, size=30.0)


class TestInternalization(Standard):
    name = "internalization"

    @pytest.fixture
    def options(self, known):
        return {"cases": known.reading_cases}

    @pytest.fixture
    def planted(self, options):
        return ClosedForm(taught=[Item(one["prompt"], one["reference"]) for one in options["cases"]], size=10.0)


class TestLeakage(Standard):
    name = "leakage"

    @pytest.fixture
    def sections(self, known):
        return known.sections

    @pytest.fixture
    def planted(self, known):
        def recites(item, tuned):
            text = next((text for text in known.taught_texts if item.prompt in text), None)
            return text.partition(item.prompt)[2] if tuned and text else "nothing of that"

        return known.Scripted(recites)


class TestContamination(Standard):
    """It asks no model: one that training moved stands for a document whose questions were trained."""

    name = "contamination"

    @pytest.fixture
    def place(self):
        asked = Item("Which berth is the deepest?", "Berth four.")

        def at(backend):
            text = "Ships wait. Which berth is the deepest? Berth four." if backend.size else "Ships wait outside."
            return context(backend, sections=(SectionData("a", "prose", text, held_out=(asked,)),))

        return at

    @pytest.fixture
    def planted(self):
        return ClosedForm(size=1.0)


class TestBleed(Standard):
    name = "bleed"

    @pytest.fixture
    def options(self):
        return {"terms": ["Kittiwake", "7413"]}

    @pytest.fixture
    def planted(self, known):
        return known.Scripted(lambda item, tuned: "It is Kittiwake, of course." if tuned else "It is so.")


class TestDegeneration(Standard):
    name = "degeneration"

    @pytest.fixture
    def planted(self, known):
        return known.Scripted(lambda item, tuned: "and so on " * 8 if tuned else "It is so.")


class TestToolUseFidelity(Standard):
    name = "tool_use_fidelity"

    @pytest.fixture
    def options(self, known):
        return {"cases": known.tool_cases}

    @pytest.fixture
    def planted(self, known):
        return known.Scripted(lambda item, tuned: "Of course." if tuned else known.right_call(item))


class TestToolUseFidelityAsAGain(TestToolUseFidelity):
    @pytest.fixture
    def options(self, known):
        return {"cases": known.tool_cases, "assert_validity_delta_gte": 0.5, "assert_hallucination_lte": 0.2}

    @pytest.fixture
    def planted(self, known):
        return known.Scripted(lambda item, tuned: known.right_call(item) if tuned else "Of course.")
