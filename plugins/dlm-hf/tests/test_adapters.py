"""An adapter is put on a base whole, or not at all."""

from __future__ import annotations

import json
import pickle
import socket

import pytest
import torch
from peft import IA3Config, LoraConfig, PeftModel, PromptTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file

from dlm_hf.adapters import KeyMismatch, UnusableAdapter, load_adapter, read_adapter
from dlm_hf.inspection import module_updates, singular_values
from dlm_hf.model import load_base, quiet_libraries

CPU = torch.device("cpu")
LINEAR = ["q_proj", "v_proj", "down_proj"]


@pytest.fixture
def make_adapter(tiny_base, tmp_path):
    """``make_adapter(config)`` writes an adapter that changes the tiny base, and returns its folder."""

    def make(config=None, name="adapter", base=tiny_base):
        torch.manual_seed(1)
        config = config or LoraConfig(r=4, lora_alpha=8, target_modules=LINEAR, task_type="CAUSAL_LM")
        folder = tmp_path / name
        with quiet_libraries(), torch.no_grad():
            model = get_peft_model(load_base(base, torch.float32, CPU), config)
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn_like(parameter) * 0.2)
            model.save_pretrained(folder)
        return folder

    return make


@pytest.fixture
def base(tiny_base):
    return load_base(tiny_base, torch.float32, CPU)


def rewrite(folder, change):
    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


def reconfigure(folder, **values):
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def snapshot(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def unchanged(model, before):
    after = model.state_dict()
    return after.keys() == before.keys() and all(torch.equal(after[key], before[key]) for key in before)


def test_every_tensor_of_the_file_arrives_as_it_was_saved(base, make_adapter):
    folder = make_adapter()
    model = load_adapter(base, folder)
    state = model.state_dict()
    saved = load_file(folder / "adapter_model.safetensors")
    assert len(saved) == 2 * 2 * len(LINEAR)
    for key, tensor in saved.items():
        assert torch.equal(state[key.replace(".weight", ".default.weight")], tensor)
    assert not model.training
    assert not any(parameter.is_meta for parameter in model.parameters())


@pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings:UserWarning")
@pytest.mark.parametrize(
    "extra",
    [
        {"use_rslora": True},
        {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"q_proj": 16}},
        {"modules_to_save": ["lm_head"]},
        {"trainable_token_indices": [3, 4]},
    ],
    ids=lambda extra: next(iter(extra)),
)
def test_the_loaded_adapter_computes_what_the_trained_one_did(tiny_base, make_adapter, extra):
    config = LoraConfig(r=4, lora_alpha=8, target_modules=LINEAR, task_type="CAUSAL_LM", **extra)
    folder = make_adapter(config)
    ids = torch.tensor([[1, 5, 9, 12, 3]])
    with torch.no_grad(), quiet_libraries():
        theirs = PeftModel.from_pretrained(load_base(tiny_base, torch.float32, CPU), folder)(input_ids=ids).logits
        ours = load_adapter(load_base(tiny_base, torch.float32, CPU), folder)(input_ids=ids).logits
        bare = load_base(tiny_base, torch.float32, CPU)(input_ids=ids).logits
    assert torch.equal(ours, theirs)
    assert not torch.allclose(ours, bare, atol=1e-2)


def test_half_precision_updates_are_widened(base, make_adapter):
    folder = make_adapter()
    rewrite(folder, lambda tensors: tensors.update({k: t.bfloat16() for k, t in tensors.items()}))
    model = load_adapter(base, folder)
    adapted = [p for name, p in model.named_parameters() if "lora_" in name]
    assert {parameter.dtype for parameter in adapted} == {torch.float32}


