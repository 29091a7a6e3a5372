"""The export target ``gguf``: one merged model, or a base with an adapter beside it."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

from dlm.errors import ExportFailed, ExportRefused, RuntimeMissing
from dlm.export.cache import kept
from dlm.export.conversation import own_template, with_system_prompt
from dlm.export.origin import published, told
from dlm.export.sink import Sink, Written
from dlm.training.mixing import Mix

from . import architectures
from .about import About
from .quantising import DEFAULT, PURE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from dlm.export.runtime import Runtime
    from dlm.export.sink import Request

    from .model_file import Base

ADAPTER = "adapter.gguf"
_YES, _NO = ("yes", "no")


class GgufSink(Sink):
    """The target named ``gguf``."""

    def __init__(self) -> None:
        self._base: Path | None = None
        """The base of an adapter that was written alone, as long as this object lives."""

    def refuses_architecture(self, config: Mapping[str, Any]) -> str | None:
        return architectures.refusal(config)

    def folder_name(self, request: Request) -> str:
        parts = ["gguf", quant_of(request)]
        if request.wishes.form == "adapter":
            parts.append("adapter")
        return "-".join(parts + [f"{name}{weight:g}" if weight != 1 else name for name, weight in _names(request)])

    def check(self, request: Request) -> None:
        from . import kquants
        from .adapter_file import require_plain
        from .checkpoint import of_folder
        from .merging import Merged, read_parts

        if (given := request.wishes.settings.get("base", _YES)) not in (_YES, _NO):
            raise ExportRefused(f"--set base={given}: write yes or no")
        if not _with_base(request) and request.wishes.form != "adapter":
            raise ExportRefused("--set base=no leaves out the base of an adapter: give --unmerged with it")
        base_of(request)
        parts = read_parts(_adapter(request))
        Merged(of_folder(request.base.path), parts)
        if request.wishes.form == "adapter":
            require_plain(parts)
        if quant_of(request) not in PURE and kquants.available() is None:
            raise RuntimeMissing(
                f"{quant_of(request)} is written by llama.cpp, which is not installed here: pip install "
                f"'dlm-gguf[llama-cpp]', or choose {', '.join(PURE[3:])}, which need nothing more"
            )

    def write(self, request: Request, folder: Path) -> Written:
        form = request.wishes.form or "merged"
        facts = _merge(request, folder) if form == "merged" else _write_adapter(self, request, folder)
        return Written(quant_of(request), form, {"written_by": _version(), **facts}, _steps(request))

    def runtime(self, folder: Path) -> AbstractContextManager[Runtime]:
        from .llamacpp import LlamaCpp

        model, adapter = files_of(folder)
        if (model := model or self._base) is None:
            raise RuntimeMissing(
                f"{folder} holds an adapter alone, so there is nothing to ask: export it once without --set base=no"
            )
        return LlamaCpp(model, [(adapter, 1.0)] if adapter is not None else [])


def files_of(folder: Path) -> tuple[Path | None, Path | None]:
    """The model (merged, or the base of an adapter) and the adapter that an export in ``folder`` has."""
    adapter = folder / ADAPTER
    models = [path for path in sorted(folder.glob("*.gguf")) if path != adapter]
    if not models and not adapter.is_file():
        raise ExportFailed(f"{folder} holds no GGUF file: export again with `dlm export DOC --target gguf`")
    return (models[0] if models else None), (adapter if adapter.is_file() else None)


def quant_of(request: Request) -> str:
    """The type that was asked for."""
    return request.wishes.quant or DEFAULT


def base_of(request: Request) -> Base:
    """The base with the template that it is to answer with: its own, with the document's system prompt in it.

    Raises:
        ExportRefused: it cannot be written as it is.
    """
    from .model_file import read_base

    template = own_template(request.base.path) if request.wishes.template else None
    if template is not None:
        template = with_system_prompt(template, request.system_prompt)
    return read_base(request.base.path, template)


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
        adapter=",".join(f"{name}:{weight:g}" for name, weight in _names(request)) or None,
    )


def write_weights(base: Base, adapters: Any, quant: str, about: About, path: Path) -> dict[str, Any]:
    """As :func:`.model_file.write_model`, for types that llama.cpp has to make, too."""
    from . import kquants
    from .model_file import write_model

    if quant in PURE:
        return write_model(base, adapters, quant, about, path)
    exact = path.with_name(f"{path.stem}.exact.gguf")
    try:
        write_model(base, adapters, "F32", about, exact)
        made = kquants.quantise(exact, path, quant)
    finally:
        exact.unlink(missing_ok=True)
    facts: dict[str, Any] = {"tensors": dict(made.kinds), "quantised_by": made.by}
    return {**facts, "fell_back": dict(made.fell_back)} if made.fell_back else facts


def _merge(request: Request, folder: Path) -> dict[str, Any]:
    from .merging import read_parts

    path = folder / f"model.{quant_of(request)}.gguf"
    facts = write_weights(base_of(request), read_parts(_adapter(request)), quant_of(request), about_of(request), path)
    _say_fallbacks(request, facts)
    return {**facts, **_compared(path, request), "model": path.name}


def _compared(path: Path, request: Request) -> dict[str, int]:
    """How many texts became the same tokens, where that can be tried."""
    from . import probing

    return {"texts_tokenized_alike": probing.compare(path, request.base.path)} if probing.possible() else {}


def _write_adapter(sink: GgufSink, request: Request, folder: Path) -> dict[str, Any]:
    from .adapter_file import write_adapter
    from .merging import read_parts

    base = base_of(request)
    facts: dict[str, Any] = {"adapter": ADAPTER}
    write_adapter(read_parts(_adapter(request)), base.config, about_of(request), folder / ADAPTER)
    kept_base = _kept_base(request, base)
    if not _with_base(request):
        sink._base = kept_base
        return facts
    path = folder / f"base.{quant_of(request)}.gguf"
    _place(kept_base, path)
    return {**facts, **_compared(path, request), "model": path.name}


def _kept_base(request: Request, base: Base) -> Path:
    """The untouched base as a file, made once for all documents that train on it and say the same before a chat."""
    about = about_of(request, adapter=False)

    def make(path: Path) -> None:
        _say_fallbacks(request, write_weights(base, [], quant_of(request), about, path))

    made_of = {
        "base": request.base.digest,
        "quant": quant_of(request),
        "template": base.template,
        "about": repr(about),
        "written_by": _version(),
    }
    return kept(request.cache, "base-gguf", made_of, make, request.say, suffix=".gguf")


def _place(kept_file: Path, path: Path) -> None:
    """Put a file of the cache into an export: as a second name of the same bytes where the disk can."""
    with suppress(OSError):
        os.link(kept_file, path)
        return
    shutil.copyfile(kept_file, path)


def _say_fallbacks(request: Request, facts: Mapping[str, Any]) -> None:
    if (fallen := facts.get("fell_back")) is not None:
        names = fallen.get("tensors", fallen)
        total = sum(facts["tensors"].values())
        request.say(
            f"note: {len(names)} of {total} tensors have rows that {quant_of(request)} cannot divide, and are held in "
            "a larger type: for this base Q8_0 costs little more and loses less"
        )


def _steps(request: Request) -> tuple[str, ...]:
    quant = quant_of(request)
    if request.wishes.form != "adapter":
        return (f"llama-server --jinja -m {{folder}}/model.{quant}.gguf",)
    model = f"{{folder}}/base.{quant}.gguf" if _with_base(request) else "BASE.gguf"
    return (f"llama-server --jinja -m {model} --lora {{folder}}/{ADAPTER}",)


def _adapter(request: Request) -> Path | Mix:
    if request.chosen.adapter is None:
        raise ExportRefused("there is no adapter to export: train the document first")
    return request.chosen.adapter


def _names(request: Request) -> list[tuple[str, float]]:
    adapter = request.chosen.adapter
    weights = adapter.weights if isinstance(adapter, Mix) else (1.0,) * len(request.chosen.names)
    return list(zip(request.chosen.names, weights, strict=True))


def _stem(request: Request) -> str:
    path = request.document.path
    return path.stem if path is not None else request.document.frontmatter.dlm_id


def _with_base(request: Request) -> bool:
    return request.wishes.settings.get("base", _YES) == _YES


def _version() -> str:
    return f"dlm-gguf {installed('dlm-gguf')}, gguf {installed('gguf')}"
