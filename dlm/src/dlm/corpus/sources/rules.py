"""Which file of a source is taken: the rules of the document and of every ``.dlm`` folder above the file. No disk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import Literal, NamedTuple

from .config import TrainingConfig
from .names import EVERY_NAME, file_kind, folder_kind
from .patterns import Includes, Patterns

Verdict = Literal["take", "secret", "excluded", "unwanted"]
"""``unwanted``: no include pattern names it."""
LIGHTEST, HEAVIEST = 1e-9, 1e9
"""Bounds of a product of weights: far beyond what a plan can tell apart, and numbers still."""


class Placed(NamedTuple):
    """Patterns and the folder that they speak about, as the number of characters to cut from a path."""

    cut: int
    patterns: Patterns


@dataclass(frozen=True)
class Scope:
    """The rules that hold in one folder. Paths are relative to the source, with ``/`` between names."""

    include: Includes
    include_cut: int = 0
    excludes: tuple[Placed, ...] = ()
    ignores: tuple[Placed, ...] = ()
    """Shallow to deep."""
    defaults: bool = True
    """Whether names of tools' files are left out."""
    tags: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[tuple[str, str], float] = field(default_factory=dict)
    mark: str = ""
    """Differs when the rules do, or the place in which they were written."""

    @cached_property
    def weight(self) -> float:
        """Of a file with :attr:`tags`: the weights of its tags multiplied, none of them 0 unless one of the tags is."""
        weights = [self.weights.get(tag, 1.0) for tag in self.tags.items()]
        return min(max(prod(weights), LIGHTEST), HEAVIEST) if all(weights) else 0.0

    def below(self, folder: str, config: TrainingConfig | None, ignore: Patterns | None) -> Scope:
        """The rules in ``folder``, whose ``.dlm`` holds ``config`` and ``ignore``."""
        cut = len(folder) + 1 if folder else 0
        scope = self
        if config is not None:
            weights = {(tag, value): n for tag, values in config.weights.items() for value, n in values.items()}
            scope = replace(
                scope,
                excludes=_added(scope.excludes, cut, Patterns(config.exclude)),
                defaults=config.exclude_defaults,
                tags={**scope.tags, **config.metadata},
                weights={**scope.weights, **weights},
            )
            if config.include:
                scope = replace(scope, include=Includes(config.include), include_cut=cut)
        if ignore:
            scope = replace(scope, ignores=_added(scope.ignores, cut, ignore))
        return replace(scope, mark=_mark(self.mark, folder, config, ignore.lines if ignore else ()))

    def verdict(self, path: str, name: str, folder: bool) -> Verdict:
        """What happens with ``path``, whose last part is ``name``, in a folder that is itself taken."""
        kind = folder_kind(name) if folder else file_kind(name)
        if kind == "secret":
            return "secret"
        if kind == "document" or self._leaves_out(path, folder, kind == "tool" and self.defaults):
            return "excluded"
        if folder or (self.weight and self.include.wants(path[self.include_cut :])):
            return "take"
        return "unwanted" if self.weight else "excluded"

    def _leaves_out(self, path: str, folder: bool, out: bool) -> bool:
        """Whether ``path`` is excluded: any exclude list is enough, and the last ignore rule that matches decides."""
        for cut, patterns in self.excludes:
            out = out or patterns.verdict(path[cut:], folder) is True
        for cut, patterns in self.ignores:
            verdict = patterns.verdict(path[cut:], folder)
            out = out if verdict is None else verdict
        return out


def top(include: tuple[str, ...], exclude: tuple[str, ...]) -> Scope:
    """The rules of the document alone, at the root of a source."""
    excludes = _added((), 0, Patterns(exclude))
    return Scope(include=Includes(include), excludes=excludes, mark=_mark(include, exclude))


def _mark(*parts: object) -> str:
    return hashlib.sha256(repr((EVERY_NAME, *parts)).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _added(placed: tuple[Placed, ...], cut: int, patterns: Patterns) -> tuple[Placed, ...]:
    return (*placed, Placed(cut, patterns)) if patterns else placed
