"""Bytes of one file into text that can be learned, or the reason why not."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ...document.scan import normalise

Content = Literal["text", "binary", "encoding", "empty"]
LARGEST = 64 * 2**20
"""Bytes of a file that is taken when the document sets no ``max_bytes_per_file``."""
_SNIFF = 8192


class Looked(NamedTuple):
    """What a file holds, without the text itself."""

    content: Content
    digest: str = ""
    """SHA-256 of the text, in hex."""
    id: str = ""
    """Of the section that the file becomes."""
    bytes: int = 0
    words: int = 0


def text_of(data: bytes) -> tuple[Content, str]:
    """What ``data`` holds, and its text with LF line ends and without byte order mark."""
    if b"\0" in data[:_SNIFF]:
        return "binary", ""
    try:
        text = normalise(data.decode("utf-8"))
    except UnicodeDecodeError:
        return "encoding", ""
    if "\0" in text:
        return "binary", ""
    return ("text", text) if text.strip() else ("empty", "")
