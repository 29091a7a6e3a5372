"""A teacher that dlm's own backend loads: a folder, a hub repository, or a base by its key."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from dlm.corpus.records import Message
from dlm.errors import UsageProblem
from dlm.training.backend import Sampling

from ..errors import TeacherFailed
from ..options import WHERE
from .base import Writer

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from dlm.bases import LocalBase
    from dlm.corpus.lesson import AugmentContext
    from dlm.training.backend import Answerer

    from ..options import Options
    from ..prompts import Prompt

TOP_P = 0.95


class LocalWriter(Writer):
    """One base, asked one prompt at a time: samples of a batch would depend on the batch."""

    def __init__(self, options: Options, context: AugmentContext) -> None:
        from dlm.training.choose import choose

        self._backend = choose("generate")
        self._say = context.say
        self._base = self._found(options, context)
        self._open = ExitStack()
        self._answerer: Answerer | None = None

    @property
    def identity(self) -> str:
        return self._base.digest

    def write(self, prompts: Sequence[Prompt], temperature: float) -> Generator[tuple[int, str], None, None]:
        if self._answerer is None:
            self._say(f"teacher: loading {self._base.source}")
            self._answerer = self._open.enter_context(self._backend.answerer(self._base, None, None))
        for place, prompt in enumerate(prompts):
            sampling = Sampling(prompt.max_tokens, temperature, TOP_P, prompt.seed)
            try:
                (answer,) = self._answerer.answer([[Message("user", prompt.text)]], sampling)
            except UsageProblem as problem:
                raise TeacherFailed(
                    f"{self._base.source} reads too little at once to be a teacher ({problem}): name a model with a "
                    f"longer context in {WHERE}.model"
                ) from problem
            yield place, answer.text

    def close(self) -> None:
        self._answerer = None
        self._open.close()

    def _found(self, options: Options, context: AugmentContext) -> LocalBase:
        from dlm.bases.cache import ensure
        from dlm.bases.resolve import resolve
        from dlm.store import home

        try:
            wanted = resolve(options.model, context.folder)
        except UsageProblem as problem:
            # The rules for naming a base hold here too; its message names the key of another place.
            raise UsageProblem(f"{WHERE}.{str(problem).replace('base_model:', 'model:')}") from problem
        return ensure(wanted, home(), self._backend, self._say)
