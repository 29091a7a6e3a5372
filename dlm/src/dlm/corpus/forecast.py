"""What training a document will be, in numbers, before any model is loaded: tokens, windows, rows, steps.

The same functions as in training build the records and the plan; only the lengths of rows may be estimates, see
:mod:`.lengths`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..document.remarks import Remark, trained_pairs
from ..document.routing import declared, sections_of, view
from ..errors import Finding
from ..training.material import collect
from ..training.phases import without_pairs
from ..training.plan import Row
from ..training.resolve import TrainOptions, recipe_for, with_budget
from ..training.schedule import make_plan
from .lengths import estimated
from .study import build, primary_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ..document.model import Document, Pair, Section
    from ..training.recipe import Recipe
    from .lengths import Lengths
    from .records import Record
    from .sources import Survey, SurveyedFile

LAID_OUT_BYTES = 1_000_000
"""Above this the study set is not built: it would take seconds, and a plan that long has no surprises."""
COUNTED_BYTES = 4_000_000
"""Above this tokens are estimated even when the tokenizer is there: counting takes a second for every few megabytes."""


@dataclass(frozen=True)
class LaidOut:
    """The plan that training would make, of all adapters together."""

    rows: dict[str, int]
    """By kind of record."""
    held_out: int
    """Questions that are never trained and pick the best weights."""
    steps: int
    batch_rows: int
    tokens: int
    """Trained on in all steps, prompts included."""
    seen: float
    """How often a text is seen, on average; below 1 the budget ends before all of them were."""


@dataclass(frozen=True)
class Forecast:
    """Numbers of one document with its sources."""

    tokens: int
    """Of what is written: each text, and each answer with the first wording of its question."""
    exact: bool
    """Whether ``tokens`` were counted by the base's tokenizer."""
    windows: int
    """Rows that the texts take as they are written."""
    sequence_len: int
    laid_out: LaidOut | None
    """``None`` when the document and its sources are too large to build the study set here."""


def forecast(document: Document, lengths: Lengths, home: Path, survey: Survey | None = None) -> Forecast:
    """The numbers of ``document`` with its sources and what the store under ``home`` replays.

    Files of sources are read only where they are few; else ``survey`` has to do.

    Raises:
        DocumentError: the sources changed meanwhile, and cannot be read any more.
        StoreError: the store cannot say what is kept and what is forgotten.
    """
    unread = survey.files if survey else ()
    size = len(document.text.encode()) + sum(file.bytes for file in unread)
    if size > LAID_OUT_BYTES:
        return _measure(document, lengths, (), unread, lay_out=False)
    seed = recipe_for(document.frontmatter, TrainOptions()).seed
    return _measure(document, lengths, collect(document, home, seed).more, (), lay_out=True)


def _measure(
    document: Document, lengths: Lengths, more: Sequence[Section], unread: Sequence[SurveyedFile], *, lay_out: bool
) -> Forecast:
    recipe = recipe_for(document.frontmatter, TrainOptions())
    primary = list(primary_records(document, more))
    texts = [record for record in primary if not record.messages]
    first = {record.group: record for record in reversed(primary) if record.messages}
    worse = [record.rejected for record in first.values() if record.rejected]
    said = lengths.of([*worse, *(message.content for record in first.values() for message in record.messages)])
    beyond = [estimated(file.bytes) for file in unread if file.weight > 0]
    return Forecast(
        tokens=sum(lengths.of(record.text for record in texts)) + sum(said) + sum(beyond),
        exact=lengths.exact and not unread,
        windows=len(_text_rows(list(enumerate(texts)), lengths, recipe))
        + sum(windows(size, recipe) for size in beyond),
        sequence_len=recipe.sequence_len,
        laid_out=_all_laid_out(document, lengths, more) if lay_out else None,
    )


def too_long(document: Document, lengths: Lengths) -> Iterator[Remark]:
    """Pairs that do not fit a training sequence: a conversation is trained whole or not at all."""
    recipe = recipe_for(document.frontmatter, TrainOptions())
    for _, pair in trained_pairs(document):
        # No tokenizer makes more tokens than there are bytes.
        said = [*(text for turn in pair.before for text in turn), max(pair.questions, key=len), pair.answer]
        longest = sum(len(text.encode()) for text in said) + lengths.around(len(said))
        if not pair.probe and longest > recipe.sequence_len:
            yield from _measured(document, pair, said, lengths, recipe)


