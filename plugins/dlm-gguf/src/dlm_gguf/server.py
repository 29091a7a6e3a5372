"""The export target ``llama-server``: GGUF files, the conversation template, and a script that serves them with
llama.cpp's own server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dlm.errors import ExportRefused
from dlm.export.conversation import TEMPLATE_FILE, write_template
from dlm.export.launching import Server, Word, listening, served_name, text, variable, write_script
from dlm.training.mixing import Mix

from .sink import ADAPTER, GgufSink, files_of
from .wanted import template_of

if TYPE_CHECKING:
    from pathlib import Path

    from dlm.export.sink import Request, Written

SCRIPT: Final = "llama-server_launch.sh"
LONGEST: Final = 8192
"""Tokens of a conversation that the script makes room for, where the base has a longer context."""
_UNKNOWN_CONTEXT = 2048
_INSTALL = "install llama.cpp (brew, winget or nix: llama.cpp), or download its release and add it to PATH"


class LlamaServer(GgufSink):
    """The target named ``llama-server``."""

    def folder_name(self, request: Request) -> str:
        return super().folder_name(request).replace("gguf", "llama-server", 1)

    def check(self, request: Request) -> None:
        super().check(request)
        _name(request)
        if request.wishes.template and template_of(request) is None:
            raise ExportRefused(
                "this base's tokenizer has no conversation template, and llama-server would make one up that the "
                "version was not trained with: give --no-template and send whole texts to /v1/completions"
            )

    def write(self, request: Request, folder: Path) -> Written:
        from .model_file import read_config

        written = super().write(request, folder)
        if (template := template_of(request)) is not None:
            write_template(folder, template)
        longest = read_config(request.base.path).get("max_position_embeddings")
        write_script(folder / SCRIPT, _server(request, folder, longest))
        facts = {**written.facts, "name": _name(request)}
        return replace(written, facts=facts, next_steps=(f"{{folder}}/{SCRIPT}",))


def _name(request: Request) -> str:
    """What the model is called where it is served."""
    chosen = request.chosen
    adapter = None if isinstance(chosen.adapter, Mix) else chosen.first
    return served_name(request.wishes.name, request.document.frontmatter.dlm_id, adapter)


def _server(request: Request, folder: Path, context: object) -> Server:
    model, adapter = files_of(folder)
    if model is None:
        raise ExportRefused("llama-server needs a model to put the adapter on: leave --set base=no out")
    longest = min(context if isinstance(context, int) else _UNKNOWN_CONTEXT, LONGEST)
    arguments: tuple[Word | str, ...] = (
        *("--model", text(f"./{model.name}")),
        *(("--lora", f"./{ADAPTER}") if adapter else ()),
        *("--alias", text(_name(request))),
        *listening(),
        *("--ctx-size", variable("DLM_CTX", longest)),
        *(("--jinja", "--chat-template-file", f"./{TEMPLATE_FILE}") if request.wishes.template else ()),
    )
    about = (
        f"llama-server serves {_name(request)}, {request.version.name} of the document "
        f"{request.document.frontmatter.dlm_id}.",
        f"DLM_CTX changes how many tokens a conversation may have (here {longest}).",
    )
    return Server("llama-server", _INSTALL, arguments, about)
