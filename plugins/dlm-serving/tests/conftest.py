"""A tiny base, adapters of every shape on it, and export requests for them."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

from dlm.bases import LocalBase
from dlm.bases.contents import measure
from dlm.chosen import Wanted, choose_adapter
from dlm.document import read
from dlm.export.options import ExportOptions
from dlm.export.run import Exported, export_to
from dlm.export.sink import Request, Wishes
from dlm.store import Store
from dlm.store.version import Version

ULID = "01HRSHWZ4BQ3F8K2Y5N7V9XTCD"
WORDS = "hello zebra what is the port of Kittiwake 7413 user assistant system You are brief . ?".split()
TEMPLATE = (
    "{% for message in messages %}<s>{{ message['role'] }} {{ message['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant {% endif %}"
)


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama of two layers, with a word tokenizer and a conversation template."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = {word: index for index, word in enumerate(["<unk>", "<s>", "</s>", *WORDS])}
    inner = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>", bos_token="<s>", eos_token="</s>")
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=len(words), max_position_embeddings=512, tie_word_embeddings=True, **shape)
    folder = tmp_path_factory.mktemp("base")
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def make_adapter(base_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    """``make_adapter(seed, **settings of LoraConfig)`` saves a random adapter and returns its folder."""

    def make(seed: int = 1, **settings: Any) -> Path:
        import torch
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM

        torch.manual_seed(seed)
        wanted = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "init_lora_weights": False, **settings}
        folder = tmp_path_factory.mktemp("adapter")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PEFT's, about embeddings that are tied to the head
            model = get_peft_model(AutoModelForCausalLM.from_pretrained(base_folder), LoraConfig(**wanted))
            model.save_pretrained(folder)
        return folder

    return make


@pytest.fixture
def make_request(base_folder: Path, tmp_path: Path):
    """``make_request({name: folder}, ...)``; a version of one adapter without a name has the name ``None``."""

    def make(
        adapters: dict[str | None, Path],
        wishes: Wishes | None = None,
        wanted: Wanted | None = None,
        system_prompt: str | None = None,
        base: LocalBase | None = None,
    ) -> Request:
        version = _version(tmp_path / "store" / "adapter" / "versions" / "v0001", adapters)
        document = tmp_path / "port.dlm"
        system = "" if system_prompt is None else f"system_prompt: {system_prompt!r}\n"
        document.write_text(
            f"---\ndlm_id: {ULID}\ndlm_version: 15\nbase_model: smollm2-135m\n{system}---\nThe port is 7413.\n"
        )
        chosen = choose_adapter(version, wanted or Wanted())
        base = base or LocalBase("smollm2-135m", base_folder, "sha256:" + "a" * 64, "a test")
        return Request(
            read(document), version, base, chosen, wishes or Wishes(form="adapter"), tmp_path / "cache", print
        )

    return make


def _version(folder: Path, adapters: dict[str | None, Path]) -> Version:
    named = {name: {"number": number} for number, name in enumerate(adapters) if name is not None}
    for name, source in adapters.items():
        shutil.copytree(source, folder if name is None else folder / "adapters" / name)
    return Version(1, folder, {"document_digest": "sha256:" + "d" * 64, **({"adapters": named} if named else {})})


@pytest.fixture
def exporting(base_folder: Path, make_adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """``exporting(target, form, base)``: a function that exports one trained document for a target into a folder."""

    def prepare(target: str, form: Any = None, base: Path | None = None):
        base = base or base_folder
        monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
        path = tmp_path / "notes.dlm"
        head = f"---\ndlm_id: {ULID}\ndlm_version: 15\nbase_model: path:{base}\n---\n"
        path.write_text(head + "# Notes\n\nThe port is 7413.\n")
        facts = {
            "document_digest": read(path).digest,
            "section_ids": [section.id for section in read(path).sections],
            "base": {"key": f"path:{base}", "digest": measure(base).digest, "revision": None, "source": "a folder"},
            "recipe": {"seed": 42},
        }
        store = Store(tmp_path / "home", ULID)
        with store.lock("train"):
            run = store.begin_run(facts)
            run.commit(lambda place: shutil.copytree(make_adapter(1), place, dirs_exist_ok=True), {"precision": "fp32"})

        def export(out: Path) -> Exported:
            # What the files say is tested elsewhere: random weights change too little to be told.
            options = ExportOptions(Wishes(form=form), out=out, certify=False)
            return export_to(path, target, options=options)

        return export

    return prepare
