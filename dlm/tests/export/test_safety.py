"""What is refused because it would not behave like what was trained, told from small files."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dlm.chosen import Chosen, Wanted, choose_adapter
from dlm.errors import AdapterMismatch, ExportRefused, UsageProblem
from dlm.export.options import ExportOptions
from dlm.export.run import export_to
from dlm.export.safety import check_adapters, check_tokenizer, inspect
from dlm.export.sink import Wishes
from dlm.store import Store
from dlm.store.files import sha256
from dlm.store.version import Version

MERGED, APART = Wishes(form="merged"), Wishes(form="adapter")
LORA = {"peft_type": "LORA", "r": 8, "lora_alpha": 16}
LAYER = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"


@dataclass(frozen=True)
class Made:
    version: Version
    chosen: Chosen


def adapter(folder: Path, config: dict[str, Any], *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps(config))
    tensors = {name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for name in names or (LAYER,)}
    head = json.dumps(tensors).encode()
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + b"\0" * 4)


@pytest.fixture
def version(tmp_path: Path):
    def make(config: dict[str, Any] | None = None, *names: str, **facts: Any) -> Made:
        folder = tmp_path / "v0001"
        adapter(folder, {**LORA, **(config or {})}, *names)
        digest = sha256(folder / "adapter_model.safetensors")
        found = Version(1, folder, {"adapter_sha256": digest, **facts})
        return Made(found, choose_adapter(found, Wanted()))

    return make


def check(made: Made, wishes: Wishes, **more: Any) -> list[str]:
    return check_adapters(made.version, made.chosen, wishes, "gguf", **more)


def test_an_adapter_of_four_bit_weights_is_merged_only_when_asked_for(version) -> None:
    made = version(recipe={"adapter": "qlora"})
    with pytest.raises(ExportRefused, match=r"v0001 on nf4 weights.*--dequantize"):
        check(made, MERGED)
    assert check(made, Wishes(form="merged", dequantize=True)) == []
    assert "serve it on a base that is held so" in check(made, APART)[0]


def test_dequantize_without_anything_quantised_is_a_mistake_of_use(version) -> None:
    with pytest.raises(UsageProblem, match="trained on the base's full weights"):
        check(version(), Wishes(form="merged", dequantize=True))


@pytest.mark.parametrize(
    ("config", "names", "reason"),
    [
        ({"trainable_token_indices": [3, 5]}, (LAYER,), "2 trained rows of the vocabulary"),
        ({"trainable_token_indices": {"embed_tokens": [7]}}, (LAYER,), "1 trained rows of the vocabulary"),
        ({"modules_to_save": ["lm_head"]}, (LAYER,), r"modules trained whole \(lm_head\)"),
        ({}, ("base_model.model.model.embed_tokens.lora_embedding_A",), "updates of embed_tokens"),
        ({}, ("base_model.model.lm_head.lora_A.weight",), "updates of lm_head"),
    ],
)
def test_what_an_adapter_file_has_no_place_for_is_refused_with_the_reason(version, config, names, reason) -> None:
    made = version(config, *names)
    with pytest.raises(ExportRefused, match=f"{reason}, which the adapter form of gguf has no place for.*--merged"):
        check(made, APART)
    assert check(made, MERGED) == []
    assert check(made, APART, whole=True) == []


def test_an_adapter_of_layers_alone_passes_in_both_forms(version) -> None:
    assert check(version({"use_dora": True, "use_rslora": True}), APART) == []
    facts = inspect(version({"use_dora": True}).version.path)
    assert (facts.kind, facts.dora, facts.rslora) == ("LORA", True, False)


def test_files_that_are_no_adapter_are_refused_with_their_path(version) -> None:
    folder = version().version.path
    (folder / "adapter_config.json").write_text("{")
    with pytest.raises(ExportRefused, match=r"adapter_config\.json cannot be read"):
        inspect(folder)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(b"half")
    with pytest.raises(ExportRefused, match="holds no adapter that can be read"):
        inspect(folder)


def tokenizer(folder: Path, vocabulary: dict[str, int], *added: tuple[str, int], **more: Any) -> Path:
    folder.mkdir(exist_ok=True)
    found = {"model": {"vocab": vocabulary}, "added_tokens": [{"content": c, "id": n} for c, n in added], **more}
    (folder / "tokenizer.json").write_text(json.dumps(found))
    return folder


def test_a_tokenizer_that_grew_is_refused_and_names_its_tokens(tmp_path: Path) -> None:
    base = tokenizer(tmp_path / "base", {"a": 0, "b": 1})
    same = tokenizer(tmp_path / "same", {"b": 1, "a": 0}, padding={"pad_id": 0})
    check_tokenizer(same, base)
    grown = tokenizer(tmp_path / "grown", {"a": 0, "b": 1}, ("<tool>", 2), ("<call>", 3))
    with pytest.raises(ExportRefused, match=r"added '<call>', '<tool>'\)"):
        check_tokenizer(grown, base)
    with pytest.raises(ExportRefused, match="moved 'a', 'b'"):
        check_tokenizer(tokenizer(tmp_path / "moved", {"a": 1, "b": 0}), base)


def test_an_added_token_that_the_vocabulary_has_already_is_no_growth(tmp_path: Path) -> None:
    base = tokenizer(tmp_path / "base", {"a": 0, "<s>": 1})
    check_tokenizer(tokenizer(tmp_path / "own", {"a": 0, "<s>": 1}, ("<s>", 1)), base)


def test_another_base_than_that_of_training_is_refused(trained, home) -> None:
    before = export_to(trained, "toy", options=ExportOptions(certify=False))
    weights = trained.parent / "base" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    with pytest.raises(AdapterMismatch, match="was trained on"):
        export_to(trained, "toy")
    assert (before.folder / "export_manifest.json").is_file()


def test_a_damaged_version_is_refused(trained, home) -> None:
    from dlm.errors import StoreError

    version = Store(home, "01J0000000000000000000000A").current()
    file = version.path / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\1")
    with pytest.raises(StoreError, match="is damaged"):
        export_to(trained, "toy")


def test_a_merged_export_of_a_base_that_may_not_be_passed_on_says_so(trained, monkeypatch) -> None:
    from dlm.bases.registry import LLAMA_3_2_1B
    from dlm.export.sink import Request

    monkeypatch.setattr(Request, "model", property(lambda self: LLAMA_3_2_1B))
    heard: list[str] = []
    export_to(trained, "toy", options=ExportOptions(certify=False), say=heard.append)
    assert any("the Llama 3.2 licence of llama-3.2-1b limits passing its weights on" in line for line in heard)
    heard.clear()
    export_to(trained, "toy", options=ExportOptions(APART, certify=False), say=heard.append)
    assert not any("licence" in line for line in heard)
