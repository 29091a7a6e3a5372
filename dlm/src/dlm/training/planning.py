"""From a document to the plans of an adapter, one a phase. Needs the base's tokenizer, and no weights of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import TrainingRefused
from . import continued, heard
from .phases import ALL, select
from .resolve import as_asked, with_budget
from .schedule import make_plan
from .sizing import SHORT_RUN, rate_share, sized
from .vocabulary import with_embeddings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..corpus.records import Record, StudySet
    from ..store.tokens import TokenCache
    from .backend import Workbench
    from .job import Job
    from .phases import Part, Phase
    from .plan import Plan, Row
    from .recipe import Recipe

SHAPE = ("seed", "rank", "alpha", "dropout", "target_modules", "sequence_len", "window_overlap", "precision", "device")
"""Numbers that a phase may not change: the bench is made with them, or the adapter has them from the phase before."""


def plans_of(job: Job, bench: Workbench, cache: TokenCache | None) -> tuple[Plan, ...]:
    """The plan of every phase that the run goes through, in order, whether they may run here or not.

    Raises:
        TrainingRefused: there is nothing to train.
        UsageProblem: the phase that was asked for has nothing to train.
    """
    from ..corpus import running_text
    from ..corpus.study import primary_records

    study = _study(job)
    study = heard.unheard(study, job.start.heard) if job.start else study
    selected = select(study, job.plugins, job.document.frontmatter, job.options.phase or ALL)
    for note in selected.notes:
        job.observer.say(note)
    primary = tuple(primary_records(job.document, job.material.more))
    if note := running_text.told(job.document.frontmatter, primary):
        job.observer.say(note)
    plans = tuple(_plan(job, bench, cache, part, 2 * index) for index, part in enumerate(selected.parts))
    return tuple(replace(plan, adapter=job.adapter) for plan in _with_vocabulary(job, bench, primary, plans))


def _study(job: Job) -> StudySet:
    from ..bases.similar import similar_words
    from ..corpus.study import build
    from .augmenting import augmenters_of

    similar = similar_words(job.base, job.home, job.backend, keep=job.options.cache)
    augmenters = augmenters_of(job.document, job.home, job.plugins, job.observer.say)
    forced = job.options.phase == continued.NAME or None
    return build(job.document, job.recipe.seed, job.material.more, augmenters, similar, text_first=forced)


def _with_vocabulary(
    job: Job, bench: Workbench, primary: Sequence[Record], plans: tuple[Plan, ...]
) -> tuple[Plan, ...]:
    """``plans`` with how the tokenizer splits the document's words, and the tokens that are warmed up."""
    found = bench.vocabulary(text for one in primary for text in (one.text, *(turn.content for turn in one.messages)))
    if found is not None and found.poor:
        job.observer.say(found.said)
    made = with_embeddings(plans, found, job.start)
    if any(plan.recipe.embed_warmup_steps for plan in plans) and not made[0].recipe.embedded:
        why = "the version it goes on from holds none" if job.start else "no word that comes often is split"
        job.observer.say(f"training.cpt.embed_warmup_steps: no embeddings are warmed up: {why}")
    for plan in made:
        if plan.recipe.embed_warmup_steps >= len(plan.steps) > 0:
            steps = f"{plan.recipe.embed_warmup_steps}, and the phase {plan.phase} has only {len(plan.steps)}"
            job.observer.say(f"training.cpt.embed_warmup_steps is {steps}: nothing but embeddings moves in it")
    return made


def _plan(job: Job, bench: Workbench, cache: TokenCache | None, part: Part, encoding: int) -> Plan:
    """The plan of one phase; its rows are what the bench encodes in its calls ``encoding`` and the next."""
    from .studied import studied
    from .warm import emphasised

    study = studied(part.study, bench, job.home, job.observer.say, few=_few(job))
    study = emphasised(study, job.start) if job.start else study
    held_out = (*study.held_out_pairs, *study.held_out, *study.held_out_text)
    rows, held_out_rows = bench.encode(study.train, cache), bench.encode(held_out, cache)
    recipe = _recipe(job, part.phase, study, rows)
    return make_plan(recipe, study, rows, held_out_rows, phase=part.phase.name, encodings=(encoding, encoding + 1))


def _recipe(job: Job, phase: Phase, study: StudySet, rows: list[Row]) -> Recipe:
    from .warm import shortened

    frontmatter = as_asked(job.document.frontmatter, job.options)
    wanted = phase.recipe_for(frontmatter, job.recipe)
    if changed := [name for name in SHAPE if getattr(wanted, name) != getattr(job.recipe, name)]:
        raise TrainingRefused(
            f"the phase {phase.name} changes {', '.join(changed)}, which all phases share: report this to its authors"
        )
    recipe = phase.with_length(frontmatter, wanted, study, rows)
    if recipe is not None and not phase.sized:
        return phase.for_base(frontmatter, recipe, rate_share(job.base.path))
    recipe = recipe or with_budget(wanted, frontmatter, job.options, study, rows)
    recipe = sized(recipe, frontmatter.training, job.base.path)
    return shortened(recipe, job.document, job.options) if job.start else recipe


def _few(job: Job) -> bool:
    """Whether the run is too short for all anchors."""
    training, options = job.document.frontmatter.training, job.options
    if options.token_budget is not None:
        return options.token_budget < SHORT_RUN
    if options.effort is not None:
        return options.effort == "quick"
    if training.token_budget is not None:
        return training.token_budget < SHORT_RUN
    return training.recipe.effort == "quick"
