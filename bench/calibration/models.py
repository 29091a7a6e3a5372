"""The models of a study: tables with known updates, or one real base that is loaded once and looked at in many ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dlm_sway.plugins import manager
from dlm_sway.scoring.session import Session
from dlm_sway.scoring.types import View
from dlm_sway.spec.models import Models, ModelSpec, Suite, SuiteDefaults
from dlm_sway.suite.autogen import drafted
from dlm_sway.suite.run import run
from dlm_sway.suite.target import ModelPair, Target
from dlm_sway.testing import ClosedForm
from dlm_sway.testing.planted import Asked, Harmed

from . import material
from .seen import Seen

if TYPE_CHECKING:
    from dlm_sway.result import SuiteResult
    from dlm_sway.scoring.backend import Backend
    from dlm_sway.sections import SectionData

Entries = tuple[dict[str, Any], ...]

_TABLE: Final = ModelPair(base=ModelSpec(base="a table"), ft=ModelSpec(base="a table"))
_MOST_NULLS: Final = 1000
_NULL_SIZE: Final = 24.0
"""Frobenius norm of the random updates to a table: large enough to move every question well above the noise."""
_CALIBRATING_FROM: Final = 1000
_TESTED_FROM: Final = 1_000_000
"""Seeds of the null adapters that calibrate, and of those that are tested. Each trial has its own of both: against the
same few nulls, all trials would err together, and a rate over them would have no interval."""


@dataclass(frozen=True)
class Question:
    """A suite with what it needs."""

    entries: Entries
    sections: tuple[SectionData, ...]
    defaults: SuiteDefaults
    models: ModelPair = _TABLE

    @property
    def nulls(self) -> int:
        """How many null adapters calibrate one trial, or may at most."""
        return max((int(entry.get("runs") or 0) for entry in self.entries), default=0) or _MOST_NULLS

    def answer(self, backend: Backend) -> SuiteResult:
        """The suite's result on ``backend``."""
        models = Models(base=self.models.base, ft=self.models.ft)
        suite = Suite(models=models, defaults=self.defaults, suite=self.entries)
        return run(suite, backend=backend, manager=manager(), sections=self.sections, cache=False)


def entries_about(
    sections: Sequence[SectionData], nulls: int | None, models: ModelPair, kinds: Sequence[str] = ()
) -> Entries:
    """What every installed probe asks about ``sections``; of ``kinds`` alone, when some are named."""
    held_out = tuple(item for section in sections for item in section.held_out)
    taught = tuple(item for section in sections for item in section.taught)
    target = Target("study", models, held_out=held_out, taught=taught, sections=tuple(sections))
    drafts = sorted(drafted(target, manager()), key=lambda draft: (draft.order, draft.name))
    usable = [draft for draft in drafts if not draft.missing and (not kinds or draft.kind in (*kinds, "null_adapter"))]
    found = []
    for draft in usable:
        keys = {**draft.keys, "runs": nulls} if draft.kind == "null_adapter" and nulls else draft.keys
        found.append({"name": draft.name, "kind": draft.kind, **keys})
    return tuple(found)


def calibrated(entries: Entries, **keys: Any) -> Entries:
    """``entries`` with other keys of their ``null_adapter``."""
    return tuple({**entry, **keys} if entry["kind"] == "null_adapter" else entry for entry in entries)


class Tables:
    """Each trial has a table of its own, and facts of its own."""

    def __init__(self, defaults: SuiteDefaults, nulls: int | None, kinds: Sequence[str]) -> None:
        self._defaults, self._nulls, self._kinds = defaults, nulls, kinds

    def null(self, trial: int) -> SuiteResult:
        """A random update."""
        backend = ClosedForm(direction="random", seed=_TESTED_FROM + trial, size=_NULL_SIZE)
        return self._question(trial).answer(backend)

    def effect(self, trial: int, size: float) -> SuiteResult:
        """``size`` logits more for every token of the document's answers and text."""
        return self._planted(trial, size, ClosedForm, about_document=True)

    def harm(self, trial: int, size: float) -> SuiteResult:
        """``size`` logits more for a wrong token wherever something else is asked."""
        return self._planted(trial, size, Harmed, about_document=False)

    def _question(self, trial: int) -> Question:
        sections = material.sections(trial)
        return Question(entries_about(sections, self._nulls, _TABLE, self._kinds), sections, self._defaults)

    def _planted(self, trial: int, size: float, kind: type[ClosedForm], *, about_document: bool) -> SuiteResult:
        question, asked = self._question(trial), Asked()
        question.answer(asked)
        own = {pair.answer for section in question.sections for pair in section.pairs}
        worse = {(one.prompt, one.rejected) for section in question.sections for one in section.preferences}
        text = "\n".join(section.text for section in question.sections)
        items = [
            item
            for item in asked.items
            if item.reference and (item.reference in own) is about_document and item[:2] not in worse
        ]
        texts = [one for one in asked.whole if (one in text) is about_document]
        cells = sum(len(asked.tokens(item.reference)) for item in items) + sum(len(one.split()) for one in texts)
        return question.answer(kind(taught=items, taught_texts=texts, size=size * max(1, cells) ** 0.5))


