"""Records to token ids: conversations whole, long texts as overlapping windows, nothing cut off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlm.errors import TrainingFailed
from dlm.training.plan import Row

from .render import Encoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dlm.corpus.records import Record

    from .render import Renderer


@dataclass(frozen=True)
class Example:
    """One row on the bench."""

    encoded: Encoded
    anchor: bool
    """Pinned to the base, rather than learned."""


def encode(
    records: Sequence[Record], renderer: Renderer, sequence_len: int, overlap: int
) -> tuple[list[Example], list[Row]]:
    """Encode every record; each window of a long text is a row of its own.

    Raises:
        TrainingFailed: a conversation is longer than ``sequence_len`` tokens.
    """
    examples, rows = [], []
    for index, record in enumerate(records):
        for encoded in _encode_one(record, renderer, sequence_len, overlap):
            examples.append(Example(encoded, record.objective == "anchor"))
            rows.append(Row(index, len(encoded.ids), len(encoded.ids) - encoded.start))
    return examples, rows


def _encode_one(record: Record, renderer: Renderer, sequence_len: int, overlap: int) -> Iterator[Encoded]:
    if not record.messages:
        yield from _windows(record, renderer, sequence_len, overlap)
        return
    encoded = renderer.example(record.messages)
    if len(encoded.ids) > sequence_len:
        question = record.messages[-2].content if len(record.messages) > 1 else ""
        raise TrainingFailed(
            f"section {record.section_id}: the question {question[:60]!r} and its answer take {len(encoded.ids)} "
            f"tokens, more than training.sequence_len = {sequence_len}: raise it, or split the answer"
        )
    yield encoded


def _windows(record: Record, renderer: Renderer, sequence_len: int, overlap: int) -> Iterator[Encoded]:
    """Windows that start with the text's title; every token of the text is learned in exactly one of them.

    The tokens a window repeats from the one before are context only.
    """
    tokenizer = renderer.tokenizer
    title = renderer.text_ids(f"# {record.title}\n\n") if record.title else renderer.text_ids("")
    body = list(tokenizer(record.text.strip(), add_special_tokens=False).input_ids)
    if tokenizer.eos_token_id is not None:
        body.append(int(tokenizer.eos_token_id))
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
        ids = (*title, *piece)
        yield Encoded(ids, max(1, len(title) + context))
        done += len(piece) - context
