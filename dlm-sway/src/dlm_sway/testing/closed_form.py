"""A backend whose every number is known: a table of logits, and an update that is planted or random."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from ..errors import BackendError, NotSupported
from ..scoring.backend import Backend
from ..scoring.types import AdapterInspection, Answer, Comparison, Item, ModuleUpdate, TextLogprob, View

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..probes.base import ProbeContext
    from ..sections import SectionData
    from ..suite.target import ModelPair

    Array = NDArray[np.float64]

GIVES: Final = frozenset({"compare", "generate", "inspect", "null", "scale", "texts"})
END: Final = 0
"""Token that ends an answer. A word is one of the other tokens, by its checksum."""
_ROWS: Final = 1024


class ClosedForm(Backend):
    """A model that is a table: the logits after token ``t`` of an answer to a prompt are one row of it.

    The row is chosen by the checksum of the prompt (with the turns and the system message before it) and ``t``; in a
    whole text, by the checksum of the word before. The base's table is ``base_scale`` times a fixed draw of
    normal numbers. The adapter adds a table of the same shape, with Frobenius norm ``size``:

    * ``planted`` raises the reference's own token at every position of ``taught``, and each word of ``taught_texts``
      after the word before it, and nothing else: it learned;
    * ``random`` points anywhere: it moves a little everywhere and learned nothing.

    Null views are random tables of the same norm, so an adapter made with ``random`` is exchangeable with them;
    ``shuffled`` views have the update's own rows in another order.
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
        taught_texts: Sequence[str] = (),
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
        raw = self._planted(taught, taught_texts) if direction == "planted" else self._random(seed)
        self._update = self._sized(raw)

    def compare(
        self, items: Sequence[Item], view: View, *, layout: int = 0, per_position: bool = False
    ) -> list[Comparison]:
        """See :meth:`Backend.compare`."""
        update = self._table(view)
        return [self._one(item, update, layout, per_position) for item in items]

    def texts(self, texts: Sequence[str], view: View) -> list[TextLogprob]:
        """Each word but the first, given the word before it."""
        table = self._base + self._table(view)
        found = []
        for text in texts:
            steps = self._steps(text)
            if not steps:
                raise BackendError(f"{text!r} has no token to score")
            logprobs = _log_softmax(table[[row for row, _ in steps]])
            found.append(TextLogprob(len(steps), math.fsum(logprobs[at, token] for at, (_, token) in enumerate(steps))))
        return found

    def generate(self, prompts: Sequence[Item], view: View, *, max_new_tokens: int) -> list[Answer]:
        """The most likely token at each position, as ``w1``, ``w2``, ... until the end token."""
        table = self._base + self._table(view)
        answers = []
        for item in prompts:
            tokens = [int(table[self._row(item, at)].argmax()) for at in range(max_new_tokens)]
            stop = tokens.index(END) if END in tokens else len(tokens)
            text = " ".join(f"w{token}" for token in tokens[:stop])
            answers.append(Answer(text, tuple(tokens[:stop]), END in tokens))
        return answers

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words."""
        return [len(text.split()) for text in texts]

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
        row = self._row(Item(prompt), position)
        found: Array = self._base[row] + self._table(view)[row]
        return found

    def _one(self, item: Item, update: Array, layout: int, per_position: bool) -> Comparison:
        targets = self._targets(item)
        rows = [self._row(item, at) for at in range(max(1, len(targets)))]
        base = _log_softmax(self._base[rows])
        view = _log_softmax(self._base[rows] + update[rows] + self._shake(rows, layout))
        p, q = np.exp(base), np.exp(view)
        # Where both are equal their mean is either, to the last bit: equal models differ by exactly nothing.
        middle = np.where(base == view, base, np.log((p + q) / 2))
        js = (p * (base - middle) + q * (view - middle)).sum(-1) / 2
        kl = (q * (view - base)).sum(-1)
        seen = range(len(targets))
        return Comparison(
            positions=len(rows),
            kl=float(kl.mean()),
            reverse_kl=float((p * (base - view)).sum(-1).mean()),
            js=float(js.mean()),
            tv=float(np.abs(p - q).sum(-1).mean() / 2),
            top1_agreement=float((p.argmax(-1) == q.argmax(-1)).mean()),
            base_logprob=math.fsum(base[at, targets[at]] for at in seen),
            view_logprob=math.fsum(view[at, targets[at]] for at in seen),
            per_position=tuple(float(one) for one in kl) if per_position else (),
        )

    def _table(self, view: View) -> Array:
        if view.kind == "base":
            return np.zeros(self._shape)
        if view.kind == "null":
            return self._sized(self._random(view.seed)) * math.sqrt(view.rank)
        if view.kind == "shuffled":
            order = np.random.default_rng([3, view.seed]).permutation(_ROWS)
            return self._update[order] * math.sqrt(view.rank)
        if view.kind == "placebo" or view.adapter:
            raise NotSupported("a table loads no other adapters")
        return self._update * (view.scale if view.kind == "scaled" else 1.0)

    def _planted(self, taught: Sequence[Item], texts: Sequence[str]) -> Array:
        table = np.zeros(self._shape)
        for item in taught:
            for at, token in enumerate(self._targets(item)):
                table[self._row(item, at), token] = 1.0
        for row, token in (step for text in texts for step in self._steps(text)):
            table[row, token] = 1.0
        return table

    def _targets(self, item: Item) -> list[int]:
        tokens = self.tokens(item.reference)
        return tokens[:-1] if item.plain else tokens

    def _steps(self, text: str) -> list[tuple[int, int]]:
        """Row and token of each word of a text after its first."""
        words = text.split()
        tokens = self.tokens(text)[1:-1]
        return [(self._row(Item(word, plain=True), 0), token) for word, token in zip(words, tokens, strict=False)]

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
        norm, finite = float(np.linalg.norm(update)), np.isfinite(update)
        largest = float(np.linalg.norm(update, 2)) if finite.all() else math.nan
        weight = float(np.linalg.norm(self._base))
        bad = int((~finite).sum())
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
    def _row(item: Item, position: int) -> int:
        around = [item.before, item.system, item.plain]
        named = [item.prompt, position, *(around if around != [(), None, False] else ())]
        return _checksum(json.dumps(named)) % _ROWS


def context(
    backend: Backend,
    *,
    nulls: int = 39,
    seed: int = 0,
    alpha: float = 0.05,
    sections: Sequence[SectionData] | None = None,
) -> ProbeContext:
    """What the runner would give a probe on this backend, with ``nulls`` null adapters (0: not calibrated)."""
    from ..probes.base import ProbeContext
    from ..probes.null_adapter import NullPlan
    from ..scoring.session import Session
    from ..sections import doc_text
    from ..spec.models import SuiteDefaults

    plan = NullPlan(runs=nulls) if nulls else None
    defaults = SuiteDefaults(seed=seed, alpha=alpha)
    text = None if sections is None else doc_text(sections)
    return ProbeContext(
        Session(backend), seed=seed, alpha=alpha, nulls=plan, defaults=defaults, sections=sections, doc_text=text
    )


def _log_softmax(logits: Array) -> Array:
    shifted = logits - logits.max(-1, keepdims=True)
    found: Array = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return found


def _checksum(text: str) -> int:
    # CRC32 is linear: its low bits hardly move when one character does, so the high ones choose.
    return (zlib.crc32(text.encode()) * 2654435761 % 2**32) >> 8
