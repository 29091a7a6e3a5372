"""What is scored, through which view, and what comes back. No numpy: these cross every seam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True)
class View:
    """One way to look at the model under test.

    ``null``, ``shuffled`` and ``placebo`` are the three kinds of null: adapters that were not taught what the real one
    was, each with something of the real one's size.
    """

    kind: Literal["base", "ft", "scaled", "null", "shuffled", "placebo"]
    scale: float = 1.0
    """``scaled``: factor on the adapter's update."""
    seed: int = 0
    """Which one of the nulls of this kind."""
    rank: float = 1.0
    """``null`` and ``shuffled``: the update has the norm of a random adapter of this many times the rank, that is the
    real one's times the square root of this."""
    adapter: str = ""
    """``placebo``: folder of the adapter. ``ft``: an adapter to look at instead of the suite's own."""

    @property
    def label(self) -> str:
        """``base``, ``ft``, ``scaled_0.50``, ``null_7``, ``null_7_rank2.00``, ``shuffled_7``, ``placebo_7`` or
        ``ft@folder``, as traces and reports name it. Not a key: two scales may share a label."""
        if self.kind == "scaled":
            return f"scaled_{self.scale:.2f}"
        if self.is_null:
            return f"{self.kind}_{self.seed}" + (f"_rank{self.rank:.2f}" if self.rank != 1.0 else "")
        return f"{self.kind}@{self.adapter.rstrip('/').rpartition('/')[2]}" if self.adapter else self.kind

    @property
    def is_null(self) -> bool:
        """Whether this is a null adapter of any kind."""
        return self.kind in ("null", "shuffled", "placebo")


BASE = View("base")
FT = View("ft")


class Item(NamedTuple):
    """One thing to score: the unit of inference.

    With a ``reference`` every token of it is a scored position (teacher forcing, the end-of-answer token included for
    chat prompts); without, only the first token after the prompt is.
    """

    prompt: str
    reference: str = ""
    group: str = ""
    """Items about the same section share a group; intervals are cluster-robust over groups."""
    before: tuple[tuple[str, str], ...] = ()
    """Earlier turns of the conversation, oldest first, each a role (``user`` or ``assistant``) and its text."""
    system: str | None = None
    """System message of this item instead of the suite's ``defaults.system_prompt``."""
    plain: bool = False
    """No chat template: the model continues the prompt's text as it stands, and the reference has no end token. The
    suite's system prompt does not apply."""


class Divergences(NamedTuple):
    """Four of :class:`Comparison`'s numbers, at one end of an interval."""

    kl: float
    reverse_kl: float
    js: float
    tv: float


class Comparison(NamedTuple):
    """View against base on one item, in nats, means over the item's scored positions.

    ``kl`` is KL(view || base), ``reverse_kl`` KL(base || view), both over the whole vocabulary.
    """

    positions: int
    kl: float
    reverse_kl: float
    js: float
    tv: float
    top1_agreement: float
    base_logprob: float
    """Sum over the reference's tokens of log p under the base; 0.0 without a reference."""
    view_logprob: float
    """The same under the view."""
    per_position: tuple[float, ...] = ()
    """KL(view || base) at each scored position, where it was asked for."""
    at_most: Divergences | None = None
    """Where a backend sees only a part of the distributions: the most that the divergences can be, those above being
    the least. Either KL may be infinite here. ``None``: they are exact."""


def at_most(one: Comparison) -> Comparison:
    """``one`` with its divergences as large as they can be."""
    return one if one.at_most is None else one._replace(**one.at_most._asdict(), at_most=None)


class TextLogprob(NamedTuple):
    """How likely one model finds a whole text."""

    tokens: int
    """Tokens that were scored. The first token of a text is not, unless this tokenizer puts one of its own before."""
    logprob: float
    """Sum of their log-probabilities, each given all that is before it, in nats."""


class TextScore(NamedTuple):
    """A whole text, token by token, under the base and a view."""

    tokens: int
    """Tokens that were scored; see :attr:`TextLogprob.tokens`."""
    base_logprob: float
    """Sum over them of log p under the base, in nats."""
    view_logprob: float
    """The same under the view."""


class Answer(NamedTuple):
    """What a model wrote."""

    text: str
    """Without special tokens and outer white space."""
    ids: tuple[int, ...]
    """The new tokens, without the one that ends an answer."""
    ended: bool
    """The model ended its answer by itself, before the limit."""

    @property
    def tokens(self) -> int:
        """How many tokens it wrote."""
        return len(self.ids)


@dataclass(frozen=True)
class ModuleUpdate:
    """One adapted module."""

    name: str
    rank: int
    update_norm: float
    """Frobenius norm of the update that is added to the weight."""
    weight_norm: float
    stable_rank: float
    """(Frobenius norm / spectral norm) squared of the update; 0.0 when the update is zero."""
    non_finite: int
    """Values that are NaN or infinite."""


@dataclass(frozen=True)
class AdapterInspection:
    """What an adapter file holds, against the base it is put on. Made without a forward pass."""

    peft_type: str
    tensors: int
    matched: int
    unexpected: tuple[str, ...]
    """Keys of the file that match no module."""
    missing: tuple[str, ...]
    """Adapter parameters of the model that the file does not hold."""
    mismatched: tuple[str, ...]
    """Keys whose shape differs."""
    modules: tuple[ModuleUpdate, ...]
    declared_base: str | None
    """``base_model_name_or_path`` of adapter_config.json."""
    declared_revision: str | None
    declared_digest: str | None
    """Digest of the base it was trained on, where the trainer wrote one."""
    base_digest: str | None
    """Digest of the base it is put on, where known."""
    extra_saved: tuple[str, ...]
    """Modules saved in full (``modules_to_save``)."""
    tokenizer_tokens: int
    embedding_rows: int
