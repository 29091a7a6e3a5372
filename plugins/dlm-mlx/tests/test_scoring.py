"""What sway asks of every scoring backend, of MLX, and beside the numbers of PyTorch."""

from __future__ import annotations

import json
import shutil

import pytest

from dlm_hf.scoring import HfScoring
from dlm_mlx.judging import MlxJudging
from dlm_mlx.scoring import MlxScoring
from dlm_sway.errors import AdapterMismatch, BackendError, NotSupported, TargetError
from dlm_sway.scoring.types import BASE, FT, Item, View
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair
from dlm_sway.testing.backend import BackendContract
from dlm_sway.testing.startup import modules_after

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


def test_dora_is_scored_at_every_strength_and_has_no_nulls_here(tiny_base, write_adapter, tmp_path):
    folder = write_adapter(tiny_base, tmp_path / "dora", use_dora=True)
    mlx, hf = (kind(pair_of(tiny_base, folder), SuiteDefaults()) for kind in (MlxScoring, HfScoring))
    for view in (FT, View("scaled", scale=0.4)):
        for one, other in zip(mlx.compare(ITEMS, view), hf.compare(ITEMS, view), strict=True):
            assert one[1:5] == pytest.approx(other[1:5], abs=1e-5)
    mine, theirs = mlx.inspect(), hf.inspect()
    assert (mine.tensors, mine.matched) == (theirs.tensors, theirs.matched)
    sizes = {one.name: (one.update_norm, one.weight_norm, one.stable_rank) for one in theirs.modules}
    for module in mine.modules:
        assert (module.update_norm, module.weight_norm, module.stable_rank) == pytest.approx(sizes[module.name], 1e-3)
    for view in (View("null", seed=1), View("shuffled", seed=1)):
        with pytest.raises(NotSupported, match="kind: hf"):
            mlx.compare(ITEMS, view)
    with pytest.raises(NotSupported):
        mlx.inspect_null(1)


def test_other_nulls_keep_their_size_and_leave_nothing_behind(mlx, adapter, tiny_base, write_adapter, tmp_path):
    before = mlx.compare(ITEMS, FT)
    shuffled = [mlx.compare(ITEMS, View("shuffled", seed=seed)) for seed in (1, 1, 2)]
    assert shuffled[0] == shuffled[1] != shuffled[2]
    assert [one.kl for one in shuffled[0]] != [one.kl for one in before]
    other = write_adapter(tiny_base, tmp_path / "other", seed=11, targets=("q_proj",))
    placebo = mlx.compare(ITEMS, View("placebo", adapter=str(other)))
    assert placebo == mlx.compare(ITEMS, View("ft", adapter=str(other)))
    assert placebo == MlxScoring(pair_of(tiny_base, other), SuiteDefaults()).compare(ITEMS, FT)
    assert mlx.compare(ITEMS, FT) == before


def test_what_cannot_be_scored_in_mlx_says_what_to_write_instead(tiny_base, adapter, tmp_path):
    two_models = ModelPair(ModelSpec(base=str(tiny_base)), ModelSpec(base=str(tiny_base)), differential=False)
    with pytest.raises(TargetError, match="kind: hf"):
        MlxJudging(two_models, SuiteDefaults(differential=False)).compare(ITEMS, FT)
    strange = tmp_path / "strange"
    shutil.copytree(tiny_base, strange)
    config = json.loads((strange / "config.json").read_text())
    (strange / "config.json").write_text(json.dumps({**config, "model_type": "nobody_knows_it"}))
    with pytest.raises(BackendError, match="kind: hf") as refused:
        MlxJudging(pair_of(strange, adapter), SuiteDefaults()).inspect()
    assert refused.value.exit_code == 3, "the base is at fault, not the adapter"
    quantised = tmp_path / "quantised"
    shutil.copytree(adapter, quantised)
    (quantised / "version.json").write_text(json.dumps({"base_quantisation": "nf4"}))
    with pytest.raises(AdapterMismatch, match="nf4"):
        MlxJudging(pair_of(tiny_base, quantised), SuiteDefaults()).inspect()


def test_what_decides_the_numbers_is_known_without_loading_a_model(tiny_base, adapter):
    def identity(**ft):
        return MlxJudging(pair_of(tiny_base, adapter, **ft), SuiteDefaults()).identity(lambda path: path.name)

    assert identity() == identity(dtype="fp32") != identity(dtype="bf16")
    assert identity().base["backend"] == "mlx", "another backend's numbers are not taken for these"
    assert not {"torch", "mlx_lm"} & set(modules_after("import dlm_mlx.judging"))


def test_texts_answers_and_sizes_are_those_of_pytorch(mlx, hf):
    texts = ["what is the port of Kittiwake ?", "hello " * 600]
    for view in (BASE, FT):
        for one, other in zip(mlx.texts(texts, view), hf.texts(texts, view), strict=True):
            assert one.tokens == other.tokens
            assert one.logprob == pytest.approx(other.logprob, abs=1e-5 * one.tokens)
        assert mlx.generate(ITEMS, view, max_new_tokens=12) == hf.generate(ITEMS, view, max_new_tokens=12)
    assert mlx.count_tokens(texts) == hf.count_tokens(texts)
    mine, theirs = mlx.inspect(), hf.inspect()
    assert {one.name: one.rank for one in mine.modules} == {one.name: one.rank for one in theirs.modules}
    sizes = {one.name: (one.update_norm, one.weight_norm, one.stable_rank) for one in theirs.modules}
    for one in mine.modules:
        assert (one.update_norm, one.weight_norm, one.stable_rank) == pytest.approx(sizes[one.name], rel=1e-4)
    assert (mine.tensors, mine.matched) == (theirs.tensors, theirs.matched)