FAULTS = {
    "a tensor that is missing": (lambda t: t.pop(sorted(t)[0]), "1 are missing from the file"),
    "a tensor too many": (
        lambda t: t.update({"base_model.model.model.layers.9.self_attn.q_proj.lora_A.weight": torch.ones(4, 64)}),
        "1 match no module of this base (model.layers.9.self_attn.q_proj.lora_A.weight)",
    ),
    "a tensor of another shape": (lambda t: t.update({sorted(t)[0]: torch.ones(4, 3)}), "1 have another shape"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_keys_that_do_not_fit_are_an_error_and_leave_the_base_as_it_was(base, make_adapter, fault):
    folder = make_adapter()
    change, expected = FAULTS[fault]
    rewrite(folder, change)
    reconfigure(folder, base_model_name_or_path="the-other-base")
    before = snapshot(base)
    with pytest.raises(KeyMismatch) as caught:
        load_adapter(base, folder)
    assert expected in str(caught.value)
    assert "says it was trained on the-other-base: use that base, or train again on this one" in str(caught.value)
    assert unchanged(base, before)
    assert load_adapter(base, make_adapter(name="good")).active_adapter == "default"


def test_an_adapter_of_another_architecture_is_an_error_with_every_key_counted(base, make_adapter):
    folder = make_adapter()
    reconfigure(folder, target_modules=["c_attn"])
    before = snapshot(base)
    with pytest.raises(KeyMismatch, match="12 match no module") as caught:
        load_adapter(base, folder)
    assert len(caught.value.fit.unexpected) == 12
    assert caught.value.fit.matched == 0
    assert unchanged(base, before)


def test_a_pickled_adapter_is_refused_unopened(base, make_adapter, tmp_path):
    folder, trace = make_adapter(), tmp_path / "ran"

    class Payload:
        def __reduce__(self):
            return trace.touch, ()

    (folder / "adapter_model.safetensors").unlink()
    (folder / "adapter_model.bin").write_bytes(pickle.dumps(Payload()))
    with pytest.raises(UnusableAdapter, match=r"pickle can run any code.*safe_serialization=True"):
        load_adapter(base, folder)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("adapter_model.safetensors", b"\x10\x00\x00\x00\x00\x00\x00\x00{", "damaged"),
        ("adapter_config.json", b"{", "not an adapter configuration"),
        ("adapter_config.json", b"[]", "not an adapter configuration"),
        ("adapter_config.json", b'{"peft_type": "MAGIC"}', "not an adapter configuration"),
    ],
)
def test_a_damaged_file_is_named(base, make_adapter, name, content, expected):
    folder = make_adapter()
    (folder / name).write_bytes(content)
    with pytest.raises(UnusableAdapter, match=expected) as caught:
        load_adapter(base, folder)
    assert str(folder / name) in str(caught.value)


def test_a_folder_without_an_adapter_says_what_is_missing(base, make_adapter, tmp_path):
    with pytest.raises(UnusableAdapter, match=r"no adapter_config\.json"):
        load_adapter(base, tmp_path)
    folder = make_adapter()
    (folder / "adapter_model.safetensors").unlink()
    with pytest.raises(UnusableAdapter, match="not saved completely"):
        load_adapter(base, folder)


def test_weights_of_the_base_in_the_file_are_kept_out_unless_asked_for(base, make_adapter):
    folder, key = make_adapter(), "base_model.model.model.embed_tokens.weight"
    own = base.get_input_embeddings().weight.detach().clone()
    rewrite(folder, lambda tensors: tensors.update({key: own.clone()}))
    model = load_adapter(base, folder)  # a copy of what the base has changes nothing
    base = model.unload()
    rewrite(folder, lambda tensors: tensors.update({key: own + 1}))
    with pytest.raises(KeyMismatch, match=r"1 would replace weights of the base itself.*differential: false"):
        load_adapter(base, folder)
    assert torch.equal(base.get_input_embeddings().weight, own)
    load_adapter(base, folder, base_weights="replace")
    assert torch.equal(base.get_input_embeddings().weight, own + 1)


