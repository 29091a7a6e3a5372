"""Updates on the linear layers of a base in MLX, which can be changed and taken off again, and the proof that they act.

mlx-lm's own loader knows one rank and one scale, and no way back to the base; here each layer keeps its base and holds
any number of updates beside it. What LoRA adds to an output is ``(x @ down) @ up``, scale included in ``up``; DoRA adds
the difference between the base's output and one whose rows have the norms that were learned.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_unflatten

from .errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .adapter_file import Update

PROBE = 8
"""Tokens that show whether an adapter changes anything."""
TOLERANCE = 1e-5
"""Relative, of a norm in float32."""


class Factors(NamedTuple):
    """One update as it is applied."""

    down: mx.array
    """[in, r]"""
    up: mx.array
    """[r, out], times the scale."""
    ratio: mx.array | None = None
    """[out], DoRA's: the norm that a row shall have over the one it has with the update."""
    weight: float = 1.0
    """Of what DoRA adds."""

    def times(self, weight: float) -> Factors:
        """A share of this update."""
        if weight == 1:
            return self
        return self._replace(up=self.up * weight) if self.ratio is None else self._replace(weight=self.weight * weight)

    def added(self, x: mx.array, plain: mx.array) -> mx.array:
        """To an output, for the input ``x`` of which the base makes ``plain``, its bias left out."""
        update = (x @ self.down) @ self.up
        return update if self.ratio is None else self.weight * (self.ratio * (plain + update) - plain)


class Adapted(nn.Module):  # type: ignore[misc]
    """A linear layer of the base with updates beside it."""

    def __init__(self, linear: nn.Module) -> None:
        super().__init__()
        self.linear = linear
        self._updates: tuple[Factors, ...] = ()

    def __call__(self, x: mx.array) -> mx.array:
        y = self.linear(x)
        plain = y - self.linear.bias if "bias" in self.linear else y
        for update in self._updates:
            y = y + update.added(x, plain).astype(y.dtype)
        return y

    def wear(self, updates: Sequence[Factors]) -> None:
        """From now on, with these updates; none is the base."""
        self._updates = tuple(updates)

    @property
    def worn(self) -> tuple[Factors, ...]:
        """The updates that are on."""
        return self._updates

    @property
    def shape(self) -> tuple[int, int]:
        """Inputs and outputs."""
        return shape_of(self.linear)


