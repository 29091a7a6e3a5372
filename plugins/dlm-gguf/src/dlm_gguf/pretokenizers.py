"""How a tokenizer cuts text before it merges, told apart by its rules, and what llama.cpp calls the same cut.

llama.cpp has these rules in its program and knows them by name. A tokenizer that cuts in another way would give other
tokens, so it is refused.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENDINGS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_ENDINGS_SPELT = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_CL100K = _ENDINGS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + _REST
_QWEN2 = _ENDINGS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + _REST
_CASED = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ENDINGS"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*ENDINGS"
)
_CASED_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_O200K = _CASED.replace("ENDINGS", _ENDINGS + "?") + r"|\p{N}{1,3}" + _CASED_REST
_TEKKEN = _CASED.replace("ENDINGS", "") + r"|\p{N}" + _CASED_REST
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

_BY_REGEX = {_CL100K: "dbrx", _QWEN2: "qwen2", _O200K: "gpt-4o", _TEKKEN: "tekken", _GPT2: "gpt-2"}
_KEEPS_WORDS = {"dbrx": "llama-bpe", "tekken": "tekken"}
"""The same cut, where a word that is a token is not made of its merges (``ignore_merges``)."""
_NORMALISERS = ("", "NFC")
"""llama.cpp composes no characters. Text as people type it is composed, so NFC changes nothing there."""


def pretokenizer_of(tokenizer: Mapping[str, Any]) -> str | None:
    """llama.cpp's name for how ``tokenizer`` (a ``tokenizer.json``) cuts; ``None`` for a way that it does not know."""
    if _kind(tokenizer.get("normalizer")) not in _NORMALISERS:
        return None
    name = _by_steps(_steps(tokenizer.get("pre_tokenizer")))
    if name and bool(tokenizer["model"].get("ignore_merges")) != (name == "tekken"):
        return _KEEPS_WORDS.get(name) if tokenizer["model"].get("ignore_merges") else None
    return name


def _by_steps(steps: list[tuple[str, str]]) -> str | None:
    """By its steps, each a kind and what it depends on."""
    if steps == [("ByteLevel", "gpt2")]:
        return "gpt-2"
    if steps == [("Digits", "each"), ("ByteLevel", "gpt2")]:
        return "smollm"
    if len(steps) == 2 and steps[0][0] == "Split" and steps[1] == ("ByteLevel", ""):
        return _BY_REGEX.get(steps[0][1])
    return None


def _steps(found: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    if found is None:
        return []
    if found["type"] == "Sequence":
        return [step for one in found["pretokenizers"] for step in _steps(one)]
    return [(found["type"], _what(found))]


def _what(step: Mapping[str, Any]) -> str:
    """What a step depends on, in one word; a setting that changes the cut and is not known becomes part of it."""
    if step["type"] == "ByteLevel" and not step.get("add_prefix_space"):
        return "gpt2" if step.get("use_regex", True) else ""
    if step["type"] == "Digits" and step.get("individual_digits"):
        return "each"
    if step["type"] == "Split" and step.get("behavior") in ("Isolated", "Removed"):
        pattern = str(step.get("pattern", {}).get("Regex", ""))
        kept = step["behavior"] == "Isolated" and not step.get("invert")
        dropped = step["behavior"] == "Removed" and step.get("invert")
        if kept or dropped:
            return re.sub(re.escape(_ENDINGS_SPELT), lambda _: _ENDINGS, pattern)
    return json.dumps(step, sort_keys=True)


def _kind(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    if found["type"] == "Sequence":
        return "+".join(_kind(one) for one in found["normalizers"])
    return str(found["type"])
