"""A name and what is said of it, within 80 columns."""

from __future__ import annotations

from .visible import in_a_line

COLUMNS = 80


def row(name: str, text: str, width: int = 10) -> str:
    """``name`` and ``text`` in columns. Sentences go on below themselves; what has to stay in one piece to be copied,
    as a digest does, stands on a line of its own where it would not fit beside the name."""
    shown = in_a_line(text)
    head = f"  {name:<{width}} "
    if len(head) + len(shown) <= COLUMNS:
        return head + shown
    if " " not in shown:
        return f"  {name}\n    {shown}"
    import textwrap

    return textwrap.fill(
        shown,
        COLUMNS,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )
