"""Raw mapping to :class:`~dlm.document.frontmatter.Frontmatter`, with every mistake at its own line and column."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from .fences import ADAPTER_RULE
from .frontmatter import Frontmatter
from .migrations import CURRENT, migrate

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from .findings import Report
    from .mapping import Path, Places

_MAY_BE_EMPTY = frozenset(
    {"precision", "adapters", "sources", "system_prompt"}
    | {"default_temperature", "default_top_p", "max_files", "max_bytes_per_file"}
)
_MISSING = {
    "dlm_id": "add the line that `dlm init new.dlm` writes for you",
    "base_model": "add a line such as `base_model: smollm2-135m`; `dlm base list` shows what there is",
}
_ONE_ADAPTER = {
    "adapter": "lora",
    "lora_r": 8,
    "lora_alpha": 16,
    "lora_dropout": 0.05,
    "target_modules": "auto",
    "learning_rate": 2e-4,
}
"""What version 4 allowed to stand beside ``training.adapters``: these keys, at what were their defaults."""


def validate(data: dict[str, Any], places: Places, report: Report) -> Frontmatter | None:
    """``data`` as the models see it; ``None`` after at least one report."""
    version = _version(data, places, report)
    if version is None:
        return None
    _undo_numbers(data, places)
    data = migrate(data, places, version)
    findings = list(_empty(data)) + list(_adapters(data))
    try:
        frontmatter = Frontmatter.model_validate(data)
    except ValueError as error:
        findings += _explained(error, data, places, {path for path, *_ in findings})
        frontmatter = None
    for path, at, what, fix in findings:
        place = places.place(path)
        report(*(place.key if at == "key" else place.value), what, fix)
    return None if findings else frontmatter


_Finding = tuple["Path", str, str, str]
"""Path, ``key`` or ``value``, what, fix."""


def _version(data: dict[str, Any], places: Places, report: Report) -> int | None:
    """The format version; absent means 1, which did not write one."""
    version = data.get("dlm_version", 1)
    place = places.place(("dlm_version",))
    if isinstance(version, bool) or not isinstance(version, int):
        report(*place.value, f"`dlm_version` must be a whole number, not {_shown(version)}", f"write {CURRENT}")
    elif version > CURRENT:
        fix = "upgrade dlm: pip install --upgrade dlm"
        report(*place.value, f"format version {version} is newer than this dlm, which reads 1 to {CURRENT}", fix)
    elif version < 1:
        report(*place.value, f"there is no format version {version}", f"write a number from 1 to {CURRENT}")
    else:
        return version
    return None


def _undo_numbers(data: dict[str, Any], places: Places) -> None:
    """A ULID of digits only, or one like ``01E1...``, looks like a number to YAML: take it as it was written."""
    raw = places.place(("dlm_id",)).raw if ("dlm_id",) in places else None
    if raw and isinstance(data.get("dlm_id"), int | float):
        data["dlm_id"] = raw


def _empty(data: Any, path: Path = ()) -> Iterator[_Finding]:
    """Keys with nothing behind the colon, where nothing has no meaning."""
    if isinstance(data, dict):
        for key, value in data.items():
            if value is None and key not in _MAY_BE_EMPTY:
                fix = "give it a value, or remove the line"
                yield (*path, key), "key", f"`{_dotted((*path, key))}` has no value", fix
            elif isinstance(value, dict):
                yield from _empty(value, (*path, key))


def _adapters(data: dict[str, Any]) -> Iterator[_Finding]:
    """Rules between ``training.adapters`` and its neighbours."""
    training = data.get("training")
    if not isinstance(training, dict):
        return
    adapters = training.get("adapters")
    if isinstance(adapters, dict):
        for key, old_default in _ONE_ADAPTER.items():
            if key in training and not _equal(training[key], old_default):
                what = f"`training.{key}` is set beside `training.adapters`"
                yield ("training", key), "key", what, "move it into each adapter that needs it"
    gate = training.get("gate")
    if (
        isinstance(gate, dict)
        and gate.get("enabled") is True
        and not (isinstance(adapters, dict) and len(adapters) > 1)
    ):
        fix = "name two or more under `training.adapters`, or remove the gate"
        yield ("training", "gate", "enabled"), "value", "a gate needs at least two adapters", fix


def _equal(value: Any, default: Any) -> bool:
    return value == default or (isinstance(value, str) and isinstance(default, float) and value == f"{default:g}")


def _explained(error: ValueError, data: dict[str, Any], places: Places, known: set[Path]) -> Iterator[_Finding]:
    """The models' complaints in words, one a place, without those that are already explained."""
    for detail in error.errors(include_url=False):  # type: ignore[attr-defined]
        path, at, what, fix = _explain(detail, data, places)
        if path not in known:
            known.add(path)
            yield path, at, what, fix


def _explain(detail: ErrorDetails, data: dict[str, Any], places: Places) -> _Finding:
    kind, path = detail["type"], tuple(detail["loc"])
    if kind == "missing":
        name = _dotted(path)
        return path, "key", f"`{name}` is missing", _MISSING.get(name, f"add `{path[-1]}`")
    path = places.nearest(path)
    name = _dotted(places.written(path))
    value = _shown(_lookup(data, path))
    if kind == "extra_forbidden":
        return path, "key", f"unknown key `{_short(name)}`", _spelling(path)
    if kind == "dlm":
        return path, "value", f"`{name}` is {value}, {detail['ctx']['what']}", detail["ctx"]["fix"]
    if kind == "string_type":
        raw = places.place(path).raw
        quotes = f'put it in quotes: "{raw}"' if raw else "write text"
        return path, "value", f"`{name}` must be text, and {value} is not", quotes
    if kind == "model_type":
        return path, "value", f"`{name}` is {value}", "it must be a map: keys and values on indented lines below it"
    if detail["loc"][-1:] == ("[key]",):
        return path, "key", f"`{name}` is no name for an adapter", f"it must be {ADAPTER_RULE}"
    return path, "value", f"`{name}` is {value}", _sentence(detail)


def _sentence(detail: ErrorDetails) -> str:
    if detail["type"] == "literal_error":
        return f"write one of {detail['ctx']['expected']}"
    if detail["type"] == "tuple_type":
        return "write a list, in brackets or one `- item` a line"
    rule = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return f"it must be {rule}" if detail["msg"].startswith("Input should be ") else rule


def _spelling(path: Path) -> str:
    close = difflib.get_close_matches(str(path[-1]), known_keys(Frontmatter, path[:-1]), n=1)
    return f"did you mean `{close[0]}`? Otherwise remove it" if close else "remove it, or correct its spelling"


def known_keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys of ``model`` that may stand below ``path``, in the order of the format."""
    inner: Any = model
    for step in path:
        fields = getattr(inner, "model_fields", None)
        inner = _model_in(fields[step].annotation if fields and step in fields else None) or inner
    return list(inner.model_fields)


def _model_in(annotation: Any) -> Any:
    """The model that an annotation such as ``dict[str, Model] | None`` is about."""
    if hasattr(annotation, "model_fields"):
        return annotation
    if get_origin(annotation) in (dict, tuple, list, Union, types.UnionType) or get_args(annotation):
        return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
    return None


def _lookup(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _dotted(path: Path) -> str:
    return ".".join(str(step) for step in path)


def _shown(value: Any) -> str:
    """``value`` as its writer knows it, short."""
    if isinstance(value, dict | list):
        return "a map" if isinstance(value, dict) else "a list"
    return _short("nothing" if value is None else str(value).lower() if isinstance(value, bool) else repr(value))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
