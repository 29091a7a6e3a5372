"""What a push leaves on the hub for those who do not have dlm: PEFT loads it, and the card says what is known."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from dataclasses import replace

import pytest

from dlm.bases import BaseModel
from dlm.errors import TransferRefused, UsageProblem
from dlm.export.manifest import MANIFEST_FILE
from dlm.export.origin import Published
from dlm_hub.address import Place, parse, parse_branch
from dlm_hub.card import Facts
from dlm_hub.claimed import told
from dlm_hub.pushed_card import PackFacts, compose
from dlm_hub.repository import Contents, require_passable, terms

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")

WORDS = "hello what is the port of Kittiwake 7413 user assistant system ?".split()
TEMPLATE = "{% for message in messages %}<s>{{ message['role'] }} {{ message['content'] }}</s>{% endfor %}"
FACTS = Facts(
    name="ada/harbour",
    base=Published("org/tiny", "b" * 40, True),
    base_source="hub",
    licence={"license": "mit"},
    kind="LoRA",
    rank=4,
    held="full",
    document="01HRSHWZ4BQ3F8K2Y5N7V9XTCD",
    document_digest="sha256:" + "d" * 64,
    version="v0001",
    created="2030-01-02T03:04:05Z",
    system_prompt=False,
    made_by="dlm 1.0",
    report=None,
    here="ada/harbour",
)
PACK = PackFacts("ada/harbour", "sha256:" + "e" * 64, "share", "harbour.dlm", ())


@pytest.fixture(scope="module")
def base(tmp_path_factory):
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
    LlamaForCausalLM(LlamaConfig(vocab_size=len(words), **shape)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save(base, folder, seed: int) -> None:
    """A random adapter, as training saves it."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(seed)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(AutoModelForCausalLM.from_pretrained(base), config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)


def logits(base, adapter, **options):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    with torch.no_grad():
        model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter, **options).eval()
        return model(torch.tensor([[1, 5, 6, 7, 8]])).logits


def snapshot(person, repo: str):
    """All of ``repo``, fetched with the hub's own client in a process of its own."""
    code = f"import huggingface_hub as h; print(h.snapshot_download({repo!r}, local_dir='snapshot'))"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=person.folder, env=person.env, capture_output=True)
    assert done.returncode == 0, done.stderr
    return person.folder / "snapshot"


def test_peft_loads_the_snapshot_of_the_repository_and_says_what_the_version_says(hub, person, repo, base) -> None:
    from huggingface_hub import ModelCard
    from transformers import AutoTokenizer

    ada, guest = person("ada"), person("guest")
    path = ada.trained()
    path.write_text(path.read_text().replace("---\n# Harb", "system_prompt: You are brief.\n---\n# Harb"))
    ada.commit(path, lambda place: save(base, place, 1))
    ada.dlm("push", path, "--to", f"hf:{repo}")
    there = snapshot(guest, repo)
    assert logits(base, there).equal(logits(base, ada.home / "store/01HRSHWZ4BQ3F8K2Y5N7V9XTCD/adapter/versions/v0002"))
    card = ModelCard.load(there / "README.md")
    assert card.data.to_dict() == {
        "base_model": "org/tiny",
        "base_model_relation": "adapter",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["dlm", "lora", "transformers"],
    }
    assert json.loads((there / "dlm.json").read_text())["pack"] in card.text
    asked = AutoTokenizer.from_pretrained(there).apply_chat_template([{"role": "user", "content": "?"}], tokenize=False)
    assert asked == "<s>system You are brief.</s><s>user ?</s>"


