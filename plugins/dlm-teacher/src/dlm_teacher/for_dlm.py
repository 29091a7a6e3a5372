"""What dlm is offered: the augmenter named ``teacher``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import AugmenterEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dlm_augmenters() -> Iterator[AugmenterEntry]:
    yield AugmenterEntry(
        name="teacher",
        target="dlm_teacher.augmenter:Teacher",
        summary="A larger model writes questions about the text and paraphrases of questions.",
    )
