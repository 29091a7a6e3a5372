"""The last look at what is about to be shared: access tokens anywhere, and places of this machine.

Works on the bytes that will be packed, so it also finds what some other part forgot to take out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PackRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..document.model import Document

TOKENS = (
    ("an access token of the Hugging Face Hub", rb"\bhf_[A-Za-z0-9]{30,}\b"),
    ("an access token of GitHub", rb"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})"),
    ("an access token of GitLab", rb"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("a key of Amazon Web Services", rb"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("a key of the Google Cloud", rb"\bAIza[A-Za-z0-9_-]{35}\b"),
    ("an access token of Slack", rb"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    ("a secret key of an API", rb"\bsk-(?:ant-|proj-|live-)?[A-Za-z0-9_-]{32,}"),
    ("a key of Stripe", rb"\b[rs]k_live_[A-Za-z0-9]{20,}"),
    ("an access token of a package index", rb"\bpypi-[A-Za-z0-9_-]{50,}"),
    ("a private key", rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
)
_TOKEN = [(what, re.compile(pattern)) for what, pattern in TOKENS]


def token_in(data: bytes) -> tuple[str, int] | None:
    """What kind of token is in ``data``, and in which line; ``None`` when none is."""
    for what, pattern in _TOKEN:
        if found := pattern.search(data):
            return what, data.count(b"\n", 0, found.start()) + 1
    return None


def require_no_token(data: bytes, place: str, way_out: str) -> None:
    """See to it that ``data`` holds no access token.

    Raises:
        PackRefused: it does; says where. The token itself is not shown.
    """
    if found := token_in(data):
        what, line = found
        raise PackRefused(f"{place}:{line}:1: this looks like {what}, and would be shared: {way_out}")


def private_places(home: Path, document: Path) -> tuple[str, ...]:
    """Folders whose names tell about this machine or its user, as text."""
    folders = {Path.home(), home, document.absolute().parent, document.resolve().parent, home.resolve()}
    return tuple(sorted(str(folder) for folder in folders if len(folder.parts) > 1))


def place_in(data: bytes, places: Iterable[str]) -> str | None:
    """The private place that ``data`` names; ``None`` when it names none."""
    return next((place for place in places for form in _forms(place) if form in data), None)


def _forms(place: str) -> Iterator[bytes]:
    """As a text, and as a text inside JSON, would write what lies there."""
    for text in (place, place.replace("\\", "\\\\")):
        yield from ((text + end).encode("utf-8", "surrogateescape") for end in ("/", "\\", '"', "'", "\n"))


def require_portable(document: Document) -> None:
    """See to it that the frontmatter names nothing by where it lies on this machine.

    Raises:
        PackRefused: it does; names the key.
    """
    front = document.frontmatter
    named = [("base_model", front.base_model.removeprefix("path:"))] if front.base_model.startswith("path:") else []
    named += [("training.sources", source.path) for source in front.training.sources or ()]
    for key, path in named:
        if re.match(r"[/~\\]|[A-Za-z]:", path):
            raise PackRefused(
                f"{document.location}: {key} names {path}, a place on this machine, and would be shared. Write it "
                "relative to the document, or name the base by its key; --profile full packs it as it is"
            )