def _measured(document: Document, pair: Pair, said: list[str], lengths: Lengths, recipe: Recipe) -> Iterator[Remark]:
    alone, around = sum(lengths.of(said)), lengths.around(len(said))
    if alone + around <= recipe.sequence_len:
        return
    sure = lengths.exact and alone > recipe.sequence_len
    number = f"{alone:,}" if lengths.exact else f"about {alone:,}"
    what = f"this question and its answer take {number} tokens and about {around} for the chat template, "
    what += f"{'' if sure else 'probably '}more than training.sequence_len = {recipe.sequence_len:,}"
    finding = Finding(document.location, pair.line, 1, what, "split the answer, or raise training.sequence_len")
    yield Remark("error" if sure else "warning", finding)


def _all_laid_out(document: Document, lengths: Lengths, more: Sequence[Section]) -> LaidOut:
    """The plan of every adapter that the document names, counted together."""
    names = declared(document)
    if not names:
        return _lay_out(document, lengths, more)
    each = [_lay_out(view(document, name), lengths, sections_of(more, names, name)) for name in names]
    rows: Counter[str] = Counter()
    for one in each:
        rows.update(one.rows)
    return LaidOut(
        dict(rows),
        sum(one.held_out for one in each),
        sum(one.steps for one in each),
        each[0].batch_rows,
        sum(one.tokens for one in each),
        min(one.seen for one in each),
    )


def _lay_out(document: Document, lengths: Lengths, more: Iterable[Section]) -> LaidOut:
    recipe = recipe_for(document.frontmatter, TrainOptions())
    study = without_pairs(build(document, recipe.seed, more))
    rows = _rows(study.train, lengths, recipe)
    recipe = with_budget(recipe, document.frontmatter, TrainOptions(), study, rows)
    plan = make_plan(recipe, study, rows, _rows(study.held_out, lengths, recipe))
    kinds = Counter(study.train[row.record].kind for row in rows)
    return LaidOut(
        dict(kinds), len(study.held_out), len(plan.steps), recipe.batch_rows, plan.tokens, plan.passes.get("prose", 1.0)
    )


def _rows(records: Sequence[Record], lengths: Lengths, recipe: Recipe) -> list[Row]:
    numbered = list(enumerate(records))
    talks = [(index, record) for index, record in numbered if record.messages]
    sizes = lengths.of_conversations(record for _, record in talks)
    rows = [Row(index, size, size) for (index, _), size in zip(talks, sizes, strict=True)]
    texts = [(index, record) for index, record in numbered if not record.messages]
    return sorted([*rows, *_text_rows(texts, lengths, recipe)], key=lambda row: row.record)


def _text_rows(texts: Sequence[tuple[int, Record]], lengths: Lengths, recipe: Recipe) -> list[Row]:
    """Windows as the backend cuts them: each begins with the title, and repeats the end of the one before."""
    titles = lengths.of(f"# {record.title}\n\n" for _, record in texts)
    bodies = lengths.of(record.text.strip() for _, record in texts)
    return [
        Row(index, title + context + new, new)
        for (index, _), title, body in zip(texts, titles, bodies, strict=True)
        for context, new in _windows(title, body, recipe)
    ]


def windows(tokens: int, recipe: Recipe) -> int:
    """How many windows a text of so many tokens takes, without a title."""
    rest = tokens + 1 - recipe.sequence_len
    return 1 if rest <= 0 else 1 + -(-rest // (recipe.sequence_len - recipe.window_overlap))


def _windows(title: int, body: int, recipe: Recipe) -> list[tuple[int, int]]:
    """Tokens that each window of a text repeats, and that it brings; the last one brings the token that ends a text."""
    room = max(recipe.sequence_len - title, recipe.window_overlap + 1)
    found = [(0, min(room, body + 1))]
    left = body + 1 - found[0][1]
    while left > 0:
        found.append((recipe.window_overlap, min(room - recipe.window_overlap, left)))
        left -= found[-1][1]
    return found
