"""The certificate, with models whose distributions are known: what passes, what does not, and what it says then."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from dlm.corpus.records import Message
from dlm.errors import ExportFailed
from dlm.export.certificate import lines, load, save, schema
from dlm.export.certifying import Subject, measure
from dlm.export.floors import EIGHT, FULL, floor_of
from dlm.export.parity import compare, effect_kept, mean_divergence, strength
from dlm.export.runtime import Runtime
from dlm.export.spoken import Question
from dlm.export.texts import Material
from dlm.learning.expected import Expected
from dlm.training.backend import Answer

CONTRACT = Path(__file__).parents[3] / "contracts" / "export-certificate.schema.json"
LETTERS = 160
START, TURN, STOP = 1, 2, 3
TOLD = "The harbour master keeps the key of the lighthouse and lends it to nobody but the two pilots on Sundays."


class Letters(Runtime):
    """Reads letters. The adapter moves what follows each letter; an export may do so more, less, or with noise."""

    def __init__(self, scale=1.0, noise=0.0, *, start=(START,), turn=TURN, stops=(STOP,), system=True, answers=None):
        draw = np.random.default_rng(5)
        self.base = 2 * draw.standard_normal((LETTERS, LETTERS))
        change = 1.5 * draw.standard_normal((LETTERS, LETTERS))
        self.logits = self.base + scale * change + noise * draw.standard_normal((LETTERS, LETTERS))
        self.start, self.turn, self.stops, self.system = tuple(start), turn, stops, system
        self.said = answers or {}

    name = "letters"

    @property
    def stop_ids(self):
        return frozenset(self.stops)

    @property
    def start_ids(self):
        return frozenset({START})

    def prompt_ids(self, messages):
        if messages[0].role != "system" and self.system:
            messages = [Message("system", "Be brief."), *messages]
        return [*self.start, *(one for turn in messages for one in (self.turn, *self.text_ids(turn.content)))]

    def text_ids(self, text):
        return [4 + byte % (LETTERS - 4) for byte in text.encode()]

    def log_probs(self, ids, start=0):
        return softmax(self.logits[list(ids[start:])])

    def untouched_log_probs(self, ids, start=0):
        return softmax(self.base[list(ids[start:])])

    def answer(self, messages, max_new_tokens=64):
        said = self.said.get(messages[-1].content)
        return Answer(said or "x" * max_new_tokens, 5, 0.0, complete=said is not None)


def softmax(logits):
    return (logits - np.log(np.exp(logits).sum(-1, keepdims=True))).astype(np.float32)


QUESTIONS = tuple(
    Question(f"What is in box {number}?", Expected((f"{number}00",)), f"It holds {number}00.", number)
    for number in range(1, 13)
)
KNOWN = {one.text: one.said for one in QUESTIONS}
SUBJECT = Subject(
    "Q8_0",
    "merged",
    Material(tuple((Message("user", f"Who {number}?"), Message("assistant", TOLD)) for number in range(9)), (TOLD,)),
    QUESTIONS,
)


def certificate(quant="Q8_0", **export):
    trained = Letters(answers=KNOWN)
    return measure(SUBJECT._replace(quant=quant), trained, Letters(**{"answers": KNOWN, **export}))


def failed(found):
    return [check.name for check in found.checks if check.verdict == "failed"]


def test_an_export_that_is_the_trained_model_passes_with_nothing_lost():
    found = certificate("F32")
    assert (found.verdict, found.reasons) == ("passed", ())
    assert found.effect_kept == pytest.approx((1, 1, 1))
    assert found.strength == pytest.approx((1, 1, 1))
    assert found.divergence.value == pytest.approx(0, abs=1e-7)
    assert found.agreement == (1, 1, 1)
    assert (found.recall.exported, found.recall.same, found.recall.asked) == (12, 12, 12)
    assert found.positions >= 2000
    assert set(found.parts) == {"answers", "prose", "general"}


def test_an_export_without_the_adapter_keeps_none_of_its_effect_and_is_told_so():
    found = certificate(scale=0.0)
    assert found.verdict == "failed"
    assert found.effect_kept.value == pytest.approx(0, abs=1e-5)
    assert found.strength.value == pytest.approx(0, abs=1e-5)
    assert "effect kept" in failed(found)


@pytest.mark.parametrize("scale", [0.5, 1.5])
def test_an_adapter_of_another_scale_is_told_by_its_strength(scale):
    trained = Letters(answers=KNOWN)
    quiet = {"answers": KNOWN, "scale": scale}
    found = measure(SUBJECT._replace(quant="F16"), trained, Local(**quiet))
    assert found.strength.value == pytest.approx(scale, abs=0.05)
    assert "effect kept" in failed(found)
    assert any(f"{found.strength.value:.2f} of its strength" in reason for reason in found.reasons)


class Local(Letters):
    """As an adapter that acts on the document alone does, it leaves general text nearly alone."""

    def log_probs(self, ids, start=0):
        if TURN in ids:
            return super().log_probs(ids, start)
        return softmax((self.base + 1.0 * (Letters().logits - self.base))[list(ids[start:])])


def test_rounding_that_costs_too_much_is_answered_with_a_finer_format():
    found = certificate("Q4_K_M", noise=1.0)
    assert "KL" in failed(found)
    assert any("choose a finer one (--quant Q8_0" in reason for reason in found.reasons)


def test_the_same_noise_passes_in_a_coarse_format_and_not_in_a_fine_one():
    assert certificate("Q4_K_M", noise=0.3).verdict == "passed"
    assert certificate("F16", noise=0.3).verdict == "failed"


def test_weights_in_another_order_are_told_by_text_that_has_nothing_to_do_with_the_document():
    found = certificate(noise=4.0)
    assert any("damaged, or in another order" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("export", "check", "reason"),
    [
        ({"start": (START, START)}, "start token", "two start tokens"),
        ({"start": ()}, "start token", "start token is missing"),
        ({"turn": 9}, "prompt", "the template in the file is not the one of training"),
        ({"system": False}, "prompt", "system prompt is not put in front"),
        ({"stops": (9,)}, "stop", "token 3 ends an answer in training"),
        ({"answers": {}}, "recall", "12 questions that were learned are not answered any more"),
    ],
)
def test_what_is_wrong_with_prompts_ends_and_answers_is_named(export, check, reason):
    found = certificate(**export)
    assert found.verdict == "failed"
    assert check in failed(found)
    assert any(reason in one for one in found.reasons)


def test_of_an_adapter_that_changes_nothing_no_share_can_be_told():
    trained = Letters(scale=0.001, answers=KNOWN)
    found = measure(SUBJECT, trained, Letters(scale=0.001, answers=KNOWN))
    assert found.verdict == "could not tell"
    assert any("too little to tell" in reason for reason in found.reasons)


def test_no_finite_numbers_fail():
    broken = Letters(answers=KNOWN)
    broken.logits = broken.logits * np.nan
    found = measure(SUBJECT, Letters(answers=KNOWN), broken)
    assert found.verdict == "failed"
    assert any("no finite numbers" in reason for reason in found.reasons)


def test_a_certificate_is_read_again_as_it_was_written_and_fits_its_schema(tmp_path):
    found = certificate(scale=0.0)
    save(found, tmp_path)
    Draft202012Validator(json.loads(CONTRACT.read_text())).validate(
        json.loads((tmp_path / "certificate.json").read_text())
    )
    assert load(tmp_path) == found
    assert load(tmp_path / "nowhere") is None
    (tmp_path / "certificate.json").write_text("{")
    with pytest.raises(ExportFailed, match="verify-export"):
        load(tmp_path)


def test_the_contract_is_the_schema_of_the_code():
    write = "python -c 'from dlm.export.certificate import schema; print(schema(), end=\"\")'"
    assert CONTRACT.read_text(encoding="utf-8") == schema(), f"run: {write} > contracts/export-certificate.schema.json"


def test_the_figures_fit_80_columns_and_come_out_the_same_again():
    one, again = certificate(noise=0.4), certificate(noise=0.4)
    assert replace(one, seconds=0) == replace(again, seconds=0)
    assert all(len(line) <= 80 for line in lines(one))


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(-1, 3), noise=st.floats(0, 2), seed=st.integers(0, 9))
def test_the_effect_kept_is_one_less_the_divergence_over_the_adapters_own(scale, noise, seed):
    draw = np.random.default_rng(seed)
    base, change, rest = draw.standard_normal((3, 20, 30))
    tuned, exported = softmax(base + change), softmax(base + scale * change + noise * rest)
    text = compare("answers", tuned, softmax(base), exported)
    kept, diverged = effect_kept([text], 0).value, mean_divergence([text], 0).value
    exactly = (np.exp(tuned.astype(float)) * (tuned.astype(float) - exported)).sum(-1).mean()
    assert diverged == pytest.approx(exactly, abs=1e-5)
    assert kept == pytest.approx(1 - diverged / text.base.mean(), abs=1e-6)
    assert kept <= 1 + 1e-6
    if noise == 0:
        assert strength([text], 0).value == pytest.approx(scale, abs=1e-3)


def test_formats_are_held_to_floors_by_their_bits():
    assert floor_of(None) == floor_of("BF16") == floor_of("F32") == FULL
    assert floor_of("Q8_0") == EIGHT
    floors = [floor_of(name) for name in ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_0", "Q2_K")]
    assert floors == sorted(floors, key=lambda floor: floor.divergence)
    assert len(set(floors)) == 6
