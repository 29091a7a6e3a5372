"""A backend whose every number is known: a table of logits, and an update that is planted or random."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from ..scoring.backend import Backend
from ..scoring.types import AdapterInspection, Comparison, Item, ModuleUpdate, View

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..probes.base import ProbeContext
    from ..suite.target import ModelPair

    Array = NDArray[np.float64]

GIVES: Final = frozenset({"compare", "generate", "inspect", "null", "scale"})
END: Final = 0
"""Token that ends an answer. A word is one of the other tokens, by its checksum."""
_ROWS: Final = 1024


class ClosedForm(Backend):
    """A model that is a table: the logits after token ``t`` of an answer to a prompt are one row of it.

    The row is chosen by the checksum of the prompt and ``t``; the base's table is ``base_scale`` times a fixed draw of
    normal numbers. The adapter adds a table of the same shape, with Frobenius norm ``size``:

    * ``planted`` raises the reference's own token at every position of ``taught``, and nothing else: it learned;
    * ``random`` points anywhere: it moves a little everywhere and learned nothing.

    Null views are random tables of the same norm, so an adapter made with ``random`` is exchangeable with them.
    ``size=0`` is an adapter that training did not move. Divergences are computed in float64 over the whole
    vocabulary; in another layout than 0, logits get a deterministic jitter of about ``jitter``.

    For example, a model that learned one answer, and one that has the same size and learned nothing::

        item = Item("Who owns it?", "The Soundings team.")
        learned = ClosedForm(taught=[item], size=6.0)
        moved = ClosedForm(direction="random", seed=3, size=6.0)
    """

    def __init__(
        self,
        models: ModelPair | None = None,
        defaults: Any = None,
        *,
        taught: Sequence[Item] = (),
        size: float = 0.0,
        direction: Literal["planted", "random"] = "planted",
        seed: int = 0,
        vocabulary: int = 5,
        base_scale: float = 1.0,
        jitter: float = 0.0,
    ) -> None:
        self.models = models  # type: ignore[assignment]
        self.defaults = defaults
        self.vocabulary = vocabulary
        self.size = size
        self.jitter = jitter
        self._shape = (_ROWS, vocabulary)
        self._base: Array = base_scale * np.random.default_rng(0).standard_normal(self._shape)
        raw = self._planted(taught) if direction == "planted" else self._random(seed)
        self._update = self._sized(raw)

    def compare(self, items: Sequence[Item], view: View, *, layout: int = 0) -> list[Comparison]:
        """See :meth:`Backend.compare`."""
        update = self._table(view)
        return [self._one(item, update, layout) for item in items]

    def generate(self, prompts: Sequence[str], view: View, *, max_new_tokens: int) -> list[str]:
        """The most likely token at each position, as ``w1``, ``w2``, ... until the end token."""
        table = self._base + self._table(view)
        answers = []
        for prompt in prompts:
            tokens = [int(table[self._row(prompt, at)].argmax()) for at in range(max_new_tokens)]
            stop = tokens.index(END) if END in tokens else len(tokens)
            answers.append(" ".join(f"w{token}" for token in tokens[:stop]))
        return answers

    def inspect(self) -> AdapterInspection:
        """One module, called ``table``."""
        return self._inspection(self._update)

    def inspect_null(self, seed: int) -> AdapterInspection:
        """The same module under a null adapter."""
        return self._inspection(self._table(View("null", seed=seed)))

    def describe(self) -> dict[str, object]:
        """JSON data: what kind of table this is."""
        return {"backend": "closed_form", "vocabulary": self.vocabulary, "size": self.size}

    def tokens(self, reference: str) -> list[int]:
        """Token ids of a reference answer, the end token included; empty without one."""
        words = reference.split()
        return [*(1 + _checksum(word) % (self.vocabulary - 1) for word in words), END] if words else []

    def logits(self, prompt: str, position: int, view: View) -> Array:
        """Logits ``[vocabulary]`` after ``position`` answer tokens."""
        row = self._row(prompt, position)
        found: Array = self._base[row] + self._table(view)[row]
        return found

    def _one(self, item: Item, update: Array, layout: int) -> Comparison:
        targets = self.tokens(item.reference)
        rows = [self._row(item.prompt, at) for at in range(max(1, len(targets)))]
        base = _log_softmax(self._base[rows])
        view = _log_softmax(self._base[rows] + update[rows] + self._shake(rows, layout))
        p, q = np.exp(base), np.exp(view)
        middle = np.log((p + q) / 2)
        js = (p * (base - middle) + q * (view - middle)).sum(-1) / 2
        seen = range(len(targets))
        return Comparison(
            positions=len(rows),
            kl=float((q * (view - base)).sum(-1).mean()),
            reverse_kl=float((p * (base - view)).sum(-1).mean()),
            js=float(js.mean()),
            tv=float(np.abs(p - q).sum(-1).mean() / 2),
            top1_agreement=float((p.argmax(-1) == q.argmax(-1)).mean()),
            base_logprob=math.fsum(base[at, targets[at]] for at in seen),
            view_logprob=math.fsum(view[at, targets[at]] for at in seen),
        )

    def _table(self, view: View) -> Array:
        if view.kind == "base":
            return np.zeros(self._shape)
        if view.kind == "null":
            return self._sized(self._random(view.seed))
        return self._update * (view.scale if view.kind == "scaled" else 1.0)

    def _planted(self, taught: Sequence[Item]) -> Array:
        table = np.zeros(self._shape)
        for item in taught:
            for at, token in enumerate(self.tokens(item.reference)):
                table[self._row(item.prompt, at), token] = 1.0
        return table

    def _random(self, seed: int) -> Array:
        return np.random.default_rng([1, seed]).standard_normal(self._shape)

    def _sized(self, table: Array) -> Array:
        norm = float(np.linalg.norm(table))
        return table * (self.size / norm) if norm else table

    def _shake(self, rows: Sequence[int], layout: int) -> Array | float:
        if layout == 0 or self.jitter == 0.0:
            return 0.0
        return self.jitter * np.stack(
            [np.random.default_rng([2, layout, r]).standard_normal(self.vocabulary) for r in rows]
        )

    def _inspection(self, update: Array) -> AdapterInspection:
        norm, largest = float(np.linalg.norm(update)), float(np.linalg.norm(update, 2))
        weight = float(np.linalg.norm(self._base))
        bad = int((~np.isfinite(update)).sum())
        stable = (norm / largest) ** 2 if largest else 0.0
        return AdapterInspection(
            peft_type="TABLE",
            tensors=1,
            matched=1,
            unexpected=(),
            missing=(),
            mismatched=(),
            modules=(ModuleUpdate("table", self.vocabulary, norm, weight, stable, bad),),
            declared_base="closed-form",
            declared_revision=None,
            declared_digest="sha256:closed-form",
            base_digest="sha256:closed-form",
            extra_saved=(),
            tokenizer_tokens=self.vocabulary,
            embedding_rows=self.vocabulary,
        )

    @staticmethod
    def _row(prompt: str, position: int) -> int:
        return _checksum(json.dumps([prompt, position])) % _ROWS


def context(backend: Backend, *, nulls: int = 39, seed: int = 0, alpha: float = 0.05) -> ProbeContext:
    """What the runner would give a probe on this backend, with ``nulls`` null adapters (0: not calibrated)."""
    from ..probes.base import ProbeContext
    from ..probes.null_adapter import NullPlan
    from ..scoring.session import Session
    from ..spec.models import SuiteDefaults

    plan = NullPlan(runs=nulls) if nulls else None
    defaults = SuiteDefaults(seed=seed, alpha=alpha)
    return ProbeContext(Session(backend), seed=seed, alpha=alpha, nulls=plan, defaults=defaults)


def _log_softmax(logits: Array) -> Array:
    shifted = logits - logits.max(-1, keepdims=True)
    found: Array = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return found


def _checksum(text: str) -> int:
    # CRC32 is linear: its low bits hardly move when one character does, so the high ones choose.
    return (zlib.crc32(text.encode()) * 2654435761 % 2**32) >> 8
