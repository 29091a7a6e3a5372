"""Names for content: they survive what nobody can see, and change with everything else.

Invisible are: CRLF or CR for LF, a byte order mark, blanks at the end of a line, blank lines at either end of a
section, and where the section stands. Visible are: any other character, the section's type, adapter and attributes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import Section

BLANKS = " \t"
_BY_PATH = frozenset({"image", "audio"})


def canonical(text: str) -> str:
    """``text`` without what nobody can see: LF line ends, no trailing blanks, no blank lines at either end."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join([line.rstrip(BLANKS) for line in lines]).strip("\n")


def section_id(kind: str, adapter: str | None, attributes: Mapping[str, str], content: str) -> str:
    """First 16 hex digits of SHA-256 over ``["section", type, adapter, [[key, value], ...], content]`` as JSON.

    The content is canonical. The JSON has no blanks between tokens, keeps non-ASCII characters as UTF-8, sorts the
    attributes by key, and writes ``""`` for no adapter.
    """
    return _short("section", kind, adapter or "", sorted(map(list, attributes.items())), canonical(content))


def prior_ids(section: Section) -> frozenset[str]:
    """Every id that the trainer before this one may have given ``section``, to recognise it in a store of its.

    It hashed ``type + "\\n" + content`` as the content stood in the file, so the id changed with blank lines at the
    ends and with its own rewriting of the file; of images and recordings it hashed the path. Adapter and attributes
    were not in it.
    """
    if section.type in _BY_PATH:
        return frozenset({_prior(section.type, section.attributes.get("path", ""))})
    content = section.content
    stripped = content.strip()
    variants = {content, content + "\n", content.removesuffix("\n"), stripped, stripped + "\n"}
    return frozenset(_prior(section.type, variant) for variant in variants)


def pair_id(questions: Iterable[str], answer: str, before: Iterable[tuple[str, str]] = ()) -> str:
    """First 16 hex digits of SHA-256 over ``["pair", sorted canonical questions, canonical answer]`` as JSON.

    A follow-up adds the turns before it, ``[[question, answer], ...]``, as a fourth part.
    """
    turns = [[canonical(question), canonical(said)] for question, said in before]
    return _short("pair", sorted(map(canonical, questions)), canonical(answer), *([turns] if turns else []))


def block_id(headings: Iterable[str], text: str) -> str:
    """First 16 hex digits of SHA-256 over ``["block", headings, canonical text]`` as JSON."""
    return _short("block", list(headings), canonical(text))


def digest(text: str) -> str:
    """``sha256:`` and 64 hex digits of the canonical text of a whole file."""
    return "sha256:" + hashlib.sha256(canonical(text.removeprefix("\ufeff")).encode()).hexdigest()


def _prior(kind: str, content: str) -> str:
    return hashlib.sha256(f"{kind}\n{content}".encode()).hexdigest()[:16]


def _short(*parts: object) -> str:
    encoded = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()
    return hashlib.sha256(encoded).hexdigest()[:16]
