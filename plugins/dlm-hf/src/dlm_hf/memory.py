"""What training takes in memory, from the base's shape and the plan: the arithmetic of this backend's own passes.

What autograd keeps for the backward pass was counted tensor by tensor on a Llama; other decoders keep much the same.
``dlm doctor DOC --measure`` compares the sum with a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from dlm.hardware.estimate import Estimate, Part
from dlm.hardware.shape import shape_of

from .quantising import bits_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import torch

    from dlm.hardware.shape import Shape
    from dlm.training.plan import Plan, Row

WIDTH = {"bf16": 2, "fp16": 2, "fp32": 4}
"""Bytes of a number."""
HEAP = 1.7
"""On a processor: bytes that the C library's heap grows by for each byte that a layer keeps. What is freed between two
kept tensors cannot be given back."""
CACHED = 1.1
"""The same of a GPU's caching allocator."""
LIBRARIES = {"cpu": 80_000_000, "cuda": 40_000_000}
"""Bytes of code, threads and workspaces that come with the first products."""
FULL = 4
"""Bytes of a number in fp32."""
OPTIMISER = 20
"""Bytes beside the parameter itself: fp32 weights, their gradient, two moments of Adam, the best weights so far."""
LOGITS = 12
"""Bytes beside the logits in the model's precision: fp32 logits, their log-probabilities, the gradient of those."""
ANCHOR_LOGITS = 8
"""Bytes more where the adapter is held to the base: the base's log-probabilities and the divergence's gradient."""


class Pass(NamedTuple):
    """Rows that go through the model at once."""

    tokens: int
    scored: int
    anchored: int
    """Scored positions where the adapter is held to the base."""


@dataclass(frozen=True)
class Arithmetic:
    """Bytes of a training of one base in one precision on one kind of device."""

    shape: Shape
    width: int
    rank: int
    adapter: int
    """Parameters."""
    eager: bool
    """Attention as plain products, which keep a table of all pairs of tokens."""
    processor: bool
    magnitudes: int = 0
    """Rows of all adapted layers, each with a size of its own: DoRA."""
    bits: float | None = None
    """Of a weight of a linear layer, where the base is quantised."""
    embedded: int = 0
    """Tokens whose embeddings the adapter holds."""

    @property
    def weights(self) -> int:
        """The base."""
        if self.bits is None:
            return self.shape.parameters * self.width
        linear = sum(one.rows * one.columns for one in self.shape.linears)
        return round(linear * self.bits / 8) + (self.shape.parameters - linear) * self.width

    @property
    def widened(self) -> int:
        """The largest quantised weight as a product sees it, and its other layout."""
        largest = max((one.rows * one.columns for one in self.shape.linears), default=0)
        return 0 if self.bits is None else 2 * self.width * largest

    @property
    def adapted(self) -> int:
        """The adapter and everything that is kept for each of its parameters; of magnitudes the norms as well."""
        plain = self.adapter + self.embedded * self.shape.hidden
        return plain * (2 * self.width + OPTIMISER) + self.magnitudes * (2 * FULL + OPTIMISER + 2 * FULL)

    @property
    def embedding(self) -> int:
        """The table of embeddings with the adapter's rows in place of its own, and its gradient."""
        return 2 * self.shape.vocabulary * self.shape.hidden * self.width if self.embedded else 0

    def kept(self, some: Pass) -> int:
        """What the layers keep for the backward pass, tables of attention aside."""
        shape, width = self.shape, self.width
        norms = 8 * shape.hidden + 8 + 2 * width * shape.hidden
        attention = width * 4 * shape.heads * shape.head_size
        middle = 4 * width * shape.intermediate
        each = norms + attention + middle + 7 * width * self.rank
        resized = width * some.tokens * self.magnitudes
        return round((shape.layers * some.tokens * each + resized) * (HEAP if self.processor else CACHED))

    def tables(self, some: Pass) -> int:
        """Attention's probabilities, in fp32 and in the model's precision, and those of one layer on their way back."""
        if not self.eager:
            return self.width * some.tokens**2
        each = 4 if self.width == 4 else 4 + self.width
        return self.shape.heads * some.tokens**2 * (self.shape.layers * each + 8 + self.width)

    def logits(self, some: Pass) -> int:
        """Logits over the vocabulary and their gradients."""
        own = 0 if self.width == 4 else self.width
        return self.shape.vocabulary * (some.scored * (LOGITS + own) + some.anchored * ANCHOR_LOGITS)

    def moving(self, some: Pass) -> int:
        """What a pass takes and gives back."""
        return self.kept(some) + self.tables(some) + self.logits(some) + self.widened + self.embedding


def estimate(folder: Path, plan: Plan, precision: str, device: str) -> Estimate | None:
    """What ``plan`` takes with the base in ``folder``; ``None`` when its files do not tell its shape."""
    shape = shape_of(folder)
    if shape is None or not plan.steps:
        return None
    sums = _arithmetic(shape, plan, precision, device)
    fullest = _together(plan, _fullest(plan, sums))
    alone = max((_together(plan, [row]) for step in plan.steps for row in step), key=sums.moving)
    fixed = sums.weights + sums.adapted + LIBRARIES["cpu" if sums.processor else "cuda"]
    parts = _parts(sums, fullest, precision)
    # Converting a base keeps its file in memory beside what it becomes.
    loading = sums.weights + sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    if sums.processor and (more := loading - sum(part.bytes for part in parts)) > 0:
        parts.append(Part("loading", more, "the base's files, while they are read"))
    least = max(fixed + sums.moving(alone), loading if sums.processor else 0)
    return Estimate(tuple(parts), least, plan.recipe.batch_rows, fullest.tokens, fullest.scored)


