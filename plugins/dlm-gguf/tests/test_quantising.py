"""Types are chosen by llama.cpp's rules, and rounded to the same bytes as its own quantiser makes."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

from dlm_gguf.layout import Tensor
from dlm_gguf.quantising import choose_types, quantised, summary


@pytest.fixture(scope="module")
def ggml():
    import llama_cpp

    folder = Path(llama_cpp.__file__).parent / "lib"
    return ctypes.CDLL(str(next(iter(sorted(folder.glob("*ggml-base*"))))))


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"])
def test_rounded_bytes_are_those_of_llama_cpp(kind, ggml):
    rows = np.random.default_rng(5).normal(size=(48, 96)).astype(np.float32)
    rows[3] = 0.0
    rows[4, :40] *= 1e-4
    found = np.asarray(quantised(rows, kind))
    wanted = np.empty(found.size, np.uint8)
    theirs = getattr(ggml, f"quantize_row_{kind.lower()}_ref")
    theirs.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    theirs(rows.ctypes.data, wanted.ctypes.data, rows.size)
    assert np.array_equal(found.ravel(), wanted)


def tensor(name, *shape):
    return Tensor(name, shape, name, lambda start, stop: np.zeros((stop - start, shape[-1]), np.float32))


def test_norms_and_routers_stay_exact_and_the_head_keeps_eight_bits():
    tensors = [
        tensor("token_embd.weight", 100, 64),
        tensor("blk.0.attn_norm.weight", 64),
        tensor("blk.0.ffn_gate_inp.weight", 4, 64),
        tensor("blk.0.attn_q.weight", 64, 64),
        tensor("blk.0.ffn_down.weight", 64, 90),
    ]
    kinds = {held.tensor.name: held.kind for held in choose_types(tensors, "Q4_0")}
    assert kinds == {
        "token_embd.weight": "Q8_0",
        "blk.0.attn_norm.weight": "F32",
        "blk.0.ffn_gate_inp.weight": "F32",
        "blk.0.attn_q.weight": "Q4_0",
        "blk.0.ffn_down.weight": "F16",
    }
    with_head = choose_types([*tensors, tensor("output.weight", 100, 64)], "Q4_0")
    assert {held.tensor.name: held.kind for held in with_head}["token_embd.weight"] == "Q4_0"
    assert with_head[-1].kind == "Q8_0"
    assert summary(with_head)["fell_back"] == {"to": "F16", "tensors": ["blk.0.ffn_down.weight"]}
