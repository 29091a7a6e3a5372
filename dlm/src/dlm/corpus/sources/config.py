"""What a ``.dlm`` folder inside a source says: ``training.yaml`` and ``ignore``. Text to data; knows no disk.

A mistake is a finding at its own line, never a warning: a file of rules that is passed over would train what its writer
has left out.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...document.mapping import Path, Places, read_mapping
from .patterns import Includes, Patterns

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from ...document.findings import Report

FOLDER = ".dlm"
CONFIG = "training.yaml"
IGNORE = "ignore"
_EXAMPLE = "write lines such as `dlm_training_version: 1` and `exclude: [drafts/]`"


class TrainingConfig(BaseModel):
    """``.dlm/training.yaml``: rules for the folder it stands in and all below."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    dlm_training_version: Literal[1] = 1
    include: tuple[Annotated[str, Field(strict=True, min_length=1)], ...] = ()
    exclude: tuple[Annotated[str, Field(strict=True, min_length=1)], ...] = ()
    exclude_defaults: Annotated[bool, Field(strict=True)] = True
    metadata: dict[str, Annotated[str, Field(strict=True)]] = {}
    """Tags that every file below gets."""
    weights: dict[str, dict[str, Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]]] = {}
    """``{tag: {value: weight}}``."""


def read_config(text: str, report: Report) -> TrainingConfig | None:
    """The configuration that ``text`` is; ``None`` after at least one report."""
    if not any(_says_something(line) for line in text.split("\n")):
        report(1, 1, "this file says nothing", f"{_EXAMPLE}, or remove the file")
        return None
    noted: list[tuple[int, int, str, str]] = []

    def note(line: int, col: int, what: str, fix: str) -> None:
        noted.append((line, col, what, fix))
        report(line, col, what, fix)

    found = read_mapping(text, 1, lambda *finding: noted.append(finding))
    for line, col, what, fix in noted:
        # What is no YAML at all comes with advice for the frontmatter of a document.
        report(line, col, what, fix if found else _EXAMPLE)
    if found is None:
        return None
    data, places = found
    try:
        config = TrainingConfig.model_validate(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _explain(detail, data, places, note)
        return None
    for key, patterns in (("include", config.include), ("exclude", config.exclude)):
        for index, what, fix in pattern_mistakes(patterns):
            note(*places.place((key, index)).value, what, fix)
    return None if noted else config


def read_ignore(text: str, report: Report) -> Patterns:
    """The rules that ``text`` is; lines that match nothing are reported."""
    patterns = Patterns(text.split("\n"))
    for index, written in patterns.bad:
        report(index + 1, 1, *_bad_pattern(written))
    return patterns


def pattern_mistakes(patterns: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Index, what and fix of every one of ``patterns`` that can match nothing."""
    for index, written in enumerate(patterns):
        if not written.strip() or written.startswith("#"):
            yield index, *_bad_pattern(written)
    for index, written in Includes(patterns).bad:
        yield index, *_bad_pattern(written)


def _says_something(line: str) -> bool:
    return line.strip() not in ("", "---", "...") and not line.lstrip().startswith("#")


def _bad_pattern(written: str) -> tuple[str, str]:
    what = f"the pattern `{written}` can match nothing"
    return what, "correct it (the rules are those of .gitignore), or remove it"


def _explain(detail: ErrorDetails, data: dict[str, Any], places: Places, report: Report) -> None:
    """One complaint of the model, at the key or the value that it is about."""
    path: Path = places.nearest(tuple(detail["loc"]))
    place, name = places.place(path), ".".join(map(str, path))
    if detail["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(path[-1]), TrainingConfig.model_fields, n=1)
        fix = f"did you mean `{close[0]}`? Otherwise remove it" if close else "remove it, or correct its spelling"
        report(*place.key, f"unknown key `{name}`", fix)
        return
    what = f"`{name}` is {_shown(data, path)}"
    if detail["type"] == "string_type":
        report(*place.value, what, f'it must be text: put it in quotes: "{place.raw}"' if place.raw else "write text")
    elif detail["type"] in ("dict_type", "tuple_type"):
        fix = "write a list such as [drafts/]" if detail["type"] == "tuple_type" else "write keys and values below it"
        report(*place.value, what, fix)
    else:
        report(*place.value, what, "it must be " + detail["msg"].removeprefix("Input should be "))


def _shown(data: Any, path: Path) -> str:
    for step in path:
        data = data[step]
    if isinstance(data, dict | list):
        return "a map" if isinstance(data, dict) else "a list"
    return "nothing" if data is None else str(data).lower() if isinstance(data, bool) else repr(data)
