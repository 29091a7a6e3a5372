"""Whether two models cut texts into the same tokens: tried on texts, since files and servers only name their rules.

Words, numbers, white space, code, scripts, marks and addresses: what rules of cutting treat apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXTS: Final = (
    "The quick brown fox isn't LATE: it left at 17:30 on 2026-11-23.",
    "0 12 345 6789 1234567 3.14159 1,000,000 v2.41.7",
    "  two spaces,   three,\ttab\n\nnew lines\r\n \n  end  ",
    "def f(x: int) -> str:\n    return f'{x!r}'  # ~~~ $PATH && ./run.sh --flag=1 || exit 1",
    "Grüße, naïve café: Ελλάδα Привет мир שלום مرحبا 你好世界 こんにちは 한국어 ไทย हिन्दी",
    "🙂👍🏽 👩‍👩‍👧 ½ ² € … – — “quoted” ‘single’ «guillemets»",
    "WE'LL They'd I'M you'Re don't DON'T rock'n'roll über-long x == y_z()",
    "aaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbb.......... ---------- ====",
    "https://example.org/a/b?c=d&e=%20f#g user@example.org <b>&amp;</b>",
)
_AROUND: Final = 5


def first_difference(one: Sequence[Sequence[int]], other: Sequence[Sequence[int]]) -> str | None:
    """Where the tokens of :data:`TEXTS` differ first, for people; ``None`` when they are the same.

    ``one`` and ``other`` are the ids that two models make of each text. The words follow "from the other: ".
    """
    for text, mine, theirs in zip(TEXTS, one, other, strict=True):
        if list(mine) != list(theirs):
            alike = (at for at, pair in enumerate(zip(mine, theirs, strict=False)) if pair[0] != pair[1])
            at = next(alike, min(len(mine), len(theirs)))
            return (
                f"{text!r} becomes {_shown(mine, at)} and {_shown(theirs, at)} from its token {at + 1} on "
                f"({len(mine)} and {len(theirs)} tokens in all)"
            )
    return None


def _shown(ids: Sequence[int], at: int) -> str:
    return f"[{', '.join(map(str, ids[at : at + _AROUND]))}{', ...' if len(ids) > at + _AROUND else ''}]"
