"""Servers that give a prompt back with log-probabilities: one request an item, and the numbers that PyTorch gives."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import closing
from pathlib import Path

import pytest

from dlm_sway.errors import BackendError, NotSupported, TargetError
from dlm_sway.scoring.apart import Apart
from dlm_sway.scoring.types import BASE, FT, Item
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair
from dlm_sway.testing import BackendContract
from dlm_sway_api.judging import ApiJudging

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing")
ITEMS = (
    Item("Who is it?", "Ines, on Friday."),
    Item("At what time?"),
    Item("the rollback of", " payments is done", plain=True),
    Item("And then?", "Version 2.41.", before=(("user", "Hi"), ("assistant", "Hello")), system="Be brief."),
)
PLAIN = (ITEMS[2], Item("version 2.41 is", plain=True))
TEXT = "version 2.41 is done by Ines on Friday"


def echo_server():
    name = "dlm_sway_api_echo_server"
    if name not in sys.modules:
        found = importlib.util.spec_from_file_location(name, Path(__file__).with_name("echo_server.py"))
        sys.modules[name] = importlib.util.module_from_spec(found)
        found.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    for name in ("SWAY_API_KEY", "OPENAI_API_KEY", "SWAY_API_CACHE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A tiny base and an adapter for it."""
    pytest.importorskip("peft")
    found = importlib.util.spec_from_file_location("api_models", Path(__file__).with_name("conftest.py"))
    models = importlib.util.module_from_spec(found)
    found.loader.exec_module(models)
    return models.folders_of(tmp_path_factory.mktemp("echo"))


@pytest.fixture(scope="module")
def servers(folders):
    """``servers(form)``: the base and the adapted model behind servers of one form."""
    from contextlib import ExitStack

    base, adapter = folders
    with ExitStack() as stack:
        made = {}

        def serve(form):
            if form not in made:
                start = echo_server().echoing
                made[form] = (
                    stack.enter_context(start(base, "tiny", form)),
                    stack.enter_context(start(base, "tiny-tuned", form, adapter=adapter)),
                )
            for one in made[form]:
                one.seen.clear()
                one.faults.clear()
                one.most = {"vllm": 20, "legacy": 5}[form]
            return made[form]

        yield serve


def judging(base, tuned, **defaults) -> ApiJudging:
    sides = [ModelSpec(kind="api", base=one.name, endpoint=one.url) for one in (base, tuned)]
    return ApiJudging(ModelPair(*sides, differential=False), SuiteDefaults(differential=False, **defaults))


@pytest.fixture(scope="module")
def expected(folders):
    """``expected(**defaults)``: what PyTorch computes."""
    from dlm_hf.scoring import HfScoring

    base, adapter = folders
    sides = ModelSpec(base=str(base), device="cpu"), ModelSpec(base=str(base), adapter=adapter, device="cpu")
    return lambda **defaults: HfScoring(ModelPair(*sides), SuiteDefaults(**defaults))


class TestServersThatEchoIds(BackendContract):
    gives = frozenset({"compare", "generate", "texts"})

    @pytest.fixture
    def backend(self, servers):
        pair = servers("vllm")
        for one in pair:
            one.most = 384
        with closing(judging(*pair, top_k=384)) as made:
            yield made


def test_all_tokens_shown_give_the_numbers_of_pytorch(servers, expected):
    pair = servers("vllm")
    for one in pair:
        one.most = 384
    with closing(judging(*pair, top_k=384)) as made:
        hf = expected()
        items = (*ITEMS, Item("the", " 你好 naïve", plain=True))
        for one, other in zip(made.compare(items, FT), hf.compare(items, FT), strict=True):
            assert one.at_most is None
            assert one[:8] == pytest.approx(other[:8], abs=1e-4)
        assert made.texts([TEXT], FT)[0] == pytest.approx(hf.texts([TEXT], FT)[0], abs=1e-4)
        assert made.generate(ITEMS, FT, max_new_tokens=6) == hf.generate(ITEMS, FT, max_new_tokens=6)
        assert made.count_tokens([TEXT]) == hf.count_tokens([TEXT])
        assert made.describe()["base"]["way"] == "echo"


