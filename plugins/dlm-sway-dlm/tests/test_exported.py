"""A suite beside an export, written through ``dlm export`` and run by sway on the files that lie there."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from dlm.bases import LocalBase
from dlm.bases.contents import measure
from dlm.chosen import Wanted, choose_adapter
from dlm.document import read
from dlm.errors import ExportFailed
from dlm.export.options import ExportOptions
from dlm.export.run import export_to
from dlm.export.sink import Request, Wishes, Written
from dlm.store import Store
from dlm.training.mixing import Mix, Part
from dlm_sway.plugins import manager
from dlm_sway.spec.load import load
from dlm_sway.suite.run import run
from dlm_sway_dlm.exported import write_suite

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")

TEXT = """---
dlm_id: 01M81FN4JAC853MSGR8B0PH69S
dlm_version: 15
base_model: path:{base}
system_prompt: You are brief .
---
# Notes

The lamp is green.

::instruction::

### Q
what is the port of Kittiwake ?
### A
7413

### Q !probe
hello what is port ?
### A
7413
"""
WORDS = "hello zebra what is the port of Kittiwake 7413 user assistant system You are brief . ?".split()
TEMPLATE = (
    "{% for message in messages %}<s>{{ message['role'] }} {{ message['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant {% endif %}"
)


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A document with one version: a random adapter on a random base, committed as training commits one."""
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
    base, adapter = tmp_path / "base", tmp_path / "adapter"
    tiny_models(base, adapter)
    path = tmp_path / "notes.dlm"
    path.write_text(TEXT.format(base=base), "utf-8")
    document = read(path)
    facts = {
        "document_digest": document.digest,
        "section_ids": [section.id for section in document.sections],
        "base": {"key": f"path:{base}", "digest": measure(base).digest, "revision": None, "source": "a folder"},
        "recipe": {"seed": 42},
    }
    store = Store(tmp_path / "home", document.frontmatter.dlm_id)
    with store.lock("train"):
        run_of = store.begin_run(facts)
        run_of.commit(lambda place: shutil.copytree(adapter, place, dirs_exist_ok=True), {"precision": "fp32"})
    return path


def tiny_models(base: Path, adapter: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = {word: index for index, word in enumerate(["<unk>", "<s>", "</s>", *WORDS])}
    inner = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>", bos_token="<s>", eos_token="</s>")
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(words), tie_word_embeddings=True, **shape))
    model.save_pretrained(base)
    tokenizer.save_pretrained(base)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
        get_peft_model(model, wanted).save_pretrained(adapter)


def only(suite: Path, *kinds: str) -> Path:
    """The suite with nothing but its entries of these kinds, in the same folder."""
    head, *entries = suite.read_text("utf-8").split("\n  # ")
    kept = [entry for entry in entries if any(f"kind: {kind}\n" in entry for kind in kinds)]
    short = suite.with_name("short.yaml")
    short.write_text("\n  # ".join([head, *kept]) + "\n", "utf-8")
    return short


@pytest.mark.parametrize("target", ["vllm", "hub"])
def test_sway_runs_the_suite_on_the_exported_adapter_without_the_document(trained, tmp_path, target) -> None:
    settings = {"base": f"org/tiny@{'c' * 40}"} if target == "hub" else {}
    options = ExportOptions(Wishes(settings=settings), Wanted(), out=tmp_path / "given away", suite=True)
    done = export_to(trained, target, options=options)
    suite = done.folder / "sway.yaml"
    assert done.next_steps[-1].startswith("sway run ")
    trained.unlink()
    shutil.rmtree(tmp_path / "home" / "store")
    loaded = load(suite, manager())
    assert loaded.suite.models.ft.adapter.is_relative_to(done.folder)
    assert loaded.suite.defaults.system_prompt == "You are brief ."
    assert {section.kind for section in loaded.sections} == {"prose", "instruction"}
    assert "hello what is port ?" in suite.read_text("utf-8")
    [result] = run(only(suite, "integrity")).probes
    assert (result.kind, result.verdict) == ("integrity", "pass"), result


def test_a_merged_model_is_judged_as_a_whole_model(trained, tmp_path) -> None:
    options = ExportOptions(Wishes(form="merged"), Wanted(), out=tmp_path / "merged", suite=True, allow_lossy=True)
    done = export_to(trained, "vllm", options=options)
    loaded = load(done.folder / "sway.yaml", manager())
    assert loaded.suite.defaults.differential is False
    assert loaded.suite.models.ft.adapter is None
    assert Path(loaded.suite.models.ft.base) == done.folder / "model"


def test_the_suite_is_no_part_of_the_export_and_may_be_edited(trained, tmp_path) -> None:
    done = export_to(trained, "vllm", options=ExportOptions(suite=True, out=tmp_path / "export"))
    listed = {one["path"] for one in json.loads((done.folder / "export_manifest.json").read_text())["artifacts"]}
    assert not listed & {"sway.yaml", "sway-sections.json"}


def test_files_that_sway_cannot_load_are_judged_by_what_they_were_made_from(trained, tmp_path) -> None:
    said: list[str] = []
    version = Store(tmp_path / "home", read(trained).frontmatter.dlm_id).current()
    base = LocalBase("path:base", tmp_path / "base", "sha256:b", "a test")
    chosen = choose_adapter(version, Wanted())
    request = Request(read(trained), version, base, chosen, Wishes(), tmp_path / "cache", said.append)
    (tmp_path / "export").mkdir()
    assert write_suite(request, tmp_path / "export", Written("Q8_0", "merged")) == "sway.yaml"
    models = load(tmp_path / "export" / "sway.yaml", manager()).suite.models
    assert models.ft.adapter == version.path
    assert said == ["note: the suite judges v0001 as trained, since no backend of sway loads the exported files"]
    mixed = replace(request, chosen=replace(chosen, adapter=Mix((Part("one", version.path, 0.5),))))
    with pytest.raises(ExportFailed, match="--adapter"):
        write_suite(mixed, tmp_path / "export", Written("Q8_0", "merged"))
