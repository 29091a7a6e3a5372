"""The one prompt renderer: training, answering and scoring all turn messages into token ids here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedTokenizerBase

Mode = Literal["chat", "plain", "raw"]
BATCH = 1024
"""Texts a call of the tokenizer: one call a text costs more than its work, one call for all needs memory for all."""


class RenderError(Exception):
    """A tokenizer that cannot be used for training or answering; the message says why and what to do."""


@dataclass(frozen=True)
class Encoded:
    """Token ids of one example. ``ids[start:]`` are the tokens that are learned or scored."""

    ids: tuple[int, ...]
    start: int


def many_ids(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], *, add_special_tokens: bool) -> list[list[int]]:
    """The ids of each text, as one call for each would give them, in calls of :data:`BATCH` texts."""
    found: list[list[int]] = []
    for at in range(0, len(texts), BATCH):
        batch = list(texts[at : at + BATCH])
        found += [list(ids) for ids in tokenizer(batch, add_special_tokens=add_special_tokens).input_ids]
    return found


class Renderer:
    """Turns conversations into token ids.

    ``chat`` uses the tokenizer's own template; ``plain`` (for bases without one) puts each turn on a line and ends an
    answer with the end-of-text token; ``raw`` gives the prompt to the model as it stands and adds nothing.

    The end-of-answer token is found by rendering, not guessed: it is the special token that the template puts right
    after an assistant's words. It is trained like any other token of the answer, also when the tokenizer uses the same
    id for padding.

    Raises:
        RenderError: the template puts no special token after an answer, or there is no end-of-text token.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        system_prompt: str | None = None,
        template: Literal["auto", "chat", "raw"] = "auto",
    ) -> None:
        self.tokenizer = tokenizer
        self.system_prompt = system_prompt
        has_template = bool(tokenizer.chat_template)
        if template == "chat" and not has_template:
            raise RenderError("this base's tokenizer has no chat template; use template: raw, or another base")
        self.mode: Mode = "raw" if template == "raw" else ("chat" if has_template else "plain")
        self._special = {int(i) for i in tokenizer.all_special_ids} | {int(i) for i in tokenizer.added_tokens_decoder}
        self.end_id = self._find_end()
        eos = tokenizer.eos_token_id
        self.end_ids: tuple[int, ...] = tuple(dict.fromkeys(i for i in (self.end_id, eos) if i is not None))
        self.pad_id: int = self._find_pad()
        self.shared_prefix = self._find_shared_prefix()

    def prompt_ids(self, messages: Sequence[tuple[str, str]]) -> list[int]:
        """Ids up to and including the tokens that invite the assistant to speak."""
        return self.prompts_ids([messages])[0]

    def prompt_text(self, messages: Sequence[tuple[str, str]]) -> str:
        """The text that :meth:`prompt_ids` tokenises."""
        return self._prompt_text(messages)

    def prompts_ids(self, conversations: Sequence[Sequence[tuple[str, str]]]) -> list[list[int]]:
        """Many prompts as :meth:`prompt_ids` gives each, with few calls of the tokenizer."""
        return self._many_ids([self._prompt_text(messages) for messages in conversations])

    def example(self, messages: Sequence[tuple[str, str]]) -> Encoded:
        """A conversation whose last turn is the assistant's; that turn and its end token are what is learned."""
        return self.examples([messages])[0]

    def examples(self, conversations: Sequence[Sequence[tuple[str, str]]]) -> list[Encoded]:
        """Many conversations as :meth:`example` gives each, with few calls of the tokenizer."""
        written = [self._written(messages) for messages in conversations]
        prompts = self._many_ids([prompt for prompt, _ in written])
        joints = self._many_ids([prompt + tail for prompt, tail in written])
        return [
            self._joined(prompt_ids, joint, tail)
            for prompt_ids, joint, (_, tail) in zip(prompts, joints, written, strict=True)
        ]

    def _written(self, messages: Sequence[tuple[str, str]]) -> tuple[str, str]:
        """The prompt's text, and the answer's as it follows it."""
        *before, (role, answer) = messages
        if role != "assistant":
            raise RenderError(f"a conversation to learn must end with the assistant, this one ends with {role!r}")
        if self.mode != "raw":
            answer = answer.strip()
        prompt = self._prompt_text(before)
        return prompt, self._answer_tail(before, prompt, answer) if self.mode == "chat" else answer

    def _joined(self, prompt_ids: list[int], joint: list[int], tail: str) -> Encoded:
        # Joint tokenisation is what the template means; at answering time, though, the prompt's ids stand fixed.
        split = joint[: len(prompt_ids)] != prompt_ids
        ids = prompt_ids + list(self.tokenizer(tail, add_special_tokens=False).input_ids) if split else joint
        if self.end_id is not None and ids[-1] != self.end_id:
            ids.append(self.end_id)
        return Encoded(tuple(ids), len(prompt_ids))

    def text_ids(self, text: str) -> list[int]:
        """Ids of plain text, with the token that starts a text where this tokenizer has one."""
        return list(self.tokenizer(text).input_ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of an answer, special tokens left out."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True)).strip()

    def _with_system(self, messages: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
        turns = [{"role": role, "content": content} for role, content in messages]
        if self.system_prompt is not None and (not turns or turns[0]["role"] != "system"):
            turns.insert(0, {"role": "system", "content": self.system_prompt})
        return turns

    def _prompt_text(self, messages: Sequence[tuple[str, str]]) -> str:
        turns = self._with_system(messages)
        if self.mode == "chat":
            return self._apply(turns, invite=True)
        return "\n".join(turn["content"] for turn in turns) + ("\n" if self.mode == "plain" else "")

    def _answer_tail(self, before: Sequence[tuple[str, str]], prompt: str, answer: str) -> str:
        """The answer as the template writes it after ``prompt``, up to and without its end token."""
        full = self._apply(self._with_system([*before, ("assistant", answer)]), invite=False)
        if not full.startswith(prompt):
            return answer
        tail = full[len(prompt) :]
        at = tail.rfind(answer)
        return tail[: at + len(answer)] if at >= 0 else answer

    def _apply(self, turns: list[dict[str, str]], *, invite: bool) -> str:
        return str(self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=invite))

    def _many_ids(self, texts: Sequence[str]) -> list[list[int]]:
        # A chat template writes its own start token; a second one would be one too many.
        return many_ids(self.tokenizer, texts, add_special_tokens=self.mode != "chat")

    def _find_end(self) -> int | None:
        if self.mode == "raw":
            return None
        if self.mode == "plain":
            if self.tokenizer.eos_token_id is None:
                raise RenderError(
                    "this base's tokenizer names no end-of-text token (eos_token); set one, or use another"
                )
            return int(self.tokenizer.eos_token_id)
        marker = "zebra"
        full = self._apply(
            [{"role": "user", "content": "hello"}, {"role": "assistant", "content": marker}], invite=False
        )
        after = self.tokenizer(full[full.rindex(marker) + len(marker) :], add_special_tokens=False).input_ids
        if not after or int(after[0]) not in self._special:
            raise RenderError(
                "the chat template puts no special token after an answer, so the model could never learn to stop; "
                "use a base whose template ends a turn with one"
            )
        return int(after[0])

    def _find_pad(self) -> int:
        """A padding id that no loss or stop rule can mistake for the end of an answer."""
        candidates = (self.tokenizer.pad_token_id, self.tokenizer.unk_token_id, self.tokenizer.bos_token_id, 0)
        return next(int(i) for i in candidates if i is not None and int(i) not in self.end_ids)

    def _find_shared_prefix(self) -> list[int]:
        """Ids that every prompt starts with: the system message, mostly.

        Cut back to the last special token, since text right after it may be tokenised together with the question.
        """
        if self.mode != "chat":
            return []
        one, two = (self.prompt_ids([("user", question)]) for question in ("apples", "Zebras? 12"))
        shared = []
        for a, b in zip(one, two, strict=False):
            if a != b:
                break
            shared.append(a)
        while shared and shared[-1] not in self._special:
            shared.pop()
        return shared
