"""dlm's view of this distribution: fetch and convert bases, open a workbench, answer questions."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dlm.training.backend import Backend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from dlm.bases import HubSource, LocalBase
    from dlm.corpus.belonging import Sample
    from dlm.export.runtime import Runtime
    from dlm.hardware.capabilities import Capabilities
    from dlm.hardware.estimate import Estimate
    from dlm.training.backend import Answerer, Workbench
    from dlm.training.gating import GateSettings, TrainedGate
    from dlm.training.mixing import Mix
    from dlm.training.plan import Plan
    from dlm.training.ranks import Launch, Wanted
    from dlm.training.recipe import Recipe


class HfBackend(Backend):
    """The backend named ``hf``."""

    def fetch_hub(self, source: HubSource, folder: Path, say: Callable[[str], None]) -> str:
        from .convert import fetch_hub

        return fetch_hub(source, folder, say)

    def convert_gguf(self, gguf: Path, folder: Path) -> None:
        from .convert import convert_gguf

        convert_gguf(gguf, folder)

    def answers_scope(self, base: LocalBase, system_prompt: str | None) -> str | None:
        from .answer import scope

        return scope(base, system_prompt)

    def hardware(self) -> Capabilities:
        from .hardware import capabilities

        return capabilities()

    def estimate(self, base: LocalBase, plan: Plan, precision: str) -> Estimate | None:
        from .memory import estimate
        from .model import pick_device

        return estimate(base.path, plan, precision, pick_device(plan.recipe.device).type)

    def launch(self, asked: Wanted) -> Launch:
        from .launching import launch

        return launch(asked)

    @contextmanager
    def workbench(self, base: LocalBase, recipe: Recipe, system_prompt: str | None) -> Iterator[Workbench]:
        from .workbench import HfWorkbench

        bench = HfWorkbench(base, recipe, system_prompt)
        try:
            yield bench
        finally:
            bench.close()

    def train_gate(
        self, base: LocalBase, adapters: Sequence[str], samples: Sequence[Sample], settings: GateSettings
    ) -> TrainedGate:
        from .gating import train_gate

        return train_gate(base, adapters, samples, settings)

    @contextmanager
    def answerer(
        self, base: LocalBase, adapter: Path | Mix | None, system_prompt: str | None, precision: str = "auto"
    ) -> Iterator[Answerer]:
        from .answer import HfAnswerer

        answerer = HfAnswerer(base, adapter, system_prompt, precision)
        try:
            yield answerer
        finally:
            answerer.close()

    @contextmanager
    def runtime(
        self, base: LocalBase, adapter: Path | Mix | None, system_prompt: str | None, precision: str = "auto"
    ) -> Iterator[Runtime]:
        from .reading import HfReading

        reading = HfReading(base, adapter, system_prompt, precision)
        try:
            yield reading
        finally:
            reading.close()
