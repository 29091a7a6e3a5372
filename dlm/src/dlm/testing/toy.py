"""A backend of some hundred lines that really trains: one probability a character, learned by gradient descent.

It needs no library and a fraction of a second, and it keeps every promise of the backend interface; it cannot answer a
question (:mod:`.toy_answers`). Its base is the uniform distribution over printable ASCII and an end mark.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from ..entries import BackendEntry
from ..errors import AdapterMismatch, BaseModelError, TrainingFailed
from ..hookspecs import hookimpl
from ..store.tokens import Window, digest, encode_all
from ..training.backend import Answerer, Backend, OwnAnswer, Sampling, Workbench
from ..training.checkpoints import Checkpoints
from ..training.events import Evaluated, Outcome, StepLogged
from ..training.mixing import Mix
from ..training.plan import Row
from .toy_answers import ToyAnswerer, train_gate
from .toy_letters import SIZE, tensor_file
from .toy_letters import ids_of as _ids
from .toy_letters import log_softmax as _log_softmax
from .toy_letters import prompt_of as _prompt
from .toy_letters import read_tensor as _read
from .toy_letters import spelled as _spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..bases import HubSource, LocalBase
    from ..corpus.belonging import Sample
    from ..corpus.records import Message, Record
    from ..export.runtime import Runtime
    from ..store.tokens import TokenCache
    from ..training.gating import GateSettings, TrainedGate
    from ..training.plan import Plan
    from ..training.recipe import Recipe


def toy_base(folder: Path, name: str = "toy") -> Path:
    """Write a base that :class:`ToyBackend` accepts into ``folder``; name it ``path:FOLDER`` in a document."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "toy", "name": name}), encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(tensor_file([0.0] * SIZE))
    return folder


class ToyPlugin:
    """Offers the toy backend; give it to :func:`dlm.testing.only_plugins`."""

    @hookimpl
    def dlm_backends(self) -> Iterable[BackendEntry]:
        yield BackendEntry(
            name="toy",
            target="dlm.testing.toy:ToyBackend",
            summary="Learns how often each character occurs.",
            tasks=frozenset({"train", "generate"}),
        )


class ToyBackend(Backend):
    """The backend named ``toy``. :attr:`loaded` counts how often weights were loaded."""

    loaded: ClassVar[Counter[str]] = Counter()

    def fetch_hub(self, source: HubSource, folder: Path, say: Callable[[str], None]) -> str:
        raise BaseModelError(f"the toy backend has no hub to fetch {source.repo} from: use base_model: path:FOLDER")

    def convert_gguf(self, gguf: Path, folder: Path) -> None:
        raise BaseModelError("the toy backend reads no GGUF: use base_model: path:FOLDER")

    def answers_scope(self, base: LocalBase, system_prompt: str | None) -> str | None:
        return digest(answers="toy 1", base=base.digest, system_prompt=system_prompt)

    @contextmanager
    def workbench(self, base: LocalBase, recipe: Recipe, system_prompt: str | None) -> Iterator[Workbench]:
        yield ToyWorkbench(base, recipe, system_prompt)

    def train_gate(
        self, base: LocalBase, adapters: Sequence[str], samples: Sequence[Sample], settings: GateSettings
    ) -> TrainedGate:
        return train_gate(adapters, samples)

    @contextmanager
    def answerer(
        self, base: LocalBase, adapter: Path | Mix | None, system_prompt: str | None, precision: str = "auto"
    ) -> Iterator[Answerer]:
        if isinstance(adapter, Mix):
            parts = [_load(base, part.folder) for part in adapter.parts]
            yield ToyAnswerer(_load(base, None), system_prompt, parts, adapter.weights)
        else:
            yield ToyAnswerer(_load(base, adapter), system_prompt)

    @contextmanager
    def runtime(
        self, base: LocalBase, adapter: Path | Mix | None, system_prompt: str | None, precision: str = "auto"
    ) -> Iterator[Runtime]:
        from .toy_sink import ToyRuntime

        if isinstance(adapter, Mix):
            raise AdapterMismatch("the toy certifies one adapter: choose one")
        yield ToyRuntime(_load(base, adapter), system_prompt, _load(base, None))


