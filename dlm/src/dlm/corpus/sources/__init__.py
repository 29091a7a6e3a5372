"""Folders of text, as ``training.sources`` names them, into sections. Nothing here trains or tokenises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import Gathered as Gathered
from .model import SourceSummary as SourceSummary
from .model import Survey as Survey
from .model import SurveyedFile as SurveyedFile

if TYPE_CHECKING:
    from pathlib import Path

    from ...document.model import Document, Section


def gather(document: Document, *, home: Path | None = None) -> Gathered:
    """Every file of the sources of ``document`` as a section. Reads all of them and writes nothing.

    ``home`` is dlm's own folder, ``$DLM_HOME`` by default: it is never a source.

    Raises:
        DocumentError: a source that is missing or not allowed, or a mistake in a ``.dlm`` folder inside of one.
    """
    from . import take

    return take.gather(document, home=home)


def survey(document: Document, *, home: Path | None = None, remember: bool = True) -> Survey:
    """The same in numbers. Reads only what has changed since it was last looked at.

    With ``remember`` set, what was found is kept in ``cache/sources`` under ``home``, which is ``$DLM_HOME`` by
    default; else nothing is written.

    Raises:
        DocumentError: as :func:`gather`.
    """
    from . import take

    return take.survey(document, home=home, remember=remember)


def prior_source_ids(section: Section) -> frozenset[str]:
    """Every id that the prior trainer may have given the file that ``section`` is; none for a section of a document."""
    from . import sections

    return sections.prior_source_ids(section)
