"""A teacher in a GGUF file, run by llama.cpp."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlm.errors import UsageProblem

from ..errors import TeacherFailed
from ..options import WHERE
from .base import Writer

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from dlm.corpus.lesson import AugmentContext

    from ..options import Options
    from ..prompts import Prompt

INSTALL = "pip install 'dlm-teacher[gguf]'"
CONTEXT = 8192
"""Tokens of prompt and reply; a prompt holds at most a few thousand."""
TOP_P = 0.95
_ENDS = 4 << 20
_MAGIC = b"GGUF"


class GgufWriter(Writer):
    """One file, loaded at the first prompt."""

    def __init__(self, options: Options, context: AugmentContext) -> None:
        self.path = _file(options.model.removeprefix("gguf:"), context.folder)
        self._identity = _identity(self.path)
        self._say = context.say
        self._model: Any = None

    @property
    def identity(self) -> str:
        return self._identity

    def write(self, prompts: Sequence[Prompt], temperature: float) -> Generator[tuple[int, str], None, None]:
        if self._model is None:
            self._say(f"teacher: loading {self.path.name}")
            self._model = _load(self.path)
        for place, prompt in enumerate(prompts):
            # The state of the prompt before is no part of this one's.
            self._model.reset()
            try:
                made = self._model.create_chat_completion(
                    messages=[{"role": "user", "content": prompt.text}],
                    temperature=temperature,
                    top_p=TOP_P,
                    seed=prompt.seed,
                    max_tokens=prompt.max_tokens,
                )
            except (ValueError, RuntimeError) as problem:
                raise TeacherFailed(
                    f"{self.path}: llama.cpp could not answer ({problem}): try another file, or another kind of model "
                    f"in {WHERE}.model"
                ) from problem
            yield place, made["choices"][0]["message"]["content"] or ""

    def close(self) -> None:
        if self._model is not None:
            self._model.close()
            self._model = None


def _file(text: str, folder: Path | None) -> Path:
    path = ((folder or Path.cwd()) / Path(text).expanduser()).absolute()
    if not text or not path.is_file():
        raise UsageProblem(f"{WHERE}.model names no file ({path}): write gguf:FILE, relative to the document's folder")
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise UsageProblem(f"{WHERE}.model: {path} is no GGUF file: export the model as one, or name another")
    if find_spec("llama_cpp") is None:
        raise TeacherFailed(f"{WHERE}.model names a GGUF file, and llama-cpp-python is not installed: run `{INSTALL}`")
    return path


def _identity(path: Path) -> str:
    """Size and both ends of the file: tells one model from another without reading gigabytes at every run."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(_ENDS))
        file.seek(max(0, size - _ENDS))
        digest.update(file.read(_ENDS))
    return f"gguf {digest.hexdigest()}"


def _load(path: Path) -> Any:
    try:
        from llama_cpp import Llama
    except (ImportError, OSError, RuntimeError) as problem:
        raise TeacherFailed(f"llama-cpp-python cannot be loaded ({problem}): install it again: {INSTALL}") from problem
    try:
        return Llama(str(path), n_ctx=CONTEXT, verbose=False)
    except (ValueError, RuntimeError) as problem:
        raise TeacherFailed(f"llama.cpp cannot load {path} ({problem}): try another file") from problem
