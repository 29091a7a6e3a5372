"""Adapters as mlx-lm loads them: the sum that PEFT computes, whatever its ranks and scales, or a refusal."""

from __future__ import annotations

import json

import mlx.core as mx
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from mlx_lm.tuner.utils import load_adapters
from safetensors.torch import load_file, save_file

from dlm_hf.adapters import load_adapter
from dlm_hf.model import load_base as load_torch
from dlm_mlx.adapter_file import Update, read_adapter
from dlm_mlx.checking import check
from dlm_mlx.command import convert_adapter
from dlm_mlx.converting import convert
from dlm_mlx.errors import Unusable
from dlm_mlx.folding import alike, summed
from dlm_mlx.loading import load_base
from dlm_sway.cli.main import main as sway

IDS = [1, 5, 9, 13, 17, 21, 25, 29]
KINDS = {
    "plain": {},
    "rank-stabilised": {"use_rslora": True},
    "ranks": {"rank_pattern": {"q_proj": 7, r"layers\.1\.mlp\.up_proj": 2}},
    "scales": {"alpha_pattern": {r"1\.self_attn\.k_proj": 3, "down_proj": 40}},
    "ranks and scales, rank-stabilised": {
        "use_rslora": True,
        "rank_pattern": {r".*0.*q_proj": 9},
        "alpha_pattern": {"gate_proj": 1},
    },
    "DoRA": {"use_dora": True, "rank_pattern": {"q_proj": 7}, "alpha_pattern": {"up_proj": 1}},
    "some layers": {"layers_to_transform": [0]},
}


def in_torch(base, *adapters):
    """Logits of the base with each adapter, and with none."""
    ids, found = torch.tensor([IDS]), []
    for adapter in (None, *adapters):
        model = load_torch(base, torch.float32, torch.device("cpu"))
        with torch.no_grad():
            found.append((load_adapter(model, adapter) if adapter else model)(input_ids=ids).logits[0].numpy())
    return found


def in_mlx(base, converted):
    model = load_base(base, "fp32").model
    load_adapters(model, str(converted))
    model.eval()
    return np.array(model(mx.array([IDS]))[0])


@pytest.mark.parametrize("kind", KINDS)
def test_mlx_lm_computes_what_peft_computes(tiny_base, write_adapter, tmp_path, kind):
    adapter = write_adapter(tiny_base, tmp_path / "adapter", lora_dropout=0.3, **KINDS[kind])
    made = convert([(adapter, 1.0)], tmp_path / "mlx")
    base, wanted = in_torch(tiny_base, adapter)
    found = in_mlx(tiny_base, tmp_path / "mlx")
    assert np.abs(base - wanted).max() > 0.5
    assert found == pytest.approx(wanted, abs=2e-4)
    assert made.modules == (7 if kind == "some layers" else 14)
    assert bool(made.folded) is bool({"rank_pattern", "alpha_pattern"} & set(KINDS[kind]))
    assert check(tiny_base, tmp_path / "mlx") > 0.1


def test_a_mix_adds_what_its_parts_add(tiny_base, write_adapter, tmp_path):
    one = write_adapter(tiny_base, tmp_path / "one", spread=0.05)
    two = write_adapter(tiny_base, tmp_path / "two", spread=0.05, seed=4, use_rslora=True, targets=("q_proj", "o_proj"))
    convert([(one, 0.5), (two, -0.25)], tmp_path / "mix")
    whole = {}
    for folder, weight in ((one, 0.5), (two, -0.25)):
        for name, update in read_adapter(folder).updates.items():
            delta = weight * update.scale * update.down.astype(np.float64) @ update.up
            whole[name] = whole.get(name, 0) + delta
    config = json.loads((tmp_path / "mix" / "adapter_config.json").read_text())
    tensors = load_file(tmp_path / "mix" / "adapters.safetensors")
    assert config["lora_parameters"]["rank"] == 8
    for name, delta in whole.items():
        down, up = tensors[f"{name}.lora_a"].double(), tensors[f"{name}.lora_b"].double()
        assert config["lora_parameters"]["scale"] * (down @ up).numpy() == pytest.approx(delta, abs=1e-7)
    assert check(tiny_base, tmp_path / "mix") > 0


def updates():
    return st.builds(
        lambda rank, scale, seed: Update(
            np.random.default_rng(seed).standard_normal((5, rank)).astype(np.float32),
            np.random.default_rng(seed + 1).standard_normal((rank, 4)).astype(np.float32),
            scale,
        ),
        st.integers(1, 6),
        st.just(0.0) | st.floats(0.01, 100) | st.floats(-100, -0.01),
        st.integers(0, 9),
    )


WEIGHTS = st.sampled_from([0.0, 1.0]) | st.floats(0.01, 3) | st.floats(-3, -0.01)


@given(st.lists(st.tuples(updates(), WEIGHTS), min_size=1, max_size=4))
def test_folding_changes_no_update(terms):
    def added(update, weight=1.0):
        return weight * update.scale * (update.down.astype(np.float64) @ update.up.astype(np.float64))

    parts = [({"a": update, f"b{at}": update}, weight) for at, (update, weight) in enumerate(terms)]
    together = alike(mixed) if (mixed := summed(parts)) else {}
    wanted = sum((added(update, weight) for update, weight in terms), np.zeros((5, 4)))
    biggest = max(np.abs(added(update, weight)).max() for update, weight in terms)
    assert len({(one.rank, one.scale) for one in together.values()}) <= 1
    assert (added(together["a"]) if together else 0 * wanted) == pytest.approx(wanted, abs=1e-6 * biggest)
    for at, (update, weight) in enumerate(terms):
        if weight:
            assert added(together[f"b{at}"]) == pytest.approx(added(update, weight), abs=1e-6 * biggest)