def rows_that_fit(folder: Path, plan: Plan, precision: str, free: int, processes: int = 1) -> int | None:
    """How many rows may share a pass on a processor with ``free`` bytes left once the base is loaded.

    ``None`` when all of a step fit, or when the base's files do not tell its shape. Of several ``processes`` the first
    has loaded the base; each of the others will load it too, and has a share of the step.
    """
    shape = shape_of(folder)
    if shape is None:
        return None
    sums = _arithmetic(shape, plan, precision, "cpu")
    each = (free - (processes - 1) * sums.weights) // processes
    most = -(-max((len(step) for step in plan.steps), default=0) // processes)
    rows = most
    while rows > 1 and sums.adapted + max(sums.moving(some) for some in _passes(plan, rows)) > each:
        rows //= 2
    return rows if rows < most else None


def _arithmetic(shape: Shape, plan: Plan, precision: str, device: str) -> Arithmetic:
    from .adapted import EAGER_TOKENS

    recipe = plan.recipe
    longest = max((sum(plan.rows[row].tokens for row in step) for step in plan.steps), default=0)
    return Arithmetic(
        shape=shape,
        width=WIDTH[precision],
        rank=recipe.rank,
        adapter=shape.adapted(recipe.rank, recipe.target_modules),
        magnitudes=shape.outputs(recipe.target_modules) if recipe.adapter == "dora" else 0,
        bits=bits_of(recipe.base_quantisation) if recipe.base_quantisation else None,
        embedded=len(recipe.embedded),
        eager=longest <= EAGER_TOKENS,
        processor=device != "cuda",
    )


def _parts(sums: Arithmetic, fullest: Pass, precision: str) -> list[Part]:
    shape = sums.shape
    counted = f"{shape.layers} layers, {fullest.tokens:,} tokens"
    held = precision if sums.bits is None else f"{precision}, linear layers in {sums.bits:.1f} bits"
    return [
        Part("base", sums.weights, f"{shape.parameters / 1e6:,.0f} million parameters in {held}"),
        Part("adapter", sums.adapted, f"{sums.adapter / 1e6:.1f} million parameters and their optimiser"),
        Part("layers", sums.kept(fullest), f"kept for the backward pass: {counted}"),
        Part("attention", sums.tables(fullest), f"{shape.heads} heads, {'plain' if sums.eager else 'fused'} products"),
        Part("logits", sums.logits(fullest), f"{fullest.scored:,} scored tokens of {shape.vocabulary:,} words each"),
        *([Part("widened", sums.widened, "the largest layer, for its product")] if sums.widened else []),
        *([Part("embeddings", sums.embedding, f"a table with {sums.embedded} rows anew")] if sums.embedded else []),
        Part("libraries", LIBRARIES["cpu" if sums.processor else "cuda"], "code, threads, workspaces"),
    ]


def _passes(plan: Plan, rows: int) -> Iterable[Pass]:
    """Of every step the fullest passes of ``rows`` rows that it could be split into."""
    for step in plan.steps:
        by_length = sorted(step, key=lambda row: (plan.rows[row].tokens, plan.rows[row].scored), reverse=True)
        by_score = sorted(step, key=lambda row: plan.rows[row].scored, reverse=True)
        yield _together(plan, by_length[:rows])
        yield _together(plan, by_score[:rows])


def _together(plan: Plan, rows: Sequence[int]) -> Pass:
    from .preferring import PASS_TOKENS

    chosen = [plan.rows[row] for row in rows]
    tokens, scored = sum(row.tokens for row in chosen), sum(row.scored for row in chosen)
    if plan.recipe.preferring is not None and tokens > PASS_TOKENS:
        # Pairs share passes of so many tokens, whatever the step holds.
        share = max(PASS_TOKENS, *(row.tokens for row in chosen)) / tokens
        tokens, scored = round(tokens * share), round(scored * share)
    return Pass(tokens, scored, sum(row.scored for row in chosen if _anchored(plan, row)))


def _anchored(plan: Plan, row: Row) -> bool:
    return row.record < len(plan.records) and plan.records[row.record].objective == "anchor"


def fullest_step(folder: Path, plan: Plan, precision: str, device: str) -> tuple[int, ...]:
    """The rows of the step that takes most, of a base whose shape is unknown those with the most tokens."""
    shape = shape_of(folder)
    if shape is None:
        return max(plan.steps, key=lambda step: _together(plan, step))
    return _fullest(plan, _arithmetic(shape, plan, precision, device))


def _fullest(plan: Plan, sums: Arithmetic) -> tuple[int, ...]:
    return max(plan.steps, key=lambda step: sums.moving(_together(plan, step)))


class Watch:
    """The fullest moment from now on. On a processor, since the process began: nothing before may have been fuller."""

    def __init__(self, device: torch.device) -> None:
        import torch

        self._cuda = device if device.type == "cuda" else None
        if self._cuda is not None:
            torch.cuda.reset_peak_memory_stats(self._cuda)
        self._before = 0 if self._cuda is not None else _resident()

    @property
    def what(self) -> str:
        """Of what it is the peak."""
        return "GPU memory" if self._cuda is not None else "resident memory"

    def peak(self) -> int:
        """Bytes beside what was held at the beginning."""
        import torch

        if self._cuda is not None:
            return int(torch.cuda.max_memory_reserved(self._cuda))
        return _most_resident() - self._before


def _resident() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


def _most_resident() -> int:
    """Bytes at the fullest moment of this process."""
    import sys

    import psutil

    if sys.platform == "win32":
        info: Any = psutil.Process().memory_info()
        return int(info.peak_wset)
    import resource

    # Linux counts kilobytes, macOS bytes.
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