@pytest.mark.parametrize("form", ["vllm", "legacy"])
def test_with_some_tokens_shown_the_numbers_of_pytorch_lie_within(servers, expected, form):
    template = "auto" if form == "vllm" else "raw"
    items = ITEMS if form == "vllm" else PLAIN
    hf = expected(template=template)
    with closing(judging(*servers(form), template=template)) as made:
        for one, other in zip(made.compare(items, FT), hf.compare(items, FT), strict=True):
            for least, exact, most in zip(one[1:5], other[1:5], one.at_most, strict=True):
                assert least - 1e-4 <= exact <= most + 1e-4
            assert one[6:8] == pytest.approx(other[6:8], abs=1e-4)
            assert one.positions == other.positions
        assert made.texts([TEXT], BASE)[0] == pytest.approx(hf.texts([TEXT], BASE)[0], abs=1e-4)
        assert made.texts([TEXT], FT)[0] == pytest.approx(hf.texts([TEXT], FT)[0], abs=1e-4)
        told = made.describe()["fine_tuned"]
    assert told["top_logprobs"] == {"vllm": 20, "legacy": 5}[form]
    assert told["way"] == {"vllm": "echo", "legacy": "echo text"}[form]


def test_an_item_is_one_request_a_side_however_long_its_answer(servers):
    base, tuned = servers("vllm")
    with closing(judging(base, tuned)) as made:
        made.compare(ITEMS[:1], FT)
        before = [len(one.asked("/v1/completions")) for one in (base, tuned)]
        made.compare([ITEMS[0]._replace(reference="Ines, on Friday, at 17:30, as ever.")], FT)
        assert [len(one.asked("/v1/completions")) for one in (base, tuned)] == [at + 1 for at in before]
        assert made.compare(ITEMS[:1], FT) == made.compare(ITEMS[:1], FT)
        assert [len(one.asked("/v1/completions")) for one in (base, tuned)] == [at + 1 for at in before]


def test_a_text_longer_than_the_context_is_read_in_windows(servers, expected):
    text = f"{TEXT}, " * 60
    hf = expected()
    with closing(judging(*servers("vllm"))) as made:
        (found,) = made.texts([text], FT)
        assert found.tokens == hf.count_tokens([text])[0] - 1
        assert found.tokens > 512
        assert found.logprob == pytest.approx(hf.texts([text], FT)[0].logprob, rel=0.02)


def test_a_server_of_texts_says_what_it_cannot_place(servers):
    with closing(judging(*servers("legacy"), template="raw")) as made:
        with pytest.raises(BackendError, match="move the white space between them"):
            made.compare([Item("rollb", "ack", plain=True)], FT)
        with pytest.raises(NotSupported, match="does not tell how it cuts"):
            made.count_tokens(["a"])
        (answer,) = made.generate([PLAIN[0]], FT, max_new_tokens=5)
        assert 1 <= answer.tokens <= 5
    with closing(judging(*servers("legacy"))) as made, pytest.raises(NotSupported, match="use template: raw"):
        made.compare(ITEMS[:1], FT)


def without(part):
    def change(status, found):
        found["choices"][0]["logprobs"][part].pop()
        return status, found

    return change


def with_value(value):
    def change(status, found):
        found["choices"][0]["logprobs"]["token_logprobs"][-2] = value
        return status, found

    return change


