"""Encoding loses no token, whatever the lengths; a batch, a cache and one record at a time give the same ids."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dlm.bases import LocalBase
from dlm.corpus.records import Message, Record
from dlm.errors import TrainingFailed
from dlm.store.tokens import TokenCache
from dlm.training.recipe import Recipe
from dlm_hf.encode import encode, token_scope
from dlm_hf.render import Renderer
from dlm_hf.workbench import HfWorkbench

SAMPLE = [
    "The lamp stands in the cellar, beside the boiler; it was built by Ada Hale in 1931.",
    "Wer hat die Lampe gebaut? Ada Hale. 東京 naïve café — “quotes” and\ttabs\n\nand lines",
]
CHATML = (
    "{% for message in messages %}{{ '<|start|>' + message['role'] + '\n' + message['content'] + '<|end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}{% endif %}"
)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=300) | st.lists(
    st.sampled_from(" ".join(SAMPLE).split(" ")), max_size=120
).map(" ".join)
RENDERERS = ("chat", "chat with a start token", "plain", "plain with a start token")


def _renderer(kind: str) -> Renderer:
    """A byte-level tokenizer that merges across words, so that texts tokenised apart differ from texts in one."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    core.decoder = decoders.ByteLevel()
    special = ["<|text|>", "<|start|>", "<|end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator(SAMPLE * 3, trainer)
    if "start token" in kind:
        core.post_processor = processors.TemplateProcessing("<|text|> $A", special_tokens=[("<|text|>", 0)])
    template = CHATML if kind.startswith("chat") else None
    return Renderer(PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|end|>", chat_template=template), "Hi.")


@pytest.fixture(scope="module")
def renderers() -> dict[str, Renderer]:
    return {kind: _renderer(kind) for kind in RENDERERS}


def prose(text: str, title: str = "") -> Record:
    return Record("prose", "text", "g", "s" * 16, text=text, title=title)


def chat(*turns: str) -> Record:
    roles = ("user", "assistant") * len(turns)
    return Record("qa", "answer", "g", "s" * 16, tuple(map(Message, roles, turns)))


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(RENDERERS),
    TEXT,
    st.sampled_from(["", "Lamp", "Lamp > Bulb"]),
    st.integers(4, 120),
    st.integers(0, 40),
)
def test_the_windows_of_a_text_learn_each_of_its_tokens_exactly_once(
    renderers, kind, text, title, sequence_len, overlap
) -> None:
    renderer = renderers[kind]
    whole = [*renderer.tokenizer(text.strip(), add_special_tokens=False).input_ids, renderer.tokenizer.eos_token_id]
    try:
        examples, rows = encode([prose(text, title)], renderer, sequence_len, overlap)
    except TrainingFailed:
        assert len(renderer.text_ids(f"# {title}\n\n")) + overlap >= sequence_len
        assume(False)
    assert [token for one in examples for token in one.encoded.ids[one.encoded.start :]] == whole
    assert all(1 <= one.encoded.start < len(one.encoded.ids) <= sequence_len for one in examples)
    assert sum(row.scored for row in rows) == len(whole)
    for before, after in itertools.pairwise(examples):
        context = after.encoded.start - examples[0].encoded.start
        head = examples[0].encoded.start
        assert context == min(overlap, len(before.encoded.ids) - head)
        assert after.encoded.ids[head : head + context] == before.encoded.ids[len(before.encoded.ids) - context :]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(RENDERERS), st.lists(st.tuples(TEXT, TEXT.filter(str.strip)) | TEXT, max_size=8))
def test_many_records_at_once_get_the_ids_that_each_gets_alone(renderers, kind, contents) -> None:
    records = [chat(*content) if isinstance(content, tuple) else prose(content, "Lamp") for content in contents]
    together, rows = encode(records, renderers[kind], 4000, 16)
    alone = [encode([record], renderers[kind], 4000, 16)[0] for record in records]
    assert together == [example for examples in alone for example in examples]
    assert [row.record for row in rows] == [at for at, examples in enumerate(alone) for _ in examples]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(RENDERERS), TEXT, TEXT.filter(str.strip))