class Real:
    """One real base with an adapter, loaded once: null adapters stand in for tested ones."""

    def __init__(self, question: Question, session: Session) -> None:
        self._question, self._session = question, session

    def null(self, trial: int) -> SuiteResult:
        """A null adapter that calibrates nothing in this study, against null adapters of this trial's own."""
        return self._null(self._question, trial, trial * self._question.nulls)

    def family(self, number: int, trials: int) -> SuiteResult:
        """As :meth:`null`, alpha shared over the suite's tests, against the nulls of ``trials`` trials: those of trial
        ``number * trials`` and the following ones."""
        defaults = self._question.defaults.model_copy(update={"multiplicity": "holm"})
        runs = trials * self._question.nulls
        question = replace(self._question, defaults=defaults, entries=calibrated(self._question.entries, runs=runs))
        return self._null(question, number * trials, number * runs)

    def _null(self, question: Question, tested: int, before: int) -> SuiteResult:
        entries = calibrated(question.entries, seed_base=_CALIBRATING_FROM + before)
        seen = Seen(self._session, View("null", seed=_TESTED_FROM + tested))
        return replace(question, entries=entries).answer(seen)

    def effect(self, trial: int, size: float) -> SuiteResult:
        """The adapter at ``size`` of its strength, asked a part of the questions."""
        entries = material.subsample(self._question.entries, trial)
        question = Question(entries, self._question.sections, self._question.defaults, self._question.models)
        return question.answer(Seen(self._session, View("scaled", scale=size), rank=size**2))

    def harm(self, trial: int, size: float) -> SuiteResult:
        """A null adapter of ``size`` times the norm: noise in every layer. Only the guards are asked."""
        kept = tuple(entry for entry in self._question.entries if _seeks(entry) == "harm")
        question = Question(kept, self._question.sections, self._question.defaults, self._question.models)
        return question.answer(Seen(self._session, View("null", seed=_TESTED_FROM + trial, rank=size**2)))


def _seeks(entry: dict[str, Any]) -> str:
    probe = manager().resolve("dlm_sway_probes", entry["kind"])
    own: str | None = probe(probe.spec_type.model_validate(entry)).seeks
    return own or str(manager().entry("dlm_sway_probes", entry["kind"]).entry.seeks)  # type: ignore[attr-defined]


@contextmanager
def real(base: Path, adapter: Path, defaults: SuiteDefaults, **options: Any) -> Iterator[tuple[ModelPair, Session]]:
    """``base`` with ``adapter``, loaded when the first question is put."""
    spec = ModelSpec(base=str(base), adapter=adapter.resolve(), **options)
    pair = ModelPair(base=spec.model_copy(update={"adapter": None}), ft=spec)
    backend = manager().resolve("dlm_sway_backends", "hf")(pair, defaults)
    try:
        yield pair, Session(backend)
    finally:
        backend.close()


def random_adapter(base: Path, folder: Path, rank: int = 8) -> Path:
    """A LoRA adapter with random weights on every linear module of ``base``; about as large as a short training's."""
    if (folder / "adapter_config.json").is_file():
        return folder
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    torch.manual_seed(0)
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted = get_peft_model(model, config)
    with torch.no_grad():
        for name, value in adapted.named_parameters():
            if "lora_B" in name:
                value.normal_(0.0, 0.002)
    adapted.save_pretrained(folder)
    return folder
