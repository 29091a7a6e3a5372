"""Forward passes and answers of a loaded model, one text at a time: its numbers never depend on any other text.

What every prompt of a template begins with, the system message mostly, is read once for all of them.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import mlx.core as mx

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    Pick = Callable[[mx.array], mx.array]

READ_AT_ONCE = 512
"""Tokens of a long prompt that are read in one pass."""
LOGIT_BYTES = 64 << 20
"""Of one pass; float32."""


class Completion(NamedTuple):
    """New tokens, without the one that ends an answer."""

    ids: list[int]
    ended: bool
    """The model ended its answer by itself."""


class Beginning(NamedTuple):
    """Tokens that many texts begin with, read once."""

    ids: tuple[int, ...]
    cache: Any


def read_beginning(model: Any, ids: Sequence[int]) -> Beginning:
    """``ids`` as ``model`` has read them; of no use once the model wears other updates."""
    cache = _cache(model)
    _read(model, ids, cache)
    return Beginning(tuple(ids), cache)


def logits_after(
    model: Any, ids: Sequence[int], start: int, vocabulary: int, known: Beginning | None = None
) -> Iterator[mx.array]:
    """Logits [K, V] float32 that predict ``ids[start:]``, in pieces small enough for the memory.

    What is before is read without making logits of it: MLX computes only what is asked for. What of it is ``known`` is
    not read again.
    """
    cache = _having_read(model, ids[: start - 1], known)
    step = max(1, LOGIT_BYTES // (4 * vocabulary))
    for at in range(start - 1, len(ids) - 1, step):
        piece = ids[at : min(at + step, len(ids) - 1)]
        yield model(mx.array([list(piece)]), cache=cache)[0].astype(mx.float32)


def logits_at_once(
    model: Any, ids: Sequence[int], start: int, tail: Sequence[int], vocabulary: int
) -> Iterator[mx.array]:
    """The same logits out of one pass over everything, with ``tail`` behind it, where no scored position looks; in
    several passes when the memory asks for it."""
    if 4 * vocabulary * (len(ids) + len(tail)) > LOGIT_BYTES:
        yield from logits_after(model, ids, start, vocabulary)
        return
    logits = model(mx.array([[*ids[:-1], *tail]]))[0, start - 1 : len(ids) - 1]
    yield logits.astype(mx.float32)


def complete(
    model: Any,
    prompt: Sequence[int],
    ends: Collection[int],
    limit: int,
    pick: Pick,
    known: Beginning | None = None,
) -> Completion:
    """At most ``limit`` new tokens; ``pick`` chooses one, as an array [1], from logits [1, V] in float32.

    The next pass is under way while the token before it is looked at.
    """
    cache = _having_read(model, prompt[:-1], known)

    def following(token: mx.array) -> mx.array:
        chosen = pick(model(token[None], cache=cache)[:, -1].astype(mx.float32))
        mx.async_eval(chosen)
        return chosen

    ids: list[int] = []
    token = following(mx.array(prompt[-1:]))
    while len(ids) < limit:
        upcoming = following(token) if len(ids) + 1 < limit else token
        found = int(token.item())
        if found in ends:
            return Completion(ids, ended=True)
        ids.append(found)
        token = upcoming
    return Completion(ids, ended=False)


def greedy(logits: mx.array) -> mx.array:
    """The most likely token."""
    return mx.argmax(logits, axis=-1)


def drawn(temperature: float, top_p: float, seed: int) -> Pick:
    """Tokens at random, from the most likely ones that together reach ``top_p``; the same again for the same seed."""
    keys = _Keys(seed)

    def pick(logits: mx.array) -> mx.array:
        logits = logits / temperature
        if top_p < 1:
            order = mx.argsort(-logits, axis=-1)
            likely = mx.take_along_axis(mx.softmax(logits, axis=-1), order, axis=-1)
            before = mx.cumsum(likely, axis=-1) - likely
            kept = mx.where(before < top_p, mx.take_along_axis(logits, order, axis=-1), -mx.inf)
            at = mx.random.categorical(kept, key=keys.next())
            return mx.take_along_axis(order, at[:, None], axis=-1)[:, 0]
        return mx.random.categorical(logits, key=keys.next())

    return pick


class _Keys:
    """A new random key for every token."""

    def __init__(self, seed: int) -> None:
        self._key = mx.random.key(seed)

    def next(self) -> mx.array:
        self._key, one = mx.random.split(self._key)
        return one


def _cache(model: Any) -> Any:
    from mlx_lm.models.cache import make_prompt_cache

    return make_prompt_cache(model)


def _having_read(model: Any, ids: Sequence[int], known: Beginning | None) -> Any:
    if known is None or tuple(ids[: len(known.ids)]) != known.ids:
        known = Beginning((), _cache(model))
    cache = copy.deepcopy(known.cache)
    _read(model, ids[len(known.ids) :], cache)
    return cache


def _read(model: Any, ids: Sequence[int], cache: Any) -> None:
    for at in range(0, len(ids), READ_AT_ONCE):
        model(mx.array([list(ids[at : at + READ_AT_ONCE])]), cache=cache)
        mx.eval([one.state for one in cache])
