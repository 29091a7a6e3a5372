from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import pytest

from dlm_sway.errors import NotSupported
from dlm_sway.probes.integrity import Integrity, IntegritySpec
from dlm_sway.scoring.types import View
from dlm_sway.testing import ClosedForm, ProbeContract, context


class TestIntegrity(ProbeContract):
    name = "integrity"
    plugin_module = "dlm_sway.builtin"

    @pytest.mark.xfail(reason="the unchanged model of the contract has an adapter that does nothing: what this finds")
    def test_the_verdict_on_identical_models_is_the_honest_one(self, probe, place, unchanged, seeks):
        ProbeContract.test_the_verdict_on_identical_models_is_the_honest_one(self, probe, place, unchanged, seeks)

    @pytest.fixture
    def planted(self):
        """Training that diverged."""
        backend = ClosedForm(direction="random", size=40.0)
        backend._update[3, 1] = math.nan
        return backend


class Told(ClosedForm):
    """A healthy adapter, except for what the test says about its file."""

    def __init__(self, module=None, **told):
        super().__init__(direction="random", size=40.0)
        self.told, self.module = told, module or {}

    def inspect(self):
        seen = super().inspect()
        return replace(seen, modules=tuple(replace(m, **self.module) for m in seen.modules), **self.told)


def run(backend=None, **keys):
    return Integrity(IntegritySpec(name="sound", kind="integrity", **keys)).run(context(backend or Told()))


def test_a_sound_adapter_passes_and_its_size_is_stated():
    result = run()
    assert result.verdict == "pass"
    assert result.message.startswith("every key matches the base and none is missing (modules: 1); update norm 40")
    assert result.message.endswith("off, it is the base")
    assert result.evidence["adapter"]["largest"][0]["name"] == "table"
    assert result.evidence["outputs"]["off_kl"] == 0.0
    assert result.seeks == "harm"


def test_an_adapter_that_training_did_not_move_is_called_that():
    result = run(ClosedForm(size=0.0))
    assert result.verdict == "fail"
    assert result.message == (
        "the adapter is loaded but changes nothing: every update is zero (B = 0), training did not move it"
    )


@pytest.mark.parametrize(
    ("told", "verdict", "said"),
    [
        (
            {"unexpected": ("a.lora_A", "a.lora_B")},
            "fail",
            "2 of 1 keys match no module of the base: a.lora_A, a.lora_B",
        ),
        ({"missing": ("q.lora_A",)}, "fail", "are missing from the adapter file: q.lora_A"),
        ({"mismatched": ("q.lora_A",)}, "fail", "have another shape than the base expects: q.lora_A"),
        ({"tensors": 0}, "fail", "holds no tensors"),
        ({"declared_digest": "sha256:aa", "base_digest": "sha256:bb"}, "fail", "trained on other weights"),
        ({"tokenizer_tokens": 6}, "fail", "6 tokens but the model 5 embedding rows"),
        ({"module": {"non_finite": 3, "update_norm": math.nan}}, "fail", "3 values are NaN or infinite, in table"),
        ({"declared_digest": None}, "pass", "none is missing"),
        ({"extra_saved": ("lm_head",)}, "pass", "none is missing"),
    ],
)
def test_what_the_file_says_decides(told, verdict, said):
    result = run(Told(**told))
    assert result.verdict == verdict
    assert said in result.message
    assert json.dumps(asdict(result), allow_nan=False)


def test_an_unproven_base_and_modules_saved_in_full_are_noted():
    result = run(Told(declared_digest=None, declared_revision="abc", extra_saved=("lm_head",)))
    notes = [finding["text"] for finding in result.evidence["findings"] if finding["level"] == "note"]
    assert any("nothing proves" in note and "at abc" in note for note in notes)
    assert any("lm_head" in note for note in notes)


def test_some_zero_updates_warn():
    class Two(Told):
        def inspect(self):
            seen = super().inspect()
            return replace(seen, modules=(*seen.modules, replace(seen.modules[0], name="idle", update_norm=0.0)))

    result = run(Two())
    assert (result.verdict, result.message) == ("warn", "1 of 2 updates are zero: idle")


def test_several_faults_are_counted_and_all_kept():
    result = run(Told(unexpected=("x",), missing=("y",), declared_base="other-model"))
    assert "(and 1 more)" in result.message
    assert "it was trained for other-model" in result.message
    assert len(result.evidence["findings"]) == 2


def test_an_adapter_that_does_not_fit_is_not_run():
    class Unfit(Told):
        def compare(self, items, view, *, layout=0):
            raise AssertionError("asked for outputs of an adapter that does not fit")

    assert run(Unfit(missing=("y",))).verdict == "fail"


def test_updates_that_do_not_reach_the_outputs_fail():
    class Ignored(Told):
        def compare(self, items, view, *, layout=0):
            return super().compare(items, View("base"), layout=layout)

    result = run(Ignored())
    assert result.verdict == "fail"
    assert "the adapter is not applied" in result.message


def test_something_that_stays_on_at_strength_zero_fails_unless_it_was_saved_in_full():
    class Stuck(Told):
        def compare(self, items, view, *, layout=0):
            view = View("scaled", scale=0.1) if view == View("scaled", scale=0.0) else view
            return super().compare(items, view, layout=layout)

    assert "something other than the update" in run(Stuck()).message
    assert run(Stuck()).verdict == "fail"
    assert run(Stuck(extra_saved=("lm_head",))).verdict == "warn"


def test_outputs_that_are_not_numbers_fail():
    class Broken(Told):
        def compare(self, items, view, *, layout=0):
            found = super().compare(items, view, layout=layout)
            return found if view.kind == "base" else [c._replace(kl=math.nan) for c in found]

    result = run(Broken())
    assert result.verdict == "fail"
    assert "not finite" in result.message
    assert json.dumps(asdict(result), allow_nan=False)


def test_a_backend_that_cannot_scale_leaves_that_check_out_and_says_so():
    class Fixed(Told):
        def compare(self, items, view, *, layout=0):
            if view.kind == "scaled":
                raise NotSupported("no scale here")
            return super().compare(items, view, layout=layout)

    result = run(Fixed())
    assert result.verdict == "pass"
    assert result.evidence["outputs"]["off_not_checked"] == "no scale here"


def test_without_an_adapter_there_is_nothing_to_check():
    class Whole(Told):
        def inspect(self):
            raise NotSupported("a whole model was fine-tuned")

    result = run(Whole())
    assert (result.verdict, result.message) == ("skip", "a whole model was fine-tuned")


def test_files_alone_need_no_forward_pass():
    class Silent(Told):
        def compare(self, items, view, *, layout=0):
            raise AssertionError("a forward pass was made")

    assert run(Silent(), forward=False).verdict == "pass"
