"""The conversation template that a server is to use: the tokenizer's own, with the document's system prompt in it.

A version was trained with the document's system prompt in front of every conversation that had none. Whoever asks a
server sends no such prompt, so the template puts it there: the tokens then are those of training. Nothing here renders.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ..errors import ExportFailed, ExportRefused
from ..store.files import disk_errors

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE_FILE: Final = "chat-template.jinja"
_OWN = "chat_template.jinja"
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def own_template(folder: Path) -> str | None:
    """The template of the tokenizer in ``folder``: the file beside it, else what its configuration says; ``None`` for a
    tokenizer without one.

    Raises:
        ExportRefused: its files cannot be read, or it has several templates and none is the default.
    """
    file, config = folder / _OWN, folder / "tokenizer_config.json"
    try:
        if file.is_file():
            return file.read_text(encoding="utf-8")
        found = json.loads(config.read_bytes()).get("chat_template") if config.is_file() else None
    except (OSError, ValueError, AttributeError) as problem:
        raise ExportRefused(f"{folder}: the tokenizer's template cannot be read ({problem})") from problem
    if isinstance(found, list):
        found = _default_of(found, config)
    return found if isinstance(found, str) and found.strip() else None


def _default_of(several: list[object], config: Path) -> str:
    for one in several:
        if isinstance(one, dict) and one.get("name") == "default" and isinstance(one.get("template"), str):
            return str(one["template"])
    raise ExportRefused(f"{config}: names several conversation templates and none of them is called default")


def with_system_prompt(template: str, system_prompt: str | None) -> str:
    """``template``, which first puts ``system_prompt`` in front of a conversation that begins with no system message;
    unchanged for ``None``."""
    if system_prompt is None:
        return template
    quoted = "".join(_ESCAPES.get(letter, letter) for letter in system_prompt)
    return (
        "{%- if not messages or messages[0]['role'] != 'system' -%}"
        f"{{%- set messages = [{{'role': 'system', 'content': '{quoted}'}}] + messages -%}}"
        "{%- endif -%}"
        f"{template}"
    )


def require_template(folder: Path) -> str:
    """As :func:`own_template`, for a target that serves conversations.

    Raises:
        ExportRefused: as there, or there is none.
    """
    if (found := own_template(folder)) is None:
        raise ExportRefused(
            "this base's tokenizer has no conversation template, and a server would make one up that the version was "
            "not trained with: give --no-template and send whole texts to /v1/completions, or train on a base with one"
        )
    return found


def write_template(folder: Path, template: str) -> Path:
    """Write ``template`` as ``chat-template.jinja`` into ``folder``.

    Raises:
        ExportFailed: the disk is full or closed to us.
    """
    path = folder / TEMPLATE_FILE
    with disk_errors(path, ExportFailed):
        path.write_text(template, encoding="utf-8", newline="")
    return path
