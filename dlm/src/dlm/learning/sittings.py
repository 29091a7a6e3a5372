"""Who is asked what: of a version with named adapters, each about the sections that are its own.

A question about a section that trains several adapters is put to the first of them. How an examination is made of a
document: :mod:`.measure`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..document.routing import declared, home_of, sections_of, view
from ..errors import UsageProblem
from .measure import Exam, exam_of, seed_of
from .questions import own_questions
from .shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..corpus.records import Record, StudySet
    from ..document import Document, Section
    from ..store.version import Version
    from ..training.heard import Heard
    from .measure import LearnOptions
    from .questions import Own

    Trained = Mapping[str | None, tuple[Record, ...]]


def exams_of(
    document: Document,
    more: Sequence[Section],
    version: Version | None,
    seed: int,
    options: LearnOptions,
    trained: Trained | None = None,
) -> dict[str | None, Exam]:
    """What each adapter of ``version`` is asked, or the next version's; ``seed`` is that of one that is not there yet.

    ``trained`` are the records of those that were just trained, where they are known.

    Raises:
        UsageProblem: the user's own questions cannot be read, or the document declares none of the adapters any more.
    """
    names = _names(document, version)
    own = own_questions(document, options.questions)
    own_of: dict[str | None, list[Own]] = _shared_out(document, more, names, own) if names else {None: own}
    limit = options.limit and -(-options.limit // max(1, len(names)))
    found: dict[str | None, Exam] = {}
    for name in names or (None,):
        sees = document if name is None else view(document, name)
        beside = tuple(more) if name is None else sections_of(more, names, name)
        known = seed if version is None else seed_of(version, name)
        study, heard = _studied(sees, beside, version, known, name)
        study = replace(study, train=trained[name]) if trained and name in trained else study
        study = study if name is None else _at_home(study, (*sees.sections, *beside), names, name)
        mine = own_of.get(name, [])
        found[name] = exam_of(sees, study, known, replace(options, limit=limit), beside, heard, mine)
    return found


def _names(document: Document, version: Version | None) -> tuple[str, ...]:
    names = declared(document)
    if version is None:
        return names
    if version.adapters and not set(names) & set(version.adapters):
        raise UsageProblem(
            f"{version.name} has the adapters {', '.join(version.adapters)}, and {document.location} declares none of "
            f"them any more: run `dlm train {document.location}` first"
        )
    return tuple(name for name in names if name in version.adapters)


def _studied(
    document: Document, more: Sequence[Section], version: Version | None, seed: int, name: str | None
) -> tuple[StudySet, Heard]:
    from ..corpus.study import build
    from ..training.continued import read_first
    from ..training.heard import Heard, heard_by, unheard

    if version is None:
        return build(document, seed, more), Heard()
    heard = heard_by(version.folder_of(name))
    return unheard(build(document, seed, more, text_first=read_first(version.facts_of(name))), heard), heard


def _at_home(study: StudySet, sections: Sequence[Section], names: tuple[str, ...], name: str) -> StudySet:
    """``study`` with the questions that ``name`` is asked; what it was trained on stays."""
    own = {section.id for section in sections if home_of(section, names) == name}
    return replace(
        study,
        held_out=tuple(one for one in study.held_out if one.section_id in own),
        probes=tuple(one for one in study.probes if one.section_id in own),
    )


def _shared_out(
    document: Document, more: Sequence[Section], names: tuple[str, ...], own: Sequence[Own]
) -> dict[str | None, list[Own]]:
    """The user's questions by the adapter that the section with the answer trains; else the first one's."""
    from ..corpus.preferred import is_pair
    from ..corpus.study import primary_records

    homes = {section.id: home_of(section, names) for section in (*document.sections, *more)}
    shelf = Shelf([one for one in primary_records(document, more) if not is_pair(one)] if own else [])
    shared: dict[str | None, list[Own]] = {}
    for one in own:
        place = shelf.find(one.question, one.expected, heading=one.heading) if one.expected else None
        shared.setdefault(homes.get(place.section_id) if place else names[0], []).append(one)
    return shared
