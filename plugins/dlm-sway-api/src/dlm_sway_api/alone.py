"""A served model by itself, for a suite that compares it with a local one. Pairs of endpoints: :mod:`.judging`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dlm_sway.errors import TargetError
from dlm_sway.scoring.alone import OneModel, Seen

from .endpoint import Endpoint
from .judging import ARITHMETIC, facts_of, named, said
from .served import Served
from .settings import from_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dlm_sway.scoring.alone import Given
    from dlm_sway.scoring.types import Answer, Item

    from .settings import Settings

PORTION = 64
"""Items asked about before the first of them is handed on."""


class ApiAlone(OneModel):
    """A model behind an endpoint that takes tokens. See :class:`dlm_sway.scoring.alone.OneModel`."""

    @property
    def longest(self) -> int | None:
        return self._model.longest

    def tokens(self, texts: Sequence[str], *, start: bool = False) -> list[list[int]]:
        return self._each(lambda text: self._model.tokens(text, start=start), texts)

    def given(self, items: Sequence[Item]) -> list[Given]:
        return self._each(self._model.given, items)

    def shown(self, given: Sequence[Given], *, layout: int = 0) -> Iterator[Seen]:
        for at in range(0, len(given), PORTION):
            yield from self._each(lambda one: self._seen(one, again=layout > 0), given[at : at + PORTION])

    def said(self, given: Sequence[Given]) -> list[float]:
        return self._each(lambda one: said(one, self._model), given)

    def answers(self, prompts: Sequence[Sequence[int]], max_new_tokens: int) -> list[Answer]:
        return self._each(lambda ids: self._model.continued(ids, max_new_tokens), prompts)

    def identity(self, digest: Callable[[Path], str]) -> Mapping[str, object] | None:
        address, name = named(self.spec, "the served model")
        if not self._settings.keep:
            return None
        shared = {"arithmetic": ARITHMETIC, "top_k": self.defaults.top_k, "template": self.defaults.template}
        return {"endpoint": address, "model": name, "system_prompt": self.defaults.system_prompt, **shared}

    def describe(self) -> dict[str, object]:
        return {"backend": "api", "kept_between_runs": self._settings.keep, **facts_of(self._model)}

    def close(self) -> None:
        if "_model" in self.__dict__:
            self._model.endpoint.close()

    @cached_property
    def _settings(self) -> Settings:
        return from_environment()

    @cached_property
    def _model(self) -> Served:
        address, name = named(self.spec, "the served model")
        found = Served(Endpoint(address, self._settings), name, self.defaults)
        if not found.takes_ids:
            found.endpoint.close()
            raise TargetError(
                f"{found.where} shows nothing about tokens by their ids (it is asked by {found.way!r}), so it is not "
                "compared with a model of another kind: serve it with llama.cpp's server or vLLM"
            )
        return found

    def _seen(self, one: Given, *, again: bool) -> Seen:
        shown = self._model.after(one, again=again)
        told = tuple(at.logprob for at in shown) if one.targets else ()
        return Seen(told, listed=tuple(at.listed for at in shown))

    def _each(self, do: Callable[[Any], Any], these: Sequence[Any]) -> list[Any]:
        with ThreadPoolExecutor(self._settings.at_once) as pool:
            return list(pool.map(do, these))
