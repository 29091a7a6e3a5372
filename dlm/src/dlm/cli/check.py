"""``dlm check``: every mistake of a document, and what will be trained from it. Loads no model."""

from __future__ import annotations

import shlex
import textwrap
from typing import TYPE_CHECKING, Any

import click

from .visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..document.checkup import Checkup

SHOWN = 200
"""Findings printed of one document, and notes; ``--json`` has all of them."""
MISTAKES, WARNINGS = 2, 1
"""Exit codes; warnings count only with ``--strict``."""


@click.command(short_help="Read a document and report every mistake in it.")
@click.argument("documents", metavar="DOC...", nargs=-1, required=True, type=click.Path())
@click.option("--strict", is_flag=True, help="End with exit code 1 when there are warnings.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; a list of them for several documents.")
@click.pass_context
def check(ctx: click.Context, documents: tuple[str, ...], strict: bool, as_json: bool) -> None:
    """Read DOC and report every mistake in it, with its line, before anything is trained.

    Mistakes end with exit code 2. Without any, what will be trained is shown.
    """
    import json
    from pathlib import Path

    from ..document.checkup import examine
    from ..errors import UsageProblem

    found: list[Checkup] = []
    unread = False
    for document in documents:
        try:
            found.append(examine(Path(document)))
        except UsageProblem as problem:
            if len(documents) == 1:
                raise
            click.echo(f"error: {problem}", err=True)
            unread = True
        else:
            if not as_json:
                _print(found[-1])
    if as_json:
        plain: Any = [one.as_json() for one in found]
        click.echo(json.dumps(plain if len(documents) > 1 else plain[0], indent=2, ensure_ascii=False, allow_nan=False))
    ctx.exit(_exit_code(found, unread, strict))


def _exit_code(found: list[Checkup], unread: bool, strict: bool) -> int:
    if unread or any(one.errors for one in found):
        return MISTAKES
    return WARNINGS if strict and any(one.warnings for one in found) else 0


def _print(found: Checkup) -> None:
    """First whether it is fine; findings where editors look for them; then what will be trained."""
    verdict = ", ".join(_number(count, word) for count, word in _tally(found) if count)
    if found.errors:
        click.echo(f"{found.path}: {verdict}", err=True)
    else:
        click.echo(f"{found.path}: no mistakes{f', {verdict}' if verdict else ''}")
    for line in _findings(found):
        click.echo(visible(line))
    for name, text in _summary(found):
        click.echo(_wrapped(f"  {name:<10} ", visible(text)))
    for note in found.notes[:SHOWN]:
        click.echo(_wrapped("note: ", visible(note)))
    if len(found.notes) > SHOWN:
        click.echo(_more(found, len(found.notes) - SHOWN, "notes"))


def _wrapped(begin: str, text: str) -> str:
    return textwrap.fill(
        text,
        79,
        initial_indent=begin,
        subsequent_indent=" " * len(begin),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _tally(found: Checkup) -> list[tuple[int, str]]:
    return [(len(found.errors), "mistake"), (len(found.warnings), "warning")]


def _findings(found: Checkup) -> Iterator[str]:
    for severity, finding in found.remarks[:SHOWN]:
        what = finding.what if severity == "error" else f"{severity}: {finding.what}"
        yield f"{finding.path}:{finding.line}:{finding.col}: {what}: {finding.fix}"
    if len(found.remarks) > SHOWN:
        yield _more(found, len(found.remarks) - SHOWN, "findings")


def _more(found: Checkup, count: int, what: str) -> str:
    return f"... and {count:,} more {what}: `dlm check --json {shlex.quote(str(found.path))}` lists all"


def _summary(found: Checkup) -> Iterator[tuple[str, str]]:
    """What will be trained, as names with their numbers."""
    if found.document is None or found.base is None or found.forecast is None:
        return
    counts = found.counts
    yield "title", found.document.title
    yield "base", found.base.words
    yield "sections", ", ".join(f"{number:,} {name}" for name, number in found.section_types.items())
    yield "texts", f"{counts['texts']:,} with {_number(counts['words'], 'word')}"
    yield "questions", f"{_number(counts['questions'], 'wording')} for {_number(counts['answers'], 'answer')}"
    if counts["pairs"]:
        yield "preferred", f"{_number(counts['pairs'], 'answer')}, each over a worse one"
    yield "probes", _probes(found)
    for source in found.survey.summaries if found.survey else ():
        yield "source", f"{source.path}: {_number(source.file_count, 'file')}, {_size(source.total_bytes)}"
    yield from _training(found)
    if found.abilities:
        from ..export.ability import told

        yield "export", told(found.abilities)


def _probes(found: Checkup) -> str:
    count = found.counts["probes"]
    return f"{count:,}, never trained: `sway check {shlex.quote(str(found.path))}` asks them" if count else "none"


def _training(found: Checkup) -> Iterator[tuple[str, str]]:
    if (forecast := found.forecast) is None:
        return
    count = f"{forecast.tokens:,}" if forecast.exact else f"about {forecast.tokens:,} (by the bytes)"
    windows = f"{_number(forecast.windows, 'window')} of at most {forecast.sequence_len:,}"
    yield "tokens", f"{count}; the texts take {windows}" if forecast.windows else count
    if (plan := forecast.laid_out) is None:
        yield "training", "too much to lay out here: `dlm train` prints its plan before the first step"
        return
    yield "held out", f"{_number(plan.held_out, 'question')}, never trained: they pick the best weights"
    rows = sum(plan.rows.values())
    yield "training", f"about {_number(plan.steps, 'step')} of {plan.batch_rows} rows, {plan.tokens:,} tokens in all"
    yield "rows", f"{rows:,}: " + ", ".join(f"{number:,} {kind}" for kind, number in plan.rows.items())


def _number(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"
