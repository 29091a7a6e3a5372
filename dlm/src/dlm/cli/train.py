"""``dlm train``."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from .ranks import launched, ranks_options
from .watch import rhythm_of, run_watch, watch_options

if TYPE_CHECKING:
    from ..learning.measure import LearnOptions
    from ..learning.report import LearningReport
    from ..locking.guard import Unchanged
    from ..training.observer import Observer
    from ..training.resolve import Effort
    from ..training.run import TrainReport


@click.command(short_help="Train an adapter from a document.")
@click.argument("doc", type=click.Path())
@click.option("--seed", type=int, help="Over training.seed of the document.")
@click.option("--max-steps", type=click.IntRange(min=1), help="Stop after this many optimiser steps.")
@click.option("--budget", type=click.IntRange(min=1000), metavar="TOKENS", help="Train on about this many tokens.")
@click.option(
    "--effort",
    type=click.Choice(["quick", "normal", "thorough"]),
    help="How long to study: a page takes about 3, 8 or 40 minutes on two cores. Over training.recipe.effort.",
)
@click.option("--phase", metavar="NAME", help="Go through this phase alone: sft, preference. Default: all.")
@click.option(
    "--adapter", metavar="NAME", help="Train this one of the document's adapters; the others stay as they are."
)
@click.option("--warm", is_flag=True, help="Go on from the current version: faster after an edit, less exact.")
@click.option("--resume", is_flag=True, help="Go on with the run that was killed, stopped or failed, where it was.")
@click.option("--fresh", is_flag=True, help="Begin at the first step. The default.")
@click.option("--force", is_flag=True, help="Train although nothing has changed since the current version.")
@click.option("--strict-lock", is_flag=True, help="Exit with 1 where dlm.lock is not met: see `dlm lock check`.")
@click.option("--update-lock", is_flag=True, help="Accept what is not as dlm.lock says; the new version has a new one.")
@click.option("--ignore-lock", is_flag=True, help="Do not look at dlm.lock.")
@click.option(
    "--require-learned",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Exit with 1 if fewer of the questions in other words are answered. The version is kept.",
)
@click.option(
    "--questions", type=click.Path(), metavar="JSONL", help="Ask these at the end. Default: questions.jsonl beside DOC."
)
@click.option("--no-report", is_flag=True, help="Do not ask at the end how much was learned.")
@click.option("--no-cache", is_flag=True, help="Tokenise everything anew. Never changes the result.")
@click.option(
    "--track",
    metavar="NAMES",
    envvar="DLM_TRACK",
    help="Draw the curves with these, as in tensorboard,wandb. Default: $DLM_TRACK.",
)
@click.option("--strict-metrics", is_flag=True, help="Fail when a step cannot be written to the metrics database.")
@watch_options
@ranks_options
@click.option("--i-accept-license", "accepts", is_flag=True, help="You have read the base's licence and accept it.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object; progress goes to stderr.")
@click.option("--base", metavar="REF", help="Folder: base model of its new document; see `dlm base list`.")
@click.option("--include", multiple=True, metavar="PATTERN", help="Folder: train only these files; may be repeated.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Folder: leave these out; may be repeated.")
@click.option("-r/-R", "--recursive/--no-recursive", default=None, help="Folder: with the folders in it. Default: -r.")
@click.option("--name", help="Folder: name of its document in .dlm/. Default: corpus.")
@click.option("--policy", type=click.Choice(["strict", "permissive"]), help="Folder: may sources lie elsewhere?")
@click.option("--rescaffold", is_flag=True, help="Folder: write the source of its document anew; keeps all else.")
@click.pass_context
def train(
    ctx: click.Context,
    /,
    doc: str,
    seed: int | None,
    max_steps: int | None,
    budget: int | None,
    effort: Effort | None,
    phase: str | None,
    adapter: str | None,
    warm: bool,
    resume: bool,
    fresh: bool,
    force: bool,
    strict_lock: bool,
    update_lock: bool,
    ignore_lock: bool,
    require_learned: float | None,
    questions: str | None,
    no_report: bool,
    no_cache: bool,
    track: str | None,
    strict_metrics: bool,
    gpus: str | None,
    processes: int | None,
    watching: bool,
    settle_ms: int | None,
    watch_max_steps: int | None,
    accepts: bool,
    as_json: bool,
    **folder: Any,
) -> None:
    """Train an adapter from DOC and store it as a new version.

    What will be trained is printed before the first step. Until the new version is complete, the old one is served.
    At the end both models are asked what the document says, in words that were not trained: see `dlm report`.

    DOC may be a folder: then its text files are learned, and a document that says so is written to DOC/.dlm/ once.
    The first time, name a base: dlm train notes/ --base smollm2-135m
    """
    from ..errors import UsageProblem
    from ..learning.stored import require
    from ..record.trackers import named
    from ..training.run import TrainOptions, TrainReport, train_if_changed
    from ..training.run import train as run
    from .lock import lock_mode
    from .progress import Progress

    if resume and fresh:
        raise UsageProblem("--resume goes on and --fresh begins anew: give one of them")
    if (code := launched(gpus, processes, watching=watching)) is not None:
        ctx.exit(code)
    rhythm = rhythm_of(watching=watching, settle_ms=settle_ms, max_steps=watch_max_steps)
    quiet = bool((ctx.obj or {}).get("quiet"))
    doc = _document(doc, folder, quiet=quiet, to_stderr=as_json)
    options = TrainOptions(
        seed,
        max_steps,
        budget,
        accepts,
        effort,
        cache=not no_cache,
        warm=warm,
        resume=resume,
        track=named(track),
        strict_metrics=strict_metrics,
        lock=lock_mode(strict=strict_lock, update=update_lock, ignore=ignore_lock),
        phase=phase,
        adapter=adapter,
    )
    exam = _exam(doc, questions, no_report=no_report, required=require_learned is not None)
    if rhythm is not None:
        from .watch_line import Line

        learn = partial(_learned, exam=exam) if exam is not None and require_learned is not None else None
        line = Line(doc, quiet=quiet, record=_record if as_json else None, learn=learn, required=require_learned)
        run_watch(doc, options, rhythm, line, force=force)
        return
    with Progress(quiet=quiet, to_stderr=as_json) as progress:
        report = (run if force else train_if_changed)(doc, options=options, observer=progress)
        asked = exam if isinstance(report, TrainReport) or require_learned is not None else None
        learned = _learned(report, progress, exam=asked) if asked else None
    if as_json:
        click.echo(json.dumps(_record(report, learned), ensure_ascii=False))
    else:
        click.echo(_summary(report, learned, doc))
    if require_learned is not None:
        require(learned, require_learned)


def _exam(doc: str, questions: str | None, *, no_report: bool, required: bool) -> LearnOptions | None:
    """What is asked at the end. The user's questions are read now: a mistake in them costs no training."""
    from pathlib import Path

    from ..errors import UsageProblem
    from ..learning.measure import LearnOptions
    from ..learning.questions import own_file, read_own

    if no_report:
        if required or questions:
            raise UsageProblem("--no-report asks nothing: leave it out, or --require-learned and --questions")
        return None
    path = Path(questions) if questions else own_file(Path(doc).absolute().parent, Path(doc).stem)
    if path:
        read_own(path)
    return LearnOptions(path)


