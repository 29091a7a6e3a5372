"""Put a PEFT adapter on a base, or say why it does not belong there. Both faces load adapters here, and only here.

PEFT warns when tensors of an adapter find no place and goes on with random ones, and it loads tensors of the base that
an adapter file happens to hold over the base's own. Here both are errors, found by comparing every key and shape before
a weight is touched. What an adapter holds: :mod:`.inspection`.
"""

from __future__ import annotations

import json
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from peft import PeftConfig, PeftModel, PeftModelForCausalLM, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError, safe_open

from .decomposed import MAGNITUDE, decompose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import PreTrainedModel

ADAPTER = "default"
"""The name under which PEFT keeps the first adapter we load, mostly the only one."""
CONFIG, WEIGHTS, PICKLE = "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"
DECOMPOSING = ("pissa", "olora", "corda", "loftq", "lora_ga")
"""Initialisations that subtract the adapter's start from the base's own weights."""


class UnusableAdapter(Exception):
    """A folder that holds no adapter we can load; the message says why and what to do."""


class KeyMismatch(UnusableAdapter):
    """An adapter whose tensors do not fit the base it is put on."""

    def __init__(self, file: AdapterFile, fit: Fit) -> None:
        self.file = file
        self.fit = fit
        super().__init__(_mismatch_message(file, fit))


@dataclass(frozen=True)
class AdapterFile:
    """What a folder says it holds, read without loading a weight."""

    folder: Path
    config: Any
    """The :class:`peft.PeftConfig`."""
    shapes: dict[str, tuple[int, ...]]
    """Of every tensor in the file, by key."""

    @property
    def weights(self) -> Path:
        """The tensor file."""
        return self.folder / WEIGHTS

    @property
    def peft_type(self) -> str:
        """``LORA``, ``IA3``..."""
        return str(getattr(self.config.peft_type, "value", self.config.peft_type))

    @property
    def saved_in_full(self) -> tuple[str, ...]:
        """What it replaces instead of updating: modules, and embeddings of some tokens."""
        modules = tuple(getattr(self.config, "modules_to_save", None) or ())
        tokens = trained_tokens(self.config)
        return (*modules, f"the embeddings of {len(tokens)} tokens") if tokens else modules

    @property
    def declared_base(self) -> str | None:
        """The base it says it was trained on."""
        return self.config.base_model_name_or_path or None


@dataclass(frozen=True)
class Fit:
    """How a file's tensors fit a model."""

    tensors: int
    unexpected: tuple[str, ...] = ()
    """Keys of the file that match no module."""
    missing: tuple[str, ...] = ()
    """Adapter parameters of the model that the file does not hold."""
    mismatched: tuple[str, ...] = ()
    """Keys whose shape differs, with both shapes."""
    replaced: tuple[str, ...] = ()
    """Keys of the file that are weights of the base itself, with other values than the base's."""
    reason: str = ""
    """What PEFT said, where it could not even place the adapter."""
    same_as_base: tuple[str, ...] = field(default=(), repr=False)
    """Keys of the file that repeat weights of the base unchanged; not loaded."""

    @property
    def matched(self) -> int:
        """Tensors that found their place."""
        return self.tensors - len(self.unexpected) - len(self.mismatched) - len(self.replaced)

    @property
    def good(self) -> bool:
        """Every tensor has its place and every place its tensor."""
        return not (self.unexpected or self.missing or self.mismatched or self.replaced or self.reason)


