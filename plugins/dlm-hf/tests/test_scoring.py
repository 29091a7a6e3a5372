"""Every number is checked against the plainest computation of it: one item, no packing, float64."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from dlm_hf import scoring
from dlm_hf.divergence import divergences
from dlm_hf.model import load_base, load_tokenizer, quiet_libraries
from dlm_hf.passes import KeptLogits
from dlm_hf.render import Encoded
from dlm_hf.scoring import HfScoring
from dlm_sway.errors import AdapterMismatch, BackendError, NotSupported, TargetError
from dlm_sway.scoring.types import BASE, FT, Answer, Item, View
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair
from dlm_sway.testing.backend import BackendContract
from dlm_sway.testing.startup import modules_after

CPU = torch.device("cpu")
ITEMS = (
    Item("what is the port of Kittiwake ?", "Kittiwake listens on 7413 ."),
    Item("who owns Kittiwake ?", "Soundings team"),
    Item("hello"),
    Item("which restart runs first , gannet or petrel ?", "gannet runs first and then petrel , every 40 minutes ."),
)


@pytest.fixture(scope="module")
def adapter(tiny_base, write_adapter, tmp_path_factory):
    return write_adapter(tiny_base, tmp_path_factory.mktemp("adapters") / "trained")


def backend_of(base, adapter=None, *, differential=True, ft_base=None, base_adapter=None, **defaults):
    pair = ModelPair(
        ModelSpec(base=str(base), adapter=base_adapter),
        ModelSpec(base=str(ft_base or base), adapter=adapter),
        differential,
    )
    return HfScoring(pair, SuiteDefaults(differential=differential, **defaults))


@pytest.fixture
def backend(tiny_base, adapter):
    return backend_of(tiny_base, adapter)


def plain_ids(tokenizer, item, system=None):
    """Prompt ids and scored ids, by the tokenizer's own template and nothing of ours."""
    turns = [{"role": "system", "content": system}] if system else []
    prompt = tokenizer.apply_chat_template(
        [*turns, {"role": "user", "content": item.prompt}], tokenize=False, add_generation_prompt=True
    )
    ids = tokenizer(prompt, add_special_tokens=False).input_ids
    answer = tokenizer(item.reference + "</s>", add_special_tokens=False).input_ids if item.reference else []
    return ids, answer


def plain_numbers(base, tuned, ids, answer):
    """(kl, reverse_kl, js, tv, agreement, base log-prob, view log-prob) of one item, the long way."""

    def log_probs(model):
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids + answer])).logits[0]
        return logits[len(ids) - 1 : len(ids) + max(len(answer), 1) - 1].double().log_softmax(-1)

    q, p = log_probs(base), log_probs(tuned)
    mixture = ((p.exp() + q.exp()) / 2).log()

    def kl(one, other):
        return (one.exp() * (one - other)).sum(-1)

    js = (kl(p, mixture) + kl(q, mixture)) / 2
    tv = (p.exp() - q.exp()).abs().sum(-1) / 2
    agree = (p.argmax(-1) == q.argmax(-1)).double()
    at = torch.tensor(answer)[:, None]
    sums = [float(x.gather(-1, at).sum()) if answer else 0.0 for x in (q, p)]
    return [float(x.mean()) for x in (kl(p, q), kl(q, p), js, tv, agree)] + sums


def both_models(base_folder, adapter_folder):
    from peft import PeftModel

    with quiet_libraries():
        tuned = PeftModel.from_pretrained(load_base(base_folder, torch.float32, CPU), adapter_folder).eval()
    return load_base(base_folder, torch.float32, CPU), tuned


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "gemma3_text", "mistral"])
def test_every_number_is_that_of_the_plain_computation(make_base, tmp_path, architecture, write_adapter):
    folder = make_base(architecture)
    adapter = write_adapter(folder, tmp_path / "adapter")
    base, tuned = both_models(folder, adapter)
    tokenizer = load_tokenizer(folder)
    found = backend_of(folder, adapter).compare(ITEMS, FT)
    assert min(one.kl for one in found) > 1e-3
    for item, one in zip(ITEMS, found, strict=True):
        ids, answer = plain_ids(tokenizer, item)
        assert one.positions == max(len(answer), 1)
        assert list(one[1:8]) == pytest.approx(plain_numbers(base, tuned, ids, answer), abs=1e-5)


