"""Vocabularies: llama.cpp makes the same tokens of a text as the base's own tokenizer, or the base is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from dlm.errors import ExportFailed, ExportRefused
from dlm_gguf import pretokenizers, probing
from dlm_gguf.about import About
from dlm_gguf.header import read_header
from dlm_gguf.library import Model
from dlm_gguf.model_file import read_base, write_model
from dlm_gguf.template import stop_of
from dlm_gguf.tokenizer import CONTROL, UNUSED, USER_DEFINED, read_vocabulary

ROWS = 384
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SAMPLE = [*probing.PROBES, "the rollback of payments is done on Friday by Ines"] * 3
BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
CHAT = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"


def split(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), BYTES])


CUTS = {
    "gpt-2": pre_tokenizers.ByteLevel(add_prefix_space=False),
    "smollm": pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    ),
    "dbrx": split(pretokenizers._CL100K),
    "llama-bpe": split(pretokenizers._CL100K),
    "qwen2": split(pretokenizers._QWEN2),
    "gpt-4o": split(pretokenizers._O200K),
    "tekken": split(pretokenizers._TEKKEN),
}


def bytes_tokenizer(cut=CUTS["gpt-2"], ignore_merges=False):
    made = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    made.pre_tokenizer, made.decoder = cut, decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=370, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(SAMPLE, trainer)
    return made


def pieces_tokenizer(prefix=True):
    """As Llama 2, Mistral and Gemma have it: pieces, and bytes for what no piece covers."""
    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
    plain.train_from_iterator(SAMPLE, trainers.BpeTrainer(vocab_size=120, show_progress=False, limit_alphabet=60))
    trained = json.loads(plain.to_str())["model"]
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *trained["vocab"]]
    vocab = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    merges = [tuple(pair) for pair in trained["merges"]]
    made = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    steps = [normalizers.Prepend("▁")] if prefix else []
    made.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    made.add_special_tokens(["<unk>", "<s>", "</s>", "<|endoftext|>"])
    made.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 1)])
    return made


def save(made, folder, **settings):
    config = {"model_type": "llama", "hidden_size": 32, "num_attention_heads": 2, "num_hidden_layers": 0}
    config |= {"intermediate_size": 32, "tie_word_embeddings": True, "rms_norm_eps": 1e-5}
    rows = max(ROWS, made.get_vocab_size())
    save_file({"model.embed_tokens.weight": np.zeros((rows, 32), np.float32)}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text(made.to_str())
    names = {"bos_token": "<s>", "eos_token": "</s>"} if made.token_to_id("</s>") else {"eos_token": "<|im_end|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**names, **settings}))
    return folder


@pytest.fixture(scope="module")
def served_vocabulary(tmp_path_factory):
    """Writes a base around a tokenizer, and opens what llama.cpp makes of it."""
    opened = []

    def serve(made, name="t"):
        folder = save(made, tmp_path_factory.mktemp("base"))
        write_model(read_base(folder, None), [], "F32", About(name, "t"), folder / "model.gguf")
        opened.append(Model(folder / "model.gguf", vocabulary_only=True))
        return opened[-1]

    yield serve
    for model in opened:
        model.close()


# llama.cpp's own tables of Unicode are older or newer than the tokenizer's, so that signs few people write differ.
LETTERS = st.characters(min_codepoint=1, max_codepoint=0x2FFF, categories=["Lu", "Ll", "Nd", "Po", "Pd", "Sc", "Zs"])
TEXT = st.one_of(st.text(LETTERS), st.sampled_from(probing.PROBES), st.text("ab '\n\t.12Él", max_size=20))


def require_the_same_tokens(made, model, text=TEXT):
    @settings(max_examples=200, deadline=None, derandomize=True)
    @given(text)
    def same(one):
        assert model.tokenize(one, start=False) == made.encode(one, add_special_tokens=False).ids

    same()


@pytest.mark.parametrize("name", CUTS)
def test_text_is_cut_and_merged_as_the_base_s_tokenizer_does(name, served_vocabulary):
    made = bytes_tokenizer(CUTS[name], ignore_merges=name in ("llama-bpe", "tekken"))
    assert pretokenizers.pretokenizer_of(json.loads(made.to_str())) == name
    # Of tekken's case rules, llama.cpp knows those for a to z.
    text = st.text(st.characters(min_codepoint=1, max_codepoint=127)) if name == "tekken" else TEXT
    require_the_same_tokens(made, served_vocabulary(made), text)


@pytest.mark.parametrize("prefix", [True, False], ids=["llama-2", "gemma"])
def test_pieces_are_merged_by_the_scores_that_their_merges_give(prefix, served_vocabulary):
    made = pieces_tokenizer(prefix)
    require_the_same_tokens(made, served_vocabulary(made))


def test_a_text_begins_as_the_tokenizer_lets_it_begin(served_vocabulary):
    pieces, plain = pieces_tokenizer(), bytes_tokenizer()
    assert served_vocabulary(pieces).tokenize("the", start=True) == pieces.encode("the").ids
    assert served_vocabulary(plain).tokenize("the", start=True) == plain.encode("the").ids


def test_special_and_added_tokens_are_found_in_a_text(served_vocabulary):
    made = bytes_tokenizer()
    made.add_special_tokens(["<|tool|>"])
    made.add_tokens([AddedToken("ROLLBACK", normalized=False)])
    text = "a<|im_start|>user ROLLBACKs<|tool|> b <|im_end|>"
    model = served_vocabulary(made)
    assert model.tokenize(text, start=False) == made.encode(text).ids
    assert made.token_to_id("ROLLBACK") in made.encode(text).ids


@pytest.mark.parametrize("swallows", [True, False])
@pytest.mark.parametrize("name", ["runbook", "phi-3 notes"])
def test_spaces_behind_special_tokens_are_kept_or_swallowed_whatever_the_model_s_name(
    swallows, name, served_vocabulary
):
    made = pieces_tokenizer()
    made.add_special_tokens([AddedToken("<|end|>", rstrip=swallows, special=True)])
    text = "the rollback<|end|>\n  of payments"
    found = served_vocabulary(made, name).tokenize(text, start=False)
    marker = made.token_to_id("<|end|>")
    behind = found[found.index(marker) + 1 :]
    wanted = made.encode(text, add_special_tokens=False).ids
    assert (made.token_to_id("\n") in behind) == (not swallows)
    assert found[: found.index(marker)] == wanted[: wanted.index(marker)]


def test_rows_without_a_token_are_named_and_never_made_of_text(tmp_path):
    made = bytes_tokenizer()
    made.add_tokens(["extra"])
    found = read_vocabulary(save(made, tmp_path), ROWS)
    size = made.get_vocab_size()
    assert found.kinds[made.token_to_id("<|im_end|>")] == CONTROL
    assert found.kinds[made.token_to_id("extra")] == USER_DEFINED
    assert found.tokens[size:] == tuple(f"[PAD{number}]" for number in range(size, ROWS))
    assert set(found.kinds[size:]) == {UNUSED}


def test_a_tokenizer_that_grew_beyond_the_embedding_is_refused(tmp_path):
    made = bytes_tokenizer()
    folder = save(made, tmp_path)
    with pytest.raises(ExportRefused, match=r"370 tokens, and its embedding 300 rows: token 300"):
        read_vocabulary(folder, 300)


@pytest.mark.parametrize(
    "change",
    [
        {"pre_tokenizer": split(r"\p{L}+|\d").__getstate__()},
        {"normalizer": normalizers.Lowercase().__getstate__()},
        {"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a", 0.0]]}},
    ],
    ids=["cut", "normaliser", "model"],
)
def test_a_tokenizer_that_llama_cpp_does_not_know_is_refused_with_a_way_out(change, tmp_path):
    folder = save(bytes_tokenizer(), tmp_path)
    found = json.loads((folder / "tokenizer.json").read_text())
    parts = {key: json.loads(value) if isinstance(value, bytes) else value for key, value in change.items()}
    (folder / "tokenizer.json").write_text(json.dumps({**found, **parts}))
    with pytest.raises(ExportRefused, match=r"DLM_LLAMA_CPP_ROOT.*--target vllm"):
        read_vocabulary(folder, ROWS)


def test_a_wrong_name_for_the_cut_is_found_by_trying_texts(tmp_path, monkeypatch):
    folder = save(bytes_tokenizer(CUTS["qwen2"]), tmp_path)
    write_model(read_base(folder, None), [], "F32", About("t", "t"), folder / "model.gguf")
    assert probing.compare(folder / "model.gguf", folder) == len(probing.PROBES)
    monkeypatch.setitem(pretokenizers._BY_REGEX, pretokenizers._QWEN2, "gpt-2")
    write_model(read_base(folder, None), [], "F32", About("t", "t"), folder / "model.gguf")
    with pytest.raises(ExportFailed, match="other tokens of"):
        probing.compare(folder / "model.gguf", folder)


def test_the_token_that_ends_an_answer_is_told_from_the_template(tmp_path):
    folder = save(bytes_tokenizer(), tmp_path, eos_token="<|endoftext|>")
    base = read_base(folder, CHAT)
    assert base.vocabulary.tokens[base.end_of_turn] == "<|im_end|>"
    write_model(base, [], "F32", About("t", "t"), folder / "model.gguf")
    keys = read_header(folder / "model.gguf").metadata
    assert (keys["tokenizer.ggml.eos_token_id"], keys["tokenizer.ggml.eot_token_id"]) == (0, 2)


def test_a_template_that_marks_what_is_trained_is_rendered_as_transformers_does(tmp_path):
    marked = CHAT.replace("{{ m['content'] }}", "{% generation %}{{ m['content'] }}{% endgeneration %}")
    vocabulary = read_vocabulary(save(bytes_tokenizer(), tmp_path), ROWS)
    assert stop_of(marked + "{% if tools is not none %}{{ tools.x.y }}{% endif %}", vocabulary) == 2


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}", "never stop"),
        ("{{ raise_exception('only one turn') }}", "only one turn"),
        ("{{ messages", "cannot be rendered"),
    ],
)
def test_a_template_that_does_not_stop_or_render_is_refused(template, said, tmp_path):
    vocabulary = read_vocabulary(save(bytes_tokenizer(), tmp_path), ROWS)
    with pytest.raises(ExportRefused, match=f"{said}.*--no-template"):
        stop_of(template, vocabulary)
