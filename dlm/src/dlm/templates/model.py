"""A template: a document and what is told about it, as two files of an installed package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import DlmError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_LISTS = frozenset({"domain_tags", "sample_prompts"})


class Meta(NamedTuple):
    """What ``<name>.meta.yaml`` says; every key is required."""

    name: str
    title: str
    summary: str
    domain_tags: tuple[str, ...]
    recommended_base: str
    licence: str
    """SPDX identifier of the text's licence."""
    sample_prompts: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in self._asdict().items()}


@dataclass(frozen=True)
class Template:
    """``<path>.dlm`` and ``<path>.meta.yaml`` inside an importable package, read when somebody asks for them.

    Example::

        # acme/templates.py; the files are acme/documents/runbook.dlm and acme/documents/runbook.meta.yaml
        RUNBOOK = Template(package="acme", path="documents/runbook")
    """

    package: str
    path: str
    """Without an ending, parts separated by ``/``."""

    def text(self) -> str:
        """The document.

        Raises:
            DlmError: the file is missing from the package, or is no UTF-8 text.
        """
        return _read(self._file(".dlm"))

    def meta(self) -> Meta:
        """What is told about it.

        Raises:
            DlmError: the file is missing from the package.
            DocumentError: it is not as it should be; names every mistake.
        """
        file = self._file(".meta.yaml")
        return _meta(_read(file), str(file))

    def _file(self, ending: str) -> Traversable:
        from importlib.resources import files

        return files(self.package).joinpath(*f"{self.path}{ending}".split("/"))


def _read(file: Traversable) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise DlmError(
            f"the template file {file} cannot be read ({problem}): install its package again, or tell its authors"
        ) from problem


def _meta(text: str, location: str) -> Meta:
    from ..document.findings import Findings
    from ..document.mapping import read_mapping

    findings = Findings(location)
    found = read_mapping(text, 1, findings.report)
    data, places = found if found is not None else ({}, None)
    fix = f"a template's meta file holds {', '.join(Meta._fields)}"
    for key in data:
        if key not in Meta._fields and places is not None:
            findings.report(*places.place((key,)).key, f"unknown key `{key}`", fix)
    for key in Meta._fields:
        if key not in data:
            findings.report(1, 1, f"`{key}` is missing", fix)
        elif not _fits(key, data[key]) and places is not None:
            kind = "a list of texts" if key in _LISTS else "a text"
            findings.report(*places.place((key,)).value, f"`{key}` is not {kind}", f"write {kind}")
    findings.raise_if_any()
    values: dict[str, Any] = {key: tuple(value) if key in _LISTS else value for key, value in data.items()}
    return Meta(**values)


def _fits(key: str, value: object) -> bool:
    if key in _LISTS:
        return isinstance(value, list) and bool(value) and all(isinstance(item, str) and item for item in value)
    return isinstance(value, str) and bool(value)
