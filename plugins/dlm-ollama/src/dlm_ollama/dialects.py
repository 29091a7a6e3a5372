"""The conversation formats that an Ollama template is written for, and the writing of it.

A dialect says how turns are written. What a base's own template puts around a system message, or in its place when
there is none, differs between bases of one dialect (a default prompt, a date), so it is found by rendering: see
:mod:`.recognise`. Templates have no trim markers: spaces and line ends of a format count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Place = Literal["block", "first", "last"]


class Around(NamedTuple):
    """Text in front of a turn's words and behind them."""

    before: str
    after: str


@dataclass(frozen=True)
class Dialect:
    """How the turns of a conversation are written."""

    name: str
    user: Around
    assistant: Around
    invitation: str
    """What the assistant speaks after."""
    system: Place = "block"
    """Where a system message goes: a turn of its own, or into the first or the last question."""
    reasons: bool | None = None
    """Only for templates that have, or have not, a switch for reasoning."""
    stops: tuple[str, ...] = ()
    """Ends of turns and openers of others; those that are no special token of the base are left out."""
    temperature: float = 0.7
    top_p: float = 0.9


@dataclass(frozen=True)
class Found:
    """What rendering showed of a base beside its dialect."""

    start: str = ""
    """The token that begins a text, where the template has to write it: Ollama's tokenizer does not add it."""
    opening: str = ""
    """In front of the first turn when no system message is there."""
    system: Around | None = None
    """Around a system message; ``None`` when the base's template takes none."""


_CHATML = (
    Around("<|im_start|>user\n", "<|im_end|>\n"),
    Around("<|im_start|>assistant\n", "<|im_end|>\n"),
    "<|im_start|>assistant\n",
)
_GEMMA = (
    Around("<start_of_turn>user\n", "<end_of_turn>\n"),
    Around("<start_of_turn>model\n", "<end_of_turn>\n"),
    "<start_of_turn>model\n",
)

# Mistral's instructions changed their spaces twice, and their system prompt its place.
_SPACES: tuple[tuple[str, Around, str], ...] = (
    ("mistral", Around("[INST] ", " [/INST]"), " "),
    ("mistral-spaced", Around(" [INST] ", " [/INST]"), " "),
    ("mistral-v3", Around("[INST] ", "[/INST]"), " "),
    ("mistral-tight", Around("[INST]", "[/INST]"), ""),
)
_PLACES: tuple[Place, ...] = ("first", "last", "block")
_MISTRALS = tuple(
    Dialect(name, user, Around(space, "</s>"), "", system=place, stops=("</s>",))
    for name, user, space in _SPACES
    for place in _PLACES
)

DIALECTS: tuple[Dialect, ...] = (
    Dialect("chatml", *_CHATML, reasons=False, stops=("<|im_end|>", "<|endoftext|>", "<|im_start|>")),
    Dialect(
        "qwen3",
        *_CHATML,
        reasons=True,
        stops=("<|im_end|>", "<|endoftext|>", "<|end_of_text|>", "<|im_start|>"),
        temperature=0.6,
        top_p=0.95,
    ),
    Dialect("gemma", *_GEMMA, system="first", stops=("<end_of_turn>", "<eos>", "<start_of_turn>")),
    Dialect(
        "llama3",
        Around("<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
        Around("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"),
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        stops=("<|eot_id|>", "<|end_of_text|>", "<|eom_id|>", "<|start_header_id|>"),
    ),
    Dialect(
        "olmo2",
        Around("<|user|>\n", "\n"),
        Around("<|assistant|>\n", "<|endoftext|>\n"),
        "<|assistant|>\n",
        stops=("<|endoftext|>",),
    ),
    Dialect(
        "phi3",
        Around("<|user|>\n", "<|end|>\n"),
        Around("<|assistant|>\n", "<|end|>\n"),
        "<|assistant|>\n",
        stops=("<|end|>", "<|endoftext|>", "<|user|>", "<|assistant|>"),
    ),
    Dialect(
        "phi4mini",
        Around("<|user|>", "<|end|>"),
        Around("<|assistant|>", "<|end|>"),
        "<|assistant|>",
        stops=("<|end|>", "<|endoftext|>", "<|user|>", "<|assistant|>"),
    ),
    *_MISTRALS,
    Dialect("plain", Around("", "\n"), Around("", "\n"), "", system="block"),
)
"""In the order in which they are tried. ``plain`` is dlm's own format for a base without a template."""


def write(dialect: Dialect, found: Found) -> str:
    """The dialect as an Ollama template."""
    loop = _block(dialect, found) if dialect.system == "block" else _inside(dialect, found)
    return f"{_literal(found.start)}{loop}{_literal(dialect.invitation)}"


def _block(dialect: Dialect, found: Found) -> str:
    """A system message is a turn where it stands."""
    around = found.system or Around("", "")
    opening = ""
    if found.opening:
        opening = f'{{{{ if and (eq $i 0) (ne $m.Role "system") }}}}{_literal(found.opening)}{{{{ end }}}}'
    return (
        f'{{{{ range $i, $m := .Messages }}}}{opening}{{{{ if eq $m.Role "system" }}}}{_turn(around)}'
        f'{{{{ else if eq $m.Role "user" }}}}{_turn(dialect.user)}'
        f'{{{{ else if eq $m.Role "assistant" }}}}{_turn(dialect.assistant)}{{{{ end }}}}{{{{ end }}}}'
    )


def _inside(dialect: Dialect, found: Found) -> str:
    """The system messages, joined, go into a question."""
    around = found.system or Around("", "\n\n")
    system = f"{_literal(around.before)}{{{{ $.System }}}}{_literal(around.after)}"
    if dialect.system == "first":
        start = "{{ $first := true }}"
        placed = f"{{{{ if and $first $.System }}}}{system}{{{{ end }}}}{{{{ $first = false }}}}"
    else:
        start = ""
        placed = f"{{{{ if and $.System (eq (len (slice $.Messages $i)) 1) }}}}{system}{{{{ end }}}}"
    user = f"{_literal(dialect.user.before)}{placed}{{{{ $m.Content }}}}{_literal(dialect.user.after)}"
    return (
        f'{start}{{{{ range $i, $m := .Messages }}}}{{{{ if eq $m.Role "user" }}}}{user}'
        f'{{{{ else if eq $m.Role "assistant" }}}}{_turn(dialect.assistant)}{{{{ end }}}}{{{{ end }}}}'
    )


def _turn(around: Around) -> str:
    return f"{_literal(around.before)}{{{{ $m.Content }}}}{_literal(around.after)}"


def _literal(text: str) -> str:
    """Text of a template that stands for itself."""
    return text.replace("{{", '{{ "{{" }}')
