"""Which dialect a base speaks is found by rendering, and proved: text and token ids, with and without a system prompt.

The templates are written for these tests. Each does what the published ones of its kind do, down to the white space.
"""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from dlm.corpus.records import Message
from dlm_hf.render import Renderer
from dlm_ollama.conversation import render
from dlm_ollama.planning import stops
from dlm_ollama.recognise import PROBES, Recognised, Unrecognised, Unspeakable, recognise

INVITE = "{% if add_generation_prompt %}"
CHATML_TURNS = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
DEFAULT_SYSTEM = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are Ferry.<|im_end|>\\n' }}{% endif %}"
)
# Reasoning is taken out of earlier answers, and an empty one is put into the last answer of a text to learn.
QWEN3 = """{%- set state = namespace(last=-1) %}
{%- for m in messages %}{% if m.role == 'user' %}{% set state.last = loop.index0 %}{% endif %}{% endfor %}
{%- for m in messages %}
    {%- if m.role == 'assistant' %}
        {%- set said = m.content.split('</think>')[-1].lstrip('\\n') %}
        {{- '<|im_start|>assistant\\n' }}
        {%- if loop.last and loop.index0 > state.last %}{{- '<think>\\n\\n</think>\\n\\n' }}{% endif %}
        {{- said + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{% endif %}
{%- endif %}"""
# The published template of this kind does not close the system turn either.
SMOLLM3 = """{%- set mode = '/think' if enable_thinking is not defined or enable_thinking else '/no_think' %}
{{- '<|im_start|>system\\n## Metadata\\n\\nToday Date: ' + strftime_now('%d %B %Y') }}
{{- '\\nReasoning Mode: ' + mode + '\\n\\n' }}
{%- if messages[0].role == 'system' %}{% set own = messages[0].content.rstrip() %}{% set rest = messages[1:] %}
{%- else %}{% set own = 'Think first.' %}{% set rest = messages %}{% endif %}
{{- '## Custom Instructions\\n\\n' + own + '\\n\\n' }}
{%- for m in rest %}{{- '<|im_start|>' + m.role + '\\n' + m.content.lstrip('\\n') + '<|im_end|>\\n' }}{% endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{% endif %}"""
GEMMA2 = """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system here') }}{% endif %}
{%- for m in messages %}{{ '<start_of_turn>' + ('model' if m['role'] == 'assistant' else m['role']) + '\\n'
 + m['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"""
GEMMA3 = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- set first = messages[0]['content'] + '\\n\\n' -%}{%- set rest = messages[1:] -%}
{%- else -%}{%- set first = '' -%}{%- set rest = messages -%}{%- endif -%}
{%- for m in rest -%}
    {{ '<start_of_turn>' + ('model' if m['role'] == 'assistant' else m['role']) + '\\n' }}
    {{- first if loop.first else '' }}
    {{- m['content'] | trim }}{{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<start_of_turn>model\\n' }}{%- endif -%}"""
LLAMA3 = """{{- bos_token }}
{%- if messages[0]['role'] == 'system' %}{% set own = messages[0]['content'] | trim %}{% set rest = messages[1:] %}
{%- else %}{% set own = '' %}{% set rest = messages %}{% endif %}
{{- '<|start_header_id|>system<|end_header_id|>\\n\\nCutting Knowledge Date: December 2023\\nToday Date: ' }}
{{- strftime_now('%d %b %Y') + '\\n\\n' + own + '<|eot_id|>' }}
{%- for m in rest %}
    {{- '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + m['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"""
OLMO2 = """{{ bos_token }}{% for m in messages %}
{%- if m['role'] == 'assistant' %}{{ '<|assistant|>\\n' + m['content'] }}
{%- if not loop.last %}{{ eos_token + '\\n' }}{% else %}{{ eos_token }}{% endif %}
{%- else %}{{ '<|' + m['role'] + '|>\\n' + m['content'] + '\\n' }}{% endif %}
{%- if loop.last and add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}{% endfor %}"""
PHI3 = """{% for m in messages %}{{ '<|' + m['role'] + '|>\\n' + m['content'] + '<|end|>\\n' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}"""
PHI4MINI = """{{ '<|system|>Your name is Ferry.' }}{% if messages[0]['role'] == 'system' %}
{{- ' ' + messages[0]['content'] }}{% set rest = messages[1:] %}{% else %}{% set rest = messages %}{% endif %}
{{- '<|end|>' }}{% for m in rest %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|end|>' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}"""


def mistral(opened: str, closed: str, said: str, place: str) -> str:
    head = (
        "{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}"
        "{% set own = messages[0]['content'] + '\\n\\n' %}"
    )
    if place == "none":
        head = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('alternate') }}"
    return (
        f"{head}{{% endif %}}{{% if rest is not defined %}}{{% set own = '' %}}{{% set rest = messages %}}{{% endif %}}"
        f"{{{{ bos_token }}}}{{% for m in rest %}}{{% if m['role'] == 'user' %}}{{{{ '{opened}' }}}}"
        f"{{{{ (own if loop.{'last' if place == 'last' else 'first'} else '') + m['content'] + '{closed}' }}}}"
        f"{{% else %}}{{{{ '{said}' + m['content'] + eos_token }}}}{{% endif %}}{{% endfor %}}"
    )


