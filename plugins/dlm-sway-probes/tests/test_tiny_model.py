"""The whole battery on a real backend, with a model of two random layers: every probe gives a verdict with a number."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from dlm_sway import Item, SectionData
from dlm_sway.sections import SectionPreference
from dlm_sway.spec.models import Models, ModelSpec, Suite
from dlm_sway.suite.run import run

pytest.importorskip("dlm_hf")
pytestmark = pytest.mark.slow
TOOL = Path(__file__).parents[3] / "tools" / "tiny_model.py"
WORDS = "hello good morning what is new ? .".split()
PROMPTS = [f"{one} {other}" for one in WORDS[:4] for other in WORDS[:2]]
CASES = [{"prompt": prompt, "reference": "good morning ."} for prompt in PROMPTS]


def section(at):
    """Prose of the few words that the tokenizer knows, and two questions about it."""
    text = " ".join(WORDS[(at + n) % 8] for n in range(150))
    asked = (Item(PROMPTS[at], "is new .", f"f{at}"), Item(PROMPTS[at + 4], "good .", f"g{at}"))
    return SectionData(f"s{at}", "prose", text, held_out=asked)


PREFERENCES = tuple(SectionPreference(prompt, "new", "good") for prompt in PROMPTS)
SECTIONS = (*map(section, range(4)), SectionData("p", "preference", "...", preferences=PREFERENCES))
ENTRIES = (
    {"kind": "null_adapter", "runs": 3},
    {"kind": "delta_kl", "cases": CASES},
    {"kind": "answer_gain", "cases": CASES},
    {
        "kind": "paraphrase_invariance",
        "cases": [{"prompt": prompt, "gold": "is new", "paraphrases": ["what ?"]} for prompt in PROMPTS],
    },
    {"kind": "preference_flip"},
    {"kind": "section_internalization"},
    {"kind": "internalization"},
    {"kind": "prompt_collapse", "prompts": PROMPTS, "context_lengths": [0, 16, 32]},
    {"kind": "multi_turn_coherence_decay", "prompts": PROMPTS, "max_turns": 3, "max_new_tokens": 8},
    {"kind": "adapter_ablation", "cases": CASES},
    {"kind": "calibration_drift", "items_limit": 24},
    {"kind": "external_perplexity", "max_chunks": 4, "chunk_chars": 256},
    {"kind": "leakage", "offsets": 2, "prefix_chars": 32, "continuation_chars": 64, "max_new_tokens": 16},
    {"kind": "bleed", "terms": ["new"], "prompts": PROMPTS, "max_new_tokens": 8},
    {"kind": "degeneration", "prompts": PROMPTS, "max_new_tokens": 32},
    {"kind": "tool_use_fidelity"},
    {"kind": "contamination"},
    {"kind": "gradient_ghost"},
)
IN_SEARCH_OF_A_CHANGE = {"delta_kl", "answer_gain", "paraphrase_invariance", "preference_flip", "internalization"}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    subprocess.run([sys.executable, TOOL, folder], check=True, capture_output=True)
    return folder


def judged(tiny, entries=ENTRIES):
    """Every probe's result, nothing taken from another run."""
    base = ModelSpec(base=str(tiny / "base"), device="cpu")
    models = Models(base=base, ft=base.model_copy(update={"adapter": tiny / "adapter"}))
    suite = Suite(models=models, suite=tuple({"name": entry["kind"], **entry} for entry in entries))
    return {one.kind: one for one in run(suite, sections=SECTIONS, cache=False).probes}


@pytest.fixture(scope="module")
def results(tiny):
    return judged(tiny)


@pytest.mark.parametrize("kind", [entry["kind"] for entry in ENTRIES])
def test_every_probe_answers_on_a_real_backend(results, kind):
    found = results[kind]
    assert found.verdict not in ("error", "skip"), found.message
    assert json.loads(json.dumps(asdict(found), allow_nan=False))["message"]


def test_the_same_suite_and_seed_give_the_same_results_in_any_order(tiny, results):
    again = judged(tiny, ENTRIES[::-1])
    for kind, one in results.items():
        first, second = ({**asdict(result), "duration_s": 0.0} for result in (one, again[kind]))
        assert json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True), kind


def test_a_random_adapter_has_learned_nothing(results):
    assert {results[kind].verdict for kind in IN_SEARCH_OF_A_CHANGE} <= {"fail", "inconclusive"}


def test_strength_zero_is_the_base_and_strength_one_the_adapter(results):
    found = results["adapter_ablation"]
    assert "the model is not" not in found.message
    assert found.evidence["mean_divergence_per_lambda"][0] < 1e-9