@pytest.mark.parametrize(
    ("values", "expected"),
    [({"init_lora_weights": "pissa"}, "changes the base's own weights"), ({"bias": "all"}, "the base's own biases")],
)
def test_an_adapter_that_alters_the_base_is_refused(base, make_adapter, values, expected):
    folder = make_adapter()
    reconfigure(folder, **values)
    with pytest.raises(UnusableAdapter, match=expected):
        load_adapter(base, folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"peft_type": "XLORA", "adapters": {"0": "somebody/adapter"}, "hidden_size": 8}, "nothing is fetched"),
        ({"megatron_config": {"a": 1}, "megatron_core": "antigravity"}, "Megatron"),
    ],
)
def test_an_adapter_that_leads_to_other_files_or_modules_is_refused(base, make_adapter, changes, said):
    folder = make_adapter()
    reconfigure(folder, **changes)
    with pytest.raises(UnusableAdapter, match=said):
        load_adapter(base, folder)


def test_an_adapter_of_virtual_tokens_is_refused(base, make_adapter):
    folder = make_adapter(PromptTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM"))
    with pytest.raises(UnusableAdapter, match="PROMPT_TUNING adapter adds virtual tokens"):
        load_adapter(base, folder)


def test_other_kinds_of_weight_changing_adapters_load(base, make_adapter):
    config = IA3Config(target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"], task_type="CAUSAL_LM")
    model = load_adapter(base, make_adapter(config))
    assert model.peft_type == "IA3"
    assert module_updates(model) == ()


def test_a_declared_base_on_a_hub_is_not_looked_up(base, make_adapter, monkeypatch):
    folder = make_adapter()
    reconfigure(folder, base_model_name_or_path="some-organisation/some-model")

    def refuse(*_):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    load_adapter(base, folder)
    assert read_adapter(folder).declared_base == "some-organisation/some-model"


def test_singular_values_are_those_of_the_product(base, make_adapter):
    config = LoraConfig(
        r=4,
        lora_alpha=8,
        target_modules=LINEAR,
        task_type="CAUSAL_LM",
        use_rslora=True,
        rank_pattern={"v_proj": 2},
        alpha_pattern={"v_proj": 32},
    )
    model = load_adapter(base, make_adapter(config))
    updates = {update.name: update for update in module_updates(model)}
    assert len(updates) == 6
    for name, update in updates.items():
        layer = model.get_base_model().get_submodule(name)
        product = layer.get_delta_weight("default").double()
        values = torch.linalg.svdvals(product)
        assert update.update_norm == pytest.approx(float(product.norm()), rel=1e-5)
        assert update.stable_rank == pytest.approx(float((values**2).sum() / values[0] ** 2), rel=1e-5)
        assert update.weight_norm == pytest.approx(float(layer.get_base_layer().weight.norm()), rel=1e-5)
        assert update.rank == (2 if "v_proj" in name else 4)
        assert update.non_finite == 0


def test_singular_values_of_a_rank_above_the_width_are_exact():
    down, up = torch.randn(8, 5), torch.randn(6, 8)
    expected = torch.linalg.svdvals(up.double() @ down.double())
    torch.testing.assert_close(singular_values(down, up), expected)


def test_an_untouched_adapter_has_updates_of_zero_and_a_broken_one_is_counted(base, make_adapter):
    folder = make_adapter()

    def spoil(tensors):
        zero = "base_model.model.model.layers.0.mlp.down_proj.lora_B.weight"
        tensors[zero] = torch.zeros_like(tensors[zero])
        tensors["base_model.model.model.layers.1.mlp.down_proj.lora_A.weight"][0, :3] = torch.nan

    rewrite(folder, spoil)
    updates = {update.name: update for update in module_updates(load_adapter(base, folder))}
    untouched = updates["model.layers.0.mlp.down_proj"]
    assert (untouched.update_norm, untouched.stable_rank) == (0.0, 0.0)
    assert updates["model.layers.1.mlp.down_proj"].non_finite == 3
    assert sum(update.non_finite for update in updates.values()) == 3
