"""What every training backend must do, whoever wrote it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ..corpus.records import Message, Record, StudySet
from ..errors import AdapterMismatch, TrainingFailed, UsageProblem
from ..store.version import ADAPTER_FILE
from ..training.backend import Backend, Sampling
from ..training.checkpoints import Checkpoints
from ..training.recipe import Recipe
from ..training.schedule import make_plan
from .contract import forbid_overrides

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..bases import LocalBase
    from ..store.tokens import TokenCache
    from ..training.events import Evaluated, Outcome, StepLogged
    from ..training.plan import Plan

RECIPE = Recipe(sequence_len=256, batch_rows=2, max_steps=4, evaluations=2, window_overlap=8, precision="fp32")
SHORT = Sampling(max_new_tokens=4)


def _conversation(kind: str, objective: Any, question: str, answer: str) -> Record:
    turns = (Message("user", question), Message("assistant", answer))
    return Record(kind, objective, group=question, section_id="0" * 16, messages=turns)


STUDY = StudySet(
    train=(
        _conversation("qa", "answer", "Who owns it?", "The night shift owns it."),
        _conversation("qa", "answer", "Where is it?", "It is in the cellar."),
        Record("prose", "text", "text", "1" * 16, text="It stands in the cellar. " * 6, title="A lamp"),
        _conversation("anchor", "anchor", "Hello!", "Hello! How can I help?"),
    ),
    held_out=(_conversation("probe", "answer", "In which room is it?", "It is in the cellar."),),
    mixture={"qa": 0.5, "prose": 0.25, "anchor": 0.25},
)

QUESTIONS = tuple(
    Record("anchor", "anchor", f"question-{number}", section_id="", messages=(Message("user", text),))
    for number, text in enumerate(("Hello!", "What is a lamp, and what is it good for?", "Who are you?", "And then?"))
)


class _StoppedHere(Exception):
    """In place of somebody's Ctrl-C."""


class _Stopping(Checkpoints):
    """Has the state written after one step, and ends the run there; ``after`` 0 never does."""

    def __init__(self, empty: Path, after: int, folder: Path | None = None) -> None:
        self.folder = folder
        self.folder_filled, self._after = empty, after
        self.plan: Plan | None = None

    def stepped(self, plan: Plan, step: int, write: Callable[[Path], None], *, evaluated: bool) -> None:
        assert evaluated is (step % plan.evaluate_every == 0 or step == len(plan.steps))
        if step == self._after:
            write(self.folder_filled)
            self.plan = plan
            raise _StoppedHere


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _turned(plan: Plan, done: int, _: Evaluated) -> Plan:
    """The steps that are left, backwards."""
    return replace(plan, steps=(*plan.steps[:done], *reversed(plan.steps[done:])))