def test_the_end_of_an_answer_is_scored_and_a_system_prompt_is_in_front(tiny_base, adapter):
    tokenizer = load_tokenizer(tiny_base)
    base, tuned = both_models(tiny_base, adapter)
    item = ITEMS[1]
    one = backend_of(tiny_base, adapter, system_prompt="Be brief").compare([item], FT)[0]
    ids, answer = plain_ids(tokenizer, item, "Be brief")
    assert one.positions == len(tokenizer(item.reference, add_special_tokens=False).input_ids) + 1
    assert list(one[1:8]) == pytest.approx(plain_numbers(base, tuned, ids, answer), abs=1e-5)


def test_raw_prompts_are_continued_as_they_stand(tiny_base, adapter):
    tokenizer = load_tokenizer(tiny_base)
    base, tuned = both_models(tiny_base, adapter)
    one = backend_of(tiny_base, adapter, template="raw").compare([Item("Kittiwake listens on", " 7413 and 12")], FT)[0]
    ids = tokenizer("Kittiwake listens on").input_ids
    answer = tokenizer(" 7413 and 12", add_special_tokens=False).input_ids
    assert one.positions == 3
    assert list(one[1:8]) == pytest.approx(plain_numbers(base, tuned, ids, answer), abs=1e-5)


def test_items_longer_than_the_attention_window_are_scored_with_the_window(make_base, tmp_path, write_adapter):
    folder = make_base("mistral")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"sliding_window": 12}))
    adapter = write_adapter(folder, tmp_path / "adapter")
    base, tuned = both_models(folder, adapter)
    assert base.config.sliding_window == 12
    tokenizer = load_tokenizer(folder)
    for item, one in zip(ITEMS, backend_of(folder, adapter).compare(ITEMS, FT), strict=True):
        ids, answer = plain_ids(tokenizer, item)
        assert list(one[1:8]) == pytest.approx(plain_numbers(base, tuned, ids, answer), abs=1e-5)


@pytest.mark.parametrize("limit", ["PASS_BYTES", "KEPT_BYTES", "CPU_TOKENS"])
def test_small_limits_split_the_work_and_change_no_number(tiny_base, adapter, monkeypatch, limit):
    expected = backend_of(tiny_base, adapter).compare(ITEMS, FT)
    backend = backend_of(tiny_base, adapter)
    vocabulary = backend._loaded().vocabulary
    monkeypatch.setattr(scoring, limit, 1 if limit == "CPU_TOKENS" else 3 * 4 * vocabulary)
    backend._kept = KeptLogits(scoring.KEPT_BYTES)
    for _ in range(2):
        found = backend.compare(ITEMS, FT)
        for one, other in zip(found, expected, strict=True):
            assert one[:8] == pytest.approx(other[:8], abs=1e-5)
    assert backend._kept.held <= scoring.KEPT_BYTES


def test_an_untouched_adapter_gives_exactly_the_base(tiny_base, tmp_path, write_adapter):
    backend = backend_of(tiny_base, write_adapter(tiny_base, tmp_path / "untouched", spread=0.0))
    for one in backend.compare(ITEMS, FT):
        assert one[1:6] == (0.0, 0.0, 0.0, 0.0, 1.0)
        assert one.base_logprob == one.view_logprob
    assert all(module.update_norm == 0.0 for module in backend.inspect().modules)


def test_the_noise_floor_is_small_and_really_another_layout(backend):
    assert all(one.kl == 0.0 and one.tv == 0.0 for one in backend.compare(ITEMS, BASE))
    noise = backend.compare(ITEMS, BASE, layout=1)
    assert max(one.tv for one in noise) > 0.0
    assert max(one.kl for one in noise) < 1e-9


def test_another_layout_has_other_shapes_even_for_one_item(backend):
    shapes = []
    model = backend._loaded().tuned.get_base_model()
    model.register_forward_pre_hook(lambda _, __, given: shapes.append(given["input_ids"].shape[1]), with_kwargs=True)
    expected = backend.compare(ITEMS[:1], FT)
    for layout in (1, 2):
        assert backend.compare(ITEMS[:1], FT, layout=layout)[0][:8] == pytest.approx(expected[0][:8], abs=1e-5)
    assert len(set(shapes)) == 3


