"""Folders of text, as ``training.sources`` names them, into sections. Nothing here trains or tokenises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import Gathered as Gathered
from .model import SourceSummary as SourceSummary
from .model import Survey as Survey
from .model import SurveyedFile as SurveyedFile

if TYPE_CHECKING:
    from ...document.model import Document, Section


def gather(document: Document) -> Gathered:
    """Every file of the sources of ``document`` as a section. Reads all of them and writes nothing.

    Raises:
        DocumentError: a source that is missing or not allowed, or a mistake in a ``.dlm`` folder inside of one.
    """
    from . import take

    return take.gather(document)


def survey(document: Document, *, remember: bool = True) -> Survey:
    """The same in numbers. Reads only what has changed since it was last looked at.

    With ``remember`` set, what was found is kept under ``$DLM_HOME/cache/sources``; else nothing is written.

    Raises:
        DocumentError: as :func:`gather`.
    """
    from . import take

    return take.survey(document, remember=remember)


def prior_source_ids(section: Section) -> frozenset[str]:
    """Every id that the prior trainer may have given the file that ``section`` is; none for a section of a document."""
    from . import sections

    return sections.prior_source_ids(section)
