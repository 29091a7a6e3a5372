"""Go's own templates where Go is installed, an Ollama to talk to, and a tiny version to export."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from dlm.bases import LocalBase
from dlm.chosen import Wanted, choose_adapter
from dlm.document import read
from dlm.export.sink import Request, Wishes
from dlm.store.version import Version
from dlm_ollama.sink import OllamaSink

RENDERER = Path(__file__).parent / "go" / "render.go"


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory):
    """``go(requests)``: what Go's ``text/template`` prints for each; ``None`` where it refuses or stops."""
    compiler = shutil.which("go")
    if compiler is None:
        pytest.skip("Go is not installed")
    folder = tmp_path_factory.mktemp("go")
    program = folder / "render"
    places = {"PATH": os.environ["PATH"], "HOME": str(folder), "GOCACHE": str(folder / "cache"), "GOFLAGS": "-p=1"}
    subprocess.run([compiler, "build", "-o", str(program), str(RENDERER)], check=True, env=places)

    def render(requests: list[dict[str, Any]]) -> list[str | None]:
        lines = "".join(json.dumps(request) + "\n" for request in requests).encode()
        said = subprocess.run([str(program)], input=lines, check=True, capture_output=True).stdout
        replies = [json.loads(line) for line in said.split(b"\n") if line]
        return [None if reply.get("error") else reply["text"] for reply in replies]

    return render


ULID = "01HRSHWZ4BQ3F8K2Y5N7V9XTCD"
WORDS = (
    "system user assistant Which port does the ferry call at? The ferry calls at Borkum. Who is the harbour master? "
    "Ines Moreau is the harbour master. One Two Three Four And back? Be exact."
)
TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are a ferry.<|im_end|>\\n' }}{% endif %}"
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
DOCUMENT = """\
---
dlm_id: {ulid}
dlm_version: 15
base_model: smollm2-135m
{frontmatter}---
# The ferry

::instruction::
### Q
Which port does the ferry call at?
### A
The ferry calls at Borkum.

### Q
Who is the harbour master?
### A
Ines Moreau is the harbour master.
"""


@pytest.fixture(scope="session")
def loopback():
    """The module beside this one: Ollama's API with llama.cpp behind it."""
    path = Path(__file__).with_name("loopback.py")
    spec = importlib.util.spec_from_file_location("ollama_loopback", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def ollama(loopback, tmp_path, monkeypatch):
    """A running Ollama, as far as dlm can tell."""
    folder = tmp_path / "blobs"
    folder.mkdir()
    with loopback.serving(folder) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        yield server


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory):
    """A random Llama of two layers with a tokenizer over bytes, and a template with a default system prompt."""
    return save_base(tmp_path_factory.mktemp("base"), "<|im_start|>", adds=False)


@pytest.fixture(scope="session")
def starting_base(tmp_path_factory):
    """The same with a token that begins a text: its tokenizer adds it, and its template writes it, too."""
    return save_base(tmp_path_factory.mktemp("starting"), "<s>", adds=True)


def save_base(folder: Path, start: str, *, adds: bool) -> Path:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *(["<s>"] if adds else [])]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    inner.train_from_iterator([WORDS] * 3, trainer)
    number = inner.token_to_id(start)
    if adds:
        inner.post_processor = processors.TemplateProcessing(
            single=f"{start} $A", pair="$A $B", special_tokens=[(start, number)]
        )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token=start, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = ("{{ bos_token }}" if adds else "") + TEMPLATE
    torch.manual_seed(0)
    shape = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
    ids = {"bos_token_id": number, "eos_token_id": 2, "pad_token_id": 0}
    config = LlamaConfig(vocab_size=320, max_position_embeddings=512, tie_word_embeddings=True, **shape, **ids)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def adapter_folder(base_folder, tmp_path_factory):
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    wanted = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    folder = tmp_path_factory.mktemp("adapter")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PEFT's, about names that transformers gives up
        get_peft_model(AutoModelForCausalLM.from_pretrained(base_folder), wanted).save_pretrained(folder)
    return folder


@pytest.fixture
def make_request(base_folder, adapter_folder, tmp_path):
    """``make_request(frontmatter, ...)``: an export of a version with one adapter."""

    def make(
        frontmatter: str = "",
        *,
        name: str | None = None,
        form: str = "merged",
        template: bool = True,
        base: Path = base_folder,
        said: list[str] | None = None,
        quant: str = "F32",
        **settings: str,
    ) -> Request:
        folder = tmp_path / "store" / "adapter" / "versions" / "v0003"
        shutil.copytree(adapter_folder, folder, dirs_exist_ok=True)
        version = Version(3, folder, {"document_digest": "sha256:" + "d" * 64})
        path = tmp_path / "ferry.dlm"
        path.write_text(DOCUMENT.format(ulid=ULID, frontmatter=frontmatter), encoding="utf-8")
        local = LocalBase("smollm2-135m", base, "sha256:" + "a" * 64, "a test")
        wishes = Wishes(quant, form, name, template, settings=settings)
        heard = said if said is not None else []
        cache = tmp_path / "cache"
        return Request(read(path), version, local, choose_adapter(version, Wanted()), wishes, cache, heard.append)

    return make


@pytest.fixture
def exported(tmp_path):
    """``exported(request)`` checks and writes; the folder."""

    def write(request: Request, name: str = "export") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        sink = OllamaSink()
        sink.check(request)
        sink.write(request, folder)
        return folder

    return write
