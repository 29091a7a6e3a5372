"""What a run may take from an earlier one: keys made of everything that can change a number, and of nothing else.

A key is the SHA-256 of: the format of these keys; what decides the base's numbers and, for every other view, the
adapter's (:class:`Identity`: digests of files, precision, kind of device, versions); the operation; the view; and the
question. No path and no name of a machine is part of it. Files: :mod:`.cache`.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from math import isinf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .cache import CacheFile, Unusable, null_file, score_file
from .types import AdapterInspection, Answer, Comparison, Divergences, Item, ModuleUpdate, TextLogprob

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .backend import Backend
    from .types import View

_KEYS: Final = 1


@dataclass(frozen=True)
class Identity:
    """What decides every number a backend gives, as JSON data without paths."""

    base: Mapping[str, object]
    """Of the view ``base``: weights, tokenizer, template, system prompt, precision, device, versions."""
    adapter: Mapping[str, object]
    """Of all other views, beside :attr:`base`."""


class Remembered:
    """Answers of earlier runs of the same models, and a place for this one's.

    Whatever goes wrong with a file is told once, through ``say``; the run goes on without that file.
    """

    def __init__(self, backend: Backend, say: Callable[[str], None] = lambda _: None) -> None:
        self._say = say
        self._backend = backend
        self._adapters: dict[str, str | None] = {}
        self._open: dict[str, CacheFile | None] = {}
        try:
            self._identity = backend.identity(self.digest)
        except BaseException:
            self.close()
            raise

    @property
    def identity(self) -> Identity | None:
        """What decides every number; ``None`` when the backend cannot say."""
        return self._identity

    @property
    def works(self) -> bool:
        """Whether anything can be taken or kept: not when the backend cannot say what decides its numbers."""
        return self._identity is not None

    def get(self, operation: str, view: View, questions: Sequence[Any]) -> dict[Any, Any]:
        """The questions whose answers are known, with these."""
        keys = self._keys(operation, view, questions)
        read = _READ[operation.partition(":")[0]]
        found = self._with(view, lambda file: file.get(list(keys.values()))) or {} if keys else {}
        return {one: read(json.loads(found[key])) for one, key in keys.items() if key in found}

    def put(self, operation: str, view: View, answers: Mapping[Any, Any]) -> None:
        """Keep ``answers``, but for those that are not finite numbers."""
        keys = self._keys(operation, view, list(answers))
        values = {key: text for one, key in keys.items() if (text := written(answers[one])) is not None}
        if values:
            self._with(view, lambda file: file.put(values))

    def digest(self, path: Path) -> str:
        """SHA-256 of a file's bytes."""
        found = self._use("scores", lambda file: file.digest(path))
        if found is not None:
            return str(found)
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()

    def close(self) -> None:
        """Let go of the files."""
        for name in sorted(self._open):
            self._use(name, CacheFile.close)

    def _keys(self, operation: str, view: View, questions: Sequence[Any]) -> dict[Any, bytes]:
        scope = self._scope(view)
        if scope is None:
            return {}
        return {
            one: hashlib.sha256(json.dumps([scope, operation, _asked(one)], sort_keys=True).encode()).digest()
            for one in questions
        }

    def _scope(self, view: View) -> list[object] | None:
        if self._identity is None:
            return None
        if view.kind == "base":
            return [_KEYS, self._identity.base]
        other = self._adapter(view.adapter) if view.adapter else ""
        shown = [view.kind, repr(view.scale), view.seed, repr(view.rank), other]
        return None if other is None else [_KEYS, self._identity.base, self._identity.adapter, shown]

    def _adapter(self, folder: str) -> str | None:
        if folder not in self._adapters:
            self._adapters[folder] = self._backend.adapter_identity(Path(folder), self.digest)
        return self._adapters[folder]

    def _with(self, view: View, do: Callable[[CacheFile], Any]) -> Any:
        return self._use("nulls" if view.is_null else "scores", do)

    def _use(self, name: str, do: Callable[[CacheFile], Any]) -> Any:
        """What ``do`` gives with the file, opened when first used; ``None`` when the file cannot be used."""
        try:
            if name not in self._open:
                self._open[name] = None
                self._open[name] = _file(name)
            file = self._open[name]
            return None if file is None else do(file)
        except Unusable as error:
            self._open[name] = None
            self._say(f"note: not kept between runs: {error}")
            return None


def _file(name: str) -> CacheFile | None:
    if name == "nulls":
        return None if os.environ.get("SWAY_DISABLE_NULL_CACHE") == "1" else CacheFile(null_file())
    return CacheFile(score_file())


def _asked(question: Any) -> object:
    """A question as JSON data. Which group an item belongs to changes no number."""
    if isinstance(question, Item):
        return [question.prompt, question.reference, question.before, question.system, question.plain]
    return question


def written(answer: Any) -> str | None:
    """An answer as it is kept; ``None`` when a number in it is not finite."""
    data = asdict(answer) if isinstance(answer, AdapterInspection) else answer
    if isinstance(answer, Comparison) and answer.at_most is not None:
        # JSON has no infinity, and an upper bound may be one.
        most = [str(one) if isinf(one) else one for one in answer.at_most]
        data = [*answer[:-1], most]
    try:
        return json.dumps(data, allow_nan=False)
    except ValueError:
        return None


def _inspection(data: dict[str, Any]) -> AdapterInspection:
    fields: dict[str, Any] = {key: tuple(one) if isinstance(one, list) else one for key, one in data.items()}
    fields["modules"] = tuple(ModuleUpdate(**module) for module in data["modules"])
    return AdapterInspection(**fields)


def _comparison(data: list[Any]) -> Comparison:
    *numbers, positions, most = [*data, None][:10]
    return Comparison._make([*numbers, tuple(positions), None if most is None else Divergences(*map(float, most))])


_READ: Final[dict[str, Callable[[Any], Any]]] = {
    "compare": _comparison,
    "positions": _comparison,
    "noise": _comparison,
    "texts": lambda data: TextLogprob(*data),
    "generate": lambda data: Answer(data[0], tuple(data[1]), data[2]),
    "count": int,
    "inspect": _inspection,
    "describe": dict,
}
"""From JSON data, by operation."""