class _Row(NamedTuple):
    counts: Counter[int]
    """Of the scored characters."""
    anchor: bool
    value: list[int]
    group: str


@dataclass(frozen=True)
class _ToyState:
    """A run between two steps."""

    step: int
    tokens: int
    loss: float | None
    anchor_kl: float | None
    before: Evaluated | None
    best: Evaluated | None
    logits: list[float]
    kept: list[float]

    def write(self, folder: Path) -> None:
        (folder / "state.json").write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> _ToyState:
        found = json.loads((folder / "state.json").read_bytes())
        for name in ("before", "best"):
            if found[name] is not None:
                found[name] = Evaluated(**found[name] | {"wrong": tuple(found[name]["wrong"])})
        return cls(**found)


class ToyWorkbench(Workbench):
    """The logits of the characters, trained with plain gradient descent."""

    def __init__(self, base: LocalBase, recipe: Recipe, system_prompt: str | None) -> None:
        self.base, self.recipe, self.system = base, recipe, system_prompt
        self._encoded: list[list[_Row]] = []
        self._logits: list[float] = []

    def encode(self, records: Sequence[Record], cache: TokenCache | None = None) -> list[Row]:
        scope = digest(encoder="toy 1", system_prompt=self.system, sequence_len=self.recipe.sequence_len)
        found = encode_all(records, scope, lambda missing: [tuple(self._windows(one)) for one in missing], cache)
        rows, encoded = [], []
        for index, (record, windows) in enumerate(zip(records, found, strict=True)):
            for start, ids in windows:
                rows.append(Row(index, len(ids), len(ids) - start))
                anchor, value = record.objective == "anchor", _spelled(record.value)
                encoded.append(_Row(Counter(ids[start:]), anchor, value, record.group))
        self._encoded.append(encoded)
        return rows

    def _windows(self, record: Record) -> Iterator[Window]:
        room = self.recipe.sequence_len
        if record.messages:
            prompt, answer = _spelled(_prompt(record.messages[:-1], self.system)), _ids(record.messages[-1].content)
            if len(prompt) + len(answer) > room:
                raise TrainingFailed(
                    f"{record.messages[0].content[:40]!r} takes more than {room} characters: shorten it"
                )
            yield Window(len(prompt), (*prompt, *answer))
            return
        title, body = _spelled(record.title), _ids(record.text)
        for start in range(0, len(body), room - len(title)):
            yield Window(len(title), (*title, *body[start : start + room - len(title)]))

    @property
    def answers_scope(self) -> str:
        return digest(answers="toy 1", base=self.base.digest)

    def own_answers(self, conversations: Sequence[Sequence[Message]]) -> Iterator[list[OwnAnswer]]:
        answerer = ToyAnswerer(_load(self.base, None), None)
        for index, answer in enumerate(answerer.answer(conversations, Sampling(max_new_tokens=48, temperature=1.0))):
            yield [OwnAnswer(index, answer.text, answer.complete)]

    def train(
        self,
        plan: Plan,
        on_step: Callable[[StepLogged], None],
        on_evaluation: Callable[[Evaluated], None],
        revise: Callable[[Plan, int, Evaluated], Plan] | None = None,
        start: Path | Literal["on bench"] | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> Outcome:
        checkpoints = checkpoints or Checkpoints()
        started = time.perf_counter()
        rows, held_out = (self._encoded[call] for call in plan.encodings)
        if plan.recipe.preferring is not None:
            raise TrainingFailed("the toy backend compares no answers: it cannot train a preference phase")
        number, tokens, loss, anchor_kl = 0, 0, None, None
        best: Evaluated | None = None
        if checkpoints.folder is not None:
            state = _ToyState.read(checkpoints.folder)
            number, tokens, loss, anchor_kl = state.step, state.tokens, state.loss, state.anchor_kl
            before, best = state.before, state.best
            self._logits, kept = state.logits, state.kept
            ToyBackend.loaded[self.base.key] += 1
        else:
            self._logits = self._logits if start == "on bench" else _load(self.base, start)
            before, kept = self._judge(0, held_out), list(self._logits)
            if before is not None:
                on_evaluation(before)
        while number < len(plan.steps):
            step = plan.steps[number]
            number += 1
            loss, anchor_kl, norm = self._step([rows[row] for row in step], plan.learning_rate(number - 1))
            tokens += sum(plan.rows[row].tokens for row in step)
            elapsed = time.perf_counter() - started
            rate = plan.learning_rate(number - 1)
            on_step(StepLogged(number, len(plan.steps), loss, anchor_kl, rate, norm, tokens, tokens / elapsed, elapsed))
            due = number % plan.evaluate_every == 0 or number == len(plan.steps)
            if due and (found := self._judge(number, held_out, best)) is not None:
                if found.best:
                    best, kept = found, list(self._logits)
                on_evaluation(found)
                if revise is not None and number < len(plan.steps):
                    plan = revise(plan, number, found)
            if all(map(math.isfinite, self._logits)):
                state = _ToyState(number, tokens, loss, anchor_kl, before, best, self._logits, kept)
                checkpoints.stepped(plan, number, state.write, evaluated=due)
        if before is not None and best is not None:
            self._logits = kept
        return Outcome(
            steps=len(plan.steps),
            best_step=best.step if best else len(plan.steps),
            held_out_before=before.held_out_loss if before else None,
            held_out_best=best.held_out_loss if best else None,
            final_loss=loss,
            anchor_kl=anchor_kl,
            tokens=tokens,
            seconds=time.perf_counter() - started,
            precision="fp32",
            device="cpu",
            non_finite=() if all(map(math.isfinite, self._logits)) else ("logits",),
            held_out_recall_before=before.held_out_recall if before else None,
            held_out_recall=best.held_out_recall if best else None,
        )

    def _step(self, rows: Sequence[_Row], rate: float) -> tuple[float | None, float | None, float]:
        """One step of gradient descent; mean loss, mean divergence from the base, gradient norm."""
        learned = sum((row.counts for row in rows if not row.anchor), Counter[int]())
        anchored = any(row.anchor for row in rows)
        logs = _log_softmax(self._logits)
        chances = [math.exp(value) for value in logs]
        gradient = [0.0] * SIZE
        loss = kl = None
        if total := learned.total():
            loss = -sum(count * logs[token] for token, count in learned.items()) / total
            gradient = [chance - learned[token] / total for token, chance in enumerate(chances)]
        if anchored:
            kl = -math.log(SIZE) - sum(logs) / SIZE
            weight = self.recipe.anchor_weight
            gradient = [slope + weight * (chance - 1 / SIZE) for slope, chance in zip(gradient, chances, strict=True)]
        self._logits = [value - rate * 100 * slope for value, slope in zip(self._logits, gradient, strict=True)]
        return loss, kl, math.sqrt(sum(slope * slope for slope in gradient))

    def _judge(self, step: int, rows: Sequence[_Row], best: Evaluated | None = None) -> Evaluated | None:
        """A value is said when each of its characters is the likeliest of all."""
        counts = sum((row.counts for row in rows), Counter[int]())
        if not counts:
            return None
        logs = _log_softmax(self._logits)
        loss = -sum(count * logs[token] for token, count in counts.items()) / counts.total()
        likeliest = max(range(SIZE), key=logs.__getitem__)
        asked = [row for row in rows if row.value]
        wrong = [row for row in asked if set(row.value) != {likeliest}]
        recall = 1 - len(wrong) / len(asked) if asked else None
        better = best is None or (recall or 0, -loss) > (best.held_out_recall or 0, -best.held_out_loss)
        return Evaluated(step, loss, better, recall, tuple(dict.fromkeys(row.group for row in wrong)))

    def save(self, folder: Path) -> None:
        (folder / "adapter_model.safetensors").write_bytes(tensor_file(self._logits))
        (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "TOY"}), encoding="utf-8")


def _load(base: LocalBase, adapter: Path | None) -> list[float]:
    ToyBackend.loaded[base.key] += 1
    logits = _read(base.path / "model.safetensors")
    if adapter is None:
        return logits
    found = _read(adapter / "adapter_model.safetensors")
    if len(found) != len(logits):
        raise AdapterMismatch(f"{adapter} holds {len(found)} numbers, {base.key} needs {len(logits)}: train it again")
    return found
