"""What a scoring backend does for sway. Seams here; inside, a backend reads top to bottom."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ..spec.models import ModelSpec, SuiteDefaults
    from ..suite.target import ModelPair
    from .alone import OneModel
    from .remembering import Identity
    from .types import AdapterInspection, Answer, Comparison, Item, TextLogprob, View


class Backend(ABC):
    """A base model and its fine-tuned version, scored side by side.

    Made with the models to load and the suite's defaults (template, system prompt, seed); loads nothing until the
    first call. All methods are deterministic.

    A complete backend::

        class Constant(Backend):
            def compare(self, items, view, *, layout=0, per_position=False):
                return [Comparison(1, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0) for _ in items]

            def describe(self):
                return {"backend": "constant"}
    """

    def __init__(self, models: ModelPair, defaults: SuiteDefaults) -> None:
        self.models = models
        self.defaults = defaults

    @abstractmethod
    def compare(
        self, items: Sequence[Item], view: View, *, layout: int = 0, per_position: bool = False
    ) -> list[Comparison]:
        """Compare ``view`` with the base on every item, exactly, over the full vocabulary; or, where only a part of the
        distributions can be seen, with both ends of where each divergence lies (:attr:`Comparison.at_most`).

        ``layout`` only changes how items share batches (order, padding, packing). With ``view`` = base and another
        layout than 0 the result is the numeric noise floor: what "no change at all" looks like on this machine.
        ``per_position`` fills :attr:`Comparison.per_position`; the session passes it only when a probe asked.

        Raises:
            NotSupported: the view does not exist for this adapter.
            BackendError: the model cannot be loaded, or an item does not fit the context.
        """

    @classmethod
    def alone(cls, spec: ModelSpec, defaults: SuiteDefaults) -> OneModel:
        """One side of a suite whose other side is of another kind; loads nothing. A backend that has this says
        ``alone=True`` in its :class:`~dlm_sway.entries.BackendEntry`.

        Raises:
            TargetError: this backend reads models in pairs only.
        """
        from ..errors import TargetError

        raise TargetError(
            f"the backend {spec.kind} compares two models of its own kind only: name one kind under models.base and "
            "models.ft"
        )

    def inspect(self) -> AdapterInspection:
        """What the adapter holds, against the base it is put on.

        Raises:
            NotSupported: there is no adapter to inspect.
        """
        from ..errors import NotSupported

        raise NotSupported(f"{type(self).__name__} cannot inspect an adapter")

    def inspect_null(self, seed: int) -> AdapterInspection:
        """What the null adapter of this seed holds, so that its size can be checked against the real one.

        Raises:
            NotSupported: this backend makes no null adapters, or cannot look inside one.
        """
        from ..errors import NotSupported

        raise NotSupported(f"{type(self).__name__} cannot inspect a null adapter")

    def texts(self, texts: Sequence[str], view: View) -> list[TextLogprob]:
        """How likely ``view`` finds each whole text, token by token, without a chat template.

        A text longer than the context is read in windows that overlap by half; every token is scored once, in the
        first window that holds it.

        Raises:
            NotSupported: this backend scores no whole texts.
            BackendError: a text has no token to score.
        """
        from ..errors import NotSupported

        raise NotSupported(f"{type(self).__name__} cannot score whole texts")

    def generate(self, prompts: Sequence[Item], view: View, *, max_new_tokens: int) -> list[Answer]:
        """Greedy answers to the items' prompts; their references are not looked at."""
        from ..errors import NotSupported

        raise NotSupported(f"{type(self).__name__} cannot generate")

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text is, special tokens not counted.

        Raises:
            NotSupported: this backend cannot count tokens.
        """
        from ..errors import NotSupported

        raise NotSupported(f"{type(self).__name__} cannot count tokens")

    def identity(self, digest: Callable[[Path], str]) -> Identity | None:
        """What decides every number this backend gives, found without loading a model; ``None`` when that cannot be
        said, and then nothing is kept between runs.

        ``digest`` gives the SHA-256 of a file, remembered for as long as the file does not change.

        Raises:
            TargetError: the models are not there.
        """
        return None

    def adapter_identity(self, folder: Path, digest: Callable[[Path], str]) -> str | None:
        """What decides the numbers of another adapter, that of a view's :attr:`View.adapter`; as :meth:`identity`."""
        return None

    @abstractmethod
    def describe(self) -> dict[str, object]:
        """What was really loaded: digests, revision, dtype, device, template, library versions. JSON data."""

    def close(self) -> None:
        """Free the memory. Called once, last; nothing else is called afterwards."""
        return
