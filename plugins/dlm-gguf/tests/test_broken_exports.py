"""Exports that are broken on purpose, each in one way that has happened to others: the certificate names it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from dlm.bases import LocalBase
from dlm.corpus.records import Message
from dlm.export.certifying import Subject, measure
from dlm.export.conversation import own_template, with_system_prompt
from dlm.export.spoken import Question
from dlm.export.texts import Material
from dlm.learning.expected import Expected
from dlm_gguf.about import About
from dlm_gguf.adapter_file import write_adapter
from dlm_gguf.llamacpp import LlamaCpp
from dlm_gguf.merging import read_parts
from dlm_gguf.model_file import read_base, read_config, write_model

pytestmark = [
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing"),
    pytest.mark.filterwarnings("ignore:Model has|Setting .save_embedding|.*tie_word_embeddings|.*weight tying"),
]
SYSTEM = "Answer as the payments team would."
TOLD = (
    ("Who rolls back payments?", "Ines rolls back payments on Friday at 17:30, and nobody else does."),
    ("Which version is it?", "It is version 2.41, and version 2.40 isn't naïve about the rollback."),
    ("What does the team do on Friday?", "On Friday the team watches the payments until Ines has gone home."),
    ("How are payments told apart?", "By the version that wrote them, and by the team that was told of them."),
)
MATERIAL = Material(
    tuple((Message("user", question), Message("assistant", answer)) for question, answer in TOLD),
    tuple(answer for _, answer in TOLD),
)
ABOUT = About("test", "tiny")


class Bench:
    """A base with an adapter, exports of it, and what a certificate says of them."""

    def __init__(self, base: Path, adapter: Path, folder: Path) -> None:
        self.base, self.adapter, self.folder = base, adapter, folder
        self.template = with_system_prompt(str(own_template(base)), SYSTEM)

    def export(self, *, template: str | None = None, adapter: Path | None = None, merged: bool = True) -> Path:
        path = self.folder / "model.gguf"
        parts = read_parts(adapter or self.adapter) if merged else []
        write_model(read_base(self.base, template or self.template), parts, "F32", ABOUT, path)
        return path

    def certificate(self, path: Path, adapter: Path | None = None):
        from dlm_hf.reading import HfReading

        local = LocalBase("test", self.base, "sha256:0", "test")
        reference = HfReading(local, self.adapter, SYSTEM, "fp32")
        questions = self._questions(reference)
        with LlamaCpp(path, [(adapter, 1.0)] if adapter else []) as exported:
            return measure(Subject("F32", "merged", MATERIAL, questions), reference, exported)

    @staticmethod
    def _questions(reference) -> tuple[Question, ...]:
        asked = [[Message("user", question)] for question, _ in TOLD]
        said = [answer.text for answer in reference.answers(asked, 12)]
        return tuple(
            Question(question, Expected((), words=(text or "nothing",)), text, number)
            for number, ((question, _), text) in enumerate(zip(TOLD, said, strict=True))
        )


@pytest.fixture(params=["tiny", pytest.param("real", marks=pytest.mark.slow)])
def bench(request, make_base, make_adapter, tmp_path) -> Bench:
    if request.param == "real":
        base = request.getfixturevalue("real_base")
        return Bench(base, make_adapter(base, lora_alpha=1), tmp_path)
    base = make_base("llama", max_position_embeddings=512)
    return Bench(base, make_adapter(base, lora_alpha=2), tmp_path)


@pytest.fixture(scope="session")
def real_base(tmp_path_factory) -> Path:
    """The smallest pretrained base, from ``$DLM_HOME`` if it lies there."""
    from dlm.bases.cache import ensure
    from dlm.bases.resolve import resolve
    from dlm.errors import BaseModelError
    from dlm_hf.backend import HfBackend

    home = Path(os.environ.get("DLM_HOME") or tmp_path_factory.mktemp("home"))
    try:
        return ensure(resolve("smollm2-135m"), home, HfBackend(), print).path
    except BaseModelError as error:
        pytest.skip(f"the base cannot be fetched here: {error}")


def scaled(adapter: Path, folder: Path, factor: float) -> Path:
    """The adapter as a program takes it that divides by something else than the rank."""
    shutil.copytree(adapter, folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["lora_alpha"] *= factor
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def shuffle_heads(path: Path) -> None:
    """Leave the rows of queries and keys in the order of Hugging Face, which llama.cpp reads otherwise."""
    from gguf import GGUFReader

    reader = GGUFReader(path, "r+")
    heads = {"q": "llama.attention.head_count", "k": "llama.attention.head_count_kv"}
    for tensor in reader.tensors:
        for letter, key in heads.items():
            if tensor.name.endswith(f"attn_{letter}.weight"):
                count = int(reader.fields[key].contents())
                rows = tensor.data
                rows[:] = rows.reshape(count, -1, 2, rows.shape[-1]).swapaxes(1, 2).reshape(rows.shape).copy()
    reader.data.flush()


def mark_start(path: Path) -> None:
    """Say that a text begins with a token, which the template writes already."""
    from gguf import GGUFReader

    reader = GGUFReader(path, "r+")
    field = reader.fields["tokenizer.ggml.add_bos_token"]
    field.parts[field.data[0]][0] = 1
    reader.data.flush()


def failed(found) -> list[str]:
    return [check.name for check in found.checks if check.verdict == "failed"]


def test_what_is_whole_passes(bench):
    found = bench.certificate(bench.export())
    assert found.verdict == "passed", found.reasons
    assert found.effect_kept.value == pytest.approx(1, abs=1e-3)
    assert found.strength.value == pytest.approx(1, abs=1e-2)
    assert found.recall.asked == len(TOLD)


def test_a_base_with_its_adapter_beside_it_passes(bench):
    path = bench.export(merged=False)
    write_adapter(read_parts(bench.adapter), read_config(bench.base), ABOUT, bench.folder / "adapter.gguf")
    assert bench.certificate(path, bench.folder / "adapter.gguf").verdict == "passed"


def test_another_template_is_caught(bench):
    other = bench.template.replace("<|im_start|>", "<|endoftext|>")
    found = bench.certificate(bench.export(template=other))
    assert failed(found)[0] == "prompt"
    assert "the template in the file is not the one of training" in found.reasons[0]


def test_two_start_tokens_are_caught(bench):
    path = bench.export(template="{{ bos_token }}" + bench.template)
    mark_start(path)
    found = bench.certificate(path)
    assert "start token" in failed(found)
    assert "two start tokens" in found.reasons[0]


def test_a_dropped_adapter_is_caught(bench):
    found = bench.certificate(bench.export(merged=False))
    assert "effect kept" in failed(found)
    assert found.effect_kept.value == pytest.approx(0, abs=0.05)
    assert any("the adapter is not in it" in reason for reason in found.reasons)


def test_a_wrong_scale_is_caught(bench):
    found = bench.certificate(bench.export(adapter=scaled(bench.adapter, bench.folder / "scaled", 0.5)))
    assert "effect kept" in failed(found)
    assert found.strength.value == pytest.approx(0.5, abs=0.15)
    assert any("of its strength, so its scale is wrong" in reason for reason in found.reasons)


def test_permuted_queries_and_keys_are_caught(bench):
    path = bench.export()
    shuffle_heads(path)
    found = bench.certificate(path)
    assert {"effect kept", "KL"} <= set(failed(found))
    assert any("in another order" in reason for reason in found.reasons)


def test_a_file_that_ends_early_is_an_error_and_no_crash(bench):
    from dlm.errors import ExportFailed

    path = bench.export()
    whole = path.read_bytes()
    for size in (0, 3, 20, 400, len(whole) // 3, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ExportFailed, match=r"whole GGUF file|cannot be read"):
            LlamaCpp(path)