def test_scaling_runs_from_the_base_to_the_adapter(backend):
    full = backend.compare(ITEMS, FT)
    assert all(one[1:6] == (0.0, 0.0, 0.0, 0.0, 1.0) for one in backend.compare(ITEMS, View("scaled", scale=0.0)))
    assert backend.compare(ITEMS, View("scaled", scale=1.0)) == full
    assert backend.compare(ITEMS, View("scaled", scale=0.5)) != full
    assert backend.compare(ITEMS, FT) == full


def test_a_comparison_does_not_depend_on_what_was_asked_before(tiny_base, adapter):
    fresh = backend_of(tiny_base, adapter).compare(ITEMS[1:], FT)
    used = backend_of(tiny_base, adapter)
    used.compare(ITEMS, FT)
    used.compare(ITEMS[:2], View("null", seed=4))
    used.compare(ITEMS, BASE, layout=1)
    assert used.compare(ITEMS[1:], FT) == fresh


def test_the_base_is_computed_once_for_many_views(backend, monkeypatch):
    calls = []
    real = scoring.batch_logits
    monkeypatch.setattr(scoring, "batch_logits", lambda *a: calls.append(1) or real(*a))
    for seed in range(5):
        backend.compare(ITEMS, View("null", seed=seed))
    assert len(calls) == 6


def test_weights_that_are_not_numbers_show_in_the_view_and_in_no_other(tiny_base, adapter, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(adapter, folder)
    tensors = load_file(folder / "adapter_model.safetensors")
    tensors[min(tensors)][0, 0] = math.nan
    save_file(tensors, folder / "adapter_model.safetensors")
    backend = backend_of(tiny_base, folder)
    assert all(math.isnan(one.kl) and math.isnan(one.view_logprob) for one in backend.compare(ITEMS[:1], FT))
    assert all(math.isfinite(one.base_logprob) for one in backend.compare(ITEMS[:1], FT))
    assert all(one.kl == 0.0 for one in backend.compare(ITEMS, BASE))
    assert sum(module.non_finite for module in backend.inspect().modules) == 1


def test_a_base_that_is_not_numbers_is_an_error(make_base, tmp_path, write_adapter):
    folder = make_base("llama")
    adapter = write_adapter(folder, tmp_path / "adapter")
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"][0] = math.inf
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(BackendError, match="itself gives values that are not finite"):
        backend_of(folder, adapter).compare(ITEMS, FT)


def test_two_whole_models_are_compared_like_an_adapter(tiny_base, adapter, tmp_path):
    _, tuned = both_models(tiny_base, adapter)
    merged = tmp_path / "merged"
    tuned.merge_and_unload().save_pretrained(merged)
    load_tokenizer(tiny_base).save_pretrained(merged)
    whole = backend_of(tiny_base, ft_base=merged, differential=False)
    expected = backend_of(tiny_base, adapter).compare(ITEMS, FT)
    for one, other in zip(whole.compare(ITEMS, FT), expected, strict=True):
        assert one[:8] == pytest.approx(other[:8], abs=1e-4)
    assert all(one.kl == 0.0 for one in whole.compare(ITEMS, BASE))
    loaded = backend_of(tiny_base, adapter, differential=False)
    for one, other in zip(loaded.compare(ITEMS, FT), expected, strict=True):
        assert one[:8] == pytest.approx(other[:8], abs=1e-5)
    for view in (View("null", seed=1), View("scaled", scale=0.5)):
        with pytest.raises(NotSupported, match="compares two whole models"):
            whole.compare(ITEMS, view)
    with pytest.raises(NotSupported, match="no adapter to inspect"):
        whole.inspect()
    with pytest.raises(NotSupported, match="two whole models"):
        loaded.inspect_null(1)
    assert loaded.inspect().matched == loaded.inspect().tensors


def test_models_without_a_common_vocabulary_are_refused(tiny_base, make_base):
    other = make_base("qwen2")
    config = json.loads((other / "tokenizer.json").read_text())
    words = config["model"]["vocab"]
    words["zebra"], words["hello"] = words["hello"], words["zebra"]
    (other / "tokenizer.json").write_text(json.dumps(config))
    with pytest.raises(TargetError, match="do not share a vocabulary"):
        backend_of(tiny_base, ft_base=other, differential=False).compare(ITEMS, FT)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"adapter": None}, r"models\.ft\.adapter is missing.*differential: false"),
        ({"ft_base": "/another/base"}, "name the same base twice"),
        ({"base_adapter": "/another/adapter"}, "would not be loaded"),
    ],
)
def test_a_pair_that_does_not_say_what_is_compared_is_refused(tiny_base, adapter, change, expected):
    with pytest.raises(TargetError, match=expected):
        backend_of(tiny_base, **({"adapter": adapter} | change)).describe()


