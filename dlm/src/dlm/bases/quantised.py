"""A base whose weights are held in fewer bits than its files have: which quantiser, by whom it is offered.

The files stay as they are; a backend has the weights quantised as it reads them. What an adapter was trained on is what
it is used on, so a version remembers it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..training.mixing import FULL, precision_of_base
from ..training.recipe import QUANTISATIONS

if TYPE_CHECKING:
    from ..document import Document
    from ..store.version import Version
    from ..training.recipe import Recipe
    from .model import LocalBase

KEY = "base_quantisation"
"""In ``version.json``; absent where the weights were as they are."""


def for_recipe(base: LocalBase, recipe: Recipe) -> LocalBase:
    """``base`` as a training by ``recipe`` loads it."""
    return replace(base, quantisation=recipe.base_quantisation)


def for_document(base: LocalBase, document: Document) -> LocalBase:
    """``base`` as a training of ``document`` would load it."""
    return replace(base, quantisation=QUANTISATIONS.get(document.frontmatter.training.adapter))


def for_version(base: LocalBase, version: Version, adapter: str | None = None) -> LocalBase:
    """``base`` as the adapter of ``version`` was trained on it: the one called ``adapter``, else the first."""
    found = precision_of_base(version.facts_of(adapter))
    return replace(base, quantisation=None if found == FULL else found)


def quantisers_of(document: Document) -> tuple[str, ...]:
    """The quantisers that its adapters need, each once."""
    training = document.frontmatter.training
    kinds = [one.adapter for one in (training.adapters or {}).values()] or [training.adapter]
    return tuple(dict.fromkeys(QUANTISATIONS[kind] for kind in kinds if kind in QUANTISATIONS))


def without_quantiser(name: str) -> str:
    """What to do where no installed plugin offers the quantiser ``name``; empty where one does."""
    from .._known import INSTALLS
    from ..plugins import manager

    if name in manager().offers("dlm_quantisers"):
        return ""
    command = INSTALLS.get(("dlm_quantisers", name), "")
    return f"install dlm-qlora ({command}), or remove it" if command else "remove it"