class Layers:
    """The layers of one model that adapters change, by their names in PEFT's files. Wrapped when first needed."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self._linear: dict[str, Any] = {name: module for name, module in model.named_modules() if _is_linear(module)}
        self._by_tail = Counter(_tail(name) for name in self._linear)
        self._found: dict[str, Adapted] = {}

    def place(self, updates: Mapping[str, Update], whose: object) -> None:
        """Make sure that every module of ``updates`` is one that can wear them.

        Raises:
            Unusable: the base has no such module, or one of another shape; names them.
        """
        names = {name: self.name_in_mlx(name) for name in updates}
        lost = sorted(name for name, found in names.items() if found is None)
        if lost:
            raise Unusable(
                f"{whose}: the adapter does not fit this base: {len(lost)} of its {len(updates)} modules are not there "
                f"({', '.join(lost[:2])}): use the base that it was trained on, or --backend hf (sway.yaml: kind: hf) "
                "where mlx-lm builds this architecture of other layers"
            )
        for name, found in names.items():
            wanted = (updates[name].down.shape[0], updates[name].up.shape[1])
            if found and shape_of(self._linear[found]) != wanted:
                raise Unusable(
                    f"{whose}: the adapter does not fit this base: {name} takes {wanted[0]} numbers and gives "
                    f"{wanted[1]}, and the base's {shape_of(self._linear[found])}: use the base it was trained on"
                )
        new = {name: found for name, found in names.items() if found and name not in self._found}
        self._found |= {name: Adapted(self._linear[found]) for name, found in new.items()}
        self.model.update_modules(tree_unflatten([(found, self._found[name]) for name, found in new.items()]))

    def wear(self, updates: Mapping[str, Sequence[Factors]]) -> None:
        """Exactly these updates from now on, on modules that were placed; every other layer is the base's."""
        for name, layer in self._found.items():
            layer.wear(updates.get(name, ()))

    @property
    def worn(self) -> dict[str, tuple[Factors, ...]]:
        """What the layers wear, those without updates left out."""
        return {name: layer.worn for name, layer in self._found.items() if layer.worn}

    def name_in_mlx(self, name: str) -> str | None:
        """The module that PEFT calls ``name``: of that name, or the only one of the same place in the layers."""
        if name in self._linear:
            return name
        tail = _tail(name)
        if self._by_tail[tail] != 1:
            return None
        return next((found for found in self._linear if _tail(found) == tail), None)

    def factors(self, updates: Mapping[str, Update], dtype: mx.Dtype) -> dict[str, Factors]:
        """Updates of modules that were placed, as they are applied."""
        return {name: as_applied(update, dtype, self.linear(name)) for name, update in updates.items()}

    def linear(self, name: str) -> Any:
        """The base's own layer."""
        return self._linear[str(self.name_in_mlx(name))]

    def require_worn(self, updates: Mapping[str, Update], whose: object) -> None:
        """Hold the layers against the file they were filled from: the same modules, and factors of the same norms; and
        against the base: other logits, unless all updates are zero.

        Raises:
            Unusable: says what is not as it should be.
        """
        worn = self.worn
        wrong = sorted(worn.keys() ^ updates.keys())
        wrong += [name for name in worn.keys() & updates.keys() if not _same_size(worn[name], updates[name])]
        if wrong:
            raise Unusable(f"{whose}: {len(wrong)} modules did not take their tensors ({wrong[0]}): this is a bug")
        changes = any(np.any(update.up) or update.magnitude is not None for update in updates.values())
        if changes and not self.moved():
            raise Unusable(
                f"{whose}: the adapter is on the base, and the model says the same without it: its updates are too "
                "small for this precision (try fp32), or mlx-lm's layers do not read the modules that were adapted"
            )

    def moved(self) -> float:
        """The largest change of a logit that the updates make on a few tokens."""
        ids = mx.array([list(range(1, PROBE + 1))])
        worn = self.worn
        with_them = self.model(ids)
        self.wear({})
        without = self.model(ids)
        self.wear(worn)
        return float(mx.abs(with_them.astype(mx.float32) - without.astype(mx.float32)).max().item())


def as_applied(update: Update, dtype: mx.Dtype, linear: Any) -> Factors:
    """``update`` of the layer ``linear``, for MLX."""
    down, up = mx.array(update.down), mx.array(update.up * np.float32(update.scale))
    ratio = None
    if update.magnitude is not None:
        norms = mx.linalg.norm(weight_of(linear).astype(mx.float32) + (down @ up).T, axis=1)
        ratio = (mx.array(update.magnitude) / norms).astype(dtype)
        mx.eval(ratio)
    return Factors(down.astype(dtype), up.astype(dtype), ratio).times(update.weight)


def shape_of(linear: Any) -> tuple[int, int]:
    """Inputs and outputs of a linear layer, quantised or not."""
    outputs, inputs = linear.weight.shape
    return (int(inputs) * 32 // int(linear.bits) if isinstance(linear, nn.QuantizedLinear) else int(inputs)), int(
        outputs
    )


def weight_of(linear: Any) -> mx.array:
    """[out, in] as it is multiplied."""
    if not isinstance(linear, nn.QuantizedLinear):
        return linear.weight
    return mx.dequantize(
        linear.weight, linear.scales, linear.biases, group_size=linear.group_size, bits=linear.bits, mode=linear.mode
    )


def _same_size(worn: Sequence[Factors], update: Update) -> bool:
    if len(worn) != 1:
        return False
    loose = TOLERANCE if worn[0].down.dtype == mx.float32 else 1e-2
    if (worn[0].ratio is None) is not (update.magnitude is None):
        return False
    wanted = (float(np.linalg.norm(update.down)), float(np.linalg.norm(update.up)) * abs(update.scale))
    found = [float(mx.linalg.norm(one.astype(mx.float32)).item()) for one in worn[0][:2]]
    return all(abs(one - other) <= loose * other for one, other in zip(found, wanted, strict=True))


def _is_linear(module: Any) -> bool:
    return isinstance(module, nn.Linear | nn.QuantizedLinear)


def _tail(name: str) -> str:
    """From the number of the layer on; models of several kinds of input have another prefix in MLX."""
    if "vision" in name or "audio" in name or "layers." not in name:
        return f"={name}"
    return name[name.index("layers.") :]
