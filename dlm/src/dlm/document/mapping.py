"""YAML text to plain data, with the place of every key and value. Knows nothing of what the keys mean.

The node graph is walked here rather than by the library's constructor, so that every mistake is found with its place,
nothing but plain data can come out, and a value that is aliased a million times is still built once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .findings import Report

Path = tuple[str | int, ...]
_TAG = "tag:yaml.org,2002:"
_DEEPEST = 12
_LONGEST_NUMBER = 40


class Place(NamedTuple):
    """Where one key and its value stand in the file, counted from 1."""

    key: tuple[int, int]
    value: tuple[int, int]
    raw: str | None = None
    """The scalar as it was written; ``None`` for maps, lists and text in quotes."""


@dataclass
class Places:
    """Where each path of a mapping stands."""

    start: tuple[int, int] = (1, 1)
    _known: dict[Path, Place] = field(default_factory=dict)
    _written: dict[Path, Path] = field(default_factory=dict)

    def add(self, path: Path, place: Place) -> None:
        """Remember ``path``."""
        self._known[path] = place

    def __contains__(self, path: Path) -> bool:
        return path in self._known

    def nearest(self, path: Path) -> Path:
        """The longest beginning of ``path`` that is written in the file."""
        while path and path not in self._known:
            path = path[:-1]
        return path

    def place(self, path: Path) -> Place:
        """Where ``path`` stands, or what encloses it when it is not written."""
        return self._known.get(self.nearest(path), Place(self.start, self.start))

    def move(self, old: Path, new: Path) -> None:
        """Rename ``old`` and everything below it: a migrated key keeps the place where it was written."""
        for path in [path for path in self._known if path[: len(old)] == old]:
            moved = new + path[len(old) :]
            self._known[moved] = self._known.pop(path)
            self._written[moved] = self._written.pop(path, path)

    def written(self, path: Path) -> Path:
        """``path`` as the file has it: the one before all renaming."""
        return self._written.get(path, path)


def read_mapping(text: str, first_line: int, report: Report) -> tuple[dict[str, Any], Places] | None:
    """The mapping that ``text`` holds and where its keys stand; ``None`` when it is no mapping at all.

    ``first_line`` is the line of the file on which ``text`` begins. Every mistake goes to ``report``.
    """
    node = _compose(text, first_line, report)
    places = Places(start=(first_line, 1))
    if node is None:
        return None
    if getattr(node, "id", None) != "mapping":
        report(first_line, 1, "this is not a map of keys and values", "write lines such as `base_model: smollm2-135m`")
        return None
    data = _Walk(first_line, report, places).value(node, ())
    return data, places


def _compose(text: str, first_line: int, report: Report) -> Any:
    """The node graph, or ``None`` after a report."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    syntax = "correct the YAML, or begin again from what `dlm init new.dlm` writes"
    try:
        _check_depth(text)
        reader = YAML(typ="safe", pure=True)
        reader.composer.warn_double_anchors = False  # YAML lets an anchor be set again
        node = reader.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, col = _place(mark, text) if mark else (0, 1)
        what = " ".join(part for part in (error.context, error.problem) if part)
        report(first_line + line, col, f"not valid YAML: {what}", syntax)
    except ReaderError as error:
        before = text[: error.position].split("\n")
        report(first_line + len(before) - 1, len(before[-1]) + 1, "a character that YAML does not allow", "remove it")
    except _TooDeep as error:
        report(first_line + error.line, error.col, "nested too deeply", "no key of the frontmatter lies this deep")
    except ValueError as error:
        report(first_line, 1, f"not valid YAML: {error}", syntax)
    else:
        if node is None:
            fix = "write at least `dlm_id` and `base_model`; `dlm init new.dlm` writes both"
            report(first_line, 1, "the frontmatter is empty", fix)
        return node
    return None


def _place(mark: Any, text: str) -> tuple[int, int]:
    """Line from 0 and column from 1; what is missing at the end of ``text`` is missing on its last line."""
    seen = text.rstrip("\n")
    if mark.index > len(seen):
        return seen.count("\n"), len(seen) - seen.rfind("\n")
    return mark.line, mark.column + 1


class _TooDeep(Exception):
    """Line and column, from 0 and from 1, of the first map or list that lies deeper than any key."""

    def __init__(self, line: int, col: int) -> None:
        self.line, self.col = line, col


def _check_depth(text: str) -> None:
    """Refuse what would exhaust the stack, before anything that recurses sees it.

    Raises:
        _TooDeep: see there.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent

    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _DEEPEST:
            raise _TooDeep(event.start_mark.line, event.start_mark.column + 1)


class _Walk:
    """Builds plain data from nodes; each node once, however often it is aliased."""

    def __init__(self, first_line: int, report: Report, places: Places) -> None:
        self._first = first_line
        self._report = report
        self._places = places
        self._built: dict[int, Any] = {}

    def value(self, node: Any, path: Path) -> Any:
        if id(node) not in self._built:
            self._built[id(node)] = None
            self._built[id(node)] = getattr(self, "_" + node.id)(node, path)
        return self._built[id(node)]

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line, col = self._at(key_node)
            if key_node.id != "scalar":
                self._report(line, col, "a key that is not text", "write a plain word before the colon")
                continue
            key = key_node.value
            if key in found:
                first = self._places.place((*path, key)).key[0]
                self._report(line, col, f"`{key}` is written twice, first on line {first}", "keep one of the two")
                continue
            self._places.add((*path, key), Place((line, col), self._at(value_node), _raw(value_node)))
            found[key] = self.value(value_node, (*path, key))
        return found

    def _sequence(self, node: Any, path: Path) -> list[Any]:
        for index, item in enumerate(node.value):
            self._places.add((*path, index), Place(self._at(item), self._at(item), _raw(item)))
        return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]

    def _scalar(self, node: Any, path: Path) -> Any:
        try:
            node.value.encode()
            return _scalar(node.tag.removeprefix(_TAG), node.value)
        except UnicodeEncodeError:
            self._report(*self._at(node), "half of a surrogate pair", "write the character itself")
        except (ValueError, KeyError):
            fix = "write it in quotes if it is text, and leave the `!` tag out"
            self._report(*self._at(node), f"{node.value!r} cannot be read as {node.tag.removeprefix(_TAG)}", fix)
        return None

    def _at(self, node: Any) -> tuple[int, int]:
        return self._first + node.start_mark.line, node.start_mark.column + 1


def _raw(node: Any) -> str | None:
    plain = node.id == "scalar" and node.style is None
    return node.value if plain else None


def _scalar(tag: str, text: str) -> Any:
    """Plain data of one scalar. Dates stay text: no key of the frontmatter is a date.

    Raises:
        KeyError: a tag that is none of YAML's own.
        ValueError: the text does not fit its tag.
    """
    readers: dict[str, Callable[[str], Any]] = {
        "null": _null,
        "bool": _boolean,
        "int": _integer,
        "float": _number,
        "str": str,
        "timestamp": str,
    }
    return readers[tag](text)


def _null(_: str) -> None:
    return None


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _integer(text: str) -> int:
    digits = text.replace("_", "")
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError("no key of the frontmatter takes a number this long")
    return int(digits, 0) if digits.lstrip("+-")[:2] in ("0x", "0o", "0b") else int(digits)


def _number(text: str) -> float:
    return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan").lower())
