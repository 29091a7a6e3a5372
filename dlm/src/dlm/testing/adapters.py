"""What a backend must do that can answer with several adapters at once, and train a gate over them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ..corpus.belonging import Sample
from ..corpus.records import Message
from ..training.backend import Backend
from ..training.gating import GateSettings
from ..training.mixing import Mix, Part
from ..training.schedule import make_plan
from .backend import RECIPE, SHORT, STUDY
from .contract import forbid_overrides

if TYPE_CHECKING:
    from pathlib import Path

    from ..bases import LocalBase

ASKED = ("Who owns it?", "Where is the lamp that I was told about?", "Hm?")
TEXTS = {"zebras": ("zebra", "hello zebra", "a zebra and a zebra"), "apples": ("apples", "hello apples")}
SAMPLES = [
    Sample(text, name, "question", group=text, fold=number)
    for name, texts in TEXTS.items()
    for number, text in enumerate(texts)
]


class AdaptersContract:
    """Subclass and give :meth:`backend` and :meth:`base`, as for :class:`dlm.testing.BackendContract`."""

    @pytest.fixture
    def backend(self) -> Backend:
        """Your backend."""
        raise NotImplementedError(f"{type(self).__name__} gives no backend fixture")

    @pytest.fixture
    def base(self) -> LocalBase:
        """A base that your backend can load, on this disk."""
        raise NotImplementedError(f"{type(self).__name__} gives no base fixture")

    @pytest.fixture
    def two(self, backend: Backend, base: LocalBase, tmp_path: Path) -> tuple[Path, Path]:
        """Two adapters that learned different things."""
        folders = tmp_path / "one", tmp_path / "other"
        for folder, records in zip(folders, (STUDY.train[:1], STUDY.train[1:2]), strict=True):
            folder.mkdir()
            recipe, study = replace(RECIPE, learning_rate=0.02), replace(STUDY, train=records, mixture={"qa": 1.0})
            with backend.workbench(base, recipe, None) as bench:
                plan = make_plan(recipe, study, bench.encode(study.train), bench.encode(study.held_out))
                bench.train(plan, lambda _: None, lambda _: None)
                bench.save(folder)
        return folders

    def test_a_part_of_weight_1_answers_as_that_adapter(
        self, backend: Backend, base: LocalBase, two: tuple[Path, Path]
    ) -> None:
        alone = [self._answers(backend, base, folder) for folder in two]
        assert self._answers(backend, base, Mix((Part("one", two[0], 1.0),))) == alone[0]
        both = Mix((Part("one", two[0], 0.5), Part("other", two[1], 0.5)))
        assert self._answers(backend, base, both, [(1.0, 0.0)] * 3) == alone[0]
        assert self._answers(backend, base, both, [(0.0, 1.0)] * 3) == alone[1]

    def test_each_question_is_answered_with_its_own_weights(
        self, backend: Backend, base: LocalBase, two: tuple[Path, Path]
    ) -> None:
        both = Mix((Part("one", two[0], 0.5), Part("other", two[1], 0.5)))
        weights: list[tuple[float, ...]] = [(1.0, 0.0), (0.25, 0.75), (0.0, 1.0)]
        together = self._answers(backend, base, both, weights)
        for at, weight in enumerate(weights):
            assert self._answers(backend, base, both, [weight] * 3)[at] == together[at]
        assert self._answers(backend, base, both) == self._answers(backend, base, both, [(0.5, 0.5)] * 3)

    def test_a_gate_is_the_same_for_the_same_samples(self, backend: Backend, base: LocalBase) -> None:
        settings = GateSettings(steps=20, precision="fp32")
        found = [backend.train_gate(base, tuple(TEXTS), SAMPLES, settings) for _ in range(2)]
        assert found[0] == found[1]
        assert found[0].weights
        assert len(found[0].right) == len(SAMPLES)
        assert sum(found[0].mean_weights) == pytest.approx(1)

    def test_a_gate_weighs_each_question_by_itself(
        self, backend: Backend, base: LocalBase, two: tuple[Path, Path], tmp_path: Path
    ) -> None:
        settings = GateSettings(steps=100, learning_rate=0.01, precision="fp32")
        gate = tmp_path / "gate.safetensors"
        gate.write_bytes(backend.train_gate(base, tuple(TEXTS), SAMPLES, settings).weights)
        both = Mix((Part("zebras", two[0], 0.5), Part("apples", two[1], 0.5)))
        asked = [sample.text for sample in SAMPLES]
        with backend.answerer(base, both, None, "fp32") as answerer:
            before = [answer.text for answer in answerer.answer([[Message("user", text)] for text in ASKED], SHORT)]
            weights = answerer.weigh(gate, asked)
            assert weights == [answerer.weigh(gate, [text])[0] for text in asked]
            after = [answer.text for answer in answerer.answer([[Message("user", text)] for text in ASKED], SHORT)]
        assert before == after, "the gate reads with the base and leaves the adapters on"
        assert all(sum(one) == pytest.approx(1) for one in weights)
        chosen = ["zebras" if first > second else "apples" for first, second in weights]
        assert chosen == [sample.adapter for sample in SAMPLES]

    def test_the_contract_is_not_overridden(self) -> None:
        forbid_overrides(type(self), AdaptersContract)

    def _answers(
        self, backend: Backend, base: LocalBase, adapter: Path | Mix, weights: list[tuple[float, ...]] | None = None
    ) -> list[str]:
        asked = [[Message("user", text)] for text in ASKED]
        with backend.answerer(base, adapter, None, "fp32") as answerer:
            found = answerer.answer(asked, SHORT) if weights is None else answerer.answer(asked, SHORT, weights)
            return [answer.text for answer in found]