def load_adapter(model: PreTrainedModel, folder: Path, base_weights: Literal["keep", "replace"] = "keep") -> PeftModel:
    """``model`` with the adapter of ``folder`` on it, in evaluation mode. ``model`` is changed in place.

    ``base_weights`` says what happens when the file holds weights of the base itself, which PEFT saves for trained
    embeddings and biases: with ``keep`` the adapter is refused, since switching it off would not give the base back.
    On an error ``model`` is as it was.

    Raises:
        KeyMismatch: the tensors do not fit this base.
        UnusableAdapter: there is no adapter in ``folder`` that can be loaded safely.
    """
    file = read_adapter(Path(folder))
    if base_weights == "keep":
        _refuse_altered_base(file)
    peft_model = _inject(model, file)
    fit = compare_keys(peft_model, file)
    if base_weights == "replace" and fit.replaced:
        fit = Fit(fit.tensors, fit.unexpected, fit.missing, fit.mismatched, reason=fit.reason)
    if not fit.good:
        _remove(peft_model)
        raise KeyMismatch(file, fit)
    _fill(peft_model, file, skip=set(fit.same_as_base))
    peft_model.eval()
    return peft_model


def add_adapter(model: PeftModel, folder: Path, name: str) -> None:
    """Put another adapter on ``model``, which PEFT then calls ``name``; it is not switched on.

    Raises:
        KeyMismatch, UnusableAdapter: as :func:`load_adapter`; ``model`` is as it was.
    """
    file = read_adapter(Path(folder))
    _refuse_altered_base(file)
    with _placing(file):
        model.add_adapter(name, file.config, low_cpu_mem_usage=True)
    fit = compare_keys(model, file, name)
    if not fit.good:
        model.delete_adapter(name)
        raise KeyMismatch(file, fit)
    _fill(model, file, set(fit.same_as_base), name)
    model.eval()


def saved_weights(model: PeftModel, folder: Path) -> dict[str, torch.Tensor]:
    """The tensors in ``folder`` as they are saved, by the names of the adapter's parameters in ``model``.

    Raises:
        KeyMismatch: they are of another shape or scale than the adapter in ``model``.
        UnusableAdapter: there is no adapter in ``folder`` that can be loaded safely.
    """
    file = read_adapter(Path(folder))
    _refuse_altered_base(file)
    fit = compare_keys(model, file)
    configs: tuple[Any, Any] = (model.peft_config[ADAPTER], file.config)
    own, theirs = ((config.r, config.lora_alpha) for config in configs)
    if fit.good and own != theirs:
        fit = Fit(fit.tensors, reason=f"rank and alpha are {theirs}, and here {own}")
    if fit.good and trained_tokens(configs[0]) != trained_tokens(configs[1]):
        fit = Fit(fit.tensors, reason="it holds the embeddings of other tokens")
    if not fit.good:
        raise KeyMismatch(file, fit)
    with safe_open(str(file.weights), framework="pt") as tensors:
        return {
            name: tensors.get_tensor(_key(name))
            for name, parameter in model.named_parameters()
            if parameter.requires_grad
        }


def trained_tokens(config: Any) -> tuple[int, ...]:
    """The tokens whose embeddings an adapter with this configuration holds."""
    wanted = getattr(config, "trainable_token_indices", None) or ()
    by_module = wanted.values() if isinstance(wanted, dict) else (wanted,)
    return tuple(token for tokens in by_module for token in tokens)


def read_adapter(folder: Path) -> AdapterFile:
    """Configuration and tensor shapes of the adapter in ``folder``. Nothing is executed, nothing is fetched.

    Raises:
        UnusableAdapter: a file is missing, damaged or a pickle, or the adapter is of a kind that cannot be compared
            position by position.
    """
    if not (folder / CONFIG).is_file():
        raise UnusableAdapter(f"{folder}: no {CONFIG}, so this is no adapter; give the folder that PEFT saved")
    if not (folder / WEIGHTS).is_file():
        if (folder / PICKLE).is_file():
            raise UnusableAdapter(
                f"{folder / PICKLE}: a pickle can run any code when it is loaded, so it is not opened; save the "
                "adapter again where it was trained, with save_pretrained(..., safe_serialization=True)"
            )
        raise UnusableAdapter(f"{folder}: no {WEIGHTS}; the adapter was not saved completely: train or copy it again")
    config = _read_config(folder / CONFIG)
    if config.is_prompt_learning or config.is_adaption_prompt:
        raise UnusableAdapter(
            f"{folder}: a {config.peft_type.value} adapter adds virtual tokens instead of changing weights; only "
            "adapters that change weights (LoRA and its kin) can be put on a base here"
        )
    _refuse_what_fetches(folder, config)
    return AdapterFile(folder, config, _read_shapes(folder / WEIGHTS))


