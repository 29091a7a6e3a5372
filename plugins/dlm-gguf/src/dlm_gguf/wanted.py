"""What a request for an export means for GGUF files: type, form, base, adapters, names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dlm.errors import ExportRefused, RuntimeMissing
from dlm.export.conversation import own_template, with_system_prompt
from dlm.export.origin import published, told
from dlm.training.mixing import Mix

from .about import About
from .quantising import DEFAULT, PURE

if TYPE_CHECKING:
    from pathlib import Path

    from dlm.export.sink import Request

    from .model_file import Base

_YES, _NO = ("yes", "no")


def quant_of(request: Request) -> str:
    """The type that was asked for."""
    return request.wishes.quant or DEFAULT


def with_base(request: Request) -> bool:
    """Whether an adapter gets its base beside it."""
    return request.wishes.settings.get("base", _YES) == _YES


def weighed(request: Request) -> bool:
    """Whether llama.cpp's types are rounded by what matters to the trained model."""
    return request.wishes.settings.get("imatrix", _YES) == _YES


def check_wishes(request: Request) -> None:
    """Refuse wishes that do not go together, or that nothing here can fulfil.

    Raises:
        ExportRefused: says which.
        RuntimeMissing: llama.cpp would have to be installed; names the command.
    """
    from . import kquants

    for name in ("base", "imatrix"):
        if (given := request.wishes.settings.get(name, _YES)) not in (_YES, _NO):
            raise ExportRefused(f"--set {name}={given}: write yes or no")
    if not with_base(request) and request.wishes.form != "adapter":
        raise ExportRefused("--set base=no leaves out the base of an adapter: give --unmerged with it")
    if quant_of(request) not in PURE and kquants.available() is None:
        raise RuntimeMissing(
            f"{quant_of(request)} is written by llama.cpp, which is not installed here: pip install "
            f"'dlm-gguf[llama-cpp]', or choose {', '.join(PURE[3:])}, which need nothing more"
        )


def template_of(request: Request) -> str | None:
    """The base's own template with the document's system prompt in it; ``None`` where none is wanted or there is."""
    template = own_template(request.base.path) if request.wishes.template else None
    return None if template is None else with_system_prompt(template, request.system_prompt)


def base_of(request: Request) -> Base:
    """The base with the template that it is to answer with.

    Raises:
        ExportRefused: it cannot be written as it is.
    """
    from .model_file import read_base

    return read_base(request.base.path, template_of(request))


def about_of(request: Request, *, adapter: bool = True) -> About:
    """What a file says of itself; without ``adapter``, one of the untouched base."""
    hub = published(request.base, request.model)
    base = About(
        name=told(request.base),
        base=told(request.base),
        repository=hub.repo if hub else None,
        revision=hub.revision if hub else None,
        licence=request.model.licence,
        licence_url=request.model.licence_url,
    )
    if not adapter:
        return base
    return replace(
        base,
        name=request.wishes.name or _stem(request),
        document=request.document.frontmatter.dlm_id,
        version=request.version.name,
        adapter=",".join(f"{name}:{weight:g}" for name, weight in names_of(request)) or None,
    )


def adapter_of(request: Request) -> Path | Mix:
    """The adapter's folder, or the mix."""
    if request.chosen.adapter is None:
        raise ExportRefused("there is no adapter to export: train the document first")
    return request.chosen.adapter


def names_of(request: Request) -> list[tuple[str, float]]:
    """The adapters by name, with their weights; empty for one without a name."""
    adapter = request.chosen.adapter
    weights = adapter.weights if isinstance(adapter, Mix) else (1.0,) * len(request.chosen.names)
    return list(zip(request.chosen.names, weights, strict=True))


def _stem(request: Request) -> str:
    path = request.document.path
    return path.stem if path is not None else request.document.frontmatter.dlm_id
