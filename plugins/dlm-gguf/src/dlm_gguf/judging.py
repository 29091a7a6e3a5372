"""The backend that a suite names with ``kind: gguf``: any probe on exported files, in the program that serves them.

A base and a merged model, or a base with an adapter's file on it. Items are read one by one, so that a number does not
depend on what else was asked. What is compared: :mod:`dlm_sway.scoring.distances`; how a prompt is
made: :mod:`.llamacpp`; a file beside a model of another kind: :mod:`.alone`.
"""

from __future__ import annotations

import platform
from collections import OrderedDict
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dlm.errors import DlmError, ExportFailed
from dlm_sway.errors import BackendError, NotSupported, TargetError
from dlm_sway.scoring.backend import Backend
from dlm_sway.scoring.distances import compared
from dlm_sway.scoring.remembering import Identity
from dlm_sway.scoring.types import BASE, Answer, TextLogprob

from .items import given, windows
from .library import WHEEL, installed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dlm_sway.scoring.alone import Given, OneModel
    from dlm_sway.scoring.types import Comparison, Item, View
    from dlm_sway.spec.models import ModelSpec, SuiteDefaults

    from .llamacpp import LlamaCpp

ARITHMETIC: Final = 1
"""Counts up when the same question would get another number."""
CONTEXT: Final = 4096
KEPT_BYTES: Final = 512 << 20
"""Distributions of the base that are kept for the next view."""
STEP: Final = 7
"""Tokens fewer at once in each layout above 0: products of another shape."""


class Files(NamedTuple):
    """One side of a comparison."""

    model: Path
    adapter: Path | None


