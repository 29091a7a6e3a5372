"""``hf:org/name@revision``: where on the hub something lies."""

from __future__ import annotations

import re
from typing import NamedTuple

from dlm.errors import UsageProblem

SCHEME = "hf:"
_REPO = re.compile(
    r"(?=.{3,96}$)(?!.*(?:--|\.\.))[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?/[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?"
)
_REVISION = re.compile(r"(?=.{1,200}$)(?!.*(?:\.\.|//|@\{))[A-Za-z0-9](?:[\w./-]*\w)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_LOOKS_LIKE_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_MAIN = "main"


class Place(NamedTuple):
    """A repository of models, and what of its history."""

    repo: str
    """``org/name``."""
    revision: str = _MAIN
    """A branch, a tag or a commit."""

    @property
    def address(self) -> str:
        """As :func:`parse` reads it."""
        return f"{SCHEME}{self.repo}" + ("" if self.revision == _MAIN else f"@{self.revision}")

    @property
    def is_commit(self) -> bool:
        """It names one state for good."""
        return _COMMIT.fullmatch(self.revision) is not None

    def at(self, commit: str) -> str:
        """The address of this repository at ``commit``."""
        return f"{SCHEME}{self.repo}@{commit}"


def parse(text: str) -> Place:
    """The place that ``text`` names.

    Raises:
        UsageProblem: it names none.
    """
    repo, at, revision = text.removeprefix(SCHEME).partition("@")
    if not _REPO.fullmatch(repo):
        raise UsageProblem(f"{text!r} is no repository on the hub: write hf:ORG/NAME, or hf:ORG/NAME@REVISION")
    if at and not _REVISION.fullmatch(revision):
        raise UsageProblem(f"{text!r}: {revision!r} is no revision: write a branch, a tag or a commit behind the @")
    return Place(repo, revision) if at else Place(repo)


def parse_branch(text: str) -> Place:
    """As :func:`parse`, for a place that is written to.

    Raises:
        UsageProblem: it names none, or a commit, which cannot change.
    """
    place = parse(text)
    if _LOOKS_LIKE_COMMIT.fullmatch(place.revision):
        raise UsageProblem(f"{text!r} names a commit, and a commit never changes: push to {SCHEME}{place.repo}@BRANCH")
    return place
