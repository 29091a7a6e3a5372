"""``dlm report``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..learning.measure import Exam


@click.command(short_help="Show how much of a document was learned.")
@click.argument("doc", type=click.Path())
@click.option(
    "--questions", type=click.Path(), metavar="JSONL", help="Ask these too. Default: questions.jsonl beside DOC."
)
@click.option("--limit", type=click.IntRange(min=1), help="Questions from the document at most. Default: 60.")
@click.option("--all", "everything", is_flag=True, help="Ask every question that the document gives.")
@click.option("--again", is_flag=True, help="Ask anew, the base too, although the version has a report.")
@click.option("--version-number", type=str, metavar="vN", help="Report on this version. Default: the current one.")
@click.option("--questions-only", is_flag=True, help="Print the questions as JSON Lines, for `dlm prompt --file`.")
@click.option(
    "--require-learned", type=click.FloatRange(0, 1), metavar="SHARE", help="Exit with 1 if fewer are answered."
)
@click.option("--i-accept-license", "accepts", is_flag=True, help="You have read the base's licence and accept it.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as one JSON object.")
@click.pass_context
def report(
    ctx: click.Context,
    /,
    doc: str,
    questions: str | None,
    limit: int | None,
    everything: bool,
    again: bool,
    version_number: str | None,
    questions_only: bool,
    require_learned: float | None,
    accepts: bool,
    as_json: bool,
) -> None:
    """Show how much of DOC a version has learned: the report that its training wrote.

    A version without a report, or other questions, are asked now: the base and the version answer all of them, and the
    new report replaces the old one.
    """
    from ..learning.measure import LIMIT, LearnOptions
    from ..learning.stored import ReportOptions, exams_for, report_on, require
    from ..store import home
    from .learned import report_text
    from .progress import Progress
    from .prompt import version_number_of

    asked = LearnOptions(Path(questions) if questions else None, None if everything else limit or LIMIT)
    options = ReportOptions(version_number_of(version_number), again, asked, accepts)
    if questions_only:
        for name, exam in exams_for(doc, home=home(), options=options).items():
            _print(exam, name)
        return
    with Progress(quiet=bool((ctx.obj or {}).get("quiet")), to_stderr=True) as progress:
        found = report_on(doc, home=home(), options=options, observer=progress)
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2))
    else:
        click.echo(report_text(found, missed=None))
    if require_learned is not None:
        require(found, require_learned)


def _print(exam: Exam, adapter: str | None) -> None:
    named = {} if adapter is None else {"adapter": adapter}
    for line in exam.paper.lines():
        click.echo(json.dumps({**line, **named}, ensure_ascii=False))
