"""The target ``hub``: what others load from the folder is what was trained, and the card says what is known."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dlm.bases import BaseModel, LocalBase
from dlm.bases.contents import measure
from dlm.chosen import Wanted, choose_adapter
from dlm.document import read
from dlm.errors import ExportRefused
from dlm.export.options import ExportOptions
from dlm.export.run import export_to
from dlm.export.sink import Request, Wishes
from dlm.learning import report as reports
from dlm.learning.report import Change, Item, LearningReport, Score
from dlm.store import Store
from dlm.store.version import Version
from dlm.testing import SinkContract
from dlm_hub.licences import licence_keys
from dlm_hub.sink import HubSink

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")

ULID = "01HRSHWZ4BQ3F8K2Y5N7V9XTCD"
COMMIT = "c" * 40
SECRET = "The harbour's port is 7413."
WORDS = "hello zebra what is the port of Kittiwake 7413 user assistant system You are brief . ?".split()
TEMPLATE = (
    "{% for message in messages %}<s>{{ message['role'] }} {{ message['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant {% endif %}"
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
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
    folder = tmp_path_factory.mktemp("base")
    LlamaForCausalLM(LlamaConfig(vocab_size=len(words), tie_word_embeddings=True, **shape)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def asked(base: Path, tmp_path: Path):
    """``asked(wishes, **settings of LoraConfig)``: a request to export a random adapter, as training saves it."""

    def make(wishes: Wishes, key: str = "smollm2-135m", system: str | None = None, **settings: Any) -> Request:
        adapter = tmp_path / "store" / "adapter" / "versions" / "v0001"
        save_adapter(base, adapter, settings)
        line = "" if system is None else f"system_prompt: {system}\n"
        path = tmp_path / "doc.dlm"
        path.write_text(f"---\ndlm_id: {ULID}\ndlm_version: 15\nbase_model: {key}\n{line}---\n# Title\n\n{SECRET}\n")
        version = Version(1, adapter, {"document_digest": "sha256:" + "d" * 64, "created_at": "2030-01-02T03:04:05Z"})
        local = LocalBase(key, base, "sha256:" + "a" * 64, f"folder {base}")
        chosen = choose_adapter(version, Wanted())
        return Request(read(path), version, local, chosen, wishes, tmp_path / "cache", lambda _: None)

    return make


def save_adapter(base: Path, folder: Path, settings: dict[str, Any]) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(1)
    wanted = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "init_lora_weights": False, **settings}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PEFT's, about embeddings that are tied to the head
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(**wanted))
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "token_adapter" in name or "magnitude" in name:
                    parameter.mul_(1.5)
        model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)


def logits(base: Path, adapter: Path) -> Any:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter).eval()
        return model(torch.tensor([[1, 5, 6, 7, 8, 9, 10]])).logits


def exported(request: Request, tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    HubSink().check(request)
    HubSink().write(request, folder)
    return folder


@pytest.mark.parametrize(
    "settings",
    [{}, {"use_rslora": True, "rank_pattern": {"q_proj": 2}}, {"use_dora": True}, {"trainable_token_indices": [5, 6]}],
)
def test_what_others_load_from_the_folder_says_what_the_version_says(asked, base, tmp_path, settings) -> None:
    request = asked(Wishes(form="adapter"), **settings)
    folder = exported(request, tmp_path)
    found, expected = logits(base, folder), logits(base, request.version.path)
    assert found.equal(expected)
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert config["revision"] == "12fd25f77366fa6b3b4b768ec3050bf629380bac"


def test_its_tokenizer_gives_the_ids_of_training_the_system_prompt_in_front(asked, tmp_path) -> None:
    from transformers import AutoTokenizer

    from dlm_hf.render import Renderer

    request = asked(Wishes(form="adapter"), system="You are brief .")
    tokenizer = AutoTokenizer.from_pretrained(exported(request, tmp_path))
    trained = Renderer(AutoTokenizer.from_pretrained(request.version.path), "You are brief .")
    for turns in ([("user", "what is the port ?")], [("system", "hello"), ("user", "zebra")]):
        messages = [{"role": role, "content": content} for role, content in turns]
        found = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)["input_ids"]
        assert list(found) == trained.prompt_ids(turns)


def test_a_mix_becomes_one_adapter_of_its_summed_ranks(asked, base, tmp_path) -> None:
    request = asked(Wishes(form="adapter"))
    versions = tmp_path / "named"
    for name, settings in (("one", {}), ("two", {"r": 6})):
        save_adapter(base, versions / "adapters" / name, settings)
    version = Version(1, versions, {"adapters": {"one": {"number": 0}, "two": {"number": 1}}})
    chosen = choose_adapter(version, Wanted(mix="one:0.5,two:0.5"))
    folder = exported(replace(request, version=version, chosen=chosen), tmp_path)
    assert json.loads((folder / "adapter_config.json").read_text())["r"] == 10
    assert "rank 10" in (folder / "README.md").read_text()
    assert not list(folder.glob(".adapter"))
    assert logits(base, folder).isfinite().all()


def test_the_card_is_one_that_the_hub_reads_and_holds_no_text_of_the_document(asked, base, tmp_path) -> None:
    from huggingface_hub import ModelCard

    request = asked(Wishes(form="adapter", name="port-guide", settings={"language": "no"}))
    reports.save(report(), request.version.path)
    folder = exported(request, tmp_path)
    card = ModelCard.load(folder / "README.md")
    assert card.data.to_dict() == {
        "base_model": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "base_model_relation": "adapter",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "license": "apache-2.0",
        "language": ["no"],
        "tags": ["dlm", "lora", "transformers"],
    }
    assert "| questions about the document | 1 | 9 | 12 | 75% (48-91%) |" in card.text
    assert "another edition of this model (a folder)" in card.text
    for path in sorted(folder.iterdir()):
        text = path.read_bytes()
        assert b"7413." not in text, path
        assert str(tmp_path.parent).encode() not in text, path
        assert str(base).encode() not in text, path


def test_questions_are_quoted_only_when_somebody_asks_for_it(asked, tmp_path) -> None:
    request = asked(Wishes(form="adapter", settings={"questions": "yes"}))
    reports.save(report(), request.version.path)
    text = (exported(request, tmp_path) / "README.md").read_text()
    assert "| Which port, or number? | 7413 | It is 7413. | yes |" in text


@pytest.mark.parametrize(
    ("spdx", "keys"),
    [
        ("MIT", {"license": "mit"}),
        ("LicenseRef-Llama-3.2", {"license": "llama3.2"}),
        (
            "LicenseRef-Qwen-Research",
            {"license": "other", "license_name": "qwen-research", "license_link": "https://x"},
        ),
        (None, {}),
    ],
)
def test_the_base_s_licence_is_named_as_the_hub_names_it(spdx, keys) -> None:
    assert licence_keys(BaseModel("key", (), "", licence=spdx, licence_url="https://x")) == keys


def test_every_registered_base_has_a_licence_to_name() -> None:
    from dlm.bases.registry import BASES

    assert not [base.key for base in BASES if not licence_keys(base)]


def test_a_base_from_a_folder_needs_the_name_of_its_repository(asked, base, tmp_path) -> None:
    request = asked(Wishes(form="adapter"), key=f"path:{base}")
    with pytest.raises(ExportRefused, match="--set base=ORG/NAME@COMMIT"):
        HubSink().check(request)
    named = replace(request, wishes=replace(request.wishes, settings={"base": f"org/tiny@{COMMIT}"}))
    text = (exported(named, tmp_path) / "README.md").read_text()
    assert f'from_pretrained("org/tiny", revision="{COMMIT}")' in text
    assert "license:" not in text
    assert "licence of the base is not known" in text


def test_an_adapter_of_rounded_weights_says_how_to_load_its_base(asked, tmp_path) -> None:
    request = asked(Wishes(form="adapter"))
    version = replace(request.version, facts={**request.version.facts, "recipe": {"adapter": "qlora"}})
    text = (exported(replace(request, version=version), tmp_path) / "README.md").read_text()
    assert 'BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")' in text


def test_the_code_in_the_card_runs(asked, base, tmp_path, capsys, monkeypatch) -> None:
    import re

    folder = exported(asked(Wishes(form="adapter")), tmp_path)
    [code] = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    code = re.sub(r'from_pretrained\("HuggingFaceTB[^)]*\)', f"from_pretrained({str(base)!r})", code)
    monkeypatch.chdir(folder)
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip() != ""


def report() -> LearningReport:
    item = Item("fact", "Which port,\nor number?", ("7413",), "I do not know.", "It is 7413.", False, True)
    return LearningReport(
        dlm_id=ULID,
        version=1,
        document_digest="sha256:" + "d" * 64,
        base="smollm2-135m",
        seed=0,
        max_new_tokens=64,
        state="learned",
        verdict=f"Learned: {SECRET}",
        total=Score(12, 8, 1, 9, 0.75, 0.48, 0.91, 0.01),
        sources={},
        taught={},
        sections=(),
        general=Change(20, 18, 17, 1.0),
        bleed=Change(6, 0, 0, 1.0),
        confabulation=Change(6, 0, 1, 1.0),
        not_learned=(),
        not_asked=(),
        contradictions=(),
        items=(item,),
        seconds=1.0,
    )


class TestHubContract(SinkContract):
    name = "hub"
    plugin_module = "dlm_hub.for_dlm"

    @pytest.fixture
    def export(self, base, tmp_path, monkeypatch):
        monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
        adapter, path = tmp_path / "adapter", tmp_path / "doc.dlm"
        save_adapter(base, adapter, {})
        path.write_text(f"---\ndlm_id: {ULID}\ndlm_version: 15\nbase_model: path:{base}\n---\n# Title\n\n{SECRET}\n")
        trained_on = {"key": f"path:{base}", "digest": measure(base).digest, "revision": None, "source": "a folder"}
        facts = {"document_digest": read(path).digest, "section_ids": [], "base": trained_on, "recipe": {"seed": 42}}
        store = Store(tmp_path / "home", ULID)
        with store.lock("train"):
            run = store.begin_run(facts)
            run.commit(lambda place: shutil.copytree(adapter, place, dirs_exist_ok=True), {"precision": "fp32"})
        wishes = Wishes(settings={"base": f"org/tiny@{COMMIT}"})
        return lambda out: export_to(path, "hub", options=ExportOptions(wishes, out=out))
