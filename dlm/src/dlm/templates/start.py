"""From a template's name to a new document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._plugkit.errors import UnknownName
from ..errors import UsageProblem
from .model import Template

if TYPE_CHECKING:
    from .model import Meta

RENAMED = {
    "meeting-notes-summarizer": "meeting-notes",
    "changelog": "writing-partner",
    "tool-use-example": "shell-one-liner",
}
"""Names of other galleries, and what comes nearest here."""
_KEY = r"^{key}:[^\n]*$"


def find(name: str) -> Template:
    """The template ``name``.

    Raises:
        UsageProblem: nobody offers it; names those there are.
        PluginError: two plugins offer it, or one that cannot be imported.
    """
    from ..plugins import manager

    try:
        found = manager().resolve("dlm_templates", name)
    except UnknownName as problem:
        guess = _nearest(name, names())
        hint = f"did you mean `{guess}`? " if guess else ""
        raise UsageProblem(f"there is no template {name!r}: {hint}the templates are {', '.join(names())}") from problem
    if not isinstance(found, Template):
        raise UsageProblem(f"what {name!r} stands for is no Template: report this to the plugin's authors")
    return found


def names() -> list[str]:
    """Every template's name, sorted."""
    from ..plugins import manager

    return list(manager().offers("dlm_templates"))


def meta_of(name: str) -> Meta:
    """What is told about the template ``name``.

    Raises:
        UsageProblem: there is none, or its file names another.
        DocumentError: its file has mistakes.
    """
    meta = find(name).meta()
    if meta.name != name:
        raise UsageProblem(f"the template {name!r} calls itself {meta.name!r}: report this to the plugin's authors")
    return meta


def document_of(template: Template, base: str) -> str:
    """The text of a new document: the template's, with an id of its own and ``base``; nothing else is changed.

    Raises:
        DocumentError: the template is no document.
        UsageProblem: its frontmatter has no line of its own for ``dlm_id`` or ``base_model``.
    """
    from ..document.read import parse
    from ..document.starter import scalar
    from ..document.ulid import new_ulid

    dlm_id, text = new_ulid(), template.text()
    parse(text, f"{template.path}.dlm")
    for key, value in (("dlm_id", dlm_id), ("base_model", scalar(base))):
        text = _with_line(text, key, value)
    made = parse(text, f"{template.path}.dlm").frontmatter
    if (made.dlm_id, made.base_model) != (dlm_id, base):
        raise UsageProblem(
            f"the template {template.path}.dlm writes its keys in an unusual way: report it to its authors"
        )
    return text


def _with_line(text: str, key: str, value: str) -> str:
    line = re.compile(_KEY.format(key=key), re.MULTILINE)
    # A function, so that a backslash in the value stays one.
    return line.sub(lambda _: f"{key}: {value}", text, count=1)


def _nearest(name: str, known: list[str]) -> str | None:
    import difflib

    if RENAMED.get(name) in known:
        return RENAMED[name]
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.5)), None)
