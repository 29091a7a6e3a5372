"""Which names a pack may hold, and how much of everything. Whatever is not named here is refused, both ways."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import PackInvalid

SUMS = "SHA256SUMS"
PACK = "pack.json"
CLAIMS = "claims.json"
DOCUMENT = "document.dlm"
PRIOR_FIRST = "CHECKSUMS.sha256"
"""The first member of a pack of the prior trainer."""

_FILE = r"[A-Za-z0-9_][A-Za-z0-9._+@=-]{0,127}"
_STEM = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,95}"
_OWN = rf"{_STEM}\.(?:safetensors|json|jinja|txt|model|md)"
BASE = "base/"
"""Before the names of the base's files."""
_BASE_FILES = re.compile(
    rf"(?:config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab)\.json"
    rf"|(?:merges|vocab)\.txt|tokenizer\.model|chat_template\.jinja"
    rf"|{_STEM}\.safetensors(?:\.index\.json)?"
    rf"|(?:LICEN[SC]E|NOTICE|COPYING|USE_POLICY)(?:[._-]{_STEM})?"
)
_LAUNCH = re.compile(r"store/exports/.+\.sh")
_ALLOWED = re.compile(
    "|".join(
        (
            r"document\.dlm",
            r"claims\.json",
            r"store/manifest\.json",
            r"store/dlm\.lock",
            r"store/adapter/current\.txt",
            r"store/replay/ledger\.json",
            rf"store/adapter/versions/v\d{{4,9}}/(?:adapters/(?:[a-z][a-z0-9_]{{0,31}}|_gate)/)?"
            rf"(?:dlm\.lock|heard\.bin|{_OWN})",
            r"store/logs/train-\d+-[0-9TZ-]+\.(?:jsonl|summary\.json)",
            rf"store/(?:exports|trackers|augmented)(?:/{_FILE}){{2,8}}",
        )
    )
)


class Limits(NamedTuple):
    """Beyond which a pack is refused, whatever it says of itself. Bytes, unless named otherwise."""

    members: int = 10_000
    member: int = 64 * 2**30
    total: int = 256 * 2**30
    list: int = 4 * 2**20
    """Of ``SHA256SUMS`` and of ``pack.json``, which are read into memory."""
    text: int = 256 * 2**20
    """Of the document, the manifest, the ledger and the like, which are read into memory."""
    window: int = 32 * 2**20
    """That decompressing may keep in memory."""
    free: int = 64 * 2**20
    """Contents up to here may be packed as tightly as they will."""
    ratio: int = 400
    """Times that a larger pack may grow."""


LIMITS = Limits()


def allowed(name: str) -> bool:
    """Whether a pack may hold a member of this name."""
    return _ALLOWED.fullmatch(name) is not None or (name.startswith(BASE) and is_base_file(name.removeprefix(BASE)))


def is_base_file(name: str) -> bool:
    """Whether this is a file of a base that a pack may hold: weights, tokenizer, settings, licence; nothing to run."""
    return _BASE_FILES.fullmatch(name) is not None


def may_run(name: str) -> bool:
    """Whether a member is written so that it can be run: the launch scripts of exports."""
    return _LAUNCH.fullmatch(name) is not None


def require_name(name: str, place: str) -> None:
    """See to it that ``name`` is one that a pack may hold.

    Raises:
        PackInvalid: it is not; says what is wrong with it.
    """
    if problem := _problem(name):
        raise PackInvalid(f"{place}: {shown(name)} {problem}. {NOT_TOUCHED}")


def _problem(name: str) -> str:
    parts = name.split("/")
    if not name:
        return "is an empty name"
    if not name.isascii() or not name.isprintable():
        return "has characters that no member's name has"
    if name.startswith("/") or "\\" in name or re.match(r"[A-Za-z]:", name):
        return "is an absolute path, or one of another system, and would be written outside of the store"
    if ".." in parts:
        return "points outside of the store"
    if "." in parts or "" in parts:
        return "is no plain path"
    if len(name) > 240 or len(parts) > 12:
        return "is longer or deeper than any name in a pack"
    return "" if allowed(name) else "is nothing that a pack holds"


def shown(name: str) -> str:
    """A stranger's name for a message: quoted, escaped, and not endless."""
    return ascii(name if len(name) <= 80 else f"{name[:77]}...")


NOT_TOUCHED = "Nothing was written: ask for the pack again"
