"""The backend that a suite names with ``kind: api``: two models behind endpoints, compared as far as they show.

What a server shows: :mod:`.served`; what that leaves open: :mod:`dlm_sway.scoring.bounds`.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dlm_sway.errors import BackendError, NotSupported, TargetError
from dlm_sway.scoring.backend import Backend
from dlm_sway.scoring.bounds import Bounds, bounds, mean
from dlm_sway.scoring.remembering import Identity
from dlm_sway.scoring.types import Answer, Comparison, Item, TextLogprob

from .endpoint import Endpoint
from .served import Served, same_tokens, windows
from .settings import Settings, from_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dlm_sway.scoring.types import View
    from dlm_sway.spec.models import ModelSpec

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
        if base.way != other.way:
            raise NotSupported(
                "of the two endpoints one shows given answers and the other does not: nothing to compare"
            )
        # Asked again, a server may put a request into another batch: that is its noise.
        again = layout > 0
        if base.way == "chat":
            return self._each(lambda item: _summed([_at_first(item, base, other, again)], per_position), items)
        return self._each(lambda item: _by_steps(item, base, other, again, per_position), items)

    def texts(self, texts: Sequence[str], view: View) -> list[TextLogprob]:
        model = self._model(view)
        if model.way == "chat":
            raise NotSupported(f"{model.endpoint.address} shows no log-probabilities of a given text")
        return self._each(lambda text: _rolled(text, model), texts)

    def generate(self, prompts: Sequence[Item], view: View, *, max_new_tokens: int) -> list[Answer]:
        model = self._model(view)
        return self._each(lambda item: model.generate(item, max_new_tokens), prompts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        if self._base.way == "chat":
            raise NotSupported(f"{self._base.endpoint.address} does not tell how it cuts a text into tokens")
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
        return {
            "backend": "api",
            "kept_between_runs": self._settings.keep,
            **{
                name: {"endpoint": one.endpoint.address, "model": one.name, "way": one.way, "top_logprobs": _top(one)}
                for name, one in sides.items()
            },
        }

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
        address, name = _named(spec, where)
        if address not in self._endpoints:
            self._endpoints[address] = Endpoint(address, self._settings)
        return Served(self._endpoints[address], name, self.defaults)

    def _models_named(self) -> tuple[tuple[str, str], tuple[str, str]]:
        base, tuned = _named(self.models.base, "models.base"), _named(self.models.ft, "models.ft")
        if base == tuned:
            raise TargetError(
                f"models.base and models.ft are both {base[1]!r} at {base[0]}: name another model, or another endpoint"
            )
        return base, tuned

    @cached_property
    def _checked(self) -> bool:
        """That both sides can be compared at all, once."""
        self._models_named()
        if self._base.way == self._tuned.way == "steps" and not same_tokens(self._base, self._tuned):
            raise TargetError(
                f"{self._base.name} and {self._tuned.name} cut texts into other tokens, so their predictions cannot be "
                "compared token by token: compare models with one tokenizer"
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


def _named(spec: ModelSpec, where: str) -> tuple[str, str]:
    if spec.kind != "api":
        raise TargetError(f"{where}: a served model is compared with a served model: set kind: api there, or serve it")
    if not spec.endpoint:
        raise TargetError(f"{where}.endpoint is missing: give the address of the server, such as https://host/v1")
    if spec.adapter is not None:
        raise TargetError(f"{where}.adapter has no meaning for a served model: serve it, and give its name as `base`")
    return spec.endpoint.rstrip("/"), spec.base


def _top(one: Served) -> int | None:
    try:
        return one.top
    except NotSupported:
        return None


def _at_first(item: Item, base: Served, other: Served, again: bool) -> tuple[Bounds, float, float]:
    itself = other is base and not again
    one = base.first(item)
    found = bounds(one.listed, (one if itself else other.first(item, again=again)).listed)
    return found, 0.0, 0.0


def _by_steps(item: Item, base: Served, other: Served, again: bool, each: bool) -> Comparison:
    given = base.given(item)
    if other is not base and other.given(item) != given:
        raise BackendError(
            f"the two servers make other tokens of {item.prompt[:40]!r}: give both the same template and tokenizer"
        )
    targets: list[int | None] = list(given.targets) or [None]
    found = []
    for at, target in enumerate(targets):
        ids = given.ids[: given.start + 1 + at]
        one, two = base.at(ids, target), other.at(ids, target, again=again)
        found.append((bounds(_with(one, target), _with(two, target)), one.logprob, two.logprob))
    return _summed(found, each, scored=bool(given.targets))


def _with(one: Shown, target: int | None) -> dict[Any, float]:
    """What is listed, and the token of the answer, which is always told."""
    return dict(one.listed) if target is None else {**one.listed, target: one.logprob}


def _summed(found: list[tuple[Bounds, float, float]], each: bool, scored: bool = False) -> Comparison:
    least, most = (mean([getattr(one, end) for one, _, _ in found]) for end in ("least", "most"))
    exact = least == most
    if each and not exact:
        raise NotSupported(
            "the divergence at each position is not known exactly, since the server shows only the likeliest tokens"
        )
    agree = sum(one.agree for one, _, _ in found) / len(found)
    base = math.fsum(one for _, one, _ in found) if scored else 0.0
    view = math.fsum(one for _, _, one in found) if scored else 0.0
    positions = tuple(one.least.kl for one, _, _ in found) if each else ()
    return Comparison(len(found), *least, agree, base, view, positions, None if exact else most)


def _rolled(text: str, model: Served) -> TextLogprob:
    ids = model.tokens(text)
    if len(ids) < 2:
        raise BackendError(f"{text[:40]!r} has no token to score: a text needs two")
    said = math.fsum(model.at(run, token, top=1).logprob for run, token in windows(ids, model.longest))
    return TextLogprob(len(ids) - 1, said)
