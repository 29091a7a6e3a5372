"""What Ollama makes of an export, where no Ollama is: llama.cpp, which it runs, given the prompts of its template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.errors import ExportFailed
from dlm_gguf.llamacpp import LlamaCpp

from .conversation import render
from .gotemplate import TemplateFault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dlm.corpus.records import Message

    from .modelfile import Modelfile


class OllamaRuntime(LlamaCpp):
    """The files of a Modelfile, loaded. Without a template in it the GGUF file's own is used, as in Ollama."""

    def __init__(self, folder: Path, model: Modelfile) -> None:
        adapters = [(folder / model.adapter, 1.0)] if model.adapter else []
        super().__init__(folder / model.model, adapters, system_prompt=model.system)
        self._modelfile = model

    @property
    def name(self) -> str:
        return f"{super().name} + Modelfile"

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        if self._modelfile.template is None:
            return super().prompt_ids(messages)
        # Nothing is taken away: a start token that the template writes too would be read twice in Ollama as here.
        return self.model.tokenize(self.prompt_text(messages), start=True)

    def prompt_text(self, messages: Sequence[Message], *, invite: bool = True) -> str:
        # A Go template always invites an answer, so how a turn ends is read off the file's own.
        if self._modelfile.template is None or not invite:
            return super().prompt_text(messages, invite=invite)
        try:
            return render(self._modelfile.template, messages, self._modelfile.system)
        except TemplateFault as fault:
            raise ExportFailed(f"the Modelfile's template cannot be run: {fault}") from fault
