"""What Ollama makes of a conversation before its template sees it.

The model's own system prompt goes in front when the conversation brings none. Neighbours of one role are merged, a
blank line between them; the system messages are among ``.Messages`` and, joined, in ``.System`` as well. A template
that prints both prints them twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .gotemplate import Struct, execute, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlm.corpus.records import Message


def render(template: str, messages: Sequence[Message], system: str | None = None) -> str:
    """The prompt that Ollama's template engine gives the model, as text, up to where the assistant is to speak.

    Raises:
        TemplateFault: Go would not parse or run the template.
    """
    turns = [(message.role, message.content) for message in messages]
    if system is not None and (not turns or turns[0][0] != "system"):
        turns.insert(0, ("system", system))
    merged: list[Struct] = []
    for role, content in turns:
        if merged and merged[-1]["Role"] == role:
            merged[-1]["Content"] += f"\n\n{content}"
        else:
            merged.append(Struct(Role=role, Content=content))
    said = "\n\n".join(content for role, content in turns if role == "system")
    return execute(parse(template), {"System": said, "Messages": merged, "Response": ""})
