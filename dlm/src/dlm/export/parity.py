"""How far an exported model is from the trained one, position by position, and summed up with intervals.

Three distributions over the next token are compared at every position: ``tuned``, the adapter where it was trained;
``base``, the same without it; and ``exported``. Divergences are exact, over the whole vocabulary, in nats.

**Effect kept** is 1 - KL(tuned || exported) / KL(tuned || base), each summed over all positions: the share of what the
adapter changed that is still there. It is 1 for an export that is the trained model, 0 for one that is as far from it
as the base is, the base itself included, and negative for one that is farther. This is the R-squared of
Kullback-Leibler divergences [1], with the base in the place of the model that knows nothing. Noise that a coarser
format adds counts against it, as it does against whoever reads the answers.

**Strength** is how far an export goes along the adapter's direction: the slope of the regression of (log exported -
log base) on (log tuned - log base), under the probabilities of ``tuned``, over all positions. Along the path from the
base to the adapter by a factor on its updates it is near that factor. **Aside** is what is left of that regression: how
much the export moves in any other direction, over how much the adapter moves at all (variances). Neither passes a
judgement; they tell a lost or weak adapter, which moves nowhere else, from damaged weights, which do.

Intervals are 95% by a bootstrap over texts, since the positions of a text depend on each other [2].

1. A. C. Cameron, F. A. G. Windmeijer, An R-squared measure of goodness of fit for some common nonlinear regression
   models, Journal of Econometrics 77 (1997).
2. C. A. Field, A. H. Welsh, Bootstrapping clustered data, JRSS B 69 (2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROWS: Final = 64
"""Positions that are worked out at once: each takes some vectors as long as the vocabulary."""
DRAWS: Final = 1000
_VARIANCES: Final = ("along", "squared", "moved")
_FLOOR: Final = -1e4
"""Log-probabilities below are taken for this: a zero must not make a sum undefined."""


class Estimate(NamedTuple):
    """A number with its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Positions:
    """One text's positions; every field but the first is an array with one number for each."""

    part: str
    """Of what kind the text is."""
    exported: Any
    """KL(tuned || exported)."""
    base: Any
    """KL(tuned || base)."""
    agree: Any
    """Whether tuned and exported hold the same token for the likeliest."""
    along: Any
    """Covariance of both changes under tuned."""
    squared: Any
    """Variance of the adapter's change under tuned."""
    moved: Any
    """Variance of the export's change under tuned."""

    def __len__(self) -> int:
        return len(self.exported)


def compare(part: str, tuned: Any, base: Any | None, exported: Any) -> Positions:
    """What the positions of one text say; each argument is log-probabilities, ``[positions, vocabulary]``.

    Without ``base``, which costs a third of the work, nothing is said about the adapter's effect. A vocabulary that one
    side has filled up to a round number is compared as far as both go.
    """
    import numpy as np

    given = [one for one in (tuned, exported, base) if one is not None]
    width = min(one.shape[1] for one in given)
    rows = [
        _rows(*(np.maximum(one[at : at + ROWS, :width], _FLOOR) for one in given)) for at in range(0, len(tuned), ROWS)
    ]
    return Positions(part, *(np.concatenate(one) for one in zip(*rows, strict=True)))


def _rows(tuned: Any, exported: Any, base: Any | None = None) -> tuple[Any, ...]:
    import numpy as np

    probability = np.exp(tuned)
    agree = tuned.argmax(-1) == exported.argmax(-1)
    if base is None:
        nothing = np.zeros(len(tuned))
        return _sum(probability, tuned - exported), nothing, agree, nothing, nothing, nothing
    change, theirs = tuned - base, exported - base
    by_change, by_theirs = _sum(probability, change), _sum(probability, theirs)
    moved = _sum(probability * theirs, theirs) - by_theirs**2
    probability *= change
    along, squared = _sum(probability, theirs) - by_change * by_theirs, _sum(probability, change) - by_change**2
    return by_change - by_theirs, by_change, agree, along, squared, moved


def _sum(one: Any, other: Any) -> Any:
    """Of the products of each row."""
    import numpy as np

    return np.einsum("ij,ij->i", one, other).astype(np.float64)


def mean_divergence(texts: Sequence[Positions], seed: int) -> Estimate:
    """KL(tuned || exported), nats a position."""
    return _ratio(texts, lambda text: (text.exported.sum(), len(text)), seed, "divergence")


def agreement(texts: Sequence[Positions], seed: int) -> Estimate:
    """Share of positions with the same likeliest token."""
    return _ratio(texts, lambda text: (text.agree.sum(), len(text)), seed, "agreement")


def effect_kept(texts: Sequence[Positions], seed: int) -> Estimate:
    """See the head of this module."""
    return _ratio(texts, lambda text: ((text.base - text.exported).sum(), text.base.sum()), seed, "effect")


def strength(texts: Sequence[Positions], seed: int) -> Estimate:
    """See the head of this module."""
    return _ratio(texts, lambda text: (text.along.sum(), text.squared.sum()), seed, "strength")


def aside(texts: Sequence[Positions]) -> float:
    """See the head of this module."""
    along, squared, moved = (float(sum(getattr(text, name).sum() for text in texts)) for name in _VARIANCES)
    return (moved - along**2 / squared) / squared if squared else float("nan")


def effect_size(texts: Sequence[Positions]) -> float:
    """KL(tuned || base), nats a position: how much there is to keep."""
    return float(sum(text.base.sum() for text in texts) / max(1, sum(map(len, texts))))


def tail_divergence(texts: Sequence[Positions], seed: int, share: float = 0.99) -> Estimate:
    """The divergence that ``share`` of the positions do not exceed."""
    import numpy as np

    values = [np.asarray(text.exported) for text in texts]
    draws = [
        float(np.quantile(np.concatenate([values[index] for index in drawn]), share))
        for drawn in _draws(len(values), seed, "tail")[: DRAWS // 5]
    ]
    return Estimate(float(np.quantile(np.concatenate(values), share)), *_interval(draws))


def _ratio(
    texts: Sequence[Positions], terms: Callable[[Positions], tuple[float, float]], seed: int, purpose: str
) -> Estimate:
    """A sum over a sum, both over texts."""
    import numpy as np

    if not texts:
        return Estimate(float("nan"), float("nan"), float("nan"))
    above, below = np.array([terms(text) for text in texts], dtype=np.float64).T
    drawn = _draws(len(texts), seed, purpose)
    sums = below[drawn].sum(-1)
    ratios = above[drawn].sum(-1)[sums != 0] / sums[sums != 0]
    whole = float(below.sum())
    return Estimate(float(above.sum()) / whole if whole else float("nan"), *_interval(ratios))


def _draws(count: int, seed: int, purpose: str) -> Any:
    """Which texts each draw takes: the same for the same texts, seed and purpose."""
    import hashlib

    import numpy as np

    digest = hashlib.sha256(f"{seed}\ncertificate\n{purpose}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big")).integers(0, count, (DRAWS, count))


def _interval(draws: Any) -> tuple[float, float]:
    import numpy as np

    if len(draws) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)
