"""The base and the fine-tuned model, loaded once and looked at through views. What is computed: :mod:`.scoring`."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from dlm_sway.errors import AdapterMismatch, BackendError, NotSupported, TargetError
from dlm_sway.scoring.cutting import TEXTS, first_difference

from . import model as loading
from .adapters import ADAPTER, UnusableAdapter, add_adapter, load_adapter
from .attending import use_blocks
from .drawing import Draws
from .facts import declared_quantisation
from .folders import base_folder, base_side, check_pair, tokenizer_folder
from .lean import Switch, make_lean
from .nulls import null_adapter, scaled_adapter
from .quantising import CannotQuantise, for_scoring
from .render import Renderer, RenderError, many_ids
from .shuffling import shuffled_adapter
from .trees import grows_exactly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dlm_sway.scoring.types import Item, View
    from dlm_sway.spec.models import ModelSpec, SuiteDefaults
    from dlm_sway.suite.target import ModelPair


class LoadedPair:
    """Both sides in memory: one model with a switchable adapter, or two models.

    Raises:
        TargetError: a folder that is not there, or two sides that cannot be compared.
        AdapterMismatch: the adapter does not fit the base, or cannot be loaded safely.
        BackendError: the tokenizer cannot render prompts, or a library cannot load the model.
    """

    def __init__(self, models: ModelPair, defaults: SuiteDefaults) -> None:
        self.shared = models.differential
        check_pair(models)
        self.device = _pick_device(models.ft.device)
        self.dtype = loading.pick_dtype(models.ft.dtype, self.device, scoring=True)
        first = models.ft if self.shared else base_side(models)
        self.quantisation = declared_quantisation(first.adapter)
        base = _load_side(first)
        self.tokenizer = _load_tokenizer(models.ft)
        self.renderer = _renderer(self.tokenizer, defaults)
        self.plain = Renderer(self.tokenizer, template="raw")
        self._others: dict[Path, str] = {}
        self._draws = Draws()
        self.base: Any = base
        if self.shared:
            self._measure(base)
            self.tuned: Any = _with_adapter(base, models.ft)
            make_lean(self.tuned)
            self._switch = Switch(self.tuned)
        else:
            self._load_two(base, models)

    def _load_two(self, base: Any, models: ModelPair) -> None:
        """The other model beside ``base``, unless it is the same one. They may differ in everything but the tokens."""
        itself = models.base == models.ft
        other = base if itself else _load_side(models.ft)
        self._measure(base, *([] if itself else [other]))
        if not itself and (told := _difference(models)) is not None:
            raise TargetError(
                f"{models.base.base} and {models.ft.base} do not share a vocabulary, so their next-token distributions "
                f"cannot be compared: {told}: compare models whose tokenizers are alike"
            )
        self.base = _with_adapter(base, models.base) if models.base.adapter else base
        if itself or not models.ft.adapter:
            self.tuned = self.base if itself else other
        else:
            with _plain_errors():
                self.tuned = load_adapter(other, Path(models.ft.adapter), base_weights="replace")

    def _measure(self, *models: Any) -> None:
        """What all of ``models`` can do: the shorter context, the narrower window, the tokens that all of them have."""
        configs = [model.config.get_text_config() for model in models]
        windows = [getattr(config, "sliding_window", None) for config in configs]
        self.context = _least([loading.context_length(model) for model in models])
        self.window = _least(windows)
        self.embedding_rows = min(int(model.get_input_embeddings().weight.shape[0]) for model in models)
        self.vocabulary = min(int(config.vocab_size) for config in configs)
        self.packs = all(grows_exactly(model, self.renderer) for model in models)

    @contextmanager
    def viewing(self, view: View) -> Iterator[Any]:
        """The model that stands for ``view``, for as long as the context lasts."""
        if not self.shared:
            if view.kind not in ("base", "ft") or view.adapter:
                raise NotSupported(
                    f"the view {view.label} needs one base with an adapter that can be switched, and this suite "
                    "compares two whole models; to test an adapter, set defaults.differential: true"
                )
            yield self.base if view.kind == "base" else self.tuned
        elif view.kind == "base":
            with self._switch.off():
                yield self.tuned
        elif view.kind == "scaled":
            with scaled_adapter(self.tuned, view.scale):
                yield self.tuned
        elif view.kind == "null":
            with null_adapter(self.tuned, view.seed, draws=self._draws), self._louder(view.rank):
                yield self.tuned
        elif view.kind == "shuffled":
            with shuffled_adapter(self.tuned, view.seed), self._louder(view.rank):
                yield self.tuned
        elif view.adapter:
            with self._switched(Path(view.adapter).expanduser()):
                yield self.tuned
        elif view.kind == "ft":
            yield self.tuned
        else:
            raise NotSupported(f"the view {view.label} names no adapter folder")

    def _louder(self, rank: float) -> AbstractContextManager[None]:
        """The norm of ``rank`` times as many random directions is that of one times the square root."""
        return nullcontext() if rank == 1.0 else scaled_adapter(self.tuned, math.sqrt(rank))

    @contextmanager
    def _switched(self, folder: Path) -> Iterator[None]:
        """The adapter in ``folder`` instead of the suite's own; it stays loaded for the next time."""
        name = self._others.get(folder)
        if name is None:
            if (other := declared_quantisation(folder)) != self.quantisation:
                held, here = other or "full precision", self.quantisation or "full precision"
                raise AdapterMismatch(
                    f"{folder}: it was trained on a base held in {held}, and here the base is held in {here}: its "
                    "update would also undo rounding that is not there; train it with the same `adapter:`"
                )
            name = f"other{len(self._others):03d}"
            with _plain_errors():
                add_adapter(self.tuned, folder, name)
            self._others[folder] = name
            make_lean(self.tuned)
            self._switch = Switch(self.tuned)
        self.tuned.base_model.set_adapter(name, inference_mode=True)
        try:
            yield
        finally:
            self.tuned.base_model.set_adapter(ADAPTER, inference_mode=True)

    def speaking(self, item: Item) -> Renderer:
        """What turns this item into tokens."""
        return self.plain if item.plain else self.renderer

    def spare(self, length: int, wanted: int) -> int:
        """How many of ``wanted`` tokens still fit behind an item of ``length`` tokens."""
        return wanted if self.context is None else max(0, min(wanted, self.context - length))


