"""What training a stranger's document would read and send, told before anybody trains it.

A document says in its frontmatter which folders it is trained on and who helps to study it. What it says is done on the
machine of whoever runs ``dlm train``: with their files, and in their name.
"""

from __future__ import annotations

import os
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .members import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ELSEWHERE = re.compile(r"[/~\\]|[A-Za-z]:")
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_MOST = 5
_LOOK = "look at its frontmatter before `dlm train`"


def reaches(front: Mapping[str, Any]) -> tuple[str, ...]:
    """A line for each place outside of its folder that a document with the frontmatter ``front`` is trained on, and for
    each server that would be sent its text. ``front`` is as a stranger wrote it."""
    training = front.get("training")
    if not isinstance(training, dict):
        return ()
    return (*_some(_read(training)), *_some(_sent(training)))


def _some(lines: Iterator[str]) -> Iterator[str]:
    found = list(dict.fromkeys(lines))
    yield from found[:_MOST]
    if len(found) > _MOST:
        yield f"{len(found) - _MOST} more like this: {_LOOK}"


def _read(training: Mapping[str, Any]) -> Iterator[str]:
    sources = training.get("sources")
    for source in sources if isinstance(sources, list) else ():
        path = source.get("path") if isinstance(source, dict) else None
        if isinstance(path, str) and (_ELSEWHERE.match(path) or _leads_out(path)):
            yield f"training it reads {shown(path)}, outside of its folder (training.sources): {_LOOK}"


def _leads_out(path: str) -> bool:
    return ".." in PurePath(os.path.normpath(path)).parts[:1]


def _sent(training: Mapping[str, Any]) -> Iterator[str]:
    recipe = training.get("recipe")
    named = recipe.get("augmenters") if isinstance(recipe, dict) else None
    for name, options in named.items() if isinstance(named, dict) else ():
        for text in _texts(options):
            if _ADDRESS.match(text):
                where = f"training.recipe.augmenters.{name}"
                yield f"training it sends its text to {shown(_host(text))} ({where}): {_LOOK}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(one)


def _host(text: str) -> str:
    try:
        return urlsplit(text).hostname or text
    except ValueError:
        return text