def test_a_base_that_is_not_there_says_what_to_do(tmp_path, adapter):
    with pytest.raises(TargetError, match=r"there is no base model at .*dlm base pull KEY"):
        backend_of(tmp_path / "nowhere", adapter).compare(ITEMS, FT)
    with pytest.raises(TargetError, match="no model that transformers can load"):
        backend_of(tmp_path, adapter).compare(ITEMS, FT)
    with pytest.raises(TargetError, match="hf download nobody/nothing"):
        backend_of("nobody/nothing", adapter).compare(ITEMS, FT)


def test_an_adapter_of_another_base_stops_the_run_and_can_still_be_inspected(tiny_base, adapter, tmp_path):
    folder = tmp_path / "other"
    shutil.copytree(adapter, folder)
    tensors = load_file(folder / "adapter_model.safetensors")
    keys = sorted(tensors)
    tensors["base_model.model.model.layers.7.q.lora_A.weight"] = tensors.pop(keys[0])
    tensors[keys[1]] = torch.ones(2, 2)
    save_file(tensors, folder / "adapter_model.safetensors")
    backend = backend_of(tiny_base, folder)
    with pytest.raises(AdapterMismatch, match="does not fit this base") as caught:
        backend.describe()
    assert caught.value.exit_code == 2
    seen = backend.inspect()
    assert seen.unexpected == ("base_model.model.model.layers.7.q.lora_A.weight",)
    assert seen.missing == (keys[0],)
    assert seen.mismatched[0].startswith(keys[1])
    assert (seen.tensors, seen.matched, seen.modules) == (28, 26, ())


def test_an_inspection_measures_what_is_there(backend, tiny_base, adapter):
    seen = backend.inspect()
    assert (seen.peft_type, seen.tensors, seen.matched) == ("LORA", 28, 28)
    assert seen.unexpected == seen.missing == seen.mismatched == seen.extra_saved == ()
    assert seen.declared_base == str(tiny_base)
    assert seen.tokenizer_tokens == seen.embedding_rows == len(load_tokenizer(tiny_base))
    _, tuned = both_models(tiny_base, adapter)
    for module in seen.modules:
        layer = tuned.get_base_model().get_submodule(module.name)
        assert module.update_norm == pytest.approx(float(layer.get_delta_weight("default").norm()), rel=1e-5)
    null = {module.name: module.update_norm for module in backend.inspect_null(9).modules}
    assert null == pytest.approx({module.name: module.update_norm for module in seen.modules}, rel=1e-9)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (Item("hello", " ".join(["zebra"] * 600)), "reads at most 512; shorten it"),
        (Item("", "zebra"), "empty prompt"),
        (Item("hello", "   "), "adds no token"),
    ],
)
def test_an_item_that_cannot_be_scored_is_named(tiny_base, adapter, item, expected):
    template = "auto" if "shorten" in expected else "raw"
    backend = backend_of(tiny_base, adapter, template=template)
    tokenizer = backend._loaded().tokenizer
    if not item.prompt:
        assert tokenizer(item.prompt).input_ids == []
    with pytest.raises(BackendError, match=expected):
        backend.compare([ITEMS[0], item], FT)


