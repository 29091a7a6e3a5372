"""Whether a line that a model wrote is safe to train on, and its clean form.

Nothing here asks whether it is true.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LONGEST_QUESTION = 300
"""Characters."""
SHORTEST = 5
_TEMPLATE = re.compile(
    r"<\|[^|\n]{0,40}\|?>|</?s>|\[/?(?:INST|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS)\]|<</?SYS>>"
    r"|</?(?:start|end)_of_turn>|</?think(?:ing)?>|<\|?(?:end|begin)[\w ▁]*\|?>|<(?:bos|eos|pad|unk)>"
    r"|(?m:^\s*(?:#{1,4}\s*)?(?:user|assistant|system|human|instruction|response)\s*:)",
    re.I,
)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,80}>|<!--")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*\)")
_ADDRESS = re.compile(r"\bhttps?://|\bwww\.", re.I)


def cleaned(text: str, near: str) -> str | None:
    """``text`` on one line without invisible characters and emphasis; ``None`` when it cannot be trained on.

    ``near`` is the document's own text beside it. Signs of chat templates never pass; HTML, addresses and scripts only
    when the document has them.
    """
    text = _visible(unicodedata.normalize("NFC", text), near)
    if _TEMPLATE.search(text):
        return None
    if _TAG.search(text) and not all(tag in near for tag in _TAG.findall(text)):
        return None
    if _ADDRESS.search(text) and not _ADDRESS.search(near):
        return None
    if not _LINK.search(near):
        text = _LINK.sub(r"\1", text)
    if not _EMPHASIS.search(near):
        text = _EMPHASIS.sub(r"\2", text)
    text = " ".join(text.split())
    if len(text) < SHORTEST or not scripts(text) <= scripts(near):
        return None
    return text


def cleaned_question(text: str, near: str) -> str | None:
    """As :func:`cleaned`, for a question: not too long, ended as one."""
    question = cleaned(text, near)
    if question is None or len(question) > LONGEST_QUESTION or question.endswith((":", "…", "...", ",")):
        return None
    return question


def scripts(text: str) -> frozenset[str]:
    """The writing systems of the letters in ``text``, by the first word of their Unicode names."""
    return frozenset(script for character in set(text) if (script := _script(character)))


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    if not character.isalpha():
        return ""
    name = unicodedata.name(character, "UNKNOWN").split()[0]
    # One written language mixes these.
    return "CJK" if name in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK") else name


def _visible(text: str, near: str) -> str:
    """Without control and format characters, but for the joiners that the document writes itself."""
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if character in "\t\n\r":
            kept.append(" ")
        elif category not in ("Cc", "Cf", "Cs", "Co", "Cn") or (category == "Cf" and character in near):
            kept.append(character)
    return "".join(kept)
