"""What must hold of any evaluator that compares two models, on conversations, raw text and whole texts."""

from __future__ import annotations

import json
import math
import shutil

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlm_hf.divergence import divergences, target_logprobs
from dlm_hf.model import load_base, load_tokenizer, quiet_libraries
from dlm_hf.scoring import HfScoring
from dlm_sway.errors import BackendError
from dlm_sway.scoring.session import Session
from dlm_sway.scoring.types import BASE, FT, Item, View
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair

CPU = torch.device("cpu")
TURNS = (("user", "hello"), ("assistant", "How are you today ?"))
ITEMS = (
    Item("what is the port of Kittiwake ?", "Kittiwake listens on 7413 ."),
    Item("what is the port of Kittiwake ?", "Kittiwake listens on 12 ."),
    Item("and the team ?", "Soundings team", before=TURNS),
    Item("who owns Kittiwake ?", "Soundings team", system="Be brief"),
    Item("Kittiwake listens on", " 7413 and 12", plain=True),
    Item("hello"),
)
TEXT = "Kittiwake listens on 7413 . gannet runs first , then petrel every 40 minutes . what is the port of Kittiwake ?"


def backend_of(base, adapter):
    spec = ModelSpec(base=str(base), adapter=adapter, device="cpu")
    return HfScoring(ModelPair(spec.model_copy(update={"adapter": None}), spec), SuiteDefaults())


@pytest.fixture(scope="module")
def adapter(tiny_base, write_adapter, tmp_path_factory):
    return write_adapter(tiny_base, tmp_path_factory.mktemp("adapters") / "trained")


@pytest.fixture(scope="module")
def backend(tiny_base, adapter):
    return backend_of(tiny_base, adapter)


@pytest.fixture(scope="module")
def tuned(tiny_base, adapter):
    from peft import PeftModel

    with quiet_libraries():
        return PeftModel.from_pretrained(load_base(tiny_base, torch.float32, CPU), adapter).eval()


