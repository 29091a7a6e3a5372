"""Records to token ids: conversations whole, long texts as overlapping windows, nothing cut off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from dlm.answering import OPEN_BOOK
from dlm.corpus.records import Message
from dlm.errors import TrainingFailed
from dlm.store.tokens import Window, digest, encode_all, files_digest
from dlm.training.plan import Row

from .render import Encoded, many_ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dlm.corpus.records import Record
    from dlm.store.tokens import TokenCache

    from .render import Renderer

ENCODER = 2
"""Changes whenever this module or the renderer would give a record other ids or another start."""
TOKENIZER_FILES = ("*token*", "vocab*", "merges*", "chat_template*", "*.model")


@dataclass(frozen=True)
class Example:
    """One row on the bench."""

    encoded: Encoded
    anchor: bool
    """Pinned to the base, rather than learned."""
    group: str = ""
    value: tuple[int, ...] = ()
    """Which of the scored tokens say the value, of a conversation that names one."""
    teacher: Encoded | None = None
    """The same answer after a prompt that holds the text to learn from."""
    rejected: Encoded | None = None
    """The same prompt with the worse answer, of a pair."""
    prose: bool = False
    """Text, rather than the answer to a question."""

    @property
    def scored(self) -> int:
        """How many tokens are learned or scored."""
        return sum(len(one.ids) - one.start for one in self.spoken)

    @property
    def tokens(self) -> int:
        """How many tokens go through the model."""
        return sum(len(one.ids) for one in self.spoken)

    @property
    def spoken(self) -> tuple[Encoded, ...]:
        """What goes through the model: one conversation, or the two of a pair."""
        return (self.encoded,) if self.rejected is None else (self.encoded, self.rejected)


def encode(
    records: Sequence[Record],
    renderer: Renderer,
    sequence_len: int,
    overlap: int,
    cache: TokenCache | None = None,
    scope: str = "",
) -> tuple[list[Example], list[Row]]:
    """Encode every record; each window of a long text is a row of its own.

    ``scope`` names what decides the ids beside the words, see :func:`token_scope`; ``cache`` needs it.

    Raises:
        TrainingFailed: a conversation is longer than ``sequence_len`` tokens.
    """

    def tokenise(missing: Sequence[Record]) -> list[tuple[Window, ...]]:
        return _tokenise(missing, renderer, sequence_len, overlap)

    examples, rows = [], []
    worse = [_with_worse(record) for record in records if record.objective == "prefer"]
    windows_of = encode_all([*records, *worse], scope, tokenise, cache)
    others = iter(windows_of[len(records) :])  # a conversation is one window
    teachers = iter(_teacher_prompts([record for record in records if record.objective == "distill"], renderer))
    for index, (record, windows) in enumerate(zip(records, windows_of[: len(records)], strict=True)):
        teacher = next(teachers) if record.objective == "distill" else None
        worse_one = next(others)[0] if record.objective == "prefer" else None
        for start, ids in windows:
            encoded = Encoded(ids, start)
            example = Example(
                encoded,
                anchor=record.objective == "anchor",
                group=record.group,
                value=value_positions(encoded, record.value, renderer) if record.value else (),
                teacher=None if teacher is None else Encoded((*teacher, *ids[start:]), len(teacher)),
                rejected=None if worse_one is None else Encoded(worse_one.ids, worse_one.start),
                prose=record.objective == "text",
            )
            examples.append(example)
            rows.append(Row(index, example.tokens, example.scored))
    return examples, rows


def _with_worse(record: Record) -> Record:
    """The conversation of a pair with the worse answer at its end."""
    *before, better = record.messages
    return replace(record, messages=(*before, Message(better.role, record.rejected)))


def with_context(record: Record) -> tuple[Message, ...]:
    """The record's conversation up to its last question, asked as an open-book question about its context."""
    *before, question = record.messages[:-1]
    return (*before, Message(question.role, OPEN_BOOK.format(text=record.context, question=question.content)))


