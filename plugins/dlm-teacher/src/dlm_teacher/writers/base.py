"""What the augmenter needs of a model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from ..prompts import Prompt


class Writer(ABC):
    """A model that writes. Use it in a ``with`` statement: leaving it frees the model."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """What tells this model from every other; names no secret. Loads no weights."""

    @abstractmethod
    def write(self, prompts: Sequence[Prompt], temperature: float) -> Generator[tuple[int, str], None, None]:
        """Each prompt's place in ``prompts`` with the reply, as replies arrive.

        A reply depends on its own prompt alone, never on what else is asked.

        Raises:
            TeacherFailed: the model cannot be loaded or reached.
        """

    def close(self) -> None:
        """Free what was loaded."""
        return

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
