"""Setting keys of a frontmatter while every other character of the file stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from ..errors import DocumentError, UsageProblem
from .dump import entry_lines, inline
from .frontmatter import Frontmatter
from .lines import Edit
from .mapping import Path
from .spans import Entry, Head, Node, comment_above, read_head
from .validate import known_keys

_GONE = object()


def set_keys(text: str, values: Mapping[Path, Any], path: str = "<text>") -> str:
    """The file ``text`` with the frontmatter keys ``values``, such as ``{("training", "seed"): 7}``.

    Maps are merged key by key: what is there already keeps its comments, quotes and place, and what the new map does
    not have is removed. A key that is not there yet is added where the format lists it. ``path`` is for messages.

    Raises:
        DocumentError: the frontmatter cannot be read.
        UsageProblem: a value is written in a way that only a person should change.
    """
    head = read_head(text, path)
    wanted = deepcopy(head.data)
    for key, value in values.items():
        _put(wanted, key, value)
    return _brought_to(head, wanted, path)


def merge_keys(text: str, before: Mapping[str, Any], after: Mapping[str, Any], path: str = "<text>") -> str:
    """The file ``text`` with every difference between two frontmatters made in its own; see :func:`set_keys`."""
    head = read_head(text, path)
    wanted = deepcopy(head.data)
    for key, value in _changes(_plain(before), _plain(after), ()):
        _put(wanted, key, value)
    return _brought_to(head, wanted, path)


def by_hand(key: Path, path: str) -> UsageProblem:
    """What to say of a key that is written in an unusual way, as a reference to another key for example."""
    name = ".".join(map(str, key))
    return UsageProblem(
        f"{path}: `{name}` is written in a way that dlm does not change; nothing was written: change it in an editor"
    )


def _brought_to(head: Head, wanted: dict[str, Any], path: str) -> str:
    changes = list(_changes(head.data, wanted, ()))
    # Additions first: a map in block style is never without a key.
    for key, value in sorted(changes, key=lambda change: change[1] is _GONE):
        try:
            head = read_head(_changed(head, key, value, path), path)
        except DocumentError:
            raise by_hand(key, path) from None
    if head.data != wanted:
        raise by_hand(changes[0][0], path)
    return head.text


def _put(data: Any, key: Path, value: Any) -> None:
    """Set the value behind ``key`` in plain data, or take it away when it is :data:`_GONE`."""
    for step in key[:-1]:
        if isinstance(data, dict) and not isinstance(data.get(step), dict | list):
            data[step] = {}
        data = data[step]
    if value is _GONE:
        data.pop(key[-1], None)
    else:
        data[key[-1]] = _plain(value)


def _plain(value: Any) -> Any:
    """``value`` as reading YAML would give it."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _changes(old: Any, new: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """The smallest values that differ, each with its new value; additions and removals of keys included."""
    if isinstance(old, dict) and isinstance(new, dict) and old and new:
        for key in new:
            yield from _changes(old[key], new[key], (*path, key)) if key in old else [((*path, key), new[key])]
        yield from (((*path, key), _GONE) for key in old if key not in new)
    elif isinstance(old, list) and isinstance(new, list) and old and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _changes(before, after, (*path, index))
    elif old != new or type(old) is not type(new):
        yield path, new


def _changed(head: Head, key: Path, value: Any, path: str) -> str:
    """The file with one value put, added or taken away."""
    flow, node = False, head.root
    for depth, step in enumerate(key):
        flow, last = flow or node.flow, depth == len(key) - 1
        if node.kind == "list" and isinstance(step, int):
            if last:
                return head.edited([Edit(node.items[step].start, node.items[step].end, inline(value))])
            node = node.items[step]
            continue
        if node.kind != "map":
            raise by_hand(key, path)
        entry = node.entries.get(str(step))
        if entry is None:
            for inner in reversed(key[depth + 1 :]):
                value = {inner: value}
            return head.edited([_added(head, node, key[: depth + 1], value, flow)])
        if last:
            edits = [_removed(head, node, entry)] if value is _GONE else _replaced(head, entry, value, flow)
            return head.edited(edits)
        node = entry.value
    raise by_hand(key, path)


def _replaced(head: Head, entry: Entry, value: Any, flow: bool) -> list[Edit]:
    """``value`` in place of what stands behind the key; a comment on the key's line stays there."""
    old = entry.value
    if flow:
        return [Edit(old.start, old.end, (" " if old.start == old.end else "") + inline(value))]
    column = entry.start - head.line_start(entry.start)
    first, *rest = entry_lines("k", value, column)
    first, below = first[column + 2 :], "".join(f"\n{line}" for line in rest)
    stop = head.line_stop(entry.colon)
    end = old.start + len(head.yaml[old.start : old.end].rstrip("\n"))
    if old.start > stop:
        return [Edit(entry.colon, entry.colon, first), Edit(stop, end, below)]
    first = first if old.start == old.end else first.lstrip()
    if end > stop:
        return [Edit(old.start, end, first + below)]
    return [Edit(old.start, end, first), Edit(stop, stop, below)]


def _added(head: Head, parent: Node, key: Path, value: Any, flow: bool) -> Edit:
    """A new key behind those that the format lists before it."""
    name, known = str(key[-1]), known_keys(Frontmatter, key[:-1])
    rank = {listed: index for index, listed in enumerate(known)}
    before = [(rank.get(other, len(rank)), place) for place, other in enumerate(parent.entries)]
    before = [item for item in before if item[0] <= rank.get(name, len(rank))]
    above = list(parent.entries.values())[max(before)[1]] if before else None
    first = next(iter(parent.entries.values()), None)
    if flow or parent.flow:
        new = inline({name: value})[1:-1]
        if above is None or first is None:
            place = first.start if first else parent.end - 1
            return Edit(place, place, f"{new}, " if first else new)
        return Edit(above.value.end, above.value.end, f", {new}")
    if first is None:
        raise AssertionError("a map in block style has a key")
    column = first.start - head.line_start(first.start)
    lines = entry_lines(name, value, column)
    if above is not None:
        place = head.line_stop(max(above.colon, above.value.end - 1))
        return Edit(place, place, "".join(f"\n{line}" for line in lines))
    if head.yaml[head.line_start(first.start) : first.start].strip():
        return Edit(first.start, first.start, "\n".join(lines).lstrip() + "\n" + " " * column)
    place = comment_above(head, first.start)
    return Edit(place, place, "".join(f"{line}\n" for line in lines))


def _removed(head: Head, parent: Node, entry: Entry) -> Edit:
    """One key, which is not the only one of its map, with its value and the rest of its lines."""
    siblings = list(parent.entries.values())
    place = siblings.index(entry)
    if parent.flow:
        if place:
            return Edit(siblings[place - 1].value.end, entry.value.end, "")
        return Edit(entry.start, siblings[1].start, "")
    start = head.line_start(entry.start)
    if head.yaml[start : entry.start].strip():
        return Edit(entry.start, siblings[1].start, "")
    return Edit(start, head.line_stop(max(entry.colon, entry.value.end - 1)) + 1, "")
