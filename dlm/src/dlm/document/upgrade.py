"""The frontmatter on the disk brought to the current format version; the body stays as it is, byte for byte.

What each version changed lies in :mod:`.migrations`, which does the same to data in memory. Here the text is changed,
so that comments, the order of keys and the spelling of values survive.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from ..errors import DocumentError
from .identity import BLANKS
from .keys import by_hand, set_keys
from .lines import Edit
from .migrations import CURRENT
from .read import parse, read
from .spans import Entry, Head, Node, comment_above, read_head
from .write import back_up, replace_text

_HYPERPARAMETERS = ("beta", "learning_rate", "num_epochs")
_COMMENT = re.compile(r"#[^\n]*")


class Upgraded(NamedTuple):
    """A document's text at the current version."""

    before: int
    """The version that it had."""
    text: str


class Migrated(NamedTuple):
    """What was, or with ``dry_run`` would be, done to one file."""

    path: Path
    before: int
    old: str
    new: str
    backup: Path | None


def migrate_file(path: Path, *, dry_run: bool = False, backup: bool = True) -> Migrated:
    """Bring the document ``path`` to the current version, a copy of it kept beside it as ``.bak``.

    Raises:
        DocumentError: with every mistake in it; the file is left alone.
        UsageProblem: it cannot be read, was changed meanwhile, or has to be changed by hand.
        DlmError: it cannot be written.
    """
    old = read(path).text
    before, new = upgrade(old, str(path))
    if dry_run or new == old:
        return Migrated(path, before, old, new, None)
    kept = back_up(path, old) if backup else None
    try:
        replace_text(path, old, new)
    except BaseException:
        if kept is not None:
            kept.unlink(missing_ok=True)
        raise
    return Migrated(path, before, old, new, kept)


def upgrade(text: str, path: str = "<text>") -> Upgraded:
    """The document ``text`` at the current version.

    Raises:
        DocumentError: with every mistake in it.
        UsageProblem: a key is written in a way that only a person should change.
    """
    document = parse(text, path)
    head = read_head(text, path)
    version = int(head.data.get("dlm_version", 1))
    if version == CURRENT:
        return Upgraded(version, text)
    made = _preference(head, path) if version == 1 else text
    key = ("dlm_version",) if made == text else ("training", "dpo")
    try:
        made = set_keys(made, {("dlm_version",): CURRENT}, path)
        after = parse(made, path)
    except DocumentError:
        raise by_hand(key, path) from None
    if after.frontmatter != document.frontmatter or [s.id for s in after.sections] != [s.id for s in document.sections]:
        raise by_hand(key, path)
    return Upgraded(version, made)


def _preference(head: Head, path: str) -> str:
    """Version 1 had ``training.dpo``; what it was called there is renamed where it stands."""
    training = head.root.entries.get("training")
    dpo = training.value.entries.get("dpo") if training else None
    if training is None or dpo is None:
        return head.text
    if dpo.value.kind != "map":
        raise by_hand(("training", "dpo"), path)
    rename = Edit(dpo.start, dpo.end, "preference")
    if not dpo.value.flow:
        return head.edited([rename, *_in_lines(head, dpo)])
    own_line = not head.yaml[head.line_start(dpo.start) : dpo.start].strip()
    above = head.line_start(dpo.start if own_line else training.start)
    indent = " " * (dpo.start - above if own_line else 0)
    comments = "".join(f"{indent}{comment}\n" for comment in _comments(head, dpo.value))
    return head.edited([Edit(above, above, comments), rename, _in_brackets(head, dpo)])


def _in_lines(head: Head, dpo: Entry) -> list[Edit]:
    """The keys that moved below ``hyperparams`` take their lines, and the comments above them, along."""
    entries = dpo.value.entries
    indent = " " * (dpo.value.start - head.line_start(dpo.value.start))
    edits = list(_values(head, dpo))
    if "method" not in entries:
        place = comment_above(head, dpo.value.start)
        edits.append(Edit(place, place, f"{indent}method: dpo\n"))
    moved = [(comment_above(head, entry.start), entry) for key, entry in entries.items() if key in _HYPERPARAMETERS]
    if not moved:
        return edits
    chunks = []
    for start, entry in moved:
        stop = head.line_stop(max(entry.colon, entry.value.end - 1))
        chunks.append(_deeper(head.yaml[start:stop]))
        edits.append(Edit(start, stop + 1, ""))
    last = list(entries.values())[-1]
    place = head.line_stop(max(last.colon, last.value.end - 1)) + 1
    return [*edits, Edit(place, place, "\n".join([f"{indent}hyperparams:", *chunks, ""]))]


def _in_brackets(head: Head, dpo: Entry) -> Edit:
    """``{beta: 0.2, loss_type: ipo}`` as one new value in brackets."""
    kept: list[str] = [] if "method" in dpo.value.entries else ["method: dpo"]
    moved: list[str] = []
    renamed = {edit.start: edit.new for edit in _values(head, dpo)}
    for key, entry in dpo.value.entries.items():
        value = renamed.get(entry.value.start, head.yaml[entry.value.start : entry.value.end])
        (moved if key in _HYPERPARAMETERS else kept).append(f"{key}: {value}")
    if moved:
        kept.append(f"hyperparams: {{{', '.join(moved)}}}")
    opened = head.yaml.index("{", dpo.value.start) + 1
    return Edit(opened, dpo.value.end - 1, ", ".join(kept))


def _comments(head: Head, node: Node) -> list[str]:
    """The comments between the keys of a map in brackets, which is written anew."""
    found: list[str] = []
    done = node.start
    for entry in node.entries.values():
        for start, end in ((done, entry.start), (entry.end, entry.value.start)):
            found += _COMMENT.findall(head.yaml[start:end])
        done = entry.value.end
    return found + _COMMENT.findall(head.yaml[done : node.end])


def _values(head: Head, dpo: Entry) -> list[Edit]:
    entry = dpo.value.entries.get("reference")
    if entry is None or head.data["training"]["dpo"]["reference"] != "pre_dpo_adapter":
        return []
    return [Edit(entry.value.start, entry.value.end, "pre_adapter")]


def _deeper(lines: str) -> str:
    return "\n".join("  " + line if line.strip(BLANKS) else line for line in lines.split("\n"))
