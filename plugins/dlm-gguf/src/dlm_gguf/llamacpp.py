"""llama.cpp as a runtime that a certificate asks: the file's own template and tokenizer, distributions, answers.

A prompt is made as llama.cpp's server makes one: the file's Jinja template is rendered, special tokens in the text are
read as such, and a token that begins a text is put in front where the file says so, unless the template wrote it
already. The template is rendered by the Jinja engine of ``llama-cpp-python``, which knows what transformers' own knows.
llama.cpp's C function for templates would be no test: it knows some dozens by their looks, and never runs one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dlm.errors import ExportFailed
from dlm.export.runtime import Runtime
from dlm.training.backend import Answer

from .library import WHEEL, Model, installed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from dlm.corpus.records import Message

TEMPLATE: Final = "tokenizer.chat_template"
CONTEXT: Final = 2048
"""Tokens of the longest prompt with its answer; less where the model was trained on less."""


class Written(NamedTuple):
    """New tokens, without the one that ends an answer."""

    ids: list[int]
    ended: bool


class LlamaCpp(Runtime):
    """A GGUF file, or one with adapters on it, loaded. A context manager::

        with LlamaCpp(folder / "model.gguf") as runtime:
            print(runtime.answer([Message("user", "Who owns it?")]).text)

    Raises:
        RuntimeMissing: llama.cpp is not installed.
        ExportFailed: the files cannot be loaded.
    """

    def __init__(
        self,
        path: Path,
        adapters: Sequence[tuple[Path, float]] = (),
        *,
        system_prompt: str | None = None,
        template: str | None = None,
        context: int = CONTEXT,
    ) -> None:
        """``adapters`` are GGUF files with the weight of each. ``system_prompt`` is what whoever serves the file puts
        in front of a conversation that has none; ``template`` what is used instead of the file's."""
        self.model = Model(path, adapters, context=context)
        self.system_prompt = system_prompt
        self.template = template if template is not None else self.model.header.text(TEMPLATE)
        self._formatter: Any = None
        native, vocab = self.model.native, self.model.vocab
        self._starts = bool(native.llama_vocab_get_add_bos(vocab))
        self._start = int(native.llama_vocab_bos(vocab))
        self._stop_ids = frozenset(
            token for token in range(self.model.vocabulary) if native.llama_vocab_is_eog(vocab, token)
        )

    def __enter__(self) -> LlamaCpp:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the model."""
        self.model.close()

    @property
    def name(self) -> str:
        return f"llama.cpp ({WHEEL} {installed()})"

    @property
    def context(self) -> int | None:
        return min(self.model.context, self.model.trained_context)

    @property
    def stop_ids(self) -> frozenset[int]:
        return self._stop_ids

    @property
    def start_ids(self) -> frozenset[int]:
        return frozenset({self._start} if self._start >= 0 else ())

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        text = self.prompt_text(messages)
        start = self.piece(self._start) if self._starts and self._start >= 0 else ""
        return self.model.tokenize(text.removeprefix(start) if start else text, start=True)

    def prompt_text(self, messages: Sequence[Message], *, invite: bool = True) -> str:
        """The conversation as the template writes it; with ``invite`` up to where the assistant is to speak.

        Raises:
            ExportFailed: the file holds no template, or one that cannot be rendered.
        """
        turns = [{"role": turn.role, "content": turn.content} for turn in messages]
        if self.system_prompt is not None and (not turns or turns[0]["role"] != "system"):
            turns.insert(0, {"role": "system", "content": self.system_prompt})
        if self.template is None:
            raise ExportFailed("the file holds no conversation template, so it cannot be told what a prompt looks like")
        try:
            formatter = self._rendering()
            formatter.add_generation_prompt = invite
            return str(formatter(messages=turns).prompt)
        except Exception as error:  # a template is a program that came with a model
            raise ExportFailed(f"the file's conversation template cannot be rendered: {error}") from error

    def text_ids(self, text: str) -> list[int]:
        return self.model.tokenize(text, start=False)

    def log_probs(self, ids: Sequence[int], start: int = 0) -> Any:
        return self.read(ids, start, self.model.rows)

    def read(self, ids: Sequence[int], start: int, rows: int) -> Any:
        """As :meth:`log_probs`, of at most ``rows`` tokens at once."""
        import numpy as np

        self._check(len(ids))
        self.model.forget()
        found = np.empty((len(ids) - start, self.model.vocabulary), dtype=np.float32)
        filled = 0
        for at in range(0, len(ids), rows):
            chunk = range(at, min(at + rows, len(ids)))
            logits = self.model.decode((ids[place], place, 0, place >= start) for place in chunk)
            found[filled : filled + len(logits)] = logits
            filled += len(logits)
        return _log_softmax(found)

    def answer(self, messages: Sequence[Message], max_new_tokens: int = 64) -> Answer:
        return next(self.answers([messages], max_new_tokens))

    def answers(self, conversations: Sequence[Sequence[Message]], max_new_tokens: int = 64) -> Iterator[Answer]:
        prompts = [self.prompt_ids(messages) for messages in conversations]
        for at in range(0, len(prompts), self.model.sequences):
            started = time.perf_counter()
            some = self.complete(prompts[at : at + self.model.sequences], max_new_tokens)
            seconds = round((time.perf_counter() - started) / len(some), 3)
            for written in some:
                yield Answer(self.model.text(written.ids).strip(), len(written.ids), seconds, complete=written.ended)

    def piece(self, token: int) -> str:
        """The text of one token, special ones too."""
        return self.model.text([token], special=True)

    def complete(self, prompts: Sequence[list[int]], new: int) -> list[Written]:
        """What the model puts after each prompt, made at the same time: as many as fit, each a sequence of its own."""
        if len(prompts) > self.model.sequences or sum(len(prompt) + new for prompt in prompts) > self.model.context:
            self._check(len(prompts[0]) + new)
            half = len(prompts) // 2
            return [*self.complete(prompts[:half], new), *self.complete(prompts[half:], new)] if half else []
        self.model.forget()
        following = [self._read(number, prompt) for number, prompt in enumerate(prompts)]
        written: list[list[int]] = [[] for _ in prompts]
        going = [number for number, token in enumerate(following) if token not in self._stop_ids]
        while going:
            for number in going:
                written[number].append(following[number])
            going = [number for number in going if len(written[number]) < new]
            if going:
                rows = [(written[n][-1], len(prompts[n]) + len(written[n]) - 1, n, True) for n in going]
                for number, token in zip(going, self.model.decode(rows).argmax(-1).tolist(), strict=True):
                    following[number] = token
                going = [number for number in going if following[number] not in self._stop_ids]
        return [Written(ids, following[n] in self._stop_ids) for n, ids in enumerate(written)]

    def _read(self, sequence: int, prompt: Sequence[int]) -> int:
        """The token that the model puts after ``prompt``."""
        rows = self.model.rows
        for at in range(0, len(prompt), rows):
            chunk = range(at, min(at + rows, len(prompt)))
            logits = self.model.decode((prompt[place], place, sequence, place == len(prompt) - 1) for place in chunk)
        return int(logits[-1].argmax())

    def _check(self, tokens: int) -> None:
        if tokens > self.model.context:
            raise ExportFailed(f"{tokens} tokens do not fit into the {self.model.context} that were made room for")

    def _rendering(self) -> Any:
        if self._formatter is None:
            from llama_cpp.llama_chat_format import Jinja2ChatFormatter

            native, vocab = self.model.native, self.model.vocab
            start, end = (int(of(vocab)) for of in (native.llama_vocab_bos, native.llama_vocab_eos))
            tokens = {name: self.piece(token) if token >= 0 else "" for name, token in (("bos", start), ("eos", end))}
            self._formatter = Jinja2ChatFormatter(str(self.template), tokens["eos"], tokens["bos"])
        return self._formatter


def _log_softmax(logits: Any) -> Any:
    """In place, since these are the largest arrays there are."""
    import numpy as np

    for at in range(0, len(logits), 64):
        part = logits[at : at + 64]
        part -= part.max(-1, keepdims=True)
        part -= np.log(np.exp(part).sum(-1, keepdims=True, dtype=np.float64)).astype(np.float32)
    return logits
