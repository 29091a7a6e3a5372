"""Which section trains which of the adapters that a document names, and the document as one of them sees it.

Prose without a suffix trains all of them, any other section without one the first, ``::type#name::`` that one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..errors import Finding, UsageProblem

if TYPE_CHECKING:
    from .frontmatter import Training
    from .model import Document, Section

OWN = ("adapter", "lora_r", "lora_alpha", "lora_dropout", "target_modules", "learning_rate")
"""Keys that each adapter has for itself."""


def declared(document: Document) -> tuple[str, ...]:
    """The adapters that ``document`` names, in its order; empty when it trains one without a name."""
    return tuple(document.frontmatter.training.adapters or ())


def chosen(document: Document, name: str) -> str:
    """``name``, if ``document`` declares it.

    Raises:
        UsageProblem: it does not; says which it declares.
    """
    names = declared(document)
    if not names:
        raise UsageProblem(
            f"{document.location} names no adapters, so it has no {name!r}: leave --adapter out, or write "
            "training.adapters"
        )
    if name not in names:
        raise UsageProblem(f"{document.location} has no adapter {name!r}: {_guess(name, names)}it has {_list(names)}")
    return name


class Routed(Protocol):
    """What routing looks at: a section, or the ledger's entry of one."""

    @property
    def type(self) -> str: ...
    @property
    def adapter(self) -> str | None: ...


T = TypeVar("T", bound=Routed)


def routed(section: Routed, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of ``names`` that ``section`` trains."""
    if section.adapter is not None:
        return (section.adapter,) if section.adapter in names else ()
    return names if section.type == "prose" else names[:1]


def home_of(section: Routed, names: tuple[str, ...]) -> str | None:
    """The one of ``names`` that is asked about ``section``."""
    return next(iter(routed(section, names)), None)


def sections_of(sections: Iterable[T], names: tuple[str, ...], name: str) -> tuple[T, ...]:
    """Those of ``sections`` that train ``name``."""
    return tuple(section for section in sections if name in routed(section, names))


def view(document: Document, name: str) -> Document:
    """``document`` as the adapter ``name`` is trained from it: its sections, its numbers, nothing of the others.

    Id, title, digest and text stay those of the whole document.
    """
    names, training = declared(document), document.frontmatter.training
    seen = document.frontmatter.model_copy(update={"training": _alone(training, name)})
    return replace(document, frontmatter=seen, sections=sections_of(document.sections, names, name))


def _alone(training: Training, name: str) -> Training:
    """What version 4 allowed to stand beside ``adapters`` gives way to the adapter's own."""
    own = (training.adapters or {})[name]
    return training.model_copy(update={**{key: getattr(own, key) for key in OWN}, "adapters": None})


def misrouted(document: Document) -> Iterator[Finding]:
    """Every section that names an adapter which the document does not declare."""
    names = declared(document)
    for section in document.sections:
        name = section.adapter
        if name is None or name in names:
            continue
        col = len(section.type) + 4
        if names:
            what, fix = f"there is no adapter `{name}`", f"{_guess(name, names)}the document declares {_list(names)}"
        else:
            what = f"the section names the adapter `{name}`, and the document declares none"
            fix = f"write ::{section.type}::, or declare it under training.adapters"
        yield Finding(document.location, section.fence, col, what, fix)


def unfed(document: Document, more: Iterable[Section] = ()) -> list[Finding]:
    """Every adapter that has nothing to learn, in ``document`` or in the sections ``more`` beside it."""
    names = declared(document)
    fed = {name for section in (*document.sections, *more) if section.weight for name in routed(section, names)}
    return [_hungry(document, name) for name in names if name not in fed]


def views(document: Document) -> tuple[Document, ...]:
    """``document`` as each of its adapters sees it; as it is where it names none."""
    return tuple(view(document, name) for name in declared(document)) or (document,)


def _hungry(document: Document, name: str) -> Finding:
    place = document.places.place(("training", "adapters", name))
    fix = f"write a section for it, ::instruction#{name}:: or ::prose#{name}::, or remove the adapter"
    return Finding(document.location, *place.key, f"no section trains the adapter `{name}`", fix)


def _guess(name: str, names: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}? " if close else ""


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names)
