"""``dlm prompt``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..answering import Reply
    from ..grounding import Grounded, Passage

WIDTH = 80
DOES_NOT_SAY = "The document does not say."
MOST_SHOWN = 3
"""Passages shown below one answer."""


@click.command(short_help="Ask the trained model a question.")
@click.argument("doc", type=click.Path())
@click.argument("question", required=False)
@click.option(
    "--file", "questions", type=click.Path(), metavar="JSONL", help="Ask every question of a file; - is stdin."
)
@click.option("--base", is_flag=True, help="Ask the untouched base instead.")
@click.option("--with-doc", is_flag=True, help="Ask the untouched base with the document in its context.")
@click.option("--grounded", is_flag=True, help="Print only answers that the document supports, with the passage.")
@click.option("--version-number", type=str, metavar="vN", help="Ask this version. Default: the current one.")
@click.option("--adapter", type=str, metavar="NAME", help="Of several adapters, ask this one.")
@click.option("--adapter-mix", "mix", type=str, metavar="a:0.5,b:0.5", help="Ask a weighted sum of adapters.")
@click.option(
    "--gate", type=click.Choice(["auto", "off"]), help="auto: the learned gate weighs; off: the first adapter."
)
@click.option("--any-precision", is_flag=True, help="Mix adapters of 4-bit and of full weights all the same.")
@click.option("--backend", type=str, metavar="NAME", help="What runs the model: hf, mlx. Default: the best one here.")
@click.option("--temp", type=click.FloatRange(min=0), default=0.0, show_default=True, help="0 always gives the same.")
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True)
@click.option("--max-tokens", type=click.IntRange(min=1), default=256, show_default=True, help="Of one answer.")
@click.option("--seed", type=int, default=0, show_default=True, help="For --temp above 0.")
@click.option("--i-accept-license", "accepts", is_flag=True, help="You have read the base's licence and accept it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a question.")
@click.pass_context
def prompt(
    ctx: click.Context,
    doc: str,
    question: str | None,
    questions: str | None,
    base: bool,
    with_doc: bool,
    grounded: bool,
    version_number: str | None,
    adapter: str | None,
    mix: str | None,
    gate: Literal["auto", "off"] | None,
    any_precision: bool,
    backend: str | None,
    temp: float,
    top_p: float,
    max_tokens: int,
    seed: int,
    accepts: bool,
    as_json: bool,
) -> None:
    """Ask what DOC was trained to know.

    QUESTION is read from standard input when it is left out. One question prints its answer and nothing else; several
    print the questions too. With --grounded an answer that the document does not support is replaced by
    "The document does not say."; the exit code is 0 either way.

    Of a document with several adapters, its learned gate weighs them for each question; without a gate the first one
    answers. --adapter, --adapter-mix and --gate choose.
    """
    from ..answering import AskOptions, ask
    from ..chosen import Wanted
    from ..training.backend import Sampling

    asked = _questions(question, questions)
    sampling = Sampling(max_tokens, temp, top_p, seed)
    wanted = Wanted(adapter, mix, gate, any_precision)
    options = AskOptions(
        base, with_doc, version_number_of(version_number), sampling, accepts, grounded, wanted, backend
    )
    quiet = bool((ctx.obj or {}).get("quiet"))

    def say(line: str) -> None:
        if not quiet:
            click.echo(line, err=True)

    for reply in ask(doc, asked, options=options, say=say):
        if reply.adapters and reply.adapters.by == "gate":
            say(f"gate: {reply.adapters.told}")
        click.echo(_as_json(reply) if as_json else _as_text(reply, alone=questions is None))
        if not reply.answer.complete:
            say(f"note: the answer was cut at {reply.answer.tokens} tokens: raise --max-tokens for more")


def _questions(question: str | None, path: str | None) -> list[str]:
    from pathlib import Path

    from ..answering import read_questions
    from ..errors import UsageProblem

    if question is not None and path is not None:
        raise UsageProblem("give a question or --file, not both")
    if path is not None:
        try:
            text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise UsageProblem(f"{path} cannot be read as UTF-8 text: {problem}") from problem
        return read_questions(text, path)
    if question is None and sys.stdin.isatty():
        raise UsageProblem('no question: dlm prompt DOC "..." or dlm prompt DOC --file questions.jsonl')
    return [(question if question is not None else sys.stdin.read()).strip()]


def version_number_of(version: str | None) -> int | None:
    """``3`` of ``v3``."""
    from ..errors import UsageProblem

    if version is None:
        return None
    digits = version.removeprefix("v")
    if not digits.isascii() or not digits.isdecimal():
        raise UsageProblem(f"{version!r} is not a version: write v3; `dlm versions DOC` lists them")
    return int(digits)


def _as_json(reply: Reply) -> str:
    answer = reply.answer
    record: dict[str, Any] = {
        "question": reply.question,
        "answer": answer.text,
        "tokens": answer.tokens,
        "seconds": round(answer.seconds, 3),
        "complete": answer.complete,
    }
    if reply.adapters:
        record |= {"adapters": reply.adapters.adapters, "chosen_by": reply.adapters.by}
    if reply.grounded:
        passage = reply.grounded.passage
        record |= {"supported": reply.grounded.supported, "passage": _passage(passage) if passage else None}
    return json.dumps(record, ensure_ascii=False)


def _passage(passage: Passage) -> dict[str, str | int]:
    return {
        "section": passage.section,
        "heading": passage.heading,
        "file": passage.file,
        "line": passage.line,
        "text": passage.text,
    }


def _as_text(reply: Reply, alone: bool) -> str:
    said = "\n".join(_grounded(reply.answer.text, reply.grounded)) if reply.grounded else reply.answer.text
    return said if alone else f"Q: {reply.question}\nA: {said}\n"


def _grounded(answer: str, found: Grounded) -> Iterator[str]:
    """The answer with the passages that support it; or that the document does not say, and what was said instead."""
    passages = found.passages[:MOST_SHOWN]
    if found.supported:
        yield answer
        for passage in passages:
            yield from _indented(f'from {_place(passage)}: "{passage.text}"')
        return
    yield DOES_NOT_SAY
    yield from _indented(f"the model said: {answer.strip() or 'nothing'}")
    for passage in passages:
        yield from _indented(f'nearest: {_place(passage)}: "{passage.text}"')


def _place(passage: Passage) -> str:
    return f"{passage.file}:{passage.line}" + (f" ({passage.heading})" if passage.heading else "")


def _indented(text: str) -> list[str]:
    from textwrap import wrap

    from .visible import visible

    flat = visible(" ".join(text.split()))
    return wrap(
        flat, WIDTH - 1, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