def compare_keys(model: PeftModel, file: AdapterFile, name: str = ADAPTER) -> Fit:
    """Every key and shape of ``file`` against the places in ``model`` of the adapter called ``name``."""
    places = {key: tuple(tensor.shape) for key, tensor in _adapter_state(model, name).items()}
    own = {key: tensor for key, tensor in model.state_dict().items() if key in file.shapes and key not in places}
    same, replaced = _split_own(own, file)
    mismatched = [
        f"{key}: {list(shape)} in the file, {list(places[key])} in the model"
        for key, shape in file.shapes.items()
        if key in places and shape != places[key]
    ]
    return Fit(
        tensors=len(file.shapes),
        unexpected=tuple(sorted(file.shapes.keys() - places.keys() - own.keys())),
        missing=tuple(sorted(places.keys() - file.shapes.keys())),
        mismatched=tuple(sorted(mismatched)),
        replaced=tuple(sorted(replaced)),
        same_as_base=tuple(sorted(same)),
    )


def lora_layers(model: PeftModel) -> Iterator[tuple[str, Any]]:
    """Every module with a LoRA update, under its name in the base."""
    from peft.tuners.lora import LoraLayer

    for name, module in model.get_base_model().named_modules():
        if isinstance(module, LoraLayer) and ADAPTER in module.scaling:
            yield name, module


def _key(name: str) -> str:
    """Under which key PEFT saves the parameter ``name``."""
    key = name.replace(f".{ADAPTER}.", ".").removesuffix(f".{ADAPTER}")
    return key.removesuffix(".weight") if key.endswith(f"{MAGNITUDE}.weight") else key


def _read_config(path: Path) -> Any:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        with warnings.catch_warnings():
            # A newer PEFT may have written keys that this one does not know; the tensors decide whether it matters.
            warnings.simplefilter("ignore")
            config = PeftConfig.from_peft_type(  # type: ignore[no-untyped-call]
                peft_type=raw["peft_type"], **{k: v for k, v in raw.items() if k not in ("peft_type", "auto_mapping")}
            )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnusableAdapter(f"{path}: not an adapter configuration that PEFT can read: {error}") from error
    config.inference_mode = True
    return config


