"""The seam for bases whose weights are held in fewer bits. A quantiser is offered by a plugin, and named by an entry of
``dlm_quantisers`` for training and answering and of ``dlm_sway_quantisers`` for scoring; the target is the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class CannotQuantise(Exception):
    """A quantiser cannot work here; the message says what is missing and what to do."""


class Quantiser(ABC):
    """Loads a base with its weights in fewer bits. Linear layers stay modules that PEFT can adapt.

    Example::

        class Int8(Quantiser):
            def load(self, read, dtype, device):
                config = BitsAndBytesConfig(load_in_8bit=True)
                return read(quantization_config=config, device_map={"": device})
    """

    @abstractmethod
    def load(self, read: Callable[..., Any], dtype: torch.dtype, device: torch.device) -> Any:
        """The base on ``device``, its products made in ``dtype``. ``read`` is ``from_pretrained`` of the base's folder
        in ``dtype``; it takes what else the library should know, as keywords.

        Raises:
            CannotQuantise: a library is missing, or cannot do it on ``device``.
        """


def for_training(name: str | None) -> Quantiser | None:
    """The quantiser that dlm's plugins offer as ``name``; none for ``None``.

    Raises:
        PluginError: nobody offers it; the message says what installs it.
    """
    from dlm.plugins import manager

    return manager().resolve("dlm_quantisers", name)() if name else None


def for_scoring(name: str | None) -> Quantiser | None:
    """The quantiser that sway's plugins offer as ``name``; none for ``None``.

    Raises:
        PluginError: nobody offers it; the message says what installs it.
    """
    from dlm_sway.plugins import manager

    return manager().resolve("dlm_sway_quantisers", name)() if name else None


def identity_of(name: str | None) -> dict[str, str] | None:
    """What decides the numbers of a base held by the quantiser ``name``, in a scoring: the versions of its libraries.

    Raises:
        PluginError: nobody offers it; the message says what installs it.
    """
    if name is None:
        return None
    from importlib.metadata import version

    from dlm_sway.plugins import manager

    entry = manager().entry("dlm_sway_quantisers", name).entry
    return {"name": name, **{library: version(library) for library in getattr(entry, "libraries", ())}}


def bits_of(name: str) -> float:
    """Bits that a quantised weight takes in memory, by the entry that dlm's plugins offer as ``name``."""
    from dlm.plugins import manager

    return float(getattr(manager().entry("dlm_quantisers", name).entry, "bits", 16.0))
