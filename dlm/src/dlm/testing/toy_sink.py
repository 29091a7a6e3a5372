"""A target of ``dlm export`` that writes the toy's logits, so that the flow can be tested without a heavy part."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..entries import SinkEntry
from ..errors import ExportFailed, ExportRefused
from ..export.runtime import Runtime
from ..export.sink import Sink, Written
from ..hookspecs import hookimpl
from ..training.backend import Answer
from ..training.mixing import Mix
from .toy_letters import ALPHABET, END, SIZE, log_softmax, prompt_of, read_tensor, spelled, tensor_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from ..corpus.records import Message
    from ..export.sink import Request

QUANTS = ("F64", "Q8_0", "Q4_K_M")
WEIGHTS = "toy.safetensors"


class ToySinkPlugin:
    """Offers the target ``toy``; give it to :func:`dlm.testing.only_plugins`."""

    @hookimpl
    def dlm_sinks(self) -> Iterable[SinkEntry]:
        yield SinkEntry(
            name="toy",
            target="dlm.testing.toy_sink:ToySink",
            summary="The toy's logits in a file.",
            quants=QUANTS,
            settings={"wrong": "how to be wrong: scale, refuse"},
        )


class ToySink(Sink):
    """The target named ``toy``."""

    def folder_name(self, request: Request) -> str:
        return f"toy-{request.wishes.quant}-{request.wishes.form}"

    def refuses_architecture(self, config: Mapping[str, Any]) -> str | None:
        kind = config.get("model_type")
        return None if kind == "toy" else f"it writes toys, and this is a {kind}"

    def check(self, request: Request) -> None:
        if request.wishes.settings.get("wrong") == "refuse":
            raise ExportRefused("the toy was told to refuse: leave --set wrong=refuse out")

    def write(self, request: Request, folder: Path) -> Written:
        adapter = request.chosen.adapter
        if adapter is None or isinstance(adapter, Mix):
            raise ExportFailed("the toy exports one adapter: choose one with --adapter")
        logits = read_tensor(adapter / "adapter_model.safetensors")
        if request.wishes.settings.get("wrong") == "scale":
            logits = [-value for value in logits]
        (folder / "weights").mkdir()
        (folder / "weights" / WEIGHTS).write_bytes(tensor_file(logits))
        (folder / "prompt.json").write_text(json.dumps({"system": request.system_prompt}), encoding="utf-8")
        form = request.wishes.form or "merged"
        return Written(request.wishes.quant, form, {"name": request.wishes.name}, ("toy-serve {folder}",))

    @contextmanager
    def runtime(self, folder: Path) -> Iterator[Runtime]:
        system = json.loads((folder / "prompt.json").read_text(encoding="utf-8"))["system"]
        yield ToyRuntime(read_tensor(folder / "weights" / WEIGHTS), system)

    def finish(self, request: Request, folder: Path) -> tuple[str, ...]:
        return (f"the toy was told of {folder.name}",)


class ToyRuntime(Runtime):
    """The toy's logits, asked one character after the other."""

    def __init__(self, logits: Sequence[float], system: str | None, base: Sequence[float] = ()) -> None:
        self._logits, self._system, self._base = list(logits), system, list(base)

    @property
    def name(self) -> str:
        return "toy"

    @property
    def stop_ids(self) -> frozenset[int]:
        return frozenset({END})

    @property
    def start_ids(self) -> frozenset[int]:
        return frozenset()

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        return spelled(prompt_of(messages, self._system))

    def text_ids(self, text: str) -> list[int]:
        return spelled(text)

    def log_probs(self, ids: Sequence[int], start: int = 0) -> Any:
        return _rows(self._logits, len(ids) - start)

    def untouched_log_probs(self, ids: Sequence[int], start: int = 0) -> Any:
        return _rows(self._base, len(ids) - start) if self._base else super().untouched_log_probs(ids, start)

    def answer(self, messages: Sequence[Message], max_new_tokens: int = 64) -> Answer:
        best = max(range(SIZE), key=self._logits.__getitem__)
        if best == END:
            return Answer("", 0, 0.0, complete=True)
        return Answer(ALPHABET[best] * max_new_tokens, max_new_tokens, 0.0, complete=False)


def _rows(logits: Sequence[float], count: int) -> Any:
    import numpy as np

    return np.tile(np.array(log_softmax(logits), dtype=np.float32), (count, 1))
