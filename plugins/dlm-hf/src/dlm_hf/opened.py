"""A base as dlm opens it: its renderer and its weights, with dlm's own errors when it cannot be used."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dlm.errors import BaseModelError

from .model import load_base, load_tokenizer
from .quantising import CannotQuantise, for_training
from .render import Renderer, RenderError
from .room import ran_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from dlm.bases import LocalBase


def open_renderer(base: LocalBase, system_prompt: str | None) -> Renderer:
    """The renderer of ``base``.

    Raises:
        BaseModelError: its tokenizer cannot be loaded, or never ends an answer.
    """
    with _explained(base):
        return Renderer(load_tokenizer(base.path), system_prompt)


def open_model(base: LocalBase, dtype: torch.dtype, device: torch.device) -> Any:
    """The weights of ``base``, in fewer bits where it says so.

    Raises:
        BaseModelError: transformers cannot load them, or a quantiser cannot work here.
        PluginError: no installed plugin offers the quantiser.
    """
    quantiser = for_training(base.quantisation)
    with _explained(base):
        return load_base(base.path, dtype, device, quantiser)


@contextmanager
def _explained(base: LocalBase) -> Iterator[None]:
    try:
        yield
    except RenderError as error:
        raise BaseModelError(f"base {base.key}: {error}") from error
    except CannotQuantise as error:
        raise BaseModelError(f"base {base.key} cannot be held in {base.quantisation}: {error}") from error
    except Exception as error:  # damaged files surface as whatever the library that reads them raises
        if ran_out(error):
            raise BaseModelError(
                f"base {base.key} does not fit in the memory that is free: end other programs, or name a smaller base; "
                "`dlm doctor DOC` says what a training of a document needs"
            ) from error
        line = next(iter(str(error).strip().splitlines()), "no message")
        raise BaseModelError(
            f"base {base.key} in {base.path} cannot be loaded: {type(error).__name__}: {line}: check its files, or run "
            f"`dlm base pull {base.key}` to fetch it again"
        ) from error
