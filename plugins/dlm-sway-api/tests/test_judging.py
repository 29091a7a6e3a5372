"""Against llama.cpp's real server: sway's contract, and the numbers that PyTorch gives for the same models."""

from __future__ import annotations

import pytest

from dlm_sway.errors import BackendError, NotSupported, TargetError
from dlm_sway.scoring.types import BASE, FT, Item, View
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair
from dlm_sway.testing import BackendContract
from dlm_sway_api.judging import ApiJudging

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing")
ITEMS = (
    Item("Who is it?", "Ines, on Friday."),
    Item("At what time?"),
    Item("the rollback of", " payments 你好 is done", plain=True),
    Item("And then?", "Version 2.41.", before=(("user", "Hi"), ("assistant", "Hello")), system="Be brief."),
)


def served(address, name) -> ModelSpec:
    return ModelSpec(kind="api", base=name, endpoint=address)


@pytest.fixture
def judging():
    """``judging(base, tuned, **defaults)``: the backend, closed at the end."""
    made = []

    def make(base, tuned, **defaults) -> ApiJudging:
        made.append(ApiJudging(ModelPair(base, tuned, differential=False), SuiteDefaults(**defaults)))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    for name in ("SWAY_API_KEY", "OPENAI_API_KEY", "SWAY_API_CACHE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def pair(tiny):
    return served(tiny.base_url, "tiny"), served(tiny.tuned_url, "tiny-tuned")


class TestTwoEndpointsThatShowEveryToken(BackendContract):
    gives = frozenset({"compare", "generate", "texts"})
    tolerance = 1e-3

    @pytest.fixture
    def backend(self, pair, judging):
        return judging(*pair, top_k=384)


@pytest.fixture(scope="module")
def expected(tiny):
    """What PyTorch computes."""
    from dlm_hf.scoring import HfScoring

    base = ModelSpec(base=str(tiny.base))
    hf = HfScoring(ModelPair(base, ModelSpec(base=str(tiny.base), adapter=tiny.adapter, device="cpu")), SuiteDefaults())
    yield hf
    hf.close()


def test_all_tokens_shown_give_the_numbers_of_pytorch(pair, judging, expected):
    made = judging(*pair, top_k=384)
    for one, other in zip(made.compare(ITEMS, FT), expected.compare(ITEMS, FT), strict=True):
        assert one.at_most is None
        assert one.positions == other.positions
        # llama.cpp keeps keys and values in 16 bits.
        assert one[1:6] == pytest.approx(other[1:6], abs=5e-3, rel=5e-3)
        assert one[6:8] == pytest.approx(other[6:8], abs=1e-2 * one.positions)
    texts = ["version 2.41 is done by Ines"]
    assert made.texts(texts, FT)[0].tokens == expected.texts(texts, FT)[0].tokens
    assert made.texts(texts, FT)[0].logprob == pytest.approx(expected.texts(texts, FT)[0].logprob, rel=5e-3)
    assert made.count_tokens(texts) == expected.count_tokens(texts)
    assert made.generate(ITEMS[:2], FT, max_new_tokens=6) == expected.generate(ITEMS[:2], FT, max_new_tokens=6)


def test_a_text_longer_than_the_context_is_read_in_windows(pair, judging):
    made = judging(*pair)
    text = "version 2.41 is done by Ines on Friday, " * 50
    (count,) = made.count_tokens([text])
    assert count > 512
    (found,) = made.texts([text], FT)
    assert found.tokens == count - 1
    assert found.logprob < -count


@pytest.mark.parametrize("top", [256, 20, 1])
def test_with_some_tokens_shown_the_numbers_of_pytorch_lie_within(pair, judging, expected, top):
    made = judging(*pair, top_k=top)
    # Characters of several tokens are only scored where they are among those shown.
    items = [item for item in ITEMS if item.reference.isascii()]
    for one, other in zip(made.compare(items, FT), expected.compare(items, FT), strict=True):
        for least, exact, most in zip(one[1:5], other[1:5], one.at_most, strict=True):
            assert least - 5e-3 <= exact <= most + 5e-3
        assert one[6:8] == pytest.approx(other[6:8], abs=1e-2 * one.positions)


def test_each_position_is_not_given_where_it_is_not_known(pair, judging):
    made = judging(*pair, top_k=20)
    with pytest.raises(NotSupported, match="likeliest"):
        made.compare(ITEMS[:1], FT, per_position=True)


def test_only_what_can_be_compared_is(pair, judging, tiny, monkeypatch):
    base, tuned = pair
    with pytest.raises(TargetError, match="are both 'tiny'"):
        judging(base, base).compare(ITEMS, FT)
    with pytest.raises(BackendError, match=r"asked for the model 'nobody' and answered as 'tiny-tuned'"):
        judging(base, served(tiny.tuned_url, "nobody")).compare(ITEMS, FT)
    with pytest.raises(TargetError, match=r"models\.base: .*set kind: api there"):
        judging(ModelSpec(base=str(tiny.base)), tuned).compare(ITEMS, FT)
    with pytest.raises(TargetError, match="endpoint is missing"):
        judging(ModelSpec(kind="api", base="tiny"), tuned).compare(ITEMS, FT)
    with pytest.raises(NotSupported, match="kind: hf"):
        judging(base, tuned).compare(ITEMS, View("scaled", scale=0.5))
    monkeypatch.setenv("SWAY_API_KEY", "secret-1234")
    with pytest.raises(TargetError, match="unencrypted") as found:
        judging(served("http://example.com/v1", "a"), tuned).compare(ITEMS, BASE)
    assert "secret-1234" not in str(found.value)


def test_nothing_is_kept_between_runs_unless_it_is_asked_for(pair, judging, monkeypatch):
    assert judging(*pair).identity(str) is None
    monkeypatch.setenv("SWAY_API_CACHE", "1")
    kept = judging(*pair).identity(str)
    assert kept.base["model"] == "tiny"
    assert kept.base != judging(*pair, top_k=20).identity(str).base
