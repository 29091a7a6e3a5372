"""Questions that a document's prose answers, made by rules of English grammar.

The answer is always the sentence itself, with its subject named. What is not surely understood is not asked about.
"""

from __future__ import annotations

from .block import ask, ask_all

__all__ = ["ask", "ask_all"]