CHATML_TOKENS = ["<|im_end|>", "<|im_start|>", "<|endoftext|>"]
MISTRAL_TOKENS = ["</s>", "[INST]", "[/INST]"]
# name: dialect, template, start token, whether the tokenizer adds it, other special tokens; the first one ends a text
CASES: dict[str, tuple[str, str | None, str | None, bool, list[str]]] = {
    "chatml": ("chatml", CHATML_TURNS, None, False, CHATML_TOKENS),
    "smollm2": ("chatml", DEFAULT_SYSTEM + CHATML_TURNS, "<|im_start|>", False, CHATML_TOKENS),
    "qwen2.5": ("chatml", DEFAULT_SYSTEM + CHATML_TURNS, None, False, CHATML_TOKENS),
    "qwen3": ("qwen3", QWEN3, None, False, CHATML_TOKENS),
    "smollm3": ("qwen3", SMOLLM3, None, False, ["<|im_end|>", "<|im_start|>", "<|end_of_text|>"]),
    "gemma2": ("gemma", GEMMA2, "<bos>", True, ["<eos>", "<start_of_turn>", "<end_of_turn>"]),
    "gemma3": ("gemma", GEMMA3, "<bos>", True, ["<eos>", "<start_of_turn>", "<end_of_turn>"]),
    "llama3": ("llama3", LLAMA3, "<|begin_of_text|>", True, ["<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"]),
    "olmo2": ("olmo2", OLMO2, "<|endoftext|>", False, ["<|endoftext|>"]),
    "phi3": ("phi3", PHI3, None, False, ["<|endoftext|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]),
    "phi4mini": ("phi4mini", PHI4MINI, None, False, ["<|endoftext|>", "<|end|>", "<|user|>", "<|assistant|>"]),
    "mixtral": ("mistral-spaced", mistral(" [INST] ", " [/INST]", " ", "first"), "<s>", True, ["</s>"]),
    "mistral": ("mistral", mistral("[INST] ", " [/INST]", " ", "none"), "<s>", True, ["</s>"]),
    "mistral-v3": (
        "mistral-v3",
        mistral("[INST] ", "[/INST]", " ", "last"),
        "<s>",
        True,
        ["</s>", "[INST]", "[/INST]"],
    ),
    "mistral-tekken": (
        "mistral-tight",
        mistral("[INST]", "[/INST]", "", "last"),
        "<s>",
        True,
        ["</s>", "[INST]", "[/INST]"],
    ),
    "none": ("plain", None, "<bos>", True, ["<eos>"]),
}
NO_SYSTEM = ("gemma2", "mistral")


def tokenizer_of(template: str | None, start: str | None, adds: bool, special: list[str]) -> Any:
    """One token a byte, besides the special ones."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE({letter: number for number, letter in enumerate(alphabet)}, []))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    names = dict.fromkeys([*([start] if start else []), *special])
    inner.add_special_tokens([AddedToken(name, special=True) for name in names])
    if adds:
        first = (start, inner.token_to_id(start))
        inner.post_processor = processors.TemplateProcessing(single=f"{start} $A", pair="$A $B", special_tokens=[first])
    made = PreTrainedTokenizerFast(tokenizer_object=inner, bos_token=start, eos_token=special[0], pad_token=special[0])
    made.chat_template = template
    return made


def renderer_of(name: str, system: str | None = None) -> Renderer:
    return Renderer(tokenizer_of(*CASES[name][1:]), system)


@pytest.mark.parametrize("name", CASES)
def test_a_base_is_recognised_by_what_its_template_writes(name):
    found = recognise(renderer_of(name))
    assert isinstance(found, Recognised), found
    assert found.dialect.name == CASES[name][0]
    assert found.takes_system is (name not in NO_SYSTEM)


@pytest.mark.parametrize("name", [name for name in CASES if name not in NO_SYSTEM])
def test_the_documents_system_prompt_is_read_once_and_as_in_training(name):
    system = "Answer in one sentence. {{ .Role }}\nBe exact."
    renderer = renderer_of(name, system)
    found = recognise(renderer)
    assert isinstance(found, Recognised), found
    for probe in PROBES:
        text = render(found.template, probe, found.system)
        assert text.count("Be exact.") == 1
        assert list(renderer.tokenizer(text).input_ids) == renderer.prompt_ids(probe)


@pytest.mark.parametrize("name", CASES)
def test_every_prompt_begins_with_at_most_one_start_token(name):
    renderer = renderer_of(name)
    found = recognise(renderer)
    start = renderer.tokenizer.bos_token_id
    ids = list(renderer.tokenizer(render(found.template, PROBES[0])).input_ids)
    assert ids[:2].count(start) == (0 if start is None or (CASES[name][1] is None and not CASES[name][3]) else 1)


def test_white_space_around_the_system_prompt_is_dropped_where_the_base_drops_it():
    assert recognise(renderer_of("llama3", "Be exact.\n")).system == "Be exact."
    assert recognise(renderer_of("chatml", "Be exact.\n")).system == "Be exact.\n"


def test_a_default_system_prompt_stands_aside_for_a_given_one():
    template = recognise(renderer_of("smollm2")).template
    assert "You are Ferry" in render(template, [Message("user", "a")])
    given = render(template, [Message("system", "Be exact."), Message("user", "a")])
    assert given == "<|im_start|>system\nBe exact.<|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n"


def test_what_looks_like_a_template_in_a_bases_own_words_stands_for_itself():
    words = (DEFAULT_SYSTEM + CHATML_TURNS).replace("You are Ferry.", "{' + '{ .System }' + '}")
    found = recognise(Renderer(tokenizer_of(words, None, False, CHATML_TOKENS), None))
    assert isinstance(found, Recognised), found
    assert "system\n{{ .System }}<|im_end|>" in render(found.template, [Message("user", "a")])


def test_a_system_message_for_a_base_that_takes_none_goes_in_front_of_the_question():
    template = recognise(renderer_of("gemma2")).template
    said = render(template, [Message("system", "Be exact."), Message("user", "a")])
    assert said == "<start_of_turn>user\nBe exact.\n\na<end_of_turn>\n<start_of_turn>model\n"


def test_a_date_in_a_template_is_the_day_of_the_export():
    today = datetime.datetime.now().strftime("%d %b %Y")
    assert f"Today Date: {today}" in recognise(renderer_of("llama3")).template


@pytest.mark.parametrize(
    ("template", "why"),
    [
        (CHATML_TURNS.replace("\\n' }}{% endfor", "' }}{% endfor"), "another end of a turn"),
        (CHATML_TURNS.replace("m['content']", "m['content'] | replace('ferry', 'boat')"), "words that are changed"),
        (CHATML_TURNS.replace("assistant\\n' }}", "assistant\\n<think>\\n' }}"), "another invitation"),
        (CHATML_TURNS.replace("{% for m in messages %}", "{% for m in messages[-1:] %}"), "turns that are left out"),
        ("{% for m in messages %}### {{ m['role'] }}: {{ m['content'] }}<|im_end|>{% endfor %}", "another format"),
    ],
)
def test_a_template_that_is_nearly_a_dialect_is_not_taken_for_it(template, why):
    found = recognise(Renderer(tokenizer_of(template, None, False, CHATML_TOKENS), None))
    assert isinstance(found, Unrecognised), why
    assert found.difference.wanted != found.difference.got


def test_a_start_token_that_ollama_would_add_and_training_had_not_is_not_taken_for_equal():
    found = recognise(Renderer(tokenizer_of(CHATML_TURNS, "<s>", True, CHATML_TOKENS), None))
    assert isinstance(found, Unrecognised)


def test_a_base_that_refuses_a_longer_conversation_is_told_apart():
    template = "{% if messages | length > 2 %}{{ raise_exception('one question only') }}{% endif %}" + CHATML_TURNS
    with pytest.raises(Unspeakable, match="one question only"):
        recognise(Renderer(tokenizer_of(template, None, False, CHATML_TOKENS), None))


def test_only_special_tokens_of_the_base_end_an_answer():
    renderer = renderer_of("llama3")
    usual = (*recognise(renderer).dialect.stops, "[/INST]")
    assert stops(renderer, usual) == ("<|eot_id|>", "<|start_header_id|>")


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_go_itself_writes_the_same_prompts(name, go):
    system = None if name in NO_SYSTEM else "Be exact."
    found = recognise(renderer_of(name, system))
    requests = []
    for probe in PROBES:
        turns = [*([("system", found.system)] if found.system else []), *probe]
        messages = [{"Role": role, "Content": content} for role, content in turns]
        requests.append({"Template": found.template, "System": found.system or "", "Messages": messages})
    assert go(requests) == [render(found.template, probe, found.system) for probe in PROBES]
