"""The conversation template of a base, and the token with which it lets an assistant stop."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dlm.errors import ExportRefused

from .tokenizer import CONTROL, USER_DEFINED

if TYPE_CHECKING:
    from jinja2.ext import Extension

    from .tokenizer import Vocabulary

_SAID = "0b8e5d"
"""What the assistant says in a conversation that is rendered to see what comes after it."""


def stop_of(template: str, vocabulary: Vocabulary) -> int:
    """The special token that follows what an assistant says.

    Raises:
        ExportRefused: the template cannot be rendered, or no special token follows: answers would not end.
    """
    text = _rendered(template, vocabulary)
    after = text.partition(_SAID)[2] if _SAID in text else ""
    found = [
        (after.index(token), -len(token), number)
        for number, token in enumerate(vocabulary.tokens)
        if vocabulary.kinds[number] in (CONTROL, USER_DEFINED) and token in after
    ]
    if not found:
        raise ExportRefused(
            "the base's conversation template ends an assistant's turn with no special token, so a served model would "
            "never stop: name a base with a template that does, or export the model for plain text with --no-template"
        )
    return min(found)[2]


def _rendered(template: str, vocabulary: Vocabulary) -> str:
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(message)

    names = {name: vocabulary.tokens[number] for name, number in vocabulary.special.items()}
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _generation()]
    )
    environment.globals |= {"raise_exception": refuse, "strftime_now": lambda form: ""}
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": _SAID},
        {"role": "user", "content": "Hello."},
    ]
    given: dict[str, Any] = {"tools": None, "documents": None}
    given |= {f"{name}_token": names.get(name, "") for name in ("bos", "eos", "unk", "pad")}
    try:
        return environment.from_string(template).render(messages=messages, add_generation_prompt=False, **given)
    except (TemplateError, TypeError) as problem:
        raise ExportRefused(
            f"the base's conversation template cannot be rendered ({problem}): export without it: --no-template"
        ) from problem


def _generation() -> type[Extension]:
    """Of templates for training: a block that marks what an assistant says, and writes it as it is."""
    from jinja2.ext import Extension

    class Generation(Extension):
        tags = {"generation"}  # noqa: RUF012

        def parse(self, parser: Any) -> Any:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    return Generation
