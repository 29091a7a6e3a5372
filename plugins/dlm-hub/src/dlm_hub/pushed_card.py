"""The model card of a repository that ``dlm push`` keeps: dlm writes between two marks, and everybody else around them.

The first mark says which text dlm wrote, so that the next push sees whether somebody has edited it since.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dlm.share.transport import PACK_FILE

from .card import body, head, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .card import Facts

_END: Final = "<!-- dlm: end -->"
_BLOCK = re.compile(r"<!-- dlm: begin (?P<sum>[0-9a-f]{16})[^\n]*-->\n(?P<text>.*?)" + re.escape(_END), re.DOTALL)
_HEAD = re.compile(r"---[ \t]*\n(?P<yaml>.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_DEFAULT = re.compile(r"\A\s*(?:---\n(?:license: [\w.-]+\n|\s)*---\s*)?\Z")
"""What the hub makes of a new repository's page, where it makes one."""


class PushedCard(NamedTuple):
    """What becomes of ``README.md``."""

    text: str | None
    """``None``: it stays as it is."""
    notes: tuple[str, ...] = ()


class PackFacts(NamedTuple):
    """What the card says of the pack."""

    repo: str
    digest: str
    profile: str
    name: str
    """Of the document's file."""
    signed: tuple[str, ...]
    """Endings of the signatures beside it."""


def compose(facts: Facts, pack: PackFacts, claims: Sequence[str], there: str | None) -> PushedCard:
    """The page for what is pushed, given the one that is ``there``."""
    block = _block(body(facts, *_about_pack(pack), *claims))
    own = metadata(facts)
    if there is None or _DEFAULT.match(there.replace("\r\n", "\n")):
        return PushedCard(f"{head(own)}\n{block}\n")
    there = there.replace("\r\n", "\n")
    found = _BLOCK.search(there)
    if found is None:
        return PushedCard(None, (_KEPT,))
    edited = found["sum"] != _sum(found["text"])
    text = there[: found.start()] + block + there[found.end() :]
    merged, changed = _merged(text, own)
    notes = (*((_EDITED,) if edited else ()), *(f"note: README.md said {one}" for one in changed))
    return PushedCard(merged, notes)


_KEPT = (
    "note: README.md there is not dlm's, and was left as it is: it may tell of an earlier state. Delete it there, and "
    "the next push writes a model card"
)
_EDITED = (
    "note: somebody has edited what README.md says between the marks of dlm: that was replaced, and is in the history. "
    "What stands before and after the marks is kept"
)


def _block(text: str) -> str:
    text = text.replace(_END, "").rstrip("\n") + "\n\n"
    return f"<!-- dlm: begin {_sum(text)} written by `dlm push`; what stands outside is kept -->\n{text}{_END}"


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _merged(text: str, own: dict[str, Any]) -> tuple[str, list[str]]:
    """The page with ``own`` in its metadata: tags are joined, other keys of ``own`` replaced, and the rest is kept.
    What was replaced by something else, one line each."""
    from io import StringIO

    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    found = _HEAD.match(text)
    yaml = YAML(typ="rt")
    yaml.width = 4096
    try:
        there = yaml.load(found["yaml"]) if found else None
    except YAMLError:
        there = None
    if not isinstance(there, dict):
        return f"{head(own)}\n{text[found.end() :].lstrip() if found else text}", []
    changed = [f"{key}: {there[key]}, now {value}" for key, value in own.items() if _differs(there, key, value)]
    for key, value in own.items():
        if key == "tags":
            old = there.get(key)
            kept = [str(one) for one in old] if isinstance(old, list) else []
            there[key] = [*kept, *(one for one in value if one not in kept)]
        elif there.get(key) != value:
            there[key] = value
    out = StringIO()
    yaml.dump(there, out)
    return f"---\n{out.getvalue()}---\n{text[found.end() :] if found else text}", changed


def _differs(there: dict[str, Any], key: str, value: Any) -> bool:
    return key != "tags" and key in there and there[key] != value


def _about_pack(pack: PackFacts) -> Iterator[str]:
    yield "## The whole of it\n"
    yield (
        f"`{PACK_FILE}` holds the same adapter as dlm keeps it, with "
        f"{'the document and ' if pack.profile != 'adapter-only' else ''}how it was made. Its digest is\n"
        f"`{pack.digest}`.\n"
    )
    yield "```"
    yield "pip install 'dlm[hf,hub]'"
    yield f"dlm pull hf:{pack.repo}"
    yield f'dlm prompt {shlex.quote(pack.name)} "Your question?"'
    yield "```\n"
    if pack.signed:
        beside = ", ".join(f"`{PACK_FILE}{ending}`" for ending in pack.signed)
        yield f"It is signed: {beside}. `dlm verify {PACK_FILE}` says by which key; whether to trust it is up to you.\n"
    else:
        yield "It is not signed: compare the digest with the one that its maker tells you.\n"
