"""``dlm export --target ollama``: GGUF through dlm-gguf, a Modelfile beside it, and the model in Ollama if it runs."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

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
ROOM = 4096
"""Tokens of a conversation, where the base reads as many and nobody says otherwise: Ollama's own default."""
_LEAST_ROOM = 64


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
        from .planning import plan

        require_name(_name(request))
        _create(request)
        _room(request)
        self._gguf.check(_for_gguf(request))
        if request.wishes.template:
            plan(request)

    def write(self, request: Request, folder: Path) -> Written:
        from .planning import modelfile

        written = self._gguf.write(_for_gguf(request), folder)
        files = _files(folder)
        model, dialect = modelfile(request, files.model, files.adapter, _room(request), written.quant)
        try:
            text = model.write()
        except Unwritable as problem:
            raise ExportRefused(
                f"{request.document.location}: a Modelfile cannot hold {problem}: change the document's system_prompt"
            ) from problem
        write_atomic(folder / NAME, text, ExportFailed)
        name = _name(request)
        return replace(
            written,
            facts={**written.facts, "ollama_name": name, "name": name, "dialect": dialect},
            next_steps=(f"ollama create {name} -f {{folder}}/{NAME}", f"ollama run {name}"),
        )

    def runtime(self, folder: Path) -> AbstractContextManager[Runtime] | None:
        return _loaded(folder)

    def finish(self, request: Request, folder: Path) -> tuple[str, ...]:
        from .handing_on import hand_on

        wanted = _create(request)
        if wanted == "never":
            return ()
        return hand_on(request, folder, _read(folder), _name(request), required=wanted == "require")


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
    return replace(request, wishes=replace(request.wishes, name=None, settings={}, template=True))


def _name(request: Request) -> str:
    return request.wishes.name or default_name(request.document.frontmatter.dlm_id, request.version.name)


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


class _Files:
    """The GGUF files of a folder by what they say they are."""

    def __init__(self, folder: Path) -> None:
        from dlm_gguf.header import read_header

        kinds = {path: read_header(path).text("general.type") for path in sorted(folder.glob("*.gguf"))}
        models = [path.name for path, kind in kinds.items() if kind != "adapter"]
        adapters = [path.name for path, kind in kinds.items() if kind == "adapter"]
        if len(models) != 1 or len(adapters) > 1:
            raise ExportFailed(f"{folder} holds {len(models)} models and {len(adapters)} adapters; Ollama takes one")
        self.model = f"./{models[0]}"
        self.adapter = f"./{adapters[0]}" if adapters else None


_files = _Files
