"""What dlm asks of a backend that answers, of MLX: adapters trained by PyTorch answer here as they do there."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from dlm.bases import LocalBase
from dlm.corpus.records import Message
from dlm.errors import AdapterMismatch, BaseModelError, UsageProblem
from dlm.testing import AdaptersContract, BackendContract, only_plugins
from dlm.testing.startup import modules_after
from dlm.training.backend import Sampling
from dlm.training.choose import choose, chosen
from dlm.training.mixing import Mix, Part
from dlm_hf import for_dlm as hf_plugin
from dlm_hf.backend import HfBackend
from dlm_mlx import for_dlm as plugin
from dlm_mlx.backend import MlxBackend
from dlm_mlx.placing import Adapted

ASKED = [
    [Message("user", text)]
    for text in ("what is the port of Kittiwake ?", "who owns Kittiwake ?", "hello", "which restart runs first ?")
]
GREEDY = Sampling(max_new_tokens=12)


class HfTrains(MlxBackend):
    """What a user has: PyTorch trains, MLX answers."""

    @contextmanager
    def workbench(self, base, recipe, system_prompt):
        with HfBackend().workbench(base, recipe, system_prompt) as bench:
            yield bench

    def train_gate(self, base, adapters, samples, settings):
        return HfBackend().train_gate(base, adapters, samples, settings)


class Mlx:
    @pytest.fixture
    def backend(self):
        return HfTrains()

    @pytest.fixture
    def base(self, tiny_base):
        return LocalBase("tiny", tiny_base, "sha256:0", "made by the tests")


class TestMlxAnswers(Mlx):
    """The part of the contract that is about answering; the rest is the backend's that trains."""

    _train = BackendContract._train
    test_a_saved_adapter_answers = BackendContract.test_a_saved_adapter_answers
    test_greedy_answers = BackendContract.test_greedy_answers_come_in_order_and_are_the_same_again
    test_what_decides_answers = BackendContract.test_what_decides_answers_has_one_name_each_or_none
    test_drawn_answers = BackendContract.test_drawn_answers_depend_on_the_seed_alone
    test_a_long_prompt_is_refused = BackendContract.test_a_prompt_that_is_too_long_is_refused
    test_an_adapter_of_another_base_is_refused = BackendContract.test_an_adapter_of_another_base_is_refused


class TestMlxAdapters(Mlx, AdaptersContract):
    pass


@pytest.fixture(scope="module")
def base(tiny_base):
    return LocalBase("tiny", tiny_base, "sha256:0", "made by the tests")


