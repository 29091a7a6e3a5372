"""A suite file as plain data that remembers its lines. What the keys mean: :mod:`.models`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ..errors import Fault, SpecError

Place = tuple[str | int, ...]
"""Keys and indices from the top of the file, such as ``("suite", 2, "prompts")``."""

MAX_VALUES: Final = 100_000
"""More values than this is a file that multiplies itself through aliases."""


@dataclass(frozen=True)
class Source:
    """Where a suite came from: a file, or code (then ``folder`` is ``None`` and there are no lines)."""

    name: str
    data: Any
    folder: Path | None = None
    lines: Mapping[Place, int] = field(default_factory=dict)
    digest: str = ""
    """``sha256:...`` of the file's bytes, or of the suite's canonical JSON."""
    root: Path | None = None
    """Set for a suite of somebody else's: the only folder that its paths may lead into, and count from."""
    endpoints: frozenset[str] = frozenset()
    """Where ``root`` is set: addresses of servers that the suite may name, without a slash at their end."""

    def line(self, place: Place) -> int:
        """Line of ``place``, or of the nearest thing around it; 0 when there are no lines."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 0)

    def fault(self, place: Place, what: str, fix: str) -> Fault:
        """A mistake at ``place``, as ``file:line: dotted.path: what: fix``."""
        return Fault(self.name, self.line(place), self.dotted(place), what, fix)

    def dotted(self, place: Place) -> str:
        """``place`` as people write it, with the entry's name beside its number."""
        text = ""
        for index, part in enumerate(place):
            if isinstance(part, str):
                text += f".{part}" if text else part
                continue
            text += f"[{part}]"
            if index == 1 and place[0] == "suite" and (name := self._entry_name(part)):
                text += f" ({name})"
        return text or "the file"

    def _entry_name(self, index: int) -> str | None:
        entry = self.data["suite"][index]
        name = entry.get("name") if isinstance(entry, Mapping) else None
        return name if isinstance(name, str) else None


def read(path: Path) -> Source:
    """The YAML in ``path``.

    Raises:
        SpecError: it is missing, is not UTF-8, or is not one YAML mapping.
    """
    source = str(path)
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _unreadable(source, line, f"byte {error.start} is not UTF-8", "save the file as UTF-8") from error
    except OSError as error:
        raise _unreadable(source, 0, error.strerror or str(error), "check the path of the suite file") from error
    lines: dict[Place, int] = {}
    data = _plain(_parse(source, text), (), lines, iter(range(MAX_VALUES)), source)
    if not isinstance(data, dict):
        what = "the file is empty" if data is None else f"the top level is {kind_of(data)}, not a mapping"
        raise _unreadable(source, 1, what, "start with `version: 1`, then `models:` and `suite:`")
    digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    return Source(source, data, path.resolve().parent, lines, digest)


def kind_of(value: object) -> str:
    """What a YAML author would call ``value``."""
    if value is None:
        return "empty (YAML null)"
    if isinstance(value, bool):
        return f"the YAML boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value!r}"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    return f"a {type(value).__name__}"


def _unreadable(source: str, line: int, what: str, fix: str) -> SpecError:
    return SpecError([Fault(source, line, "the file", what, fix)])


def _parse(source: str, text: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        # Round-trip mode keeps line numbers; pure Python has no C parser to differ from machine to machine.
        return YAML(typ="rt", pure=True).load(text)
    except DuplicateKeyError as error:
        what = str(error.problem).split("\n")[0]
        raise _unreadable(source, _line_of(error), what, "keep one of the two keys") from error
    except MarkedYAMLError as error:
        what = f"not valid YAML: {error.problem or error.context}"
        raise _unreadable(source, _line_of(error), what, "check indentation, colons and quotes here") from error
    except (YAMLError, RecursionError, ValueError) as error:
        what = f"not valid YAML: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        raise _unreadable(source, 0, what, "save it as plain UTF-8 text") from error


def _line_of(error: Any) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark else 0


def _plain(value: Any, place: Place, lines: dict[Place, int], budget: Iterator[int], source: str) -> Any:
    """``value`` without ruamel's types; fills ``lines`` with where each key and item stands."""
    if next(budget, None) is None:
        raise _unreadable(source, 0, f"more than {MAX_VALUES:,} values", "write aliases out, or split the suite")
    positions = value.lc.data if hasattr(value, "lc") else {}
    if isinstance(value, Mapping):
        found = {}
        for key, item in value.items():
            here = (*place, str(key))
            lines[here] = positions[key][0] + 1 if key in positions else 0
            found[str(key)] = _plain(item, here, lines, budget, source)
        return found
    if isinstance(value, list):
        for index in range(len(value)):
            lines[(*place, index)] = positions[index][0] + 1 if index in positions else 0
        return [_plain(item, (*place, index), lines, budget, source) for index, item in enumerate(value)]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    """ruamel's annotated numbers and strings as Python's own."""
    for plain in (bool, int, float, str):
        if isinstance(value, plain):
            return plain(value)
    return value