def _learned(found: TrainReport | Unchanged, observer: Observer, exam: LearnOptions) -> LearningReport | None:
    """What a new version has learned, or one that was not trained again: what it was asked then."""
    from ..learning.stored import report_after, report_before
    from ..store import home
    from ..training.run import TrainReport

    if isinstance(found, TrainReport):
        return report_after(found, exam, observer)
    return report_before(found.document, found.version, exam, home(), observer)


def _document(doc: str, folder: dict[str, Any], *, quiet: bool, to_stderr: bool) -> str:
    """The document to train: ``doc``, or that of the folder ``doc``."""
    from pathlib import Path

    from ..corpus.scaffold import Scaffold, refuse_for_file, scaffold

    wanted = Scaffold(**folder)
    if not Path(doc).is_dir():
        refuse_for_file(doc, wanted)
        return doc
    path, done = scaffold(Path(doc), wanted)
    if done != "found" and not quiet:
        what = "a document that trains this folder" if done == "written" else "with its source written anew"
        click.echo(f"Wrote {path}, {what}.", err=to_stderr)
    return str(path)


def _record(report: TrainReport | Unchanged, learned: LearningReport | None) -> dict[str, Any]:
    from dataclasses import asdict

    from ..locking.guard import Unchanged
    from ..training.material import changes_record
    from ..training.summary import phase_records, plan_record

    if isinstance(report, Unchanged):
        return report.as_json()
    return {
        "document": report.document.location,
        "dlm_id": report.document.frontmatter.dlm_id,
        "version": report.version,
        "trained": True,
        "warm_from": report.warm_from,
        "resumed_from": report.resumed_from,
        "run_id": report.run_id,
        "path": str(report.path),
        "base": {"key": report.base.key, "digest": report.base.digest, "source": report.base.source},
        "plan": plan_record(report.plan),
        "phases": phase_records(report.plans, report.outcomes),
        "changes": changes_record(report.material),
        "sources": [asdict(summary) for summary in report.material.gathered.summaries],
        "outcome": asdict(report.outcome),
        "learning": learned.as_json(items=False) if learned else None,
        "seconds": round(report.seconds, 1),
    }


def _summary(report: TrainReport | Unchanged, learned: LearningReport | None, doc: str) -> str:
    from ..locking.guard import Unchanged
    from . import phase_lines
    from .learned import report_text
    from .progress import duration, shell_quoted

    if isinstance(report, Unchanged):
        return report.words
    lines = ["", report_text(learned), ""] if learned else [""]
    lines += phase_lines.all_ended(report.plans, report.outcomes, refit=report.warm_from is None)
    lines.append(f"version        v{report.version}, after {duration(report.seconds)}")
    name = shell_quoted(doc)
    lines += ["next           " + f'dlm prompt {name} "..."', "               " + f"sway check {name}"]
    return "\n".join(lines)
