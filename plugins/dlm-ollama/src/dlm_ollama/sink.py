"""``dlm export --target ollama``: GGUF through dlm-gguf, a Modelfile beside it, and the model in Ollama if it runs."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from dlm.errors import ExportFailed, ExportRefused, UsageProblem
from dlm.export.sink import Sink, Written
from dlm.store.files import write_atomic

from .modelfile import NAME, Modelfile, Unwritable, read
from .names import default_name, require_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from dlm.export.runtime import Runtime
    from dlm.export.sink import Request

CREATE = ("auto", "require", "never")
_LEAST_ROOM = 64
_SHARED = ("imatrix",)
"""Settings that are dlm-gguf's."""


class OllamaSink(Sink):
    """See :class:`dlm.export.sink.Sink`. Weights are written, and refused, by dlm-gguf's own target."""

    def __init__(self) -> None:
        from dlm_gguf.sink import GgufSink

        self._gguf = GgufSink()

    def folder_name(self, request: Request) -> str:
        return f"ollama{self._gguf.folder_name(_for_gguf(request)).removeprefix('gguf')}"

    def refuses_architecture(self, config: Mapping[str, Any]) -> str | None:
        return self._gguf.refuses_architecture(config)

    def check(self, request: Request) -> None:
        from .handing_on import require_willing

        require_name(_name(request))
        create = _create(request)
        _room(request)
        self._gguf.check(_for_gguf(request))
        model, _ = self._planned(request, _Files("./model.gguf", None), request.wishes.quant)
        _text(request, model)
        if request.wishes.form == "adapter" and create != "never":
            require_willing(replace(model, adapter="./adapter.gguf"))

    def write(self, request: Request, folder: Path) -> Written:
        written = self._gguf.write(_for_gguf(request), folder)
        model, dialect = self._planned(request, _files(folder), written.quant)
        _tell_of_date(request)
        write_atomic(folder / NAME, _text(request, model), ExportFailed)
        name = _name(request)
        return replace(
            written,
            facts={**written.facts, "ollama_name": name, "name": name, "dialect": dialect},
            next_steps=(f"ollama run {name}",),
        )

    def _planned(self, request: Request, files: _Files, quant: str | None) -> tuple[Modelfile, str | None]:
        from .planning import modelfile

        return modelfile(request, files.model, files.adapter, _room(request), quant)

    def runtime(self, folder: Path) -> AbstractContextManager[Runtime] | None:
        return _loaded(folder)

    def finish(self, request: Request, folder: Path) -> tuple[str, ...]:
        from .handing_on import by_hand, hand_on

        wanted, name = _create(request), _name(request)
        if wanted == "never":
            return by_hand(name, folder)
        return hand_on(request, folder, _read(folder), name, required=wanted == "require")


@contextmanager
def _loaded(folder: Path) -> Iterator[Runtime]:
    """llama.cpp, which Ollama runs, with the prompts that Ollama's template gives."""
    from .serving import OllamaRuntime

    model = _read(folder)
    with OllamaRuntime(folder, model) as runtime:
        yield runtime


def _read(folder: Path) -> Modelfile:
    try:
        return read((folder / NAME).read_text(encoding="utf-8"))
    except OSError as problem:
        raise ExportFailed(f"{folder / NAME} cannot be read: {problem.strerror}: export again") from problem
    except Unwritable as problem:
        raise ExportFailed(f"{folder / NAME} is not as dlm wrote it: {problem}: export again") from problem


def _for_gguf(request: Request) -> Request:
    """The same export without what only Ollama knows. The file always has the base's own template in it: what
    ``--no-template`` leaves out is the Modelfile's, and Ollama then falls back on the file's.
    """
    shared = {name: value for name, value in request.wishes.settings.items() if name in _SHARED}
    return replace(request, wishes=replace(request.wishes, name=None, settings=shared, template=True))


def _name(request: Request) -> str:
    chosen = [name for name in request.chosen.names if name]
    usual = default_name(request.document.frontmatter.dlm_id, request.version.name, chosen)
    return usual if request.wishes.name is None else request.wishes.name


def _create(request: Request) -> str:
    wanted = request.wishes.settings.get("create", "auto")
    if wanted not in CREATE:
        raise UsageProblem(f"--set create={wanted}: write auto, require or never")
    return wanted


def _room(request: Request) -> int | None:
    said = request.wishes.settings.get("num_ctx")
    if said is None:
        return None
    if not said.isdecimal() or int(said) < _LEAST_ROOM:
        raise UsageProblem(f"--set num_ctx={said}: write a number of tokens, at least {_LEAST_ROOM}")
    return int(said)


def _text(request: Request, model: Modelfile) -> str:
    try:
        return model.write()
    except Unwritable as problem:
        raise ExportRefused(
            f"{request.document.location}: a Modelfile cannot hold {problem}: change the document's system_prompt"
        ) from problem


def _tell_of_date(request: Request) -> None:
    from .planning import dated

    if request.wishes.template and dated(request):
        request.say(
            "note: the base's template writes today's date, and Ollama's cannot: prompts there keep the date of this "
            "export"
        )


class _Files(NamedTuple):
    """The GGUF files of an export, as a Modelfile names them."""

    model: str
    adapter: str | None


def _files(folder: Path) -> _Files:
    from dlm_gguf.sink import files_of

    model, adapter = files_of(folder)
    if model is None:
        raise ExportFailed(f"{folder} holds no model for the adapter to be put on: export again")
    return _Files(f"./{model.name}", f"./{adapter.name}" if adapter is not None else None)
