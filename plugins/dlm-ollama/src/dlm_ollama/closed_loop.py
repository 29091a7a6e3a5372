"""Ask a model in a running Ollama whether it reads what the trained model read.

Three looks at one thing, each as far as the server lets itself be looked at: the text that it renders (a switch that
Ollama has for debugging, and does not document), how many tokens it counted, and, of a single question, the ids
themselves. The count is documented and always there, so it has to be equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlm.corpus.records import Message

from .client import Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlm_hf.render import Renderer

    from .client import Ollama

CONVERSATIONS: tuple[tuple[Message, ...], ...] = (
    (Message("user", "Which harbours does the ferry call at?"),),
    (
        Message("user", "Which harbours?"),
        Message("assistant", "Borkum and Juist."),
        Message("user", "«Wann?»\n- first\n- last \U0001f6a2"),
    ),
    (
        Message("user", "One"),
        Message("assistant", "Two."),
        Message("user", "Three?"),
        Message("assistant", "Four."),
        Message("user", "And back?"),
    ),
)
_BRIEF = {"num_predict": 1, "temperature": 0, "seed": 0}


class Unequal(Exception):
    """The served model reads something else; the message says what."""


@dataclass(frozen=True)
class Looked:
    """What was found equal."""

    conversations: int
    texts: int = 0
    """Conversations whose rendered text the server showed."""
    ids: int = 0
    """Prompts whose token ids it showed."""

    def __str__(self) -> str:
        shown = [f"{self.conversations} token counts"]
        shown += [f"{self.texts} rendered texts"] if self.texts else []
        shown += ["token ids"] if self.ids else []
        return ", ".join(shown)


def look(ollama: Ollama, name: str, renderer: Renderer) -> Looked:
    """Compare prompts with those of training.

    Raises:
        Unequal: one differs.
        Refused: the server would not answer.
        Unreachable: it stopped answering.
    """
    texts = 0
    for messages in CONVERSATIONS:
        wanted = renderer.prompt_ids(messages)
        if (rendered := _rendered(ollama, name, messages)) is not None:
            _require_text(rendered, renderer, messages)
            texts += 1
        if (count := _count(ollama, name, messages, len(wanted))) != len(wanted):
            raise Unequal(
                f"it reads {count} tokens where training read {len(wanted)}, for the conversation that begins with "
                f"{messages[0].content!r}"
            )
    return Looked(len(CONVERSATIONS), texts, _same_ids(ollama, name, renderer))


def _turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _rendered(ollama: Ollama, name: str, messages: Sequence[Message]) -> str | None:
    """The prompt as the server writes it; ``None`` from one that does not show it, and answers instead."""
    body = {"model": name, "messages": _turns(messages), "options": _BRIEF, "_debug_render_only": True}
    shown = ollama.chat(body).get("_debug_info")
    text = shown.get("rendered_template") if isinstance(shown, dict) else None
    return text if isinstance(text, str) else None


def _require_text(rendered: str, renderer: Renderer, messages: Sequence[Message]) -> None:
    """With a start token or without: whoever tokenises may add it, which the count tells."""
    start = str(renderer.tokenizer.bos_token or "")
    wanted = renderer.prompt_text(messages)
    if rendered in (wanted, wanted.removeprefix(start)):
        return
    at = next((i for i, (a, b) in enumerate(zip(rendered, wanted, strict=False)) if a != b), len(rendered))
    raise Unequal(
        f"it writes {rendered[at : at + 40]!r} where training read {wanted[at : at + 40]!r}, at character {at} of the "
        f"conversation that begins with {messages[0].content!r}"
    )


def _count(ollama: Ollama, name: str, messages: Sequence[Message], wanted: int) -> int:
    """Tokens of the prompt. Some versions leave out those that they still had from before: then once more, from the
    beginning."""
    body: dict[str, Any] = {"model": name, "messages": _turns(messages), "options": _BRIEF}
    count = ollama.chat(body).get("prompt_eval_count")
    if not isinstance(count, int) or count < wanted:
        ollama.generate({"model": name, "keep_alive": 0})
        count = ollama.chat(body).get("prompt_eval_count")
    if not isinstance(count, int):
        raise Refused("it does not say how many tokens it read (prompt_eval_count)")
    return count


def _same_ids(ollama: Ollama, name: str, renderer: Renderer) -> int:
    """1 when the server gave the ids of a prompt and they are equal; 0 when it gave none."""
    (question,) = CONVERSATIONS[0]
    reply = ollama.generate({"model": name, "prompt": question.content, "options": _BRIEF})
    ids, wanted = reply.get("context"), renderer.prompt_ids([question])
    if not isinstance(ids, list) or not ids:
        return 0
    starts = [renderer.tokenizer.bos_token_id]
    if wanted[:1] == starts and ids[:1] != starts:
        wanted = wanted[1:]
    # It makes tokens of prompt and answer together, so the last one of the prompt may have grown.
    if ids[: len(wanted) - 1] != wanted[:-1]:
        raise Unequal(f"it reads the tokens {ids[:8]}... where training read {wanted[:8]}..., for {question.content!r}")
    return 1


__all__ = ["CONVERSATIONS", "Looked", "Refused", "Unequal", "Unreachable", "look"]
