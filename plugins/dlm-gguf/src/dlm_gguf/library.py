"""llama.cpp through the C interface of ``llama-cpp-python``: load, tokenise, decode. Nothing is printed.

What llama.cpp would write to the terminal is kept, and is part of the message when something fails. What a prompt
looks like and which questions are asked: :mod:`.llamacpp`.
"""

from __future__ import annotations

import ctypes
import os
from collections import deque
from contextlib import ExitStack, contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from dlm.errors import ExportFailed, RuntimeMissing

from .header import read_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from types import ModuleType

WHEEL: Final = "llama-cpp-python"
INSTALL: Final = "pip install 'dlm-gguf[llama-cpp]'"
_WARNING: Final = 3
"""The level of llama.cpp's log from which a line says why something failed; 5 goes on with the line before."""
_LINES: Final = 12


def installed() -> str | None:
    """The version of llama.cpp's bindings here; ``None`` without them."""
    try:
        return version(WHEEL)
    except PackageNotFoundError:
        return None


def bindings() -> ModuleType:
    """The module with llama.cpp's functions.

    Raises:
        RuntimeMissing: it is not installed, or cannot be loaded.
    """
    try:
        from llama_cpp import llama_cpp as native
    except (ImportError, OSError, RuntimeError) as error:
        raise RuntimeMissing(
            f"llama.cpp is not installed here, so the file cannot be tried ({error}): {INSTALL}, which takes a C "
            "compiler and some minutes"
        ) from error
    return native


