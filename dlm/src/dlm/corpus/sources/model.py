"""What was taken from the sources of a document, and what was not. How it is found lies beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ...document.model import Section


@dataclass(frozen=True)
class SourceSummary:
    """One entry of ``training.sources`` in numbers. Bytes are those of the files that were taken."""

    path: str
    """As the document writes it."""
    file_count: int = 0
    total_bytes: int = 0
    skipped_binary: int = 0
    skipped_encoding: int = 0
    skipped_empty: int = 0
    skipped_over_size: int = 0
    skipped_over_count: int = 0
    """Left out by ``max_files``."""
    skipped_unreadable: int = 0
    skipped_link: int = 0
    """Links that lead out of the source, and loops."""
    skipped_secret: int = 0
    """Left out for their names, whatever the rules say."""
    excluded: int = 0
    """Left out by ``exclude``, the default excludes or an ignore file; a folder that is never entered counts once."""
    tags: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Files by tag and value."""
    digest: str = ""
    """``sha256:...`` over the names and contents of the files that were taken."""


@dataclass(frozen=True)
class Gathered:
    """Everything that the sources of one document hold."""

    sections: tuple[Section, ...] = ()
    """One a file, in the order of the sources and then of the paths; no file twice."""
    summaries: tuple[SourceSummary, ...] = ()
    lost: frozenset[str] = frozenset()
    """Origins of files that stand on the disk and were left out by a cap or could not be read: nobody decided to delete
    them. What the writer excludes or removes is not among them. A folder that cannot be read stands here for all
    that lies in it; ``.`` is the document's own."""
    notes: tuple[str, ...] = ()
    """One line each, for people: what was skipped and why."""


class SurveyedFile(NamedTuple):
    """One file that will be trained, without its text."""

    origin: str
    id: str
    """Of the section that it becomes."""
    bytes: int
    words: int
    weight: float


@dataclass(frozen=True)
class Survey:
    """The same as :class:`Gathered` without the texts: made from what is remembered of files that did not change."""

    files: tuple[SurveyedFile, ...] = ()
    """In the order of :attr:`Gathered.sections`."""
    summaries: tuple[SourceSummary, ...] = ()
    lost: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
