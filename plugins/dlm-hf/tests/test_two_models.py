"""Two whole models that share a tokenizer and nothing else: another architecture, width, depth, precision, table."""

from __future__ import annotations

import json
import math

import pytest
import torch

from dlm_hf.folders import base_folder
from dlm_hf.judging import HfJudging
from dlm_hf.model import load_base, load_tokenizer
from dlm_hf.scoring import HfScoring
from dlm_sway.errors import BackendError, TargetError
from dlm_sway.scoring.types import BASE, FT, Item
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair
from dlm_sway.testing import BackendContract

ITEMS = (
    Item("What is the port of Kittiwake ?", "Kittiwake listens on 7413 ."),
    Item("Who owns Soundings ?"),
    Item("How are you today ?", "I do not know that ."),
)
PADDING = 23


@pytest.fixture(scope="session")
def another(tiny_base, tmp_path_factory):
    """``another(vocabulary=..., **shape)``: a model of another architecture with the same tokenizer."""

    def make(vocabulary=None, **shape):
        from transformers import AutoConfig, AutoModelForCausalLM

        folder = tmp_path_factory.mktemp("another")
        tokenizer = load_tokenizer(tiny_base)
        size = {"hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 3, "num_attention_heads": 3}
        size |= {"num_key_value_heads": 3, "max_position_embeddings": 256, "initializer_range": 0.2}
        size |= {"sliding_window": None}
        ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": None}
        torch.manual_seed(5)
        config = AutoConfig.for_model("mistral", vocab_size=vocabulary or len(tokenizer), **{**size, **ends, **shape})
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make


def pair(base, tuned, *, base_dtype="auto", dtype="auto") -> ModelPair:
    return ModelPair(
        ModelSpec(base=str(base), dtype=base_dtype, device="cpu"),
        ModelSpec(base=str(tuned), dtype=dtype, device="cpu"),
        differential=False,
    )


class TestTwoArchitectures(BackendContract):
    gives = frozenset({"compare", "generate", "texts"})

    @pytest.fixture
    def backend(self, tiny_base, another):
        return HfScoring(pair(tiny_base, another()), SuiteDefaults(differential=False))


def by_hand(folder, ids, dtype, width):
    """Log-probabilities ``[len(ids), width]`` from a plain forward pass."""
    model = load_base(base_folder(str(folder)), dtype, torch.device("cpu"))
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids])).logits[0, :, :width].double().log_softmax(-1)


@pytest.mark.parametrize("padding", [0, PADDING])
def test_the_numbers_are_those_of_plain_forward_passes_over_the_tokens_that_both_have(tiny_base, another, padding):
    width = len(load_tokenizer(tiny_base))
    other = another(vocabulary=width + padding)
    made = HfScoring(pair(tiny_base, other, base_dtype="fp32", dtype="bf16"), SuiteDefaults(differential=False))
    item = ITEMS[0]
    (found,) = made.compare([item], FT)
    one = made._encoded(item, made._loaded())
    base, tuned = by_hand(tiny_base, one.ids, torch.float32, width), by_hand(other, one.ids, torch.bfloat16, width)
    places, targets = slice(one.start - 1, len(one.ids) - 1), torch.tensor(one.ids[one.start :])[:, None]
    q, p = base[places], tuned[places]
    middle = torch.logaddexp(p, q) - math.log(2)
    js = ((p.exp() * (p - middle)).sum(-1) + (q.exp() * (q - middle)).sum(-1)).mean() / 2
    # A pass of bf16 in another company rounds otherwise.
    assert found.kl == pytest.approx(float((p.exp() * (p - q)).sum(-1).mean()), rel=0.05)
    assert found.js == pytest.approx(float(js), rel=0.05)
    assert found.base_logprob == pytest.approx(float(q.gather(-1, targets).sum()), abs=1e-3)
    assert found.view_logprob == pytest.approx(float(p.gather(-1, targets).sum()), abs=0.5)
    assert made.describe()["base_dtype"] == "fp32"
    assert made.describe()["dtype"] == "bf16"
    assert all(one.kl == 0.0 for one in made.compare(ITEMS, BASE))


def test_each_side_is_held_in_its_own_precision(tiny_base):
    made = HfScoring(pair(tiny_base, tiny_base, base_dtype="fp32", dtype="bf16"), SuiteDefaults(differential=False))
    assert all(0 < one.js < 0.05 for one in made.compare(ITEMS, FT))
    same = HfScoring(pair(tiny_base, tiny_base, dtype="bf16"), SuiteDefaults(differential=False))
    assert all(one.js == 0.0 for one in same.compare(ITEMS, FT))


def test_what_the_shorter_of_two_contexts_cannot_hold_is_refused(tiny_base, another):
    made = HfScoring(pair(tiny_base, another()), SuiteDefaults(differential=False))
    with pytest.raises(BackendError, match="reads at most 256"):
        made.compare([Item("hello " * 300, "zebra")], FT)
    (found,) = made.texts(["hello zebra " * 200], BASE)
    assert found.tokens == made.count_tokens(["hello zebra " * 200])[0] - 1


def test_a_base_that_cannot_be_packed_makes_the_pair_unpacked(tiny_base, another):
    """The layout is the same for both sides, so the side that cannot decides."""
    windowed = another(sliding_window=8)
    made = HfScoring(pair(tiny_base, windowed), SuiteDefaults(differential=False))
    together, alone = made.compare(ITEMS, FT), [made.compare([item], FT)[0] for item in ITEMS]
    for one, other in zip(together, alone, strict=True):
        assert one[:8] == pytest.approx(other[:8], abs=1e-4)


def test_a_token_of_another_name_is_told_by_its_number(tiny_base, another):
    other = another()
    config = json.loads((other / "tokenizer.json").read_text())
    words = config["model"]["vocab"]
    words["zebra"], words["hello"] = words["hello"], words["zebra"]
    (other / "tokenizer.json").write_text(json.dumps(config))
    with pytest.raises(TargetError, match=r"token \d+ is '(hello|zebra)' in the first and '(zebra|hello)'") as found:
        HfScoring(pair(tiny_base, other), SuiteDefaults(differential=False)).compare(ITEMS, FT)
    assert found.value.exit_code == 2


def test_a_tuned_model_may_have_tokens_that_its_base_lacks(tiny_base, another):
    width = len(load_tokenizer(tiny_base))
    other = another(vocabulary=width + 1)
    tokenizer = load_tokenizer(other)
    tokenizer.add_tokens(["<|turn|>"], special_tokens=True)
    tokenizer.save_pretrained(other)
    made = HfScoring(pair(tiny_base, other), SuiteDefaults(differential=False))
    assert all(math.isfinite(one.kl) for one in made.compare(ITEMS, FT))
    with pytest.raises(BackendError, match=f"contains token id {width}"):
        made.compare([Item("hello <|turn|>", "zebra")], FT)


def test_what_either_side_is_held_in_decides_the_numbers(tiny_base, another):
    other, digest = another(), str

    def identity(**dtypes):
        return HfJudging(pair(tiny_base, other, **dtypes), SuiteDefaults(differential=False)).identity(digest)

    plain, first, second = identity(), identity(base_dtype="bf16"), identity(dtype="bf16", base_dtype="fp32")
    assert plain.base != first.base
    assert (plain.base, plain.adapter) != (second.base, second.adapter)
    assert plain.base == second.base