def _pick_device(device: str) -> torch.device:
    try:
        return loading.pick_device(device)
    except RuntimeError as error:
        raise TargetError(f"models.*.device: {device!r} is no device: {error}; use auto, cpu, cuda or mps") from error


def _load_side(spec: ModelSpec) -> Any:
    """A side's base, its weights held as they were when the adapter was trained on them."""
    device, quantisation = _pick_device(spec.device), declared_quantisation(spec.adapter)
    dtype = loading.pick_dtype(spec.dtype, device, scoring=True)
    folder = base_folder(spec.base)
    try:
        model: Any = loading.load_base(folder, dtype, device, for_scoring(quantisation))
    except CannotQuantise as error:
        raise BackendError(f"{folder}: its weights cannot be held in {quantisation} here: {error}") from error
    except (OSError, ValueError, KeyError) as error:
        raise TargetError(f"{folder}: no model that transformers can load: {_first_line(error)}") from error
    except RuntimeError as error:
        raise BackendError(f"{folder}: this model cannot be loaded: {_first_line(error)}") from error
    use_blocks(model)
    return model


def _load_tokenizer(spec: ModelSpec) -> Any:
    folder = tokenizer_folder(spec)
    try:
        return loading.load_tokenizer(folder)
    except (OSError, ValueError, KeyError) as error:
        raise BackendError(f"{folder}: no tokenizer that transformers can load: {_first_line(error)}") from error


def _renderer(tokenizer: Any, defaults: SuiteDefaults) -> Renderer:
    try:
        return Renderer(tokenizer, defaults.system_prompt, defaults.template)
    except RenderError as error:
        raise BackendError(str(error)) from error


def _with_adapter(model: Any, spec: ModelSpec) -> Any:
    with _plain_errors():
        return load_adapter(model, Path(str(spec.adapter)))


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn the loader's errors into sway's."""
    try:
        yield
    except UnusableAdapter as error:
        raise AdapterMismatch(str(error)) from error


def _difference(models: ModelPair) -> str | None:
    """Where the two tokenizers differ, for people. One may have tokens that the other lacks, as a fine-tune has for
    turns of a conversation; where such a token is met, it is refused."""
    one, other = (loading.load_tokenizer(tokenizer_folder(spec)) for spec in (models.base, models.ft))
    if one.get_vocab() == other.get_vocab() and one.backend_tokenizer.to_str() == other.backend_tokenizer.to_str():
        return None
    names = [{number: token for token, number in tokenizer.get_vocab().items()} for tokenizer in (one, other)]
    for number in sorted(names[0].keys() & names[1].keys()):
        if names[0][number] != names[1][number]:
            return f"token {number} is {names[0][number]!r} in the first and {names[1][number]!r} in the second"
    return first_difference(*(many_ids(tokenizer, TEXTS, add_special_tokens=False) for tokenizer in (one, other)))


def _least(found: Sequence[int | None]) -> int | None:
    return min((one for one in found if one is not None), default=None)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
