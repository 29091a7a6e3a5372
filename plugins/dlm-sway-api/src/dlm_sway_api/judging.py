"""The backend that a suite names with ``kind: api``: two models behind endpoints, compared as far as they show.

What a server shows: :mod:`.served`; what that leaves open: :mod:`dlm_sway.scoring.bounds`.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar

from dlm_sway.errors import BackendError, NotSupported, TargetError
from dlm_sway.scoring.apart import windows
from dlm_sway.scoring.backend import Backend
from dlm_sway.scoring.bounds import bounds
from dlm_sway.scoring.cutting import TEXTS, first_difference
from dlm_sway.scoring.remembering import Identity
from dlm_sway.scoring.seen import summed
from dlm_sway.scoring.types import Answer, Comparison, Item, TextLogprob

from .endpoint import Endpoint
from .served import Served
from .settings import Settings, from_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from pathlib import Path

    from dlm_sway.scoring.alone import Given, OneModel
    from dlm_sway.scoring.types import View
    from dlm_sway.spec.models import ModelSpec, SuiteDefaults

    from .reading import Shown

ARITHMETIC: Final = 1
"""Counts up when the same replies would give another number."""
A = TypeVar("A")
B = TypeVar("B")


class ApiJudging(Backend):
    """Models behind endpoints. See :class:`dlm_sway.Backend`."""

    def compare(
        self, items: Sequence[Item], view: View, *, layout: int = 0, per_position: bool = False
    ) -> list[Comparison]:
        if not items:
            return []
        base, other = self._pair(view)
        # Asked again, a server may put a request into another batch: that is its noise.
        again = layout > 0
        return self._each(lambda item: _compared(item, base, other, again, per_position), items)

    def texts(self, texts: Sequence[str], view: View) -> list[TextLogprob]:
        model = self._model(view)
        if model.way == "chat":
            raise NotSupported(f"{model.endpoint.address} shows no log-probabilities of a given text")
        return self._each(lambda text: rolled(text, model), texts)

    def generate(self, prompts: Sequence[Item], view: View, *, max_new_tokens: int) -> list[Answer]:
        model = self._model(view)
        return self._each(lambda item: model.generate(item, max_new_tokens), prompts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._each(lambda text: len(self._base.tokens(text, start=False)), texts)

    def identity(self, digest: Callable[[Path], str]) -> Identity | None:
        """Nothing decides what a server answers but the server, so nothing is kept unless the user says it may be."""
        base, tuned = self._models_named()
        if not self._settings.keep:
            return None
        asked = {"top_k": self.defaults.top_k, "system_prompt": self.defaults.system_prompt}
        shared = {"arithmetic": ARITHMETIC, "template": self.defaults.template, **asked}
        return Identity(
            base={"endpoint": base[0], "model": base[1], **shared}, adapter={"endpoint": tuned[0], "model": tuned[1]}
        )

    def describe(self) -> dict[str, object]:
        """Who is asked, and what they let be seen."""
        sides = {"base": self._base, "fine_tuned": self._tuned}
        facts = {name: facts_of(one) for name, one in sides.items()}
        return {"backend": "api", "kept_between_runs": self._settings.keep, **facts}

    @classmethod
    def alone(cls, spec: ModelSpec, defaults: SuiteDefaults) -> OneModel:
        """One served model, to be compared with a model of another kind."""
        from .alone import ApiAlone

        return ApiAlone(spec, defaults)

    def close(self) -> None:
        """Let go of the connections."""
        for address in sorted(self._endpoints):
            self._endpoints[address].close()
        self._endpoints.clear()

    @cached_property
    def _settings(self) -> Settings:
        return from_environment()

    @cached_property
    def _endpoints(self) -> dict[str, Endpoint]:
        return {}

    @cached_property
    def _base(self) -> Served:
        return self._served(self.models.base, "models.base")

    @cached_property
    def _tuned(self) -> Served:
        return self._served(self.models.ft, "models.ft")

    def _served(self, spec: ModelSpec, where: str) -> Served:
        address, name = named(spec, where)
        if address not in self._endpoints:
            self._endpoints[address] = Endpoint(address, self._settings)
        return Served(self._endpoints[address], name, self.defaults)

    def _models_named(self) -> tuple[tuple[str, str], tuple[str, str]]:
        base, tuned = named(self.models.base, "models.base"), named(self.models.ft, "models.ft")
        if base == tuned:
            raise TargetError(
                f"models.base and models.ft are both {base[1]!r} at {base[0]}: name another model, or another endpoint"
            )
        return base, tuned

    @cached_property
    def _checked(self) -> bool:
        """That both sides can be compared at all, once."""
        self._models_named()
        base, tuned = self._base, self._tuned
        if base.takes_ids and tuned.takes_ids:
            told = first_difference(*([one.tokens(text) for text in TEXTS] for one in (base, tuned)))
            if told is not None:
                raise TargetError(
                    f"{base.name} and {tuned.name} cut texts into other tokens, so their predictions cannot be "
                    f"compared token by token: {told}: compare models with one tokenizer"
                )
        elif base.way != tuned.way:
            raise NotSupported(
                f"{base.where} is asked by {base.way!r} and {tuned.where} by {tuned.way!r}, and what the two show does "
                "not meet: serve both with one kind of server"
            )
        return True

    def _model(self, view: View) -> Served:
        self._models_named()
        if view.kind == "base":
            return self._base
        if view.kind == "ft" and not view.adapter:
            return self._tuned
        raise NotSupported(
            f"the view {view.label} needs weights that can be changed, and a served model has none to reach; run such "
            "probes on the adapter itself, with kind: hf"
        )

    def _pair(self, view: View) -> tuple[Served, Served]:
        model = self._model(view)
        return (self._base, model) if self._checked else (model, model)

    def _each(self, do: Callable[[A], B], these: Sequence[A]) -> list[B]:
        with ThreadPoolExecutor(self._settings.at_once) as pool:
            return list(pool.map(do, these))


def named(spec: ModelSpec, where: str) -> tuple[str, str]:
    if spec.kind != "api":
        raise TargetError(f"{where}: a served model is compared with a served model: set kind: api there, or serve it")
    if not spec.endpoint:
        raise TargetError(f"{where}.endpoint is missing: give the address of the server, such as https://host/v1")
    if spec.adapter is not None:
        raise TargetError(f"{where}.adapter has no meaning for a served model: serve it, and give its name as `base`")
    return spec.endpoint.rstrip("/"), spec.base


def facts_of(one: Served) -> dict[str, object]:
    """Who is asked, and what is seen."""
    try:
        top: int | None = one.top
    except NotSupported:
        top = None
    return {"endpoint": one.endpoint.address, "model": one.name, "way": one.way, "top_logprobs": top}


def rolled(text: str, model: Served) -> TextLogprob:
    """How likely a model finds a text, in windows where that is longer than it reads at once."""
    if not model.takes_ids:
        found = model.rolled(text)
        return TextLogprob(len(found), math.fsum(one.logprob for one in found))
    ids = model.tokens(text)
    if len(ids) < 2:
        raise BackendError(f"{text[:40]!r} has no token to score: a text needs two")
    runs = windows(ids, model.longest or len(ids))
    return TextLogprob(len(ids) - 1, math.fsum(said(run, model) for run in runs))


def said(given: Given, model: Served) -> float:
    """How likely a model finds the targets of one."""
    return math.fsum(one.logprob for one in model.after(given, top=1))


def _compared(item: Item, base: Served, other: Served, again: bool, each: bool) -> Comparison:
    one = base.look(item)
    two = one if other is base and not again else other.look(item, again=again)
    if one.tokens != two.tokens:
        raise BackendError(
            f"the two servers make other tokens of {item.prompt[:40]!r}: give both the same template and tokenizer"
        )
    found = [
        bounds(listed(first, one.scored), listed(second, one.scored))
        for first, second in zip(one.shown, two.shown, strict=True)
    ]
    sums = (math.fsum(at.logprob for at in seen.shown) if one.scored else 0.0 for seen in (one, two))
    return summed(found, *sums, each=each)


def listed(one: Shown, scored: bool) -> dict[Hashable, float]:
    """What is listed, and the token of a given answer, which is always told."""
    return {**one.listed, one.chosen: one.logprob} if scored else dict(one.listed)