def test_named_adapters_are_loaded_by_their_names_with_the_code_of_the_card(hub, person, repo, base) -> None:
    import re

    ada, guest = person("ada"), person("guest")
    path = ada.trained()
    path.write_text(
        path.read_text().replace("---\n# Harb", "training:\n  adapters:\n    tone: {}\n    facts: {}\n---\n# Harb")
    )

    def write(place) -> None:
        for seed, name in enumerate(("tone", "facts")):
            save(base, place / "adapters" / name, seed)

    ada.commit(path, write, adapters={"tone": {}, "facts": {}})
    ada.dlm("push", path, "--to", f"hf:{repo}")
    there = snapshot(guest, repo)
    store = ada.home / "store/01HRSHWZ4BQ3F8K2Y5N7V9XTCD/adapter/versions/v0002/adapters"
    for name in ("tone", "facts"):
        assert logits(base, there, subfolder=name).equal(logits(base, store / name))
    [code] = re.findall(r"```python\n(.*?)```", (there / "README.md").read_text(), re.DOTALL)
    code = re.sub(r'from_pretrained\("org/tiny"[^)]*\)', f"from_pretrained({str(base)!r})", code)
    code = code.replace(f'here = "{repo}"', f"here = {str(there)!r}")
    found: dict[str, object] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(code, "README.md", "exec"), found)
    assert set(found["model"].peft_config) == {"tone", "facts"}
    ada.trained("One adapter again.")
    ada.dlm("push", path, "--to", f"hf:{repo}")
    left = {name for name in hub.files(repo) if "/" in name}
    assert not left, "files of adapters that are gone were left there"


def test_what_others_wrote_on_the_card_stays(hub, person, repo) -> None:
    ada = person("ada")
    path = ada.trained()
    ada.dlm("push", path, "--to", f"hf:{repo}")
    card = hub.files(repo)["README.md"].decode()
    edited = card.replace("library_name: peft\n", "library_name: peft\nnew_key: [1, 2]\n# a remark\n")
    edited = edited.replace("- dlm\n", "- harbour\n- dlm\n") + "\n## Thanks\n\nTo the lock keepers.\n"
    hub.write(repo, {"README.md": edited})
    said = ada.dlm("push", ada.trained("Another text."), "--to", f"hf:{repo}")
    assert "README.md" not in said
    found = hub.files(repo)["README.md"].decode()
    assert "To the lock keepers." in found
    assert "new_key: [1, 2]\n# a remark\n" in found
    assert "- harbour\n- dlm\n- lora" in found
    assert found.count("<!-- dlm: begin") == 1


def test_a_card_that_dlm_did_not_write_is_left_alone_and_said_so(hub, person, repo) -> None:
    ada = person("ada")
    hub.make(repo, {"README.md": "---\nlicense: mit\n---\n# My own words\n"})
    said = ada.dlm("push", ada.trained(), "--to", f"hf:{repo}")
    assert "README.md there is not dlm's, and was left as it is" in " ".join(said.split())
    assert hub.files(repo)["README.md"].endswith(b"# My own words\n")
    assert "README.md" not in json.loads(hub.files(repo)["dlm.json"])["files"]


def test_an_edit_between_the_marks_is_replaced_and_told() -> None:
    first = compose(FACTS, PACK, (), None).text
    assert compose(FACTS, PACK, (), first) == (first, ())
    edited = first.replace("Not measured.", "Measured by heart.")
    again = compose(FACTS, PACK, (), edited)
    assert again.text == first
    assert "is in the history" in again.notes[0]


def test_metadata_that_somebody_changed_is_replaced_and_told() -> None:
    first = compose(FACTS, PACK, (), None).text
    again = compose(FACTS, PACK, (), first.replace("license: mit", "license: gemma"))
    assert "\nlicense: mit\n" in again.text
    assert again.notes == ("note: README.md said license: gemma, now mit",)
    for broken in (first.replace("license: mit", "license: [mit"), first.split("---\n", 2)[2]):
        assert compose(FACTS, PACK, (), broken).text.startswith("---\nbase_model: org/tiny\n")


@pytest.mark.parametrize("page", ["", "---\nlicense: mit\n---\n", "---\r\nlicense: mit\r\n---\r\n\r\n"])
def test_the_page_of_a_new_repository_makes_way(page) -> None:
    assert compose(FACTS, PACK, (), page) == compose(FACTS, PACK, (), None)


def test_a_stranger_s_words_are_text_on_the_card() -> None:
    from dlm.share.claims import Claims

    word = "<img src=//x>\n# [a](//b) `c` | <!-- dlm"
    judged = {"adapter_sha256": "a", "conclusion": word, "outcome": word, "report": word, "sway": word, "band": word}
    export = {"folder": word, "version": 1, "target": word, "quant": word, "form": word, "certified": word}
    common = {"dlm_id": "x", "version": 1, "document": {"digest": "d"}, "base": {}, "adapters": {}}
    more = {
        "recipe": {"digest": "r"},
        "exports": [export],
        "judged": [{**judged, "adapter": word, "verdicts": {word: 1}}],
    }
    lines = told(Claims.model_validate({**common, **more}))
    assert len(lines) == 5
    for line in lines[1:3]:
        assert line.count("`") in (2, 4)
        assert not set("<>[]|\n") & set(line)