def shifted(status, found):
    for row in found["choices"][0]["logprobs"].values():
        del row[0]
    return status, found


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (without("tokens"), "in a form that is not known"),
        (with_value(0.5), "0.5 is no log-probability"),
        (with_value(float("nan")), "holds NaN"),
        (with_value(None), "shows no log-probability of a token inside a prompt"),
        (shifted, "adds or drops tokens of a prompt"),
        (lambda status, found: (status, {**found, "model": "another"}), "answered as 'another'"),
        (lambda status, found: (400, {"error": {"message": "no more"}}), "HTTP 400: no more"),
    ],
)
def test_what_is_no_answer_is_never_taken_for_one(servers, fault, told):
    base, tuned = servers("vllm")
    with closing(judging(base, tuned)) as made:
        made.compare(ITEMS[:1], FT)
        tuned.faults = [fault]
        with pytest.raises(BackendError, match=told):
            made.compare([ITEMS[0]._replace(reference="Ines, on Monday.")], FT)


def test_a_server_that_fails_over_echo_is_asked_in_another_way(servers, monkeypatch):
    """Some servers know the key and break on it: that ends no run."""
    monkeypatch.setenv("SWAY_API_TIMEOUT", "20")
    base, tuned = servers("vllm")
    tuned.faults = [lambda status, found: (500, {"error": {"message": "2326"}})] * 6
    with closing(judging(base, tuned)) as made, pytest.raises(NotSupported, match=r"by 'echo' and .* by 'chat'"):
        made.compare(ITEMS[:1], FT)


class TestAServerAndAFolder(BackendContract):
    gives = frozenset({"compare", "generate", "texts"})

    @pytest.fixture
    def backend(self, servers, folders):
        with closing(apart(servers("vllm")[1], folders[0], most=384)) as made:
            yield made


def apart(server, folder, most, **defaults) -> Apart:
    """A local base, and a served model that was tuned from it."""
    from dlm_hf.judging import HfJudging

    server.most = most
    shared = SuiteDefaults(differential=False, top_k=most, **defaults)
    base = ModelSpec(kind="hf", base=str(folder), device="cpu")
    tuned = ModelSpec(kind="api", base=server.name, endpoint=server.url)
    halves = HfJudging.alone(base, shared), ApiJudging.alone(tuned, shared)
    return Apart(ModelPair(base, tuned, differential=False), shared, *halves)


@pytest.mark.parametrize("most", [384, 20])
def test_a_served_model_beside_its_base_gives_the_numbers_of_the_adapter_on_it(servers, folders, expected, most):
    hf = expected()
    with closing(apart(servers("vllm")[1], folders[0], most)) as made:
        for one, other in zip(made.compare(ITEMS, FT), hf.compare(ITEMS, FT), strict=True):
            assert one[6:8] == pytest.approx(other[6:8], abs=1e-4)
            assert one.top1_agreement == pytest.approx(other.top1_agreement)
            for least, exact, most_of in zip(one[1:5], other[1:5], one.at_most or one[1:5], strict=True):
                assert least - 1e-4 <= exact <= most_of + 1e-4
            assert (one.at_most is None) == (most == 384)
        for view in (BASE, FT):
            assert made.texts([TEXT], view)[0] == pytest.approx(hf.texts([TEXT], view)[0], abs=1e-4)
        assert made.generate(ITEMS, FT, max_new_tokens=6) == hf.generate(ITEMS, FT, max_new_tokens=6)


def test_a_llama_cpp_server_beside_its_folder_gives_nearly_the_same(tiny, expected):
    """Its server has no echo: every token of an answer is a request."""

    class Named:
        name, url, most = "tiny", tiny.base_url, 0

    with closing(apart(Named(), tiny.base, 384)) as made:
        assert all(one.js < 2e-4 for one in made.compare(ITEMS, FT))
        assert made.describe()["fine_tuned"]["way"] == "steps"


def test_a_server_that_shows_texts_only_is_not_compared_with_a_folder(servers, folders):
    with (
        closing(apart(servers("legacy")[1], folders[0], 5)) as made,
        pytest.raises(TargetError, match="by 'echo text'"),
    ):
        made.describe()
