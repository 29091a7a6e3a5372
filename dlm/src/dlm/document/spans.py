"""Where every key and value of a frontmatter stands in its file, to the character.

Writers of single keys need it: they change the characters of one value and leave all the others alone, comments,
quotes and blanks included. :mod:`.mapping` reads the values; this says only where they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from .findings import Findings
from .identity import BLANKS
from .lines import Edit, line_end, splice, split_lines
from .mapping import read_mapping
from .scan import frame, normalise


@dataclass
class Node:
    """One value. Positions count characters of :attr:`Head.yaml`."""

    kind: Literal["map", "list", "scalar", "alias"]
    start: int
    """Of its first character; of the first key or dash when it is a map or list in block style."""
    end: int
    """Behind its last character. Comments and blank lines after it are outside."""
    flow: bool = False
    entries: dict[str, Entry] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)

    @property
    def block(self) -> bool:
        """Whether it is a map or list written on lines of its own rather than in brackets."""
        return self.kind in ("map", "list") and not self.flow


@dataclass
class Entry:
    """One key of a map with its value."""

    start: int
    """Of the key's first character, a quote included."""
    end: int
    """Behind the key's last character."""
    colon: int
    """Behind the colon."""
    value: Node


@dataclass(frozen=True)
class Head:
    """The frontmatter of a file, free of YAML mistakes."""

    text: str
    """The whole file."""
    yaml: str
    """The lines between its ``---`` lines, with LF line ends and no blanks before them."""
    data: dict[str, Any]
    root: Node
    _starts: tuple[int, ...] = field(repr=False)

    @property
    def eol(self) -> str:
        """The file's own line end."""
        return line_end(self.text)

    def at(self, position: int) -> int:
        """Where the character ``position`` of :attr:`yaml` stands in the file."""
        line = self.yaml.count("\n", 0, position)
        return self._starts[line + 1] + position - (self.yaml.rfind("\n", 0, position) + 1)

    def line_start(self, position: int) -> int:
        """First character of the line on which ``position`` is."""
        return self.yaml.rfind("\n", 0, position) + 1

    def line_stop(self, position: int) -> int:
        """Behind the last character of the line on which ``position`` is, its line end excluded."""
        return self.yaml.index("\n", position)

    def edited(self, edits: list[Edit]) -> str:
        """The file with ``edits``, which count characters of :attr:`yaml` and have LF line ends, made in it."""
        eol = self.eol
        moved = [Edit(self.at(edit.start), self.at(edit.end), edit.new.replace("\n", eol)) for edit in edits]
        return splice(self.text, moved)


def read_head(text: str, path: str = "<text>") -> Head:
    """The frontmatter of the file ``text``; ``path`` is what messages call it.

    Raises:
        DocumentError: there is none, or it is no YAML.
    """
    findings = Findings(path)
    framed = frame(normalise(text), findings.report)
    found = None if framed.frontmatter is None else read_mapping(framed.frontmatter, 2, findings.report)
    findings.raise_if_any()
    if framed.frontmatter is None or found is None:
        raise AssertionError("a frontmatter without a finding is a mapping")
    starts = [0]
    for line in split_lines(text):
        starts.append(starts[-1] + len(line))
    return Head(text, framed.frontmatter, found[0], _root(framed.frontmatter), tuple(starts))


def _root(text: str) -> Node:
    from ruamel.yaml import YAML
    from ruamel.yaml.events import DocumentStartEvent, StreamStartEvent

    events = YAML(typ="safe", pure=True).parse(text)
    started = (event for event in events if not isinstance(event, StreamStartEvent | DocumentStartEvent))
    return _Walk(text, started).node(next(started))


class _Walk:
    """Builds nodes from the parser's events. The depth is bounded: :func:`read_mapping` has seen the text before."""

    def __init__(self, text: str, events: Iterator[Any]) -> None:
        self._text = text
        self._events = events

    def node(self, event: Any) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        kind = type(event).__name__
        if kind == "MappingStartEvent":
            return self._map(event, start)
        if kind == "SequenceStartEvent":
            return self._list(event, start)
        if kind == "AliasEvent":
            return Node("alias", start, end)
        if event.style in ("|", ">") and "+" not in self._text[start : self._text.find("\n", start)]:
            end = start + len(self._text[start:end].rstrip("\n"))
        return Node("scalar", start, end)

    def _map(self, event: Any, start: int) -> Node:
        node = Node("map", start, start, bool(event.flow_style))
        while type(key := next(self._events)).__name__ != "MappingEndEvent":
            name, value = getattr(key, "value", ""), self.node(next(self._events))
            key_end = key.end_mark.index
            colon = self._text.find(":", key_end) + 1
            if value.start == value.end:
                value.start = value.end = colon or key_end
            node.entries[name] = Entry(key.start_mark.index, key_end, colon, value)
        return self._closed(node, key, [(entry.start, entry.value.end) for entry in node.entries.values()])

    def _list(self, event: Any, start: int) -> Node:
        node = Node("list", start, start, bool(event.flow_style))
        while type(item := next(self._events)).__name__ != "SequenceEndEvent":
            node.items.append(self.node(item))
        return self._closed(node, item, [(start, value.end) for value in node.items])

    def _closed(self, node: Node, last: Any, parts: list[tuple[int, int]]) -> Node:
        if node.flow or not parts:
            node.end = last.end_mark.index
        else:
            node.start, node.end = parts[0][0], max(node.start, *(end for _, end in parts))
        return node


def comment_above(head: Head, position: int) -> int:
    """Start of the comment lines that stand right above the line of ``position``, or of that line itself."""
    start = head.line_start(position)
    while start and head.yaml[head.line_start(start - 1) : start].strip(BLANKS + "\n").startswith("#"):
        start = head.line_start(start - 1)
    return start