def value_positions(encoded: Encoded, value: str, renderer: Renderer) -> tuple[int, ...]:
    """Which of the scored tokens of ``encoded`` say ``value``: the whole answer when they do not spell it out.

    Found by decoding ever longer beginnings of the answer, which every tokenizer allows.
    """

    def said(until: int) -> str:
        return str(
            renderer.tokenizer.decode(
                list(encoded.ids[encoded.start : until]), skip_special_tokens=False, clean_up_tokenization_spaces=False
            )
        )

    last = len(encoded.ids) - (encoded.ids[-1] in renderer.end_ids)
    so_far = [said(at) for at in range(encoded.start, last + 1)]
    first = so_far[-1].find(value)
    if first < 0:
        return tuple(range(last - encoded.start))
    # A token may end inside a character, which is then written as the mark that is cut off here.
    begins = [len(text.rstrip("\ufffd")) for text in so_far[:-1]]
    ends = [len(text) for text in so_far[1:]]
    return tuple(
        at
        for at, (begin, end) in enumerate(zip(begins, ends, strict=True))
        if begin < first + len(value) and end > first
    )


def _teacher_prompts(records: Sequence[Record], renderer: Renderer) -> list[list[int]]:
    for record in records:
        if not record.context or len(record.messages) < 2:
            raise TrainingFailed(f"section {record.section_id}: a record to distill needs a question and a context")
    return renderer.prompts_ids([with_context(record) for record in records])


def token_scope(folder: Path, renderer: Renderer, sequence_len: int, overlap: int) -> str:
    """Everything but a record's words that decides its ids: the tokenizer's files and libraries, the template, the
    system prompt and the lengths."""
    files = [file for pattern in TOKENIZER_FILES for file in folder.glob(pattern)]
    return digest(
        encoder=ENCODER,
        tokenizer=files_digest(files),
        libraries=f"{version('tokenizers')} {version('transformers')}",
        template=str(renderer.tokenizer.chat_template),
        mode=renderer.mode,
        system_prompt=renderer.system_prompt,
        sequence_len=sequence_len,
        overlap=overlap,
    )


def _tokenise(
    records: Sequence[Record], renderer: Renderer, sequence_len: int, overlap: int
) -> list[tuple[Window, ...]]:
    """The windows of each record, with a few calls of the tokenizer for all of them."""
    conversations = iter(renderer.examples([record.messages for record in records if record.messages]))
    texts = [record for record in records if not record.messages]
    bodies = iter(many_ids(renderer.tokenizer, [record.text.strip() for record in texts], add_special_tokens=False))
    titles = {record.title: _title_ids(record.title, renderer) for record in texts}
    return [
        (_whole(record, next(conversations), sequence_len),)
        if record.messages
        else tuple(_windows(record, titles[record.title], next(bodies), renderer, sequence_len, overlap))
        for record in records
    ]


def _whole(record: Record, encoded: Encoded, sequence_len: int) -> Window:
    if len(encoded.ids) > sequence_len:
        question = record.messages[-2].content if len(record.messages) > 1 else ""
        raise TrainingFailed(
            f"section {record.section_id}: the question {question[:60]!r} and its answer take {len(encoded.ids)} "
            f"tokens, more than training.sequence_len = {sequence_len}: raise it, or split the answer"
        )
    return Window(encoded.start, encoded.ids)


def _title_ids(title: str, renderer: Renderer) -> list[int]:
    """What stands before every window. Never nothing, or a window's first token could not be predicted from anything:
    the token that ends a text stands between texts."""
    ids = renderer.text_ids(f"# {title}\n\n" if title else "")
    return ids or list(renderer.end_ids[-1:])


def _windows(
    record: Record, title: list[int], body: list[int], renderer: Renderer, sequence_len: int, overlap: int
) -> Iterator[Window]:
    """Windows that start with the text's title; every token of the text is learned in exactly one of them.

    The tokens a window repeats from the one before are context only.
    """
    if (end := renderer.tokenizer.eos_token_id) is not None:
        body = [*body, int(end)]
    room = sequence_len - len(title)
    if room <= overlap:
        raise TrainingFailed(
            f"section {record.section_id}: training.sequence_len = {sequence_len} leaves no room for text after its "
            f"title; raise it to at least {len(title) + overlap + 32}"
        )
    done = 0
    while done < len(body):
        context = min(overlap, done)
        piece = body[done - context : done - context + room]
        yield Window(len(title) + context, (*title, *piece))
        done += len(piece) - context
