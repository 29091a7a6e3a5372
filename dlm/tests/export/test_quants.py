"""Which type the weights get when nobody says."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from dlm.document import read
from dlm.errors import UsageProblem
from dlm.export.quants import choose_quant, parameters

OFFERED = ("F16", "Q8_0", "Q4_K_M")


def base(folder: Path, *shape: int) -> Path:
    folder.mkdir(exist_ok=True)
    head = json.dumps({"__metadata__": {}, "w": {"dtype": "BF16", "shape": list(shape), "data_offsets": [0, 0]}})
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head.encode())
    return folder


@pytest.mark.parametrize(
    ("asked", "more", "shape", "expected", "why"),
    [
        (None, "", (999, 1_000_000), "Q8_0", "under 1B"),
        (None, "", (1000, 1_000_000), "Q4_K_M", "at least 1B"),
        (None, "export: {default_quant: F16}", (10, 10), "F16", "the document's export.default_quant"),
        ("q4_k_m", "export: {default_quant: F16}", (10, 10), "Q4_K_M", "--quant"),
    ],
)
def test_the_option_then_the_document_then_the_size_decides(write, tmp_path, asked, more, shape, expected, why) -> None:
    found = choose_quant(asked, read(write(more)), base(tmp_path / "b", *shape), OFFERED, "gguf")
    assert found.name == expected
    assert why in found.why


@pytest.mark.parametrize("quant", ["F32", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1"])
def test_a_document_may_name_every_type_that_needs_no_compiler(write, tmp_path, quant) -> None:
    document = read(write(f"export: {{default_quant: {quant}}}"))
    assert choose_quant(None, document, tmp_path, (quant,), "gguf").name == quant


def test_what_a_target_does_not_write_is_refused_where_it_was_asked_for(write, tmp_path) -> None:
    with pytest.raises(UsageProblem, match="--quant Q2: the target gguf writes F16, Q8_0, Q4_K_M"):
        choose_quant("Q2", read(write()), tmp_path, OFFERED, "gguf")
    with pytest.raises(UsageProblem, match=r"export.default_quant: Q6_K in .*lamp\.dlm: the target gguf writes"):
        choose_quant(None, read(write("export: {default_quant: Q6_K}")), tmp_path, OFFERED, "gguf")


def test_parameters_are_counted_over_all_shards(tmp_path: Path) -> None:
    folder = base(tmp_path / "b", 3, 4)
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    base(folder, 5)
    assert parameters(folder) == 17