def _read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    try:
        with safe_open(str(path), framework="pt") as tensors:
            return {key: tuple(tensors.get_slice(key).get_shape()) for key in tensors.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UnusableAdapter(f"{path}: damaged ({error}); train or copy the adapter again") from error


def _refuse_what_fetches(folder: Path, config: Any) -> None:
    """PEFT follows some configurations to other adapters, on a hub or on this disk, or to a module that it imports."""
    if config.peft_type.value == "XLORA":
        raise UnusableAdapter(
            f"{folder}: a mixture of adapters (XLORA) that lie elsewhere, and nothing is fetched that a folder only "
            "names: give the folder of one of them"
        )
    if getattr(config, "megatron_config", None) is not None:
        raise UnusableAdapter(f"{folder}: an adapter for a model that Megatron spreads over machines; none is here")


def _refuse_altered_base(file: AdapterFile) -> None:
    """Refuse what changes the base's own weights, where switching the adapter off would not give the base back."""
    start = str(getattr(file.config, "init_lora_weights", "")).lower()
    if start.startswith(DECOMPOSING):
        raise UnusableAdapter(
            f"{file.folder}: it was started with init_lora_weights={start!r}, which changes the base's own weights; "
            "save it again with path_initial_model_for_weight_conversion, which makes it a plain adapter"
        )
    if getattr(file.config, "bias", "none") != "none":
        raise UnusableAdapter(
            f"{file.folder}: it trained the base's own biases (bias={file.config.bias!r}), so base and fine-tuned "
            "model cannot share weights; score two models instead (sway.yaml: defaults.differential: false)"
        )


def _inject(model: PreTrainedModel, file: AdapterFile) -> PeftModel:
    """``model`` with empty places (on the meta device) for the adapter."""
    with _placing(file):
        return PeftModelForCausalLM(model, file.config, ADAPTER, low_cpu_mem_usage=True)


@contextmanager
def _placing(file: AdapterFile) -> Iterator[None]:
    """Make PEFT's complaint about the places of ``file`` ours."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (ValueError, TypeError) as error:
        fit = Fit(tensors=len(file.shapes), unexpected=tuple(sorted(file.shapes)), reason=str(error).splitlines()[0])
        raise KeyMismatch(file, fit) from error


def _remove(model: PeftModel) -> None:
    base = model.unload()
    if hasattr(base, "peft_config"):
        del base.peft_config


def _adapter_state(model: PeftModel, name: str) -> dict[str, torch.Tensor]:
    # "auto" would look up the declared base on a hub to find out whether its vocabulary was changed.
    state: dict[str, torch.Tensor] = get_peft_model_state_dict(model, adapter_name=name, save_embedding_layers=False)
    return state


def _split_own(own: dict[str, torch.Tensor], file: AdapterFile) -> tuple[list[str], list[str]]:
    """Keys of the base's own weights in the file: those that repeat the base, and those that would replace it."""
    same: list[str] = []
    replaced: list[str] = []
    with safe_open(str(file.weights), framework="pt") as tensors:
        for key, weight in own.items():
            saved = tensors.get_tensor(key)
            equal = saved.shape == weight.shape and torch.equal(saved.to(weight), weight)
            (same if equal else replaced).append(key)
    return same, replaced


def _fill(model: PeftModel, file: AdapterFile, skip: set[str], name: str = ADAPTER) -> None:
    with safe_open(str(file.weights), framework="pt") as tensors:
        state = {key: _widened(tensors.get_tensor(key)) for key in file.shapes if key not in skip}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result: Any = set_peft_model_state_dict(model, state, name, low_cpu_mem_usage=True)
    empty = [name for name, parameter in model.named_parameters() if parameter.is_meta]
    if result.unexpected_keys or empty:
        raise KeyMismatch(file, Fit(len(file.shapes), tuple(result.unexpected_keys), tuple(empty)))
    decompose(model.modules(), name)


def _widened(tensor: torch.Tensor) -> torch.Tensor:
    """Half-precision updates in float32: they are small, and are added to products in higher precision anyway."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def _mismatch_message(file: AdapterFile, fit: Fit) -> str:
    found = []
    for keys, what in (
        (fit.unexpected, "match no module of this base"),
        (fit.missing, "are missing from the file"),
        (fit.mismatched, "have another shape"),
        (fit.replaced, "would replace weights of the base itself"),
    ):
        if keys:
            more = f" and {len(keys) - 2} more" if len(keys) > 2 else ""
            found.append(f"{len(keys)} {what} ({', '.join(_short(key) for key in keys[:2])}{more})")
    if fit.reason:
        found.append(fit.reason)
    declared = file.declared_base or "a base it does not name"
    way_out = (
        "score two models instead (sway.yaml: defaults.differential: false)"
        if fit.replaced and not (fit.unexpected or fit.missing or fit.mismatched)
        else "use that base, or train again on this one"
    )
    return (
        f"{file.folder}: the adapter does not fit this base: of {fit.tensors} tensors "
        f"{'; '.join(found)}. {CONFIG} says it was trained on {declared}: {way_out}"
    )


def _short(key: str) -> str:
    return key.removeprefix("base_model.model.")