@pytest.fixture(scope="module")
def adapters(tiny_base, write_adapter, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapters")
    return (
        write_adapter(tiny_base, folder / "one"),
        write_adapter(tiny_base, folder / "two", seed=5, targets=("q_proj", "up_proj"), use_rslora=True),
        write_adapter(tiny_base, folder / "dora", seed=6, targets=("v_proj", "up_proj"), use_dora=True),
    )


def answers(backend, base, adapter, sampling=GREEDY, weights=None):
    with backend.answerer(base, adapter, None, "fp32") as answerer:
        found = list(answerer.answer(ASKED, sampling, *([weights] if weights else [])))
        return [(one.text, one.tokens, one.complete) for one in found]


def test_answers_are_those_of_pytorch(base, adapters):
    one, two, dora = adapters
    mix = Mix((Part("one", one, 0.5), Part("two", two, 0.8)))
    seen = []
    for adapter in (None, one, two, dora, mix, Mix((Part("one", one, 0.5), Part("dora", dora, 0.7)))):
        seen.append(answers(MlxBackend(), base, adapter))
        assert seen[-1] == answers(HfBackend(), base, adapter)
    assert len({str(one) for one in seen}) == 6
    weights = [(1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (0.3, -0.2)]
    assert answers(MlxBackend(), base, mix, weights=weights) == answers(HfBackend(), base, mix, weights=weights)


def test_drawn_answers_follow_temperature_and_top_p(base):
    def texts(**sampling):
        return [text for text, _, _ in answers(MlxBackend(), base, None, Sampling(12, **sampling))]

    assert texts(temperature=1.0, seed=1) == texts(temperature=1.0, seed=1) != texts(temperature=1.0, seed=2)
    greedy = [text for text, _, _ in answers(MlxBackend(), base, None)]
    assert texts(temperature=1.0, top_p=1e-6, seed=1) == greedy
    assert texts(temperature=1e-4, seed=1) == greedy


def test_distributions_are_those_of_pytorch_with_the_adapter_on_and_off(base, adapters):
    with (
        MlxBackend().runtime(base, adapters[0], "You brief .") as mine,
        HfBackend().runtime(base, adapters[0], "You brief .") as theirs,
    ):
        ids = mine.prompt_ids(ASKED[0])
        assert ids == theirs.prompt_ids(ASKED[0])
        assert (mine.stop_ids, mine.start_ids, mine.context) == (theirs.stop_ids, theirs.start_ids, theirs.context)
        assert mine.text_ids("hello zebra") == theirs.text_ids("hello zebra")
        for start in (0, 3, len(ids) - 1):
            on, off = mine.log_probs(ids, start), mine.untouched_log_probs(ids, start)
            assert on.dtype == np.float32
            assert on == pytest.approx(theirs.log_probs(ids, start), abs=1e-4)
            assert off == pytest.approx(theirs.untouched_log_probs(ids, start), abs=1e-4)
            assert np.abs(on - off).max() > 0.1
        assert mine.answer(ASKED[0]).text == theirs.answer(ASKED[0]).text


def test_bf16_answers_too(base, adapters):
    with MlxBackend().answerer(base, adapters[0], None, "bf16") as answerer:
        assert len(list(answerer.answer(ASKED, GREEDY))) == len(ASKED)


def test_an_adapter_that_does_not_act_is_an_error(base, adapters, write_adapter, tmp_path, monkeypatch):
    nothing = write_adapter(base.path, tmp_path / "nothing", spread=0.0)
    assert answers(MlxBackend(), base, nothing) == answers(MlxBackend(), base, None), "untrained, and known to be"
    monkeypatch.setattr(Adapted, "__call__", lambda self, x: self.linear(x))
    with (
        pytest.raises(AdapterMismatch, match="says the same without it"),
        MlxBackend().answerer(base, adapters[0], None, "fp32"),
    ):
        pass


def test_tensors_that_went_elsewhere_are_an_error(base, adapters, monkeypatch):
    wear = Adapted.wear
    monkeypatch.setattr(
        Adapted, "wear", lambda self, updates: wear(self, [one._replace(up=2 * one.up) for one in updates])
    )
    with (
        pytest.raises(AdapterMismatch, match="did not take their tensors"),
        MlxBackend().answerer(base, adapters[0], None, "fp32"),
    ):
        pass


def test_what_mlx_cannot_be_is_refused_with_the_way_out(base, adapters, tmp_path):
    with (
        pytest.raises(UsageProblem, match="--backend hf"),
        MlxBackend().answerer(replace(base, quantisation="nf4"), adapters[0], None),
    ):
        pass
    with (
        pytest.raises(BaseModelError, match="--backend hf"),
        MlxBackend().answerer(replace(base, path=_with(base.path, tmp_path, model_type="nobody_knows_it")), None, None),
    ):
        pass
    with pytest.raises(UsageProblem, match="train with hf"):
        MlxBackend().workbench(base, None, None)


def _with(folder, copy, **changes):
    """A copy of a base with another configuration."""
    import json
    import shutil

    shutil.copytree(folder, copy / "changed")
    config = json.loads((folder / "config.json").read_text())
    (copy / "changed" / "config.json").write_text(json.dumps({**config, **changes}))
    return copy / "changed"


def test_mlx_is_chosen_by_name_and_by_itself_on_apple_silicon_only(monkeypatch):
    with only_plugins(plugin, hf_plugin):
        assert isinstance(choose("generate", "mlx"), MlxBackend)
        monkeypatch.setattr(sys, "platform", "linux")
        assert chosen("generate") == "hf"
        monkeypatch.setattr(sys, "platform", "darwin")
        monkeypatch.setattr("platform.machine", lambda: "arm64")
        assert (chosen("generate"), chosen("train")) == ("mlx", "hf")
        with pytest.raises(UsageProblem, match="mlx cannot train"):
            choose("train", "mlx")


def test_describing_it_loads_neither_mlx_nor_pytorch():
    loaded = modules_after("import dlm_mlx.for_dlm, dlm_mlx.for_sway")
    assert not {"mlx", "mlx_lm", "torch", "transformers", "numpy"} & {name.partition(".")[0] for name in loaded}