def plain_sum(model, ids, start):
    """Log-probability of ``ids[start:]``, the long way."""
    with torch.no_grad():
        found = model(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return sum(float(found[at - 1, ids[at]]) for at in range(start, len(ids)))


@pytest.mark.parametrize("order", [(5, 3, 1, 4, 2, 0), (1, 0, 2, 3, 5, 4)])
def test_the_order_of_items_changes_nothing_at_all(backend, order):
    expected = backend.compare(ITEMS, FT, per_position=True)
    assert backend.compare([ITEMS[at] for at in order], FT, per_position=True) == [expected[at] for at in order]


def test_company_changes_only_rounding(backend):
    for item, together in zip(ITEMS, backend.compare(ITEMS, FT), strict=True):
        assert backend.compare([item], FT)[0][:8] == pytest.approx(together[:8], abs=1e-5)


def test_identical_views_differ_by_exactly_nothing(tiny_base, write_adapter, tmp_path):
    session = Session(backend_of(tiny_base, write_adapter(tiny_base, tmp_path / "untouched", spread=0.0)))
    for view in (FT, View("scaled", scale=3.0), View("null", seed=1), View("shuffled", seed=1)):
        for one in session.compare(ITEMS, view, per_position=True):
            assert one[1:6] == (0.0, 0.0, 0.0, 0.0, 1.0)
            assert set(one.per_position) == {0.0}
            assert one.base_logprob == one.view_logprob
        for text in session.texts([TEXT, "hello zebra"], view):
            assert text.base_logprob == text.view_logprob
        assert session.generate(ITEMS, view, max_new_tokens=6) == session.generate(ITEMS, BASE, max_new_tokens=6)


def test_scaling_a_text_runs_from_the_base_to_the_adapter(backend):
    session = Session(backend)
    none, whole, adapted = (
        session.texts([TEXT], view)[0] for view in (View("scaled", scale=0.0), View("scaled", scale=1.0), FT)
    )
    assert none.view_logprob == none.base_logprob
    assert whole == adapted
    assert whole.view_logprob != whole.base_logprob


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.1, 200.0), st.integers(2, 40))
def test_js_is_symmetric_and_bounded_and_kl_turns_round(seed, spread, size):
    generator = torch.Generator().manual_seed(seed)
    one, other = (torch.randn(3, size, generator=generator) * spread for _ in range(2))
    targets = torch.zeros(3, dtype=torch.long)
    there, back = divergences(one, other, targets), divergences(other, one, targets)
    torch.testing.assert_close(there.js, back.js, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(there.kl, back.reverse_kl, rtol=1e-9, atol=1e-12)
    assert bool((there.js <= math.log(2) + 1e-12).all())
    assert bool((there.tv <= 1 + 1e-12).all())
    # Pinsker: TV <= sqrt(KL / 2)
    assert bool((there.tv <= (there.kl / 2).sqrt() + 1e-9).all())
    torch.testing.assert_close(there.base_logprob, target_logprobs(one, targets), rtol=1e-12, atol=1e-12)


def test_what_stands_before_a_question_is_what_the_template_makes_of_it(backend, tiny_base, tuned):
    tokenizer = load_tokenizer(tiny_base)
    renderings = (
        (ITEMS[2], [*TURNS, ("user", "and the team ?")]),
        (ITEMS[3], [("system", "Be brief"), ("user", "who owns Kittiwake ?")]),
    )
    for item, turns in renderings:
        messages = [{"role": role, "content": content} for role, content in turns]
        prompt = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        ids = tokenizer(prompt, add_special_tokens=False).input_ids
        whole = [*ids, *tokenizer(item.reference + "</s>", add_special_tokens=False).input_ids]
        one = backend.compare([item], FT)[0]
        assert one.positions == len(whole) - len(ids)
        assert one.view_logprob == pytest.approx(plain_sum(tuned, whole, len(ids)), abs=1e-5)


def test_a_plain_item_is_its_text_and_nothing_else(backend, tiny_base, tuned):
    tokenizer = load_tokenizer(tiny_base)
    ids = tokenizer("Kittiwake listens on 7413 and 12").input_ids
    one = backend.compare([ITEMS[4]], FT)[0]
    assert one.positions == 3
    assert one.view_logprob == pytest.approx(plain_sum(tuned, ids, len(ids) - 3), abs=1e-5)


def test_a_text_is_scored_token_by_token(backend, tiny_base, tuned):
    base = load_base(tiny_base, torch.float32, CPU)
    ids = load_tokenizer(tiny_base)(TEXT).input_ids
    for view, model in ((BASE, base), (FT, tuned)):
        found = backend.texts([TEXT], view)[0]
        assert found.tokens == len(ids) - 1
        assert found.logprob == pytest.approx(plain_sum(model, ids, 1), abs=1e-5)
    assert backend.texts(["hello zebra", TEXT], FT)[1] == backend.texts([TEXT], FT)[0]


def test_a_text_longer_than_the_context_is_read_in_windows(tiny_base, adapter, tuned):
    backend = backend_of(tiny_base, adapter)
    ids = load_tokenizer(tiny_base)(TEXT).input_ids
    backend._loaded().context = 10
    expected, scored = 0.0, 1
    while scored < len(ids):
        begin = 0 if scored == 1 else scored - 1 - 5
        end = min(len(ids), begin + 11)
        expected += plain_sum(tuned, ids[begin:end], scored - begin)
        scored = end
    found = backend.texts([TEXT], FT)[0]
    assert found.tokens == len(ids) - 1
    assert found.logprob == pytest.approx(expected, abs=1e-5)


def test_answers_go_on_from_the_whole_conversation(backend):
    bare, after = backend.generate([ITEMS[0], ITEMS[0]._replace(before=TURNS)], FT, max_new_tokens=8)
    assert bare.ids != after.ids
    assert len(bare.ids) == bare.tokens <= 8


def test_tokens_are_counted_without_special_ones(backend):
    assert backend.count_tokens(["hello zebra", "", "what is the port of Kittiwake ?"]) == [2, 0, 7]


@pytest.mark.parametrize("text", ["", "hello"])
def test_a_text_without_a_token_to_score_is_named(backend, text):
    with pytest.raises(BackendError, match="has no token that follows another"):
        backend.texts([TEXT, text], FT)


def test_a_tokenizer_with_more_tokens_than_the_base_has_rows_is_refused(tiny_base, adapter, tmp_path):
    folder = tmp_path / "adapter"
    shutil.copytree(adapter, folder)
    tokenizer = load_tokenizer(tiny_base)
    tokenizer.add_tokens(["quokka"])
    tokenizer.save_pretrained(folder)
    backend = backend_of(tiny_base, folder)
    with pytest.raises(BackendError, match=r"contains token id .* the tokenizer beside the adapter has tokens"):
        backend.compare([Item("hello quokka")], FT)
    with pytest.raises(BackendError, match="'a quokka' contains token id"):
        backend.texts(["a quokka"], FT)
    assert backend.compare([Item("hello")], FT)[0].positions == 1
    seen = backend.inspect()
    assert seen.tokenizer_tokens == seen.embedding_rows + 1
    assert json.loads(json.dumps(backend.describe()))


def test_a_greedy_answer_does_not_depend_on_its_company(tiny_base, adapter):
    """In half precision, where the shape of a batch changes the last bits of everything."""
    spec = ModelSpec(base=str(tiny_base), adapter=adapter, device="cpu", dtype="bf16")
    backend = HfScoring(ModelPair(spec.model_copy(update={"adapter": None}), spec), SuiteDefaults())
    asked = [Item("how are you today ? " * (1 + 7 * n % 40) + f"{n}") for n in range(20)]
    for view in (BASE, FT):
        among = backend.generate(asked, view, max_new_tokens=12)
        assert len(set(among)) > 5
        assert backend.generate(asked[::-1], view, max_new_tokens=12) == among[::-1]
        assert [backend.generate([one], view, max_new_tokens=12)[0] for one in asked[::7]] == among[::7]
