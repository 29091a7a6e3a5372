"""The recipe of a run: flags over frontmatter over measured defaults. Nothing here looks at the machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from ..errors import UsageProblem
from ..locking.table import LockMode
from .recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..corpus.records import StudySet
    from ..document.frontmatter import Frontmatter
    from .plan import Row

Effort = Literal["quick", "normal", "thorough"]


class Size(NamedTuple):
    """An automatic budget: so many tokens for each of the document, within bounds."""

    factor: int
    least: int
    most: int


EFFORTS: dict[Effort, Size] = {
    "quick": Size(20, 60_000, 1_000_000),
    "normal": Size(75, 200_000, 4_000_000),
    "thorough": Size(375, 1_000_000, 20_000_000),
}
"""What a page needs at least, and for a long document no more than minutes, an evening, a night on a laptop."""


@dataclass(frozen=True)
class TrainOptions:
    """What the caller asks for; ``None`` leaves it to the document, then to the defaults."""

    seed: int | None = None
    max_steps: int | None = None
    token_budget: int | None = None
    accept_licence: bool = False
    """The caller has read the base's licence and accepts it."""
    effort: Effort | None = None
    """How long to study; a token budget wins over it."""
    cache: bool = True
    """Keep tokenised records between runs, if the document does not say otherwise. Never changes a result."""
    warm: bool = False
    """Go on from the current version instead of the base, with less to do: see :mod:`.warm`."""
    resume: bool = False
    """Go on with the run that was stopped, where it was: see :mod:`.resuming`."""
    track: tuple[str, ...] = ()
    """Names of trackers that draw the run's curves."""
    strict_metrics: bool = False
    """End the run when its record cannot be kept complete."""
    lock: LockMode = "warn"
    """What to do where the run would not be made of what the current version is made of: see :mod:`dlm.locking`."""

    phase: str | None = None
    """The only phase to go through; ``None`` and ``all``: every one with something to train. See :mod:`.phases`."""
    adapter: str | None = None
    """The only one of the document's adapters to train; the others are taken over. See :mod:`.lanes`."""

    def __post_init__(self) -> None:
        if self.phase == "":
            raise UsageProblem("the phase is empty: name one, or leave it out")
        if self.max_steps is not None and self.max_steps < 1:
            raise UsageProblem(f"max_steps is {self.max_steps}: give at least 1, or leave it out")
        if self.lock not in get_args(LockMode):
            raise UsageProblem(f"the lock mode is {self.lock!r}: give one of {', '.join(get_args(LockMode))}")
        if self.effort is not None and self.effort not in EFFORTS:
            raise UsageProblem(f"the effort is {self.effort!r}: give one of {', '.join(get_args(Effort))}")
        if self.token_budget is not None and self.token_budget < 1000:
            raise UsageProblem(f"the token budget is {self.token_budget}: give at least 1000, or leave it out")


def recipe_for(frontmatter: Frontmatter, options: TrainOptions) -> Recipe:
    """Every number but the token budget, which needs the tokenised rows: see :func:`with_budget`."""
    training = frontmatter.training
    wanted: dict[str, Any] = {
        "seed": training.seed if options.seed is None else options.seed,
        "adapter": training.adapter,
        "rank": training.lora_r,
        "alpha": training.lora_alpha,
        "dropout": training.lora_dropout,
        "target_modules": None if training.target_modules == "auto" else training.target_modules,
        "learning_rate": training.learning_rate,
        "schedule": training.lr_scheduler,
        "warmup_ratio": training.warmup_ratio,
        "sequence_len": training.sequence_len,
        "precision": training.precision,
        "batch_rows": _batch_rows(training.micro_batch_size, training.grad_accum),
        "max_steps": options.max_steps,
    }
    recipe = Recipe(**{name: value for name, value in wanted.items() if value is not None})
    if training.lora_r is not None and training.lora_alpha is None:
        # The update's size is alpha / rank: another rank alone must not change it.
        recipe = replace(recipe, alpha=float(training.lora_r) * Recipe.alpha / Recipe.rank)
    return recipe


def with_budget(
    recipe: Recipe, frontmatter: Frontmatter, options: TrainOptions, study: StudySet, rows: Sequence[Row]
) -> Recipe:
    """``recipe`` with its token budget: the flags, else the document's keys, else by effort and length."""
    training = frontmatter.training
    learned = [row for row in rows if study.train[row.record].objective != "anchor"]
    if options.token_budget is not None:
        budget = options.token_budget
    elif options.effort is not None:
        budget = _budget(options.effort, study, rows)
    elif training.token_budget is not None:
        budget = training.token_budget
    elif training.num_epochs is not None:
        budget = training.num_epochs * sum(row.tokens for row in learned)
    else:
        budget = _budget(training.recipe.effort, study, rows)
    return replace(recipe, token_budget=budget)


def _budget(effort: Effort, study: StudySet, rows: Sequence[Row]) -> int:
    size = EFFORTS[effort]
    return min(max(size.factor * document_tokens(study, rows), size.least), size.most)


def as_asked(frontmatter: Frontmatter, options: TrainOptions) -> Frontmatter:
    """The keys of the document that say for how long it is studied, as the flags have them."""
    training = frontmatter.training
    if options.token_budget is not None:
        training = training.model_copy(update={"token_budget": options.token_budget})
    elif options.effort is not None:
        recipe = training.recipe.model_copy(update={"effort": options.effort})
        training = training.model_copy(update={"recipe": recipe, "token_budget": None, "num_epochs": None})
    return frontmatter.model_copy(update={"training": training})


def document_tokens(study: StudySet, rows: Sequence[Row]) -> int:
    """Tokens of what the document itself says: every pair in its first wording and every block as written."""
    first: dict[tuple[str, str], int] = {}
    for index, record in enumerate(study.train):
        if record.kind in ("qa", "prose"):
            first.setdefault((record.kind, record.group), index)
    written = set(first.values())
    return sum(row.tokens for row in rows if row.record in written)


def _batch_rows(micro_batch: int | str | None, accumulation: int | str | None) -> int | None:
    """Rows of a step: what prior documents split into a micro-batch and its accumulation."""
    counts = [count for count in (micro_batch, accumulation) if isinstance(count, int)]
    if not counts:
        return None
    rows = 1
    for count in counts:
        rows *= count
    return rows