def test_greedy_answers_are_those_of_one_token_at_a_time(tiny_base, adapter, tmp_path):
    folder = tmp_path / "eager"
    shutil.copytree(tiny_base, folder)
    suggested = {"do_sample": True, "temperature": 0.1, "repetition_penalty": 5.0, "max_new_tokens": 3}
    (folder / "generation_config.json").write_text(json.dumps(suggested))
    backend = backend_of(folder, adapter)
    base, tuned = both_models(tiny_base, adapter)
    renderer = backend._loaded().renderer
    for view, model in ((BASE, base), (FT, tuned)):
        expected = []
        for item in ITEMS:
            ids = renderer.prompt_ids([("user", item.prompt)])
            new = []
            while len(new) < 12 and (not new or new[-1] not in renderer.end_ids):
                with torch.no_grad():
                    new.append(int(model(input_ids=torch.tensor([ids + new])).logits[0, -1].argmax()))
            ended = new[-1] in renderer.end_ids
            new = new[:-1] if ended else new
            expected.append(Answer(renderer.decode(new), tuple(new), ended))
        assert backend.generate(ITEMS, view, max_new_tokens=12) == expected


def test_a_report_can_say_what_was_loaded(tiny_base, adapter, tmp_path):
    base, version = tmp_path / "base", tmp_path / "v0001"
    shutil.copytree(tiny_base, base)
    shutil.copytree(adapter, version)
    (base / "base.json").write_text(json.dumps({"key": "tiny", "digest": "sha256:aa", "revision": None}))
    (version / "version.json").write_text(
        json.dumps({"version": 1, "dlm_id": "01ABC", "base": {"key": "tiny", "digest": "sha256:bb"}})
    )
    backend = backend_of(base, version)
    facts = json.loads(json.dumps(backend.describe(), allow_nan=False))
    assert facts["base"] == {"ref": str(base), "key": "tiny", "digest": "sha256:aa"}
    assert facts["adapter"]["version"] == "1"
    assert len(facts["adapter"]["sha256"]) == 64
    assert (facts["device"], facts["dtype"], facts["template"], facts["packed"]) == ("cpu", "fp32", "chat", True)
    assert facts["versions"].keys() == {"torch", "transformers", "peft"}
    seen = backend.inspect()
    assert (seen.base_digest, seen.declared_digest) == ("sha256:aa", "sha256:bb")


def test_identical_logits_diverge_by_exactly_nothing_and_opposite_ones_by_the_most():
    logits = torch.randn(3, 1000) * 10
    same = divergences(logits, logits.clone(), torch.zeros(3, dtype=torch.long))
    assert all(float(column.abs().max()) == 0.0 for column in (same.kl, same.reverse_kl, same.js, same.tv))
    far = torch.full((1, 4), -200.0)
    one, other = far.clone(), far.clone()
    one[0, 0] = other[0, 3] = 200.0
    apart = divergences(one, other, torch.tensor([3]))
    assert float(apart.kl) == pytest.approx(400.0)
    assert float(apart.js) == pytest.approx(math.log(2))
    assert float(apart.tv) == pytest.approx(1.0)
    assert (float(apart.agree), float(apart.base_logprob), float(apart.view_logprob)) == (0.0, -400.0, 0.0)


def test_the_least_used_logits_are_let_go():
    kept, keys = KeptLogits(limit=80), [(Encoded((n, n), 1),) for n in range(3)]
    for key in keys[:2]:
        kept.put(key, torch.zeros(1, 10))
    assert kept.get(keys[0]) is not None
    kept.put(keys[2], torch.zeros(1, 10))
    assert kept.get(keys[1]) is None
    assert kept.get(keys[0]) is not None
    assert kept.held == 80


def test_a_closed_backend_holds_nothing(backend):
    backend.compare(ITEMS[:1], FT)
    backend.close()
    assert backend._pair is None
    assert backend._kept.held == 0


def test_registering_the_backend_loads_no_library():
    loaded = modules_after("import dlm_hf.for_sway as face; face.dlm_sway_backends()")
    assert not loaded & {"torch", "transformers", "peft", "numpy", "pydantic", "dlm"}


@pytest.mark.parametrize(("given", "expected"), [({}, "1000"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "None")])
def test_threads_stop_spinning_unless_told_to_wait_actively(given, expected):
    environment = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")} | given
    code = "import dlm_hf.for_sway, os; print(os.environ.get('GOMP_SPINCOUNT'))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected


class TestContract(BackendContract):
    gives = frozenset({"compare", "generate", "inspect", "null", "scale", "texts"})

    @pytest.fixture
    def backend(self, tiny_base, adapter):
        return backend_of(tiny_base, adapter)