class GgufJudging(Backend):
    """GGUF files in llama.cpp. See :class:`dlm_sway.Backend`."""

    def compare(
        self, items: Sequence[Item], view: View, *, layout: int = 0, per_position: bool = False
    ) -> list[Comparison]:
        with explained(), self._viewing(view) as model:
            return [self._one(item, model, view, layout, per_position) for item in items]

    def texts(self, texts: Sequence[str], view: View) -> list[TextLogprob]:
        with explained(), self._viewing(view) as model:
            return [_rolled(text, model) for text in texts]

    def generate(self, prompts: Sequence[Item], view: View, *, max_new_tokens: int) -> list[Answer]:
        with explained(), self._viewing(view) as model:
            found = []
            for item in prompts:
                ids = list(given(item._replace(reference=""), model, self.defaults).ids)
                (written,) = model.complete([ids], max_new_tokens)
                found.append(Answer(model.model.text(written.ids).strip(), tuple(written.ids), written.ended))
            return found

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        with explained():
            return [len(self._base.text_ids(text)) for text in texts]

    @classmethod
    def alone(cls, spec: ModelSpec, defaults: SuiteDefaults) -> OneModel:
        """One file, to be compared with a model of another kind."""
        from .alone import GgufAlone

        return GgufAlone(spec, defaults)

    def identity(self, digest: Callable[[Path], str]) -> Identity | None:
        """Digests of the files, how prompts are made, and the version of llama.cpp."""
        base, tuned = self._files
        return Identity(
            base=identity_of(base, self.defaults, digest),
            adapter={"model": digest(tuned.model), "adapter": tuned.adapter and digest(tuned.adapter)},
        )

    def describe(self) -> dict[str, object]:
        """The files, what they say they hold, and the program that reads them."""
        sides = dict(zip(("base", "fine_tuned"), self._files, strict=True))
        with explained():
            return {
                "backend": "gguf",
                "runtime": self._base.name,
                **{name: facts_of(side) for name, side in sides.items()},
            }

    def close(self) -> None:
        """Free the models."""
        for name in ("_base", "_tuned"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()
        self._kept.clear()

    @cached_property
    def _kept(self) -> OrderedDict[tuple[int, ...], Any]:
        return OrderedDict()

    @cached_property
    def _files(self) -> tuple[Files, Files]:
        return files_named(self.models.base, "models.base"), files_named(self.models.ft, "models.ft")

    @cached_property
    def _base(self) -> LlamaCpp:
        model, adapter = self._files[0]
        # A suite that compares one base with and without an adapter names the adapter on both sides.
        return opened(model, adapter if not self.models.differential else None)

    @cached_property
    def _tuned(self) -> LlamaCpp:
        return opened(*self._files[1])

    @contextmanager
    def _viewing(self, view: View) -> Iterator[LlamaCpp]:
        if view.kind == "base":
            yield self._base
        elif view.kind == "ft" and not view.adapter:
            yield self._tuned
        elif view.kind == "scaled" and self._files[1].adapter is not None:
            self._tuned.model.weigh(view.scale)
            try:
                yield self._tuned
            finally:
                self._tuned.model.weigh(1.0)
        else:
            raise NotSupported(
                f"the view {view.label} needs weights that can be changed, and GGUF files are read as they are; only "
                "an adapter's file beside its base can be scaled. Run such probes on the adapter itself, with kind: hf"
            )

    def _one(self, item: Item, model: LlamaCpp, view: View, layout: int, per_position: bool) -> Comparison:
        one = given(item, self._base, self.defaults)
        base = self._of_base(one)
        itself = view == BASE and layout == 0
        found = base if itself else model.read(one.ids, one.start, max(8, model.model.rows - STEP * layout))
        return compared(base, found, one.targets, scored=bool(item.reference), each=per_position)

    def _of_base(self, one: Given) -> Any:
        key = (one.start, *one.ids)
        if key not in self._kept:
            self._kept[key] = self._base.read(one.ids, one.start, self._base.model.rows)
            while sum(kept.nbytes for kept in self._kept.values()) > KEPT_BYTES and len(self._kept) > 1:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def identity_of(side: Files, defaults: SuiteDefaults, digest: Callable[[Path], str]) -> dict[str, object]:
    """What decides the numbers of one side."""
    return {
        "arithmetic": ARITHMETIC,
        "model": digest(side.model),
        "adapter": side.adapter and digest(side.adapter),
        "template": defaults.template,
        "system_prompt": defaults.system_prompt,
        "machine": platform.machine(),
        "versions": {WHEEL: installed()},
    }


def files_named(spec: ModelSpec, where: str) -> Files:
    """The files that a suite means: a GGUF file, or an export's folder, and the adapter on it."""
    from .sink import files_of

    path = Path(spec.base).expanduser()
    try:
        model, adapter = files_of(path) if path.is_dir() else (path, None)
    except ExportFailed as error:
        raise TargetError(f"{where}: {error}") from error
    adapter = Path(spec.adapter).expanduser() if spec.adapter is not None else adapter
    for file in (model, adapter):
        if file is not None and not file.is_file():
            raise TargetError(f"{where}: there is no file {file}: give the path of a GGUF file")
    if model is None:
        raise TargetError(f"{where}: {path} holds an adapter alone: name its base's file, and this one under adapter")
    return Files(model, adapter)


def opened(model: Path, adapter: Path | None) -> LlamaCpp:
    """The model in memory, after a trial in a process of its own."""
    from .llamacpp import LlamaCpp
    from .trying import require_loadable

    with explained():
        require_loadable(model, [adapter] if adapter else [])
        return LlamaCpp(model, [(adapter, 1.0)] if adapter else [], context=CONTEXT)


def _rolled(text: str, model: LlamaCpp) -> TextLogprob:
    ids = model.model.tokenize(text, start=True)
    if len(ids) < 2:
        raise BackendError(f"{text[:40]!r} has no token to score: a text needs two")
    total = 0.0
    for run, scored in windows(ids, model.context or CONTEXT):
        rows = model.log_probs(run[:-1], scored - 1)
        total += float(sum(rows[at, token] for at, token in enumerate(run[scored:])))
    return TextLogprob(len(ids) - 1, total)


def facts_of(side: Files) -> dict[str, object]:
    """What a file says that it holds."""
    from .header import read_header

    metadata = read_header(side.model).metadata
    told = {key.removeprefix("general."): value for key, value in metadata.items() if key.startswith("general.")}
    return {"ref": str(side.model), "adapter": side.adapter and str(side.adapter), **told}


@contextmanager
def explained() -> Iterator[None]:
    """What llama.cpp or a file refuses, as sway says it."""
    try:
        yield
    except DlmError as error:
        raise BackendError(str(error)) from error
