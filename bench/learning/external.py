"""Documents from a generator outside this repository, so that what is tuned here can be measured on other forms.

A generator is a Python file with ``make_doc(seed)``. Its documents have ``title``, ``sections`` (each with ``head``
and ``sents``), ``qa`` (question, answer and the fact's ``id``), ``facts`` (each with its thing ``s``, attribute ``a``,
value ``v``, whether it has a pair ``qa``, the pair ``A``, and the held-out wordings ``B`` and ``C``; optionally ``D``,
more wordings of the question), and ``unknown``, names that the document does not hold. Its own ``KL_PROMPTS``,
``GENERAL_MC`` and ``NEAR`` are asked where it has them.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from .exam import Asked, Change, Choice, Exam, chats, general
from .page import Page, Written

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

ELSEWHERE = range(1, 41)
"""How many seeds further a new value for a fact is looked for."""


def load(path: Path) -> ModuleType:
    """The generator in ``path``, which is run: it is a program.

    Raises:
        SystemExit: it cannot be imported, or has no ``make_doc``.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise SystemExit(f"{path}: no Python file; give the generator's own path")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not callable(getattr(module, "make_doc", None)):
        raise SystemExit(f"{path}: has no make_doc(seed)")
    return module


def exam(generator: ModuleType, seed: int, wordings: int = 0) -> Exam:
    """The generator's document of ``seed``; each pair with as many more wordings as are asked for and there are."""
    made = generator.make_doc(seed)
    page = _page(f"{generator.__name__}-{seed}", made, wordings)
    suffix = f"-{wordings}w" if wordings else ""
    return Exam(
        name=f"{generator.__name__}-{seed}{suffix}",
        document=page.text(),
        facts=tuple(_asked(fact, wording) for fact in made.facts for wording in ("B", "C")),
        names=tuple(dict.fromkeys(fact["s"] for fact in made.facts)),
        near=tuple(getattr(generator, "NEAR", ())),
        missing=_missing(made),
        chats=tuple(getattr(generator, "KL_PROMPTS", None) or chats()),
        general=tuple(Choice(q, tuple(a)) for q, *a in getattr(generator, "GENERAL_MC", ())) or general(),
        page=page,
        changes=_changes(generator, seed, made),
    )


def _page(identity: str, made: Any, wordings: int) -> Page:
    facts = {fact["id"]: fact for fact in made.facts}
    pairs = [
        Written((question, *facts[number].get("D", ())[:wordings]), answer, facts[number]["s"])
        for question, answer, number in made.qa
    ]
    sections = tuple((section["head"], " ".join(section["sents"])) for section in made.sections)
    return Page(identity, made.title, "", sections, tuple(pairs))


def _asked(fact: dict[str, Any], wording: str) -> Asked:
    return Asked(fact[wording], (fact["v"],), "pair" if fact["qa"] else "prose", fact["s"])


def _missing(made: Any) -> tuple[str, ...]:
    """Two questions about each thing that the document does not know, in its own wording."""
    by_attribute = {fact["a"]: fact for fact in made.facts}
    kinds = list(by_attribute.values())
    return tuple(
        kind["A"][0].replace(kind["s"], thing)
        for number, thing in enumerate(made.unknown)
        for kind in (kinds[number % len(kinds)], kinds[(number + 1) % len(kinds)])
    )


def _changes(generator: ModuleType, seed: int, made: Any) -> tuple[Change, ...]:
    """The first fact with a pair and the first without one, each with a value from another document."""
    found = []
    for paired in (True, False):
        fact = next((fact for fact in made.facts if bool(fact["qa"]) is paired), None)
        new = _elsewhere(generator, seed, made, fact["a"]) if fact else None
        if fact and new is not None:
            found.append(Change(fact["v"], new))
    return tuple(found)


def _elsewhere(generator: ModuleType, seed: int, made: Any, attribute: str) -> str | None:
    taken = {fact["v"] for fact in made.facts}
    for further in ELSEWHERE:
        for fact in generator.make_doc(seed + further).facts:
            if fact["a"] == attribute and fact["v"] not in taken:
                return str(fact["v"])
    return None