def threads() -> int:
    """How many to work with: what ``OMP_NUM_THREADS`` says, as for PyTorch, else one a core that is ours."""
    if (asked := os.environ.get("OMP_NUM_THREADS", "")).isdigit() and int(asked):
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Heard:
    """What llama.cpp says meanwhile, instead of on the terminal."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._telling = False

    def take(self, level: int, text: bytes, _: object) -> None:
        """A line, or a piece of one."""
        self._telling = level >= _WARNING if level != 5 else self._telling
        if self._telling and (line := text.decode("utf-8", "replace").strip()):
            self._lines.append(line)

    @property
    def told(self) -> str:
        """The last complaints, for a message."""
        return "; ".join(dict.fromkeys(self._lines)) or "no reason given"


@contextmanager
def listening(native: Any) -> Iterator[Heard]:
    """Hear llama.cpp; afterwards, whoever heard it before does again."""
    heard = Heard()
    callback = native.llama_log_callback(heard.take)
    before, data = native.llama_log_callback(), ctypes.c_void_p()
    native.llama_log_get(ctypes.byref(before), ctypes.byref(data))
    native.llama_log_set(callback, ctypes.c_void_p(0))
    try:
        yield heard
    finally:
        native.llama_log_set(before, data)


class Model:
    """A loaded GGUF file, perhaps with an adapter's on it, and one context of it. Close it.

    Raises:
        RuntimeMissing: llama.cpp is not installed.
        ExportFailed: a file is damaged, or llama.cpp does not take it; says what it said.
    """

    def __init__(
        self,
        path: Path,
        adapters: Sequence[tuple[Path, float]] = (),
        *,
        context: int = 2048,
        sequences: int = 8,
        logit_bytes: int = 96 << 20,
        vocabulary_only: bool = False,
    ) -> None:
        self.native: Any = bindings()
        self.header = read_header(path)
        for adapter, _ in adapters:
            read_header(adapter)
        self._closing = ExitStack()
        with listening(self.native) as heard, self._closing_on_failure():
            self._load(path, heard, vocabulary_only)
            self.vocabulary = int(self.native.llama_vocab_n_tokens(self.vocab))
            if not vocabulary_only:
                self.rows = max(16, min(512, logit_bytes // (4 * self.vocabulary)))
                self.sequences = sequences
                self._open(context, heard)
                self._adapt(adapters, heard)

    def close(self) -> None:
        """Free all of it."""
        with listening(self.native):
            self._closing.close()

    def tokenize(self, text: str, *, start: bool) -> list[int]:
        """Ids of ``text``, special tokens in it read as such; with ``start``, also those that the file says begin and
        end a text."""
        data = text.encode()
        room = len(data) + 8
        ids = (self.native.llama_token * room)()
        count = self.native.llama_tokenize(self.vocab, data, len(data), ids, room, start, True)
        if count < 0:
            raise ExportFailed(f"llama.cpp cannot make tokens of a text of {len(data)} bytes")
        return list(ids[:count])

    def text(self, ids: Sequence[int], *, special: bool = False) -> str:
        """What ``ids`` stand for; special tokens only when they are asked for."""
        given = (self.native.llama_token * len(ids))(*ids)
        room = 16 * len(ids) + 64
        while True:
            buffer = ctypes.create_string_buffer(room)
            count = self.native.llama_detokenize(self.vocab, given, len(ids), buffer, room, False, special)
            if count >= 0:
                return buffer.raw[:count].decode("utf-8", "replace")
            room = -count

    def forget(self) -> None:
        """Begin anew: no sequence has read anything."""
        self.native.llama_memory_clear(self._memory, True)

    def decode(self, tokens: Iterable[tuple[int, int, int, bool]]) -> Any:
        """Read tokens, each with its place, its sequence and whether logits are wanted after it: ``float32`` of shape
        ``(wanted, vocabulary)``, a view that the next call overwrites. At most :attr:`rows` tokens.

        Raises:
            ExportFailed: llama.cpp cannot.
        """
        import numpy as np

        batch, count, wanted = self._batch, 0, 0
        for token, place, sequence, logits in tokens:
            batch.token[count], batch.pos[count], batch.n_seq_id[count] = token, place, 1
            batch.seq_id[count][0], batch.logits[count] = sequence, logits
            count, wanted = count + 1, wanted + logits
        batch.n_tokens = count
        with listening(self.native) as heard:
            status = self.native.llama_decode(self._context, batch)
        if status:
            raise ExportFailed(f"llama.cpp stopped with {status} after {count} tokens: {heard.told}")
        if not wanted:
            return np.empty((0, self.vocabulary), dtype=np.float32)
        found = self.native.llama_get_logits(self._context)
        return np.ctypeslib.as_array(found, shape=(wanted, self.vocabulary))

    @contextmanager
    def _closing_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._closing.close()
            raise

    def _load(self, path: Path, heard: Heard, vocabulary_only: bool) -> None:
        native = self.native
        native.llama_backend_init()
        params = native.llama_model_default_params()
        params.vocab_only, params.n_gpu_layers = vocabulary_only, 0
        self._model = native.llama_model_load_from_file(os.fsencode(path), params)
        if not self._model:
            raise ExportFailed(f"llama.cpp cannot load {path.name}: {heard.told}")
        self._closing.callback(native.llama_model_free, self._model)
        self.vocab = native.llama_model_get_vocab(self._model)
        self.trained_context = int(native.llama_model_n_ctx_train(self._model))

    def _open(self, context: int, heard: Heard) -> None:
        native, params = self.native, self.native.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = context, self.rows, self.rows
        params.n_seq_max, params.kv_unified = self.sequences, True
        params.n_threads = params.n_threads_batch = threads()
        self._context = native.llama_init_from_model(self._model, params)
        if not self._context:
            raise ExportFailed(f"llama.cpp cannot make room for {context} tokens: {heard.told}")
        self._closing.callback(native.llama_free, self._context)
        self.context = int(native.llama_n_ctx(self._context))
        self._memory = native.llama_get_memory(self._context)
        self._batch = native.llama_batch_init(self.rows, 0, 1)
        self._closing.callback(native.llama_batch_free, self._batch)

    def _adapt(self, adapters: Sequence[tuple[Path, float]], heard: Heard) -> None:
        self._loaded: list[tuple[Any, float]] = []
        for path, weight in adapters:
            adapter = self.native.llama_adapter_lora_init(self._model, os.fsencode(path))
            if not adapter:
                raise ExportFailed(f"llama.cpp cannot put {path.name} on the base: {heard.told}")
            self._loaded.append((adapter, weight))
        if self._loaded:
            self.weigh(1.0)

    def weigh(self, factor: float) -> None:
        """From now on the adapters count ``factor`` times their weights."""
        native, count = self.native, len(self._loaded)
        put = (native.llama_adapter_lora_p_ctypes * count)(*(adapter for adapter, _ in self._loaded))
        scales = (ctypes.c_float * count)(*(factor * weight for _, weight in self._loaded))
        if native.llama_set_adapters_lora(self._context, put, count, scales):
            raise ExportFailed(f"llama.cpp cannot use {count} adapters at once")
