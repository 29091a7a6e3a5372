"""The base and the fine-tuned model, loaded once and looked at through views. What is computed: :mod:`.scoring`."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from dlm_sway.errors import AdapterMismatch, BackendError, NotSupported, TargetError

from . import model as loading
from .adapters import ADAPTER, UnusableAdapter, add_adapter, load_adapter
from .attending import use_blocks
from .drawing import Draws
from .facts import declared_quantisation
from .folders import base_folder, check_pair, tokenizer_folder
from .lean import Switch, make_lean
from .nulls import null_adapter, scaled_adapter
from .quantising import CannotQuantise, for_scoring
from .render import Renderer, RenderError
from .shuffling import shuffled_adapter
from .trees import grows_exactly

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        first = models.ft if self.shared else models.base
        self.quantisation = declared_quantisation(first.adapter)
        base = _load_base(first.base, self.dtype, self.device, self.quantisation)
        self.tokenizer = _load_tokenizer(models.ft)
        self.renderer = _renderer(self.tokenizer, defaults)
        self.plain = Renderer(self.tokenizer, template="raw")
        self.context = loading.context_length(base)
        self.window: int | None = getattr(base.config.get_text_config(), "sliding_window", None)
        self.embedding_rows = int(base.get_input_embeddings().weight.shape[0])
        self.vocabulary = int(base.config.get_text_config().vocab_size)
        self._others: dict[Path, str] = {}
        self._draws = Draws()
        self.packs = grows_exactly(base, self.renderer)
        self.base: Any = base
        if self.shared:
            self.tuned: Any = _with_adapter(base, models.ft)
            make_lean(self.tuned)
            self._switch = Switch(self.tuned)
        else:
            self.base = _with_adapter(base, models.base) if models.base.adapter else base
            self.tuned = self._second_model(models)

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

    def _second_model(self, models: ModelPair) -> Any:
        second = _load_base(models.ft.base, self.dtype, self.device, declared_quantisation(models.ft.adapter))
        if second.config.get_text_config().vocab_size != self.vocabulary or not _same_tokens(models):
            raise TargetError(
                f"{models.base.base} and {models.ft.base} do not share a vocabulary, so their next-token distributions "
                "cannot be compared; compare models that were trained from the same base"
            )
        if not models.ft.adapter:
            return second
        with _plain_errors():
            return load_adapter(second, Path(models.ft.adapter), base_weights="replace")


def _pick_device(device: str) -> torch.device:
    try:
        return loading.pick_device(device)
    except RuntimeError as error:
        raise TargetError(f"models.ft.device: {device!r} is no device: {error}; use auto, cpu, cuda or mps") from error


def _load_base(ref: str, dtype: torch.dtype, device: torch.device, quantisation: str | None) -> Any:
    """The base, its weights held as they were when the adapter was trained on them."""
    folder = base_folder(ref)
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


def _same_tokens(models: ModelPair) -> bool:
    one, two = (loading.load_tokenizer(tokenizer_folder(spec)) for spec in (models.base, models.ft))
    return bool(one.get_vocab() == two.get_vocab())


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
