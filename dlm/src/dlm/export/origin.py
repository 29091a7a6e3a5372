"""Where a base may be had by somebody else: what goes into an export in place of a folder of this machine."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..bases.model import HubSource
from ..errors import UsageProblem

if TYPE_CHECKING:
    from ..bases import BaseModel, LocalBase

_REPOSITORY = re.compile(r"(?=.{3,96}$)[A-Za-z0-9][\w.-]*/[\w.-]*[A-Za-z0-9]")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Published(NamedTuple):
    """A repository on the Hugging Face Hub that holds a base."""

    repo: str
    revision: str | None
    same_weights: bool
    """These very files were trained on, rather than another edition of the model."""


def fetched_from(base: LocalBase) -> Published | None:
    """The repository and commit that ``base`` was fetched from; ``None`` for a base from elsewhere."""
    origin = _card(base).get("origin")
    if not isinstance(origin, dict) or origin.get("kind") != HubSource.__name__:
        return None
    repo, revision = origin.get("repo"), base.revision or _card(base).get("revision")
    if not isinstance(repo, str) or not _COMMIT.fullmatch(str(revision)):
        return None
    return Published(repo, revision, True)


def published(base: LocalBase, model: BaseModel) -> Published | None:
    """As :func:`fetched_from`; of a base from elsewhere the repository that publishes ``model``, where it names one."""
    if (found := fetched_from(base)) is not None:
        return found
    hub = next((source for source in model.sources if isinstance(source, HubSource)), None)
    return Published(hub.repo, hub.revision, False) if hub else None


def key_of(base: LocalBase) -> str | None:
    """The key that names ``base`` on any machine; ``None`` for a folder that only this one has."""
    if not base.key.startswith("path:"):
        return base.key
    key = _card(base).get("key")
    return key if isinstance(key, str) and not key.startswith("path:") else None


def _card(base: LocalBase) -> dict[str, Any]:
    """What dlm wrote beside the files when it fetched them; empty for a folder of the user's."""
    from ..bases.cache import CARD

    try:
        card = json.loads((base.path / CARD).read_bytes())
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def parse_published(text: str) -> Published:
    """``ORG/NAME`` or ``ORG/NAME@COMMIT``, as somebody wrote it who knows that it is the same base.

    Raises:
        UsageProblem: it is no repository.
    """
    repo, at, revision = text.partition("@")
    if not _REPOSITORY.fullmatch(repo) or (at and not _COMMIT.fullmatch(revision)):
        raise UsageProblem(f"{text!r} is no repository on the Hub: write ORG/NAME, or ORG/NAME@COMMIT with 40 digits")
    return Published(repo, revision or None, True)


def told(base: LocalBase) -> str:
    """A name of ``base`` that may leave this machine: its repository, its key, or its folder's name alone."""
    hub = fetched_from(base)
    return hub.repo if hub else key_of(base) or base.path.name
