"""pydantic's complaints in the words of someone who writes YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, get_args

from .._plugkit.errors import UnknownName
from .source import kind_of

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

    from .._plugkit.errors import PluginError
    from ..errors import Fault
    from .source import Place, Source

_WANTED: Final = {
    "string": ("text", "put it in quotes"),
    "int": ("a whole number", "write a whole number"),
    "float": ("a number", "write a number"),
    "bool": ("true or false", "write true or false"),
    "list": ("a list", "write a list: [..] or one item a line after `- `"),
    "tuple": ("a list", "write a list: [..] or one item a line after `- `"),
    "dict": ("a mapping", "write `key: value` lines, indented under the key"),
    "model": ("a mapping", "write `key: value` lines, indented under the key"),
    "path": ("a path", "write a path, in quotes"),
}
_LIMITS: Final = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "of at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "of at most"),
}


def faults(error: ValidationError, model: type[BaseModel], source: Source, at: Place = ()) -> list[Fault]:
    """Every complaint of ``error`` about the mapping at ``at``, with line, dotted path and what to write instead."""
    found = []
    for complaint in error.errors(include_url=False):
        place = (*at, *_in_file(complaint["loc"], source, at))
        what, fix = _words(dict(complaint), model)
        found.append(source.fault(place, what, fix))
    return found


def _in_file(loc: Sequence[str | int], source: Source, at: Place) -> Place:
    """``loc`` without the names pydantic adds for members of a union, which stand nowhere in the file."""
    node: Any = source.data
    for part in at:
        node = node[part]
    kept: list[str | int] = []
    for index, part in enumerate(loc):
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            if index == len(loc) - 1 and isinstance(node, dict) and isinstance(part, str):
                kept.append(part)  # a missing key: named, though it stands nowhere
            continue
        kept.append(part)
    return tuple(kept)


def _words(complaint: dict[str, Any], model: type[BaseModel]) -> tuple[str, str]:
    kind, value, loc = complaint["type"], complaint["input"], complaint["loc"]
    if kind == "extra_forbidden":
        known = _keys_at(model, loc[:-1])
        return f"unknown key {loc[-1]!r}", suggestion(str(loc[-1]), known)
    if kind == "missing":
        return "required, but not there", f"add `{loc[-1]}: ...`"
    if kind == "literal_error":
        expected = complaint["ctx"]["expected"]
        return f"expected {expected}, got {kind_of(value)}", f"write {expected}"
    wanted = _WANTED.get(kind.split("_")[0])
    if wanted and kind.endswith(("_type", "_parsing", "_from_float")):
        fix = _as_text(value) if kind.startswith("string") else wanted[1]
        return f"expected {wanted[0]}, got {kind_of(value)}", fix
    message = complaint["msg"].removeprefix("Value error, ")
    return f"{message} (got {kind_of(value)})", _within(complaint) or _otherwise(loc, model)


def _as_text(value: object) -> str:
    """How to write as text what YAML took for something else."""
    if value is None:
        return 'an unquoted null or ~ is "nothing" in YAML: put the word in quotes, as in "null"'
    if isinstance(value, bool):
        return f'YAML reads a bare {str(value).lower()} as a boolean: put it in quotes, as in "{str(value).lower()}"'
    if isinstance(value, (list, tuple)):
        return "write one text, without [..] and without `- `"
    if isinstance(value, Mapping):
        return "write one text: where it holds `: `, put it in quotes"
    return "put it in quotes"


def _within(complaint: dict[str, Any]) -> str:
    """The limit that a number does not keep; empty for other complaints."""
    if complaint["type"] == "finite_number":
        return "write a number"
    for key, words in _LIMITS.items():
        if complaint["type"] == key:
            return f"write a number {words[1]} {complaint['ctx'][words[0]]:g}"
    return ""


def _otherwise(loc: Sequence[str | int], model: type[BaseModel]) -> str:
    """What may be done about a value that is wrong, where nothing more is known about it."""
    if not loc:
        return "change these keys so that they fit together"
    if isinstance(loc[-1], int):
        return "change this item, or remove it"
    holder = _model_at(model, loc[:-1])
    field = holder.model_fields.get(loc[-1]) if holder else None
    if field is None or field.is_required():
        return "change the value"
    return "change the value, or leave the key out for its default"


def unusable(error: PluginError, name: str, known: Sequence[str]) -> tuple[str, str]:
    """What is wrong with a name that plugins should offer, and what to do about it."""
    what, *rest = (line.strip() for line in str(error).splitlines())
    install = next((line for line in rest if line.startswith("install it: ")), None)
    notes = [line for line in rest if line != install]
    if not isinstance(error, UnknownName):
        return "; ".join([what, *notes]), "`sway plugins` shows what is installed"
    return "; ".join([what, *notes]), install or suggestion(name, known)


def suggestion(word: str, known: Sequence[str]) -> str:
    """``did you mean`` the nearest of ``known``, or all of them."""
    near = get_close_matches(word, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known here: {', '.join(sorted(known))}" if known else "remove it"


def _keys_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Keys that the model at ``loc`` inside ``model`` accepts; empty when it cannot be told."""
    holder = _model_at(model, loc)
    return list(holder.model_fields) if holder else []


def _model_at(model: type[BaseModel], loc: Sequence[str | int]) -> type[BaseModel] | None:
    """The model at ``loc`` inside ``model``, also where a list of it stands there; ``None`` when it cannot be told."""
    found: Any = model
    for part in loc:
        if isinstance(part, int):
            inner = next(iter(get_args(found)), None)
        else:
            field = found.model_fields.get(part) if _is_model(found) else None
            inner = field.annotation if field else None
        found = inner
    return found if _is_model(found) else None


def _is_model(found: object) -> bool:
    from pydantic import BaseModel

    return isinstance(found, type) and issubclass(found, BaseModel)