class BackendContract:
    """Subclass as ``TestMyBackend`` and give two fixtures: :meth:`backend` and :meth:`base`, a small base of its kind.

    A randomly initialised model of two layers is enough. A test may be overridden only to mark it ``xfail`` with a
    reason.
    """

    @pytest.fixture
    def backend(self) -> Backend:
        """Your backend."""
        raise NotImplementedError(f"{type(self).__name__} gives no backend fixture")

    @pytest.fixture
    def base(self) -> LocalBase:
        """A base that your backend can load, on this disk."""
        raise NotImplementedError(f"{type(self).__name__} gives no base fixture")

    def test_rows_tell_their_record_and_their_size(self, backend: Backend, base: LocalBase) -> None:
        with backend.workbench(base, RECIPE, None) as bench:
            rows = bench.encode(STUDY.train)
        assert {row.record for row in rows} == set(range(len(STUDY.train)))
        assert [row.record for row in rows] == sorted(row.record for row in rows)
        assert all(0 < row.scored <= row.tokens <= RECIPE.sequence_len for row in rows)

    def test_a_system_prompt_is_counted_and_not_scored(self, backend: Backend, base: LocalBase) -> None:
        with backend.workbench(base, RECIPE, None) as bench:
            plain = bench.encode(STUDY.train[:1])[0]
        with backend.workbench(base, RECIPE, "You are a caretaker who answers each question in one sentence.") as bench:
            told = bench.encode(STUDY.train[:1])[0]
        assert told.tokens != plain.tokens
        assert told.scored == plain.scored

    def test_a_long_text_becomes_several_windows_and_none_of_it_is_lost(
        self, backend: Backend, base: LocalBase
    ) -> None:
        long = replace(STUDY.train[2], text="It stands in the cellar, beside the boiler. " * 60)
        with backend.workbench(base, RECIPE, None) as bench:
            rows = bench.encode([long])
        with backend.workbench(base, replace(RECIPE, sequence_len=8192), None) as bench:
            (whole,) = bench.encode([long])
        assert len(rows) > 1
        # A window's first tokens may go unscored where there is nothing to predict them from.
        assert whole.scored - len(rows) <= sum(row.scored for row in rows) <= whole.scored + len(rows)

    def test_a_cache_changes_no_row_and_no_loss(self, backend: Backend, base: LocalBase, tmp_path: Path) -> None:
        from ..store.tokens import TokenCache

        several = (*STUDY.train, _conversation("qa", "answer", "And who made it?", "Ada Hale made it, long ago."))
        study = replace(STUDY, train=several)
        plain = self._train(backend, base, None, study)
        for run in (1, 2):
            cache = TokenCache(tmp_path / "tokens.sqlite", 10**9, 90)
            cached = self._train(backend, base, None, study, cache)
            cache.finish(run)
            assert [event.loss for event in cached[0]] == [event.loss for event in plain[0]]
            assert [event.tokens for event in cached[0]] == [event.tokens for event in plain[0]]
            assert [event.held_out_loss for event in cached[1]] == [event.held_out_loss for event in plain[1]]
            assert cache.notes == []

    def test_a_conversation_that_does_not_fit_is_refused(self, backend: Backend, base: LocalBase) -> None:
        endless = _conversation("qa", "answer", "What is on the list?", "A lamp, a chair and a table. " * 200)
        with backend.workbench(base, RECIPE, None) as bench, pytest.raises(TrainingFailed):
            bench.encode([endless])

    def test_training_tells_every_step_and_keeps_the_best(self, backend: Backend, base: LocalBase) -> None:
        steps, evaluations, outcome = self._train(backend, base, None)
        assert [event.step for event in steps] == [1, 2, 3, 4]
        assert all(event.steps == 4 for event in steps)
        assert all(math.isfinite(event.grad_norm) for event in steps)
        assert (evaluations[0].step, evaluations[-1].step) == (0, 4)
        scores = {event.step: event.held_out_loss for event in evaluations}
        assert outcome.held_out_before == scores[0]
        assert outcome.held_out_best == min(loss for step, loss in scores.items() if step > 0)
        assert scores[outcome.best_step] == outcome.held_out_best
        assert outcome.tokens == steps[-1].tokens
        assert outcome.non_finite == ()

    def test_the_same_seed_gives_the_same_losses(self, backend: Backend, base: LocalBase) -> None:
        first, again = (self._train(backend, base, None)[0] for _ in range(2))
        assert [(event.loss, event.anchor_kl) for event in first] == [(event.loss, event.anchor_kl) for event in again]

    def test_an_adapter_that_learned_nothing_yet_diverges_by_nothing(self, backend: Backend, base: LocalBase) -> None:
        anchors = replace(STUDY, train=STUDY.train[3:], mixture={"anchor": 1.0})
        steps, _, _ = self._train(backend, base, None, anchors)
        assert steps[0].loss is None
        assert steps[0].anchor_kl == pytest.approx(0, abs=1e-6)

    def test_recall_is_a_share_or_unknown(self, backend: Backend, base: LocalBase) -> None:
        asked = replace(STUDY, held_out=tuple(replace(record, value="cellar") for record in STUDY.held_out))
        groups = {record.group for record in asked.held_out}
        for study in (STUDY, asked):
            _, evaluations, outcome = self._train(backend, base, None, study)
            for event in evaluations:
                assert event.held_out_recall is None or 0 <= event.held_out_recall <= 1
                assert set(event.wrong) <= groups
                assert bool(event.wrong) is (event.held_out_recall is not None and event.held_out_recall < 1)
            recalls = {event.step: event.held_out_recall for event in evaluations}
            assert (recalls[0], recalls[outcome.best_step]) == (outcome.held_out_recall_before, outcome.held_out_recall)

    def test_a_plan_that_is_revised_on_the_way_is_followed(self, backend: Backend, base: LocalBase) -> None:
        asked: list[tuple[int, int]] = []

        def longest(plan: Plan, done: int, found: Evaluated) -> Plan:
            asked.append((done, found.step))
            row = max(range(len(plan.rows)), key=lambda at: plan.rows[at].tokens)
            return replace(plan, steps=(*plan.steps[:done], *((row, row) for _ in plan.steps[done:])))

        plain, _, _ = self._train(backend, base, None)
        steps, evaluations, _ = self._train(backend, base, None, revise=longest)
        assert asked == [(2, 2)]
        assert [event.step for event in evaluations] == [0, 2, 4]
        assert [event.loss for event in steps[:2]] == [event.loss for event in plain[:2]]
        with backend.workbench(base, RECIPE, None) as bench:
            most = max(row.tokens for row in bench.encode(STUDY.train))
        assert [event.tokens - steps[1].tokens for event in steps[2:]] == [2 * most, 4 * most]

    def test_a_run_begins_with_the_weights_of_the_folder_that_it_is_given(
        self, backend: Backend, base: LocalBase, tmp_path: Path
    ) -> None:
        _, _, first = self._train(backend, base, tmp_path)
        runs = [self._train(backend, base, None, start=tmp_path) for _ in range(2)]
        for steps, evaluations, outcome in runs:
            assert outcome.held_out_before == evaluations[0].held_out_loss == pytest.approx(first.held_out_best)
            assert outcome.best_step > 0
            assert [event.loss for event in steps] == [event.loss for event in runs[0][0]]
        fresh, _, untouched = self._train(backend, base, None)
        assert untouched.held_out_before != pytest.approx(first.held_out_best)
        assert fresh[0].loss != pytest.approx(runs[0][0][0].loss)

    def test_a_start_that_does_not_fit_the_base_is_refused(
        self, backend: Backend, base: LocalBase, tmp_path: Path
    ) -> None:
        from .toy_letters import tensor_file

        self._train(backend, base, tmp_path)
        (tmp_path / "adapter_model.safetensors").write_bytes(tensor_file([0.0, 1.0, 2.0]))
        with pytest.raises(AdapterMismatch):
            self._train(backend, base, None, start=tmp_path)

    def test_a_run_that_was_stopped_goes_on_to_the_same_adapter(
        self, backend: Backend, base: LocalBase, tmp_path: Path
    ) -> None:
        whole = self._train(backend, base, _made(tmp_path / "whole"), revise=_turned)
        for stop in range(1, RECIPE.max_steps or 0):
            before = _Stopping(_made(tmp_path / f"state-{stop}"), stop)
            with pytest.raises(_StoppedHere):
                self._train(backend, base, None, revise=_turned, checkpoints=before)
            after = _Stopping(tmp_path / "nothing", 0, before.folder_filled)
            again = self._train(
                backend, base, _made(tmp_path / f"on-{stop}"), revise=_turned, checkpoints=after, plan=before.plan
            )
            assert [event.step for event in again[0]] == list(range(stop + 1, 5))
            assert [event.loss for event in again[0]] == [event.loss for event in whole[0][stop:]]
            assert again[2].held_out_before == whole[2].held_out_before
            assert (again[2].best_step, again[2].tokens) == (whole[2].best_step, whole[2].tokens)
            adapters = [(tmp_path / name / ADAPTER_FILE).read_bytes() for name in ("whole", f"on-{stop}")]
            assert adapters[0] == adapters[1], "on a CPU the same to the last bit"

    def test_the_base_ends_what_ends_with_a_question_and_nothing_else(self, backend: Backend, base: LocalBase) -> None:
        with backend.workbench(base, RECIPE, None) as bench:
            records = bench.complete([*STUDY.train, *QUESTIONS])
            assert bench.encode(records)
        assert tuple(records[: len(STUDY.train)]) == STUDY.train
        asked = [record.messages[:-1] for record in records[len(STUDY.train) :]]
        assert asked == [record.messages for record in QUESTIONS if record.messages in asked]
        assert asked
        assert all(record.messages[-1].role == "assistant" and record.messages[-1].content for record in records[-1:])

    def test_an_own_answer_depends_on_its_question_alone(self, backend: Backend, base: LocalBase) -> None:
        with backend.workbench(base, RECIPE, None) as bench:
            together = bench.complete(QUESTIONS)
            turned = bench.complete(QUESTIONS[::-1])
            apart = [record for question in QUESTIONS for record in bench.complete([question])]
        with backend.workbench(base, RECIPE, "You are a caretaker.") as told:
            assert told.complete(QUESTIONS) == together == turned[::-1] == apart

    def test_own_answers_are_asked_for_once(self, backend: Backend, base: LocalBase, tmp_path: Path) -> None:
        said: list[str] = []
        found = []
        for _ in range(2):
            with backend.workbench(base, RECIPE, None) as bench:
                found.append(bench.complete(QUESTIONS[:2], tmp_path / "answers", said.append))
                found.append(bench.complete(QUESTIONS, tmp_path / "answers", said.append))
        assert (found[0], found[1]) == (found[2], found[3])
        assert found[0] == [record for record in found[1] if record.group in {one.group for one in QUESTIONS[:2]}]
        assert [line for line in said if "asking the base" in line] == said[:2]
        assert len(list((tmp_path / "answers").iterdir())) == 1

    def test_a_saved_adapter_answers(self, backend: Backend, base: LocalBase, tmp_path: Path) -> None:
        self._train(backend, base, tmp_path)
        assert (tmp_path / "adapter_model.safetensors").is_file()
        assert (tmp_path / "adapter_config.json").is_file()
        with backend.answerer(base, tmp_path, None, "fp32") as answerer:
            (answer,) = answerer.answer([[Message("user", "Where is it?")]], SHORT)
        assert 0 <= answer.tokens <= 4

    def test_greedy_answers_come_in_order_and_are_the_same_again(self, backend: Backend, base: LocalBase) -> None:
        asked = [[Message("user", text)] for text in ("Hello!", "Where is the lamp that I was told about?", "Hm?")]
        with backend.answerer(base, None, None, "fp32") as answerer:
            together = [answer.text for answer in answerer.answer(asked, SHORT)]
            again = [answer.text for answer in answerer.answer(asked, SHORT)]
            alone = [next(iter(answerer.answer([one], SHORT))).text for one in asked]
        assert together == again == alone

    def test_what_decides_answers_has_one_name_each_or_none(self, backend: Backend, base: LocalBase) -> None:
        other = replace(base, digest="sha256:another")
        scopes = [
            backend.answers_scope(*given) for given in ((base, None), (base, "You are a caretaker."), (other, None))
        ]
        assert scopes == [None] * 3 or len({*scopes} - {None}) == 3
        assert backend.answers_scope(base, None) == scopes[0]

    def test_drawn_answers_depend_on_the_seed_alone(self, backend: Backend, base: LocalBase) -> None:
        asked = [[Message("user", "Hello!")]]
        drawn = [replace(SHORT, temperature=1.0, max_new_tokens=12, seed=seed) for seed in (1, 1, 2, 3)]
        with backend.answerer(base, None, None, "fp32") as answerer:
            first, again, *others = (next(iter(answerer.answer(asked, sampling))).text for sampling in drawn)
        assert first == again
        assert any(other != first for other in others)

    def test_a_prompt_that_is_too_long_is_refused(self, backend: Backend, base: LocalBase) -> None:
        with backend.answerer(base, None, None, "fp32") as answerer, pytest.raises(UsageProblem):
            list(answerer.answer([[Message("user", "word " * 20_000)]], SHORT))

    def test_an_adapter_of_another_base_is_refused(self, backend: Backend, base: LocalBase, tmp_path: Path) -> None:
        from .toy_letters import tensor_file

        self._train(backend, base, tmp_path)
        (tmp_path / "adapter_model.safetensors").write_bytes(tensor_file([0.0, 1.0, 2.0]))
        with pytest.raises(AdapterMismatch), backend.answerer(base, tmp_path, None, "fp32"):
            pass

    def test_the_contract_is_not_overridden(self) -> None:
        forbid_overrides(type(self), BackendContract)

    def _train(
        self,
        backend: Backend,
        base: LocalBase,
        folder: Path | None,
        study: StudySet = STUDY,
        cache: TokenCache | None = None,
        revise: Callable[[Plan, int, Evaluated], Plan] | None = None,
        start: Path | None = None,
        checkpoints: Checkpoints | None = None,
        plan: Plan | None = None,
    ) -> tuple[list[StepLogged], list[Evaluated], Outcome]:
        steps: list[StepLogged] = []
        evaluations: list[Evaluated] = []
        with backend.workbench(base, RECIPE, None) as bench:
            rows, held_out = bench.encode(study.train, cache), bench.encode(study.held_out, cache)
            plan = plan or make_plan(RECIPE, study, rows, held_out)
            outcome = bench.train(plan, steps.append, evaluations.append, revise, start, checkpoints)
            if folder is not None:
                bench.save(folder)
        return steps, evaluations, outcome
