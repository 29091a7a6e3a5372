"""The export target ``gguf``: one merged model, or a base with an adapter beside it."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

from dlm.errors import ExportFailed, ExportRefused, RuntimeMissing
from dlm.export.cache import kept
from dlm.export.sink import Sink, Written
from dlm.store.files import disk_errors

from . import architectures, converter
from .quantising import PURE
from .wanted import about_of, adapter_of, check_wishes, names_of, quant_of, weighed, with_base

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from dlm.export.runtime import Runtime
    from dlm.export.sink import Judged, Request

    from .weights import Model

ADAPTER = "adapter.gguf"
COARSE = ("Q5_1", "Q5_0", "Q4_1", "Q4_0")
"""Types that have few steps between the smallest and the largest weight of a block."""


class GgufSink(Sink):
    """The target named ``gguf``."""

    def __init__(self) -> None:
        self._base: Path | None = None
        """The base of an adapter that was written alone, as long as this object lives."""

    def refuses_architecture(self, config: Mapping[str, Any]) -> str | None:
        if architectures.needs_converter(config) and converter.script() is not None:
            return None
        return architectures.refusal(config)

    def folder_name(self, request: Request) -> str:
        form = ["adapter"] if request.wishes.form == "adapter" else []
        adapters = [f"{name}{weight:g}" if weight != 1 else name for name, weight in names_of(request)]
        return "-".join(["gguf", quant_of(request), *form, *adapters])

    def check(self, request: Request) -> None:
        from .adapter_file import require_plain
        from .checkpoint import of_folder
        from .merging import Merged, read_parts
        from .weights import model_of, require_types

        check_wishes(request)
        model = model_of(request)
        require_types(model, quant_of(request))
        parts = read_parts(adapter_of(request))
        Merged(of_folder(request.base.path), parts)
        if request.wishes.form == "adapter":
            require_plain(parts)
            if model.base is None:
                raise ExportRefused(f"of a base that {converter.SCRIPT} writes, only --merged is possible")

    def write(self, request: Request, folder: Path) -> Written:
        form = request.wishes.form or "merged"
        facts = self._write_merged(request, folder) if form == "merged" else self._write_adapter(request, folder)
        facts = {"written_by": _version(), **facts}
        return Written(quant_of(request), form, facts, _steps(request), lambda place: _judged(request, place))

    def runtime(self, folder: Path) -> AbstractContextManager[Runtime]:
        from .llamacpp import LlamaCpp

        model, adapter = files_of(folder)
        if (model := model or self._base) is None:
            raise RuntimeMissing(
                f"{folder} holds an adapter alone, so there is nothing to ask: export it once without --set base=no"
            )
        return LlamaCpp(model, [(adapter, 1.0)] if adapter is not None else [])

    def _write_merged(self, request: Request, folder: Path) -> dict[str, Any]:
        from .merging import read_parts
        from .weights import model_of, write_weights

        model, parts = model_of(request), read_parts(adapter_of(request))
        path = folder / f"model.{quant_of(request)}.gguf"
        importance = _importance(request)
        facts = write_weights(model, parts, quant_of(request), about_of(request), path, importance)
        _say_fallbacks(request, facts)
        _say_rounded_twice(request)
        return {**facts, **_compared(path, request), "model": path.name}

    def _write_adapter(self, request: Request, folder: Path) -> dict[str, Any]:
        from .adapter_file import write_adapter
        from .merging import read_parts
        from .model_file import read_config
        from .weights import model_of

        config = read_config(request.base.path)
        write_adapter(read_parts(adapter_of(request)), config, about_of(request), folder / ADAPTER)
        base = _kept_base(request, model_of(request))
        facts = {"adapter": ADAPTER, **_compared(base, request)}
        if not with_base(request):
            self._base = base
            return facts
        path = folder / f"base.{quant_of(request)}.gguf"
        _place(base, path)
        return {**facts, "model": path.name}


def files_of(folder: Path) -> tuple[Path | None, Path | None]:
    """The model (merged, or the base of an adapter) and the adapter that an export in ``folder`` has."""
    adapter = folder / ADAPTER
    models = [path for path in sorted(folder.glob("*.gguf")) if path != adapter]
    if not models and not adapter.is_file():
        raise ExportFailed(f"{folder} holds no GGUF file: export again with `dlm export DOC --target gguf`")
    return (models[0] if models else None), (adapter if adapter.is_file() else None)


def _importance(request: Request) -> Mapping[str, Any] | None:
    """What the trained model looks at most, for the types that can make use of it."""
    from dlm.errors import UsageProblem
    from dlm.export.importance import importance_of

    from .checkpoint import of_folder
    from .lattice import on_a_grid

    if quant_of(request) in PURE or not weighed(request):
        return None
    if on_a_grid(of_folder(request.base.path)):
        request.say(
            "note: the base's weights were rounded to a few bits before they came here, so no importance matrix is "
            "used: with one, rounding would find that grid again and lose the adapter"
        )
        return None
    try:
        return importance_of(request)
    except UsageProblem as problem:
        request.say(f"note: all columns weigh the same in {quant_of(request)}: {problem}")
        return None


def _kept_base(request: Request, model: Model) -> Path:
    """The untouched base as a file, made once for all documents that train on it and say the same before a chat."""
    from .weights import write_weights

    about = about_of(request, adapter=False)

    def make(path: Path) -> None:
        _say_fallbacks(request, write_weights(model, [], quant_of(request), about, path))

    made_of = {
        "base": request.base.digest,
        "quant": quant_of(request),
        "template": model.template,
        "about": repr(about),
        "written_by": _version(),
    }
    return kept(request.cache, "base-gguf", made_of, make, request.say, suffix=".gguf")


def _judged(request: Request, folder: Path) -> Judged:
    from .judged import judged
    from .weights import model_of

    return judged(folder, lambda path: _place(_kept_base(request, model_of(request)), path))


def _place(kept_file: Path, path: Path) -> None:
    """Put a file of the cache into an export: as a second name of the same bytes where the disk can."""
    with suppress(OSError):
        os.link(kept_file, path)
        return
    with disk_errors(path, ExportFailed):
        shutil.copyfile(kept_file, path)


def _compared(path: Path, request: Request) -> dict[str, int]:
    """How many texts became the same tokens, where that can be tried."""
    from . import probing

    return {"texts_tokenized_alike": probing.compare(path, request.base.path)} if probing.possible() else {}


def _say_fallbacks(request: Request, facts: Mapping[str, Any]) -> None:
    if (fallen := facts.get("fell_back")) is not None:
        names = fallen.get("tensors", fallen)
        total = sum(facts["tensors"].values())
        request.say(
            f"note: {len(names)} of {total} tensors have rows that {quant_of(request)} cannot divide, and are held in "
            "a larger type: for this base Q8_0 costs little more and loses less"
        )


def _say_rounded_twice(request: Request) -> None:
    """Small steps away from a grid are lost when weights are rounded to the same one again."""
    from .checkpoint import of_folder
    from .lattice import on_a_grid

    if quant_of(request) in COARSE and on_a_grid(of_folder(request.base.path)):
        request.say(
            f"note: the base's weights were rounded to a few bits before they came here; {quant_of(request)} may find "
            "that grid again and lose the adapter: take Q8_0, or keep the adapter apart with --unmerged"
        )


def _steps(request: Request) -> tuple[str, ...]:
    quant = quant_of(request)
    if request.wishes.form != "adapter":
        return (f"llama-server --jinja -m {{folder}}/model.{quant}.gguf",)
    model = f"{{folder}}/base.{quant}.gguf" if with_base(request) else "BASE.gguf"
    return (f"llama-server --jinja -m {model} --lora {{folder}}/{ADAPTER}",)


def _version() -> str:
    return f"dlm-gguf {installed('dlm-gguf')}, gguf {installed('gguf')}"
