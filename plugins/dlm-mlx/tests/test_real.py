"""The pretrained base with an adapter, in MLX and in PyTorch: the same distributions, answers and views."""

from __future__ import annotations

import numpy as np
import pytest

from dlm.corpus.records import Message
from dlm_hf.backend import HfBackend
from dlm_hf.scoring import HfScoring
from dlm_mlx.backend import MlxBackend
from dlm_mlx.checking import convert_checked
from dlm_mlx.scoring import MlxScoring
from dlm_sway.scoring.types import FT, Item, View
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair

pytestmark = pytest.mark.slow
ASKED = [Message("user", "What is the capital of France?")]
ITEMS = (Item("What is the capital of France?", "The capital of France is Paris."), Item("Name a river."))


@pytest.fixture(scope="module")
def adapter(real_base, write_adapter, tmp_path_factory):
    folder = tmp_path_factory.mktemp("real") / "adapter"
    patterns = {"rank_pattern": {"q_proj": 8}, "alpha_pattern": {"down_proj": 24}}
    return write_adapter(real_base.path, folder, spread=0.02, use_rslora=True, **patterns)


def test_distributions_and_answers_are_those_of_pytorch(real_base, adapter):
    with HfBackend().runtime(real_base, adapter, None, "fp32") as theirs:
        ids = theirs.prompt_ids(ASKED)
        wanted = theirs.log_probs(ids), theirs.untouched_log_probs(ids)
        said = theirs.answer(ASKED, 12).text
    with MlxBackend().runtime(real_base, adapter, None) as mine:
        assert mine.prompt_ids(ASKED) == ids
        found = mine.log_probs(ids), mine.untouched_log_probs(ids)
        for one, other in zip(found, wanted, strict=True):
            assert np.abs(one - other).max() < 2e-3
            assert (one.argmax(-1) == other.argmax(-1)).all()
        assert np.abs(found[0] - found[1]).max() > 0.1
        assert mine.answer(ASKED, 12).text == said


def test_views_and_their_nulls_are_those_of_pytorch(real_base, adapter):
    spec = ModelSpec(base=str(real_base.path), adapter=adapter)
    pair = ModelPair(ModelSpec(base=str(real_base.path)), spec)
    mlx, hf = MlxScoring(pair, SuiteDefaults()), HfScoring(pair, SuiteDefaults())
    for view in (FT, View("null", seed=1000)):
        for one, other in zip(mlx.compare(ITEMS, view), hf.compare(ITEMS, view), strict=True):
            assert one[1:5] == pytest.approx(other[1:5], abs=1e-5)
            assert one[6:8] == pytest.approx(other[6:8], abs=1e-3)


def test_mlx_lm_loads_the_converted_adapter_onto_it(real_base, adapter, tmp_path):
    made, moved = convert_checked([(adapter, 1.0)], tmp_path / "mlx", real_base.path)
    assert (made.modules, made.rank, made.folded) == (210, 8, 210)
    assert moved > 0.1