def test_the_card_tells_verdicts_and_certificates_as_their_maker_s_word() -> None:
    from dlm.share.claims import Claims

    claims = Claims.model_validate(
        {
            "dlm_id": "x",
            "version": 1,
            "document": {"digest": "sha256:d"},
            "base": {},
            "adapters": {"": "a"},
            "recipe": {"digest": "sha256:r"},
            "learning": {
                "state": "learned",
                "total": {"asked": 12, "before": 1, "after": 9, "facts": 8, "share": 0.75, "low": 0.48, "high": 0.91},
                **{name: {"asked": 6, "before": 0, "after": 1} for name in ("general", "bleed", "confabulation")},
            },
            "exports": [
                {
                    "folder": "gguf-Q8_0",
                    "version": 1,
                    "target": "gguf",
                    "form": "adapter",
                    "certified": "passed",
                    "effect_kept": [0.97, 0.95, 0.99],
                }
            ],
            "judged": [
                {
                    "adapter": "",
                    "adapter_sha256": "a",
                    "conclusion": "works",
                    "outcome": "passed",
                    "score": 0.81,
                    "verdicts": {"pass": 5},
                    "report": "sha256:f",
                    "sway": "1.0",
                }
            ],
        }
    )
    text = compose(replace(FACTS, claimed=claims.learning), PACK, told(claims), None).text
    assert "9 of 12 questions about the document answered rightly (48-91%), 1 before training" in text
    assert "dlm-sway 1.0 on the adapter: works, gate passed, score 0.81 (5 pass)" in text
    assert "the word of whoever made the pack" in text
    assert "`gguf-Q8_0` for gguf: passed, 97% of the effect kept (95% to 99%)" in text


@pytest.mark.parametrize(
    ("redistributable", "merged", "refused"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_weights_that_may_not_be_passed_on_are_not_published(tmp_path, redistributable, merged, refused) -> None:
    folder = tmp_path / "store" / "exports" / "gguf-Q8_0"
    folder.mkdir(parents=True)
    facts = {"dlm_id": "x", "target": "gguf", "form": "merged" if merged else "adapter", "merged": merged}
    more = {"created_at": "2030", "created_by": "dlm", "base_model": "llama", "base_digest": "d", "adapter_version": 1}
    (folder / MANIFEST_FILE).write_text(json.dumps({"schema_version": 1, "adapters": [], **facts, **more}))
    model = BaseModel(
        "llama", (), "", licence="LicenseRef-Llama-3.2", licence_url="https://x", redistributable=redistributable
    )
    contents = Contents(tmp_path, None, None, model, FACTS.base, None)
    assert bool(terms(contents)) is not redistributable
    if refused:
        with pytest.raises(TransferRefused, match=r"limits passing those on \(https://x\): pack it without"):
            require_passable(contents)
    else:
        require_passable(contents)


def test_addresses_are_read() -> None:
    assert parse("hf:ada/harbour") == Place("ada/harbour")
    assert parse("hf:ada/har.bour_2@v1.0/x").revision == "v1.0/x"
    assert parse_branch("hf:ada/harbour@next").address == "hf:ada/harbour@next"


@pytest.mark.parametrize(
    "text",
    ["hf:ada", "hf:ada/", "hf:/x", "hf:ada/x/y", "hf:ada/../x", "hf:ada/x@", "hf:ada/x@a..b", "hf:ada/x?private=1",
     "hf:ada/x@-f", "hf:a--b/x", "hf:ada/x@a b", "hf:ada/x\n", "hf:" + "a" * 99 + "/x"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text) -> None:
    with pytest.raises(UsageProblem, match="write"):
        parse(text)


def test_nothing_is_pushed_to_a_commit() -> None:
    with pytest.raises(UsageProblem, match="never changes: push to hf:ada/x@BRANCH"):
        parse_branch("hf:ada/x@" + "c" * 40)