def test_a_conversation_learns_its_whole_answer_and_the_token_that_ends_it(renderers, kind, question, answer) -> None:
    renderer = renderers[kind]
    (example,), _ = encode([chat(question, answer)], renderer, 4000, 16)
    learned = example.encoded.ids[example.encoded.start :]
    assert learned[-1] == renderer.end_id
    assert renderer.tokenizer.decode(learned[:-1]) == answer.strip()


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(RENDERERS), st.lists(TEXT.filter(str.strip), max_size=6))
def test_a_cache_gives_the_same_examples_empty_or_full(renderers, tmp_path_factory, kind, texts) -> None:
    renderer, path = renderers[kind], tmp_path_factory.mktemp("cache") / "tokens.sqlite"
    records = [prose(text, "Lamp") for text in texts] + [chat("Who?", text) for text in texts]
    plain = encode(records, renderer, 4000, 16)
    for run in (1, 2):
        cache = TokenCache(path, 10**9, 90)
        assert encode(records, renderer, 4000, 16, cache, "scope") == plain
        cache.finish(run)
        assert (cache.stats.misses == 0) is (run == 2 or not records)


def test_what_is_cached_needs_no_tokenizer_and_no_template(tiny_base, tmp_path) -> None:
    base = LocalBase("tiny", tiny_base, "sha256:0", "test")
    recipe = Recipe(precision="fp32", device="cpu", sequence_len=64, window_overlap=8)
    pairs = [chat("what is the port of Kittiwake ?", "7413"), chat("who owns Kittiwake ?", "Soundings team")]
    records = [*pairs, prose("a b c d e f g h " * 20, "Kittiwake")]
    first, cache = HfWorkbench(base, recipe, None), TokenCache(tmp_path / "tokens.sqlite", 10**9, 90)
    rows = first.encode(records, cache)
    cache.finish(1)
    again, cache = HfWorkbench(base, recipe, None), TokenCache(tmp_path / "tokens.sqlite", 10**9, 90)
    again.renderer.tokenizer = _Untouchable(again.renderer.tokenizer.chat_template)
    assert again.encode(records, cache) == rows
    assert again._encoded == first._encoded
    assert (cache.stats.hits, cache.stats.misses) == (3, 0)
    assert len({example.encoded.ids for example in again._encoded[0][:2]}) == 2


class _Untouchable:
    def __init__(self, chat_template: str) -> None:
        self.chat_template = chat_template

    def __call__(self, *arguments, **options):
        raise AssertionError("the tokenizer was asked")

    def apply_chat_template(self, *arguments, **options):
        raise AssertionError("the template was asked")


def test_whatever_decides_the_ids_decides_the_scope(renderers, tmp_path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    chatty, plain = renderers["chat"], renderers["plain"]
    told = Renderer(chatty.tokenizer, "Answer in one sentence.")
    scopes = [
        token_scope(tmp_path, chatty, 64, 8),
        token_scope(tmp_path, plain, 64, 8),
        token_scope(tmp_path, told, 64, 8),
        token_scope(tmp_path, chatty, 65, 8),
        token_scope(tmp_path, chatty, 64, 9),
    ]
    assert scopes[0] == token_scope(tmp_path, chatty, 64, 8)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "merges.txt"):
        (tmp_path / name).write_text(f"changed {name}")
        scopes.append(token_scope(tmp_path, chatty, 64, 8))
    assert len(set(scopes)) == len(scopes)
    (tmp_path / "model.safetensors").write_text("weights")
    assert token_scope(tmp_path, chatty, 64, 8) == scopes[-1]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(RENDERERS), TEXT, TEXT.filter(str.strip), st.data())
def test_the_tokens_of_a_value_spell_it_and_no_fewer_would(renderers, kind, question, answer, data) -> None:
    renderer, answer = renderers[kind], answer.strip()
    start = data.draw(st.integers(0, len(answer) - 1))
    value = answer[start : data.draw(st.integers(start + 1, min(len(answer), start + 40)))]
    (example,), _ = encode([replace(chat(question, answer), value=value)], renderer, 4000, 16)
    learned = example.encoded.ids[example.encoded.start :]
    assert example.value == tuple(range(example.value[0], example.value[-1] + 1))
    assert value in renderer.tokenizer.decode([learned[at] for at in example.value])
    before = renderer.tokenizer.decode(learned[: example.value[0]])
    after = renderer.tokenizer.decode(learned[: example.value[-1]])
    assert value not in before
    assert value not in after
