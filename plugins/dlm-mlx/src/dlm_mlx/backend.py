"""dlm's view of this distribution: a backend that answers. Bases are fetched and converted as ``hf`` does it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dlm.errors import UsageProblem
from dlm.training.backend import Backend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from dlm.bases import HubSource, LocalBase
    from dlm.export.runtime import Runtime
    from dlm.training.backend import Answerer, Workbench
    from dlm.training.mixing import Mix
    from dlm.training.recipe import Recipe


class MlxBackend(Backend):
    """The backend named ``mlx``."""

    def fetch_hub(self, source: HubSource, folder: Path, say: Callable[[str], None]) -> str:
        from dlm_hf.convert import fetch_hub

        return fetch_hub(source, folder, say)

    def convert_gguf(self, gguf: Path, folder: Path) -> None:
        from dlm_hf.convert import convert_gguf

        convert_gguf(gguf, folder)

    def workbench(
        self, base: LocalBase, recipe: Recipe, system_prompt: str | None
    ) -> AbstractContextManager[Workbench]:
        raise UsageProblem("the backend mlx answers and does not train: train with hf, which is chosen by itself")

    @contextmanager
    def answerer(
        self, base: LocalBase, adapter: Path | Mix | None, system_prompt: str | None, precision: str = "auto"
    ) -> Iterator[Answerer]:
        from .answer import MlxAnswerer

        answerer = MlxAnswerer(base, adapter, system_prompt, precision)
        try:
            yield answerer
        finally:
            answerer.close()

    @contextmanager
    def runtime(
        self, base: LocalBase, adapter: Path | Mix | None, system_prompt: str | None, precision: str = "auto"
    ) -> Iterator[Runtime]:
        from .runtime import MlxRuntime

        reading = MlxRuntime(base, adapter, system_prompt, precision)
        try:
            yield reading
        finally:
            reading.close()
