"""Types that llama.cpp writes: with and without an importance matrix, and what becomes of tensors that do not fit."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from dlm.bases import LocalBase
from dlm.errors import ExportFailed, RuntimeMissing
from dlm_gguf import kquants
from dlm_gguf.about import About
from dlm_gguf.checkpoint import of_folder
from dlm_gguf.header import read_header
from dlm_gguf.imatrix import by_gguf_names, write_matrix
from dlm_gguf.kquants import quantise
from dlm_gguf.lattice import on_a_grid
from dlm_gguf.model_file import read_base, write_model

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing")
WIDE = {"hidden_size": 256, "intermediate_size": 288, "num_hidden_layers": 1}


@pytest.fixture
def exact(make_base, tmp_path):
    """A model whose rows 256 divides, but for one tensor's; its folder and its file."""
    base = make_base("llama", **WIDE)
    write_model(read_base(base, None), [], "F32", About("test", "tiny"), tmp_path / "exact.gguf")
    return base, tmp_path / "exact.gguf"


def measured(base, texts):
    from dlm_hf.reading import HfReading

    reading = HfReading(LocalBase("test", base, "sha256:0", "test"), None, None, "fp32")
    return reading.input_squares(texts)


def weights(path):
    from gguf import GGUFReader, quants

    return {one.name: quants.dequantize(one.data, one.tensor_type) for one in GGUFReader(path).tensors}


def test_rows_that_do_not_fill_a_block_are_told_with_the_type_they_got(exact, tmp_path):
    found = quantise(exact[1], tmp_path / "small.gguf", "Q4_K_M")
    assert set(found.fell_back) == {"blk.0.ffn_down.weight"}
    assert found.kinds["Q4_K"] + found.kinds.get("Q6_K", 0) >= 5
    assert (tmp_path / "small.gguf").stat().st_size < exact[1].stat().st_size / 3
    assert {one.name for one in read_header(tmp_path / "small.gguf").tensors} == {
        one.name for one in read_header(exact[1]).tensors
    }


def test_the_same_input_gives_the_same_bytes_whatever_the_threads(exact, tmp_path):
    for threads in (1, 2):
        quantise(exact[1], tmp_path / f"{threads}.gguf", "Q4_K_S", threads=threads)
    assert (tmp_path / "1.gguf").read_bytes() == (tmp_path / "2.gguf").read_bytes()


def test_what_a_layer_is_given_is_measured_as_the_mean_of_its_squares(exact):
    import torch
    from transformers import AutoModelForCausalLM

    base, texts = exact[0], [[5, 9, 77, 30], [8, 8, 200]]
    found = measured(base, texts)
    model, given = AutoModelForCausalLM.from_pretrained(base), []
    model.model.layers[0].self_attn.q_proj.register_forward_pre_hook(lambda _, one: given.append(one[0][0]))
    with torch.no_grad():
        for ids in texts:
            model(torch.tensor([ids]))
    wanted = torch.cat(given).square().mean(0).numpy()
    assert found["model.layers.0.self_attn.q_proj"] == pytest.approx(wanted, rel=1e-4)


def test_columns_that_matter_are_rounded_less(exact, tmp_path):
    base, path = exact
    importance = by_gguf_names(measured(base, [list(range(5, 60))]), path)
    assert {"blk.0.attn_q.weight", "blk.0.ffn_down.weight"} <= set(importance)
    name = "blk.0.ffn_up.weight"
    importance[name] = np.where(np.arange(256) % 16 == 0, 1e4, 1e-4).astype(np.float32)
    plain, weighed = (tmp_path / f"{one}.gguf" for one in ("plain", "weighed"))
    quantise(path, plain, "Q3_K_S")
    assert quantise(path, weighed, "Q3_K_S", importance).weighed == len(importance)
    whole = weights(path)[name]
    errors = [np.square(weights(file)[name] - whole)[:, ::16].mean() for file in (plain, weighed)]
    assert errors[1] < 0.7 * errors[0]


def test_a_matrix_of_another_model_is_refused(exact, tmp_path):
    with pytest.raises(ExportFailed, match="has 256 columns, and the importance matrix weighs 5"):
        quantise(exact[1], tmp_path / "small.gguf", "Q4_K_M", {"blk.0.attn_q.weight": np.ones(5, dtype=np.float32)})


def test_a_matrix_is_written_as_llama_quantize_reads_it(tmp_path):
    from gguf import GGUFReader

    write_matrix(tmp_path / "imatrix.gguf", {"blk.0.attn_q.weight": np.arange(4, dtype=np.float32)})
    reader = GGUFReader(tmp_path / "imatrix.gguf")
    assert reader.fields["general.type"].contents() == "imatrix"
    tensors = {one.name: one.data.ravel().tolist() for one in reader.tensors}
    assert tensors == {"blk.0.attn_q.weight.in_sum2": [0, 1, 2, 3], "blk.0.attn_q.weight.counts": [1]}


def test_without_llama_cpp_the_command_that_installs_it_is_named(exact, tmp_path, monkeypatch):
    monkeypatch.setattr(kquants, "installed", lambda: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(RuntimeMissing, match=r"pip install 'dlm-gguf\[llama-cpp\]'"):
        quantise(exact[1], tmp_path / "small.gguf", "Q4_K_M")


def test_weights_that_were_once_rounded_are_known_by_their_few_values(exact):
    base = of_folder(exact[0])
    assert not on_a_grid(base)

    class Rounded:
        shapes = base.shapes

        def rows(self, name, start, stop):
            return np.round(base.rows(name, start, stop) * 10) / 10

    assert on_a_grid(Rounded())