REFUSED = {
    "embeddings": {"targets": ("q_proj", "embed_tokens")},
    "embeddings of tokens": {"trainable_token_indices": [3, 4]},
    "whole modules": {"modules_to_save": ["lm_head"]},
    "biases": {"bias": "lora_only"},
    "PiSSA": {"init_lora_weights": "pissa"},
    "biases of updates": {"lora_bias": True},
}


@pytest.mark.filterwarnings("ignore")  # PEFT advises against some of these
@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_more_than_updates_is_refused_with_the_reason(tiny_base, write_adapter, tmp_path, kind):
    extra = dict(REFUSED[kind])
    adapter = write_adapter(tiny_base, tmp_path / "adapter", **extra)
    with pytest.raises(Unusable, match=r"embeddings|whole modules|biases|init_lora_weights|no factor") as refused:
        convert([(adapter, 1.0)], tmp_path / "mlx")
    assert "PEFT" in str(refused.value) or "train it" in str(refused.value)
    assert not (tmp_path / "mlx").exists()


def test_a_changed_head_is_refused(tiny_base, write_adapter, tmp_path):
    adapter = write_adapter(tiny_base, tmp_path / "adapter", targets=("q_proj",))
    tensors = load_file(adapter / "adapter_model.safetensors")
    for side in "AB":
        like = next(tensor for name, tensor in tensors.items() if f"lora_{side}" in name)
        tensors[f"base_model.model.lm_head.lora_{side}.weight"] = like.clone()
    save_file(tensors, adapter / "adapter_model.safetensors")
    with pytest.raises(Unusable, match="head"):
        read_adapter(adapter)


def test_files_that_are_not_of_one_training_are_refused(tiny_base, write_adapter, tmp_path):
    adapter = write_adapter(tiny_base, tmp_path / "adapter")
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps({**config, "r": 16}))
    with pytest.raises(Unusable, match="rank 16, and its tensors have 4"):
        read_adapter(adapter)
    (adapter / "adapter_model.safetensors").write_bytes(b"half a file")
    with pytest.raises(Unusable, match="damaged"):
        read_adapter(adapter)
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(Unusable, match="pickle"):
        read_adapter(adapter)


def test_an_adapter_of_another_base_is_found_before_anything_is_written(make_base, tiny_base, write_adapter, tmp_path):
    adapter = write_adapter(tiny_base, tmp_path / "adapter")
    other = make_base("gpt_neox")
    ran = CliRunner().invoke(sway, ["convert-adapter", str(adapter), str(tmp_path / "mlx"), "--base", str(other)])
    assert ran.exit_code == 2
    assert not (tmp_path / "mlx").exists()


def test_a_converted_adapter_that_does_nothing_is_caught(tiny_base, write_adapter, tmp_path):
    """mlx-lm adapts modules by their names inside a layer; one that it does not find keeps quiet."""
    adapter = write_adapter(tiny_base, tmp_path / "adapter")
    convert([(adapter, 1.0)], tmp_path / "mlx")
    path = tmp_path / "mlx" / "adapter_config.json"
    config = json.loads(path.read_text())
    config["lora_parameters"]["scale"] = 0.0
    path.write_text(json.dumps(config))
    with pytest.raises(Unusable, match="says the same without it"):
        check(tiny_base, tmp_path / "mlx")
    config["lora_parameters"] |= {"scale": 2.0, "keys": ["self_attn.q_proj"]}
    path.write_text(json.dumps(config))
    with pytest.raises(Unusable, match="mlx-lm cannot load"):
        check(tiny_base, tmp_path / "mlx")


def test_the_command_writes_whole_folders_and_replaces_only_its_own(tiny_base, write_adapter, tmp_path):
    adapter = write_adapter(tiny_base, tmp_path / "adapter", **KINDS["scales"])
    target = tmp_path / "mlx"

    def run(*more):
        return CliRunner().invoke(sway, ["convert-adapter", str(adapter), str(target), *more])

    first = run("--base", str(tiny_base))
    assert first.exit_code == 0, first.output
    assert "14 modules, rank 4" in first.output
    assert "logits move by up to" in first.output
    assert '"rope_theta": 10000.0' in first.output, "what the base's configuration lacks for mlx-lm is told"
    again = run()
    assert (again.exit_code, "--overwrite" in again.output) == (2, True)
    written = {path.name: path.read_bytes() for path in target.iterdir()}
    told = json.loads(run("--overwrite", "--json").output)
    assert (told["modules"], told["folded"], told["moved"], told["base_lacks"]) == (14, 3, None, {})
    assert {path.name: path.read_bytes() for path in target.iterdir()} == written
    (target / "notes.txt").write_text("mine")
    strange = run("--overwrite")
    assert (strange.exit_code, "notes.txt" in strange.output) == (2, True)
    assert (target / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "mlx"]
    assert CliRunner().invoke(convert_adapter, ["--help"]).output.count("\n") < 40


def test_an_adapter_in_mlx_form_is_recognised(tiny_base, write_adapter, tmp_path):
    adapter = write_adapter(tiny_base, tmp_path / "adapter")
    convert([(adapter, 1.0)], tmp_path / "mlx")
    with pytest.raises(Unusable, match="MLX's own format already"):
        convert([(tmp_path / "mlx", 1.0)], tmp_path / "again")
    with pytest.raises(Unusable, match="name another folder"):
        convert([(adapter, 1.0)], adapter, overwrite=True)
