"""What goes from the store with text that was deleted or edited away: everything that was made of it but versions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..corpus.replay import Change
    from ..store.layout import Layout


def let_go(layout: Layout, change: Change, run_id: int, began: float, say: Callable[[str], None]) -> dict[str, str]:
    """Remove what is kept of text that was deleted or edited away, now or while runs failed. Hold the lock.

    What could not be removed is said, and the rest is removed all the same. Gives back what the base answered to
    earlier reports, when that was taken off the disk.
    """
    from ..store import base_answers
    from ..store.tokens import retain
    from ..store.version import drop_reports
    from .augmenting import prune_augmented

    gone = bool(change.removed or change.edited)
    # Anchors belong to no section.
    living = {"", *(entry.id for entry in change.ledger.entries)}
    taken: dict[str, str] = {}
    work: list[Callable[[], object]] = [partial(retain, layout.tokens, living, run_id, let_go=gone)]
    if gone:
        work += [
            partial(prune_augmented, layout.augmented, began),
            partial(drop_reports, layout),
            lambda: taken.update(base_answers.take(layout.base_answers)),
        ]
    for part in work:
        try:
            part()
        except StoreError as problem:
            say(f"what was made of deleted text may still be in the store: {problem}")
    return taken
