"""What sway asks of every scoring backend, of MLX, and beside the numbers of PyTorch."""

from __future__ import annotations

import pytest

from dlm_hf.scoring import HfScoring
from dlm_mlx.judging import MlxJudging
from dlm_mlx.scoring import MlxScoring
from dlm_sway.scoring.types import BASE, FT, Item, View
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair
from dlm_sway.testing.backend import BackendContract

ITEMS = (
    Item("what is the port of Kittiwake ?", "Kittiwake listens on 7413 ."),
    Item("who owns Kittiwake ?", "Soundings team"),
    Item("hello"),
    Item("which restart runs first , gannet or petrel ?", "gannet runs first and then petrel , every 40 minutes ."),
)


@pytest.fixture(scope="module")
def adapter(tiny_base, write_adapter, tmp_path_factory):
    return write_adapter(tiny_base, tmp_path_factory.mktemp("adapters") / "trained")


def pair_of(base, adapter, **ft):
    return ModelPair(ModelSpec(base=str(base)), ModelSpec(base=str(base), adapter=adapter, **ft))


@pytest.fixture(scope="module")
def mlx(tiny_base, adapter):
    return MlxScoring(pair_of(tiny_base, adapter), SuiteDefaults())


@pytest.fixture(scope="module")
def hf(tiny_base, adapter):
    return HfScoring(pair_of(tiny_base, adapter), SuiteDefaults())


class TestContract(BackendContract):
    gives = frozenset({"compare", "generate", "inspect", "null", "scale", "texts"})

    @pytest.fixture
    def backend(self, tiny_base, adapter):
        return MlxJudging(pair_of(tiny_base, adapter), SuiteDefaults())


@pytest.mark.parametrize(
    "view",
    [FT, View("scaled", scale=0.3), View("null", seed=1000), View("null", seed=7, rank=2.0)],
    ids=lambda view: view.label,
)
def test_every_view_gives_the_numbers_of_pytorch(mlx, hf, view):
    for one, other in zip(mlx.compare(ITEMS, view), hf.compare(ITEMS, view), strict=True):
        assert one.positions == other.positions
        assert one[1:6] == pytest.approx(other[1:6], abs=1e-5)
        assert one[6:8] == pytest.approx(other[6:8], abs=1e-4)


def test_texts_answers_and_sizes_are_those_of_pytorch(mlx, hf):
    texts = ["what is the port of Kittiwake ?", "hello " * 600]
    for view in (BASE, FT):
        for one, other in zip(mlx.texts(texts, view), hf.texts(texts, view), strict=True):
            assert one.tokens == other.tokens
            assert one.logprob == pytest.approx(other.logprob, abs=1e-5 * one.tokens)
        assert mlx.generate(ITEMS, view, max_new_tokens=12) == hf.generate(ITEMS, view, max_new_tokens=12)
    assert mlx.count_tokens(texts) == hf.count_tokens(texts)
    mine, theirs = mlx.inspect(), hf.inspect()
    assert {one.name: one[1:] if isinstance(one, tuple) else one.rank for one in mine.modules} == {
        one.name: one.rank for one in theirs.modules
    }
    sizes = {one.name: (one.update_norm, one.weight_norm, one.stable_rank) for one in theirs.modules}
    for one in mine.modules:
        assert (one.update_norm, one.weight_norm, one.stable_rank) == pytest.approx(sizes[one.name], rel=1e-4)
    assert (mine.tensors, mine.matched) == (theirs.tensors, theirs.matched)
