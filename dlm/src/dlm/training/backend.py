"""What a model backend does for dlm. Seams here; inside, a backend reads top to bottom."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from ..errors import RuntimeMissing, TrainingFailed, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..bases import HubSource, LocalBase
    from ..corpus.belonging import Sample
    from ..corpus.records import Message, Record
    from ..export.runtime import Runtime
    from ..hardware.capabilities import Capabilities
    from ..hardware.estimate import Estimate, Measured
    from ..store.tokens import TokenCache
    from .checkpoints import Checkpoints
    from .events import Evaluated, Outcome, StepLogged
    from .gating import GateSettings, TrainedGate
    from .mixing import Mix
    from .plan import Plan, Row
    from .ranks import Launch, Wanted
    from .recipe import Recipe
    from .vocabulary import Vocabulary


@dataclass(frozen=True)
class Sampling:
    """How an answer is drawn. ``temperature`` 0 is greedy and deterministic."""

    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Answer:
    """One answer. ``tokens`` counts the new tokens, the end-of-answer token not included."""

    text: str
    tokens: int
    seconds: float
    complete: bool
    """The model ended its answer by itself."""


class OwnAnswer(NamedTuple):
    """What the untouched base says by itself."""

    asked: int
    """Index of the conversation that it ends."""
    text: str
    ended: bool
    """The base ended its answer by itself."""


class BookGap(NamedTuple):
    """How well the untouched base knows answers, as mean log-probabilities in nats a token."""

    closed: float
    """From the question alone."""
    opened: float
    """With the records' contexts before it."""


def silent(line: str) -> None:
    """Say nothing."""


ON_BENCH: Final = "on bench"
"""Instead of a folder: go on with the weights that :meth:`Workbench.train` left on the bench."""


class Workbench(ABC):
    """One base on the bench, with an adapter being trained. A context manager: leaving it frees the memory."""

    say: Callable[[str], None] = staticmethod(silent)
    """Takes a line that whoever watches should read, such as that memory runs short. Set it to hear them."""

    def complete(
        self, records: Sequence[Record], cache_folder: Path | None = None, say: Callable[[str], None] = silent
    ) -> list[Record]:
        """``records``, where those that end with a question get the untouched base's own answer to it.

        A question that the base has nothing to say to is left out. Answers are kept in ``cache_folder``, one file a
        base: the first run takes a minute or so for some hundred questions and says so, later ones no time. Call it
        before :meth:`encode`.
        """
        from .completion import completed

        return completed(self, records, cache_folder, say)

    @property
    @abstractmethod
    def answers_scope(self) -> str:
        """A name, fit for a file, of all that decides :meth:`own_answers` beside the questions: the base, the template,
        how answers are drawn. The document's system prompt is no part of it."""

    @abstractmethod
    def own_answers(self, conversations: Sequence[Sequence[Message]]) -> Iterator[list[OwnAnswer]]:
        """Short answers of the untouched base under its default system prompt, in whatever order is fast.

        Each list holds those that were made at once.

        An answer may be drawn at random, but it is a function of its own conversation: never of the others, nor of
        their order. Conversations too long for the base are left out.
        """

    @abstractmethod
    def encode(self, records: Sequence[Record], cache: TokenCache | None = None) -> list[Row]:
        """Tokenise ``records`` with the one prompt renderer; long texts become several overlapping windows.

        Loads no weights. Rows are kept on the bench; indices into the returned list are what a plan refers to. What
        ``cache`` knows need not be tokenised again; rows are the same with it, without it, and whatever it holds. See
        :func:`dlm.store.tokens.encode_all`.

        Raises:
            TrainingFailed: a conversation does not fit ``recipe.sequence_len``, or no end-of-answer token is found.
        """

    def vocabulary(self, texts: Iterable[str]) -> Vocabulary | None:
        """How the base's tokenizer splits the words of ``texts``; ``None`` when this backend cannot tell. Loads no
        weights."""
        return None

    def open_book_gap(self, records: Sequence[Record]) -> BookGap:
        """What the untouched base gains by reading the contexts of ``records``: conversations that end with the answer.

        Log-probabilities are of the records' values, or of the whole answers where none is named. Decides whether
        ``distill`` records are worth training: a base that gains nothing has nothing to teach.

        Raises:
            TrainingFailed: this backend has no teacher, or a record no context.
        """
        raise TrainingFailed("this backend cannot train `distill` records: leave them out, or choose another backend")

    @abstractmethod
    def train(
        self,
        plan: Plan,
        on_step: Callable[[StepLogged], None],
        on_evaluation: Callable[[Evaluated], None],
        revise: Callable[[Plan, int, Evaluated], Plan] | None = None,
        start: Path | Literal["on bench"] | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> Outcome:
        """Run ``plan`` and leave the best weights on the bench: those of the highest held-out recall, and of the lowest
        held-out loss where recall is the same or unknown.

        ``plan.encodings`` says by which calls of :meth:`encode` its rows were made. After every evaluation but the
        first and the last, ``revise`` is given the plan, the steps made and what was found; training goes on with the
        plan that it returns: the same rows and the same steps so far, others to come.

        ``start`` is the folder of an adapter of the recipe's shape, made by :meth:`save`, whose weights the run begins
        with instead of fresh ones, or :data:`ON_BENCH` for those that the phase before left; the evaluation at step 0,
        and ``held_out_before``, are then that adapter's. What it begins with is never a result by itself: of the
        evaluations after it the best is kept.

        A plan whose recipe is ``preferring`` has ``prefer`` records: their loss is what it names, and so is the
        ``held_out_loss`` of the pairs among the held-out rows; ``accuracy`` and ``margin`` are told beside it, and the
        best weights have the lowest of that loss.

        ``checkpoints`` is told of every step, and may have a state to go on from: then ``plan`` is that run's, as it
        was revised by then, ``start`` is of no account, and the steps before it are neither made nor told again. On a
        CPU the weights end as they would have without the stop, to the last bit.

        Raises:
            AdapterMismatch: the weights in ``start`` do not fit the base or the recipe.
            TrainingRefused: the state was left by a run of another precision or shape.
            TrainingFailed: this backend does not train such records.
        """

    def measure(self, plan: Plan) -> Measured | None:
        """Load the weights, make the fullest step of ``plan`` once, and say what it took; ``None`` when this backend
        cannot tell. What is on the bench afterwards is worth nothing."""
        return None

    def rest(self) -> None:  # noqa: B027
        """Let go of the weights until they are needed: another bench works first. What was encoded stays."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the adapter (PEFT layout) and the tokenizer into an existing empty ``folder``."""


class Answerer(ABC):
    """A base, with an adapter, a mix of several, or none, that answers."""

    @abstractmethod
    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Length of the rendered prompt in tokens."""

    @abstractmethod
    def answer(
        self,
        conversations: Sequence[Sequence[Message]],
        sampling: Sampling,
        weights: Sequence[tuple[float, ...]] | None = None,
    ) -> Iterator[Answer]:
        """Answer each conversation, in order, in as few forward passes as the memory allows.

        ``weights`` are for each conversation those of the parts of the mix that the answerer was opened with, instead
        of the mix's own. A conversation's greedy answer depends on its own weights alone.

        Raises:
            UsageProblem: a prompt does not fit the base's context.
        """

    def weigh(self, gate: Path, questions: Sequence[str]) -> list[tuple[float, ...]]:
        """The weight that the gate in the file ``gate`` gives each adapter, for each question; they sum to 1. It reads
        the questions with the untouched base, each by itself.

        Raises:
            AdapterMismatch: the gate was trained on another base.
            UsageProblem: this backend has no gates.
        """
        raise UsageProblem("this backend asks no gate: choose with --adapter NAME, or give --gate off")


class Backend(ABC):
    """A library that can train and run base models, for example PyTorch with PEFT."""

    @abstractmethod
    def fetch_hub(self, source: HubSource, folder: Path, say: Callable[[str], None]) -> str:
        """Download a hub repository into ``folder``; the commit that was fetched.

        Raises:
            BaseModelError: the hub cannot be reached, or has no such repository or commit.
        """

    @abstractmethod
    def convert_gguf(self, gguf: Path, folder: Path) -> None:
        """Write what ``gguf`` holds into ``folder`` as ``config.json``, safetensors and tokenizer files."""

    def similar_words(self, folder: Path) -> dict[str, list[str]]:
        """Lower-case words of the base in ``folder``, each with those that it uses alike, the nearest first; empty when
        the backend cannot tell. Takes seconds and loads no model."""
        return {}

    def answers_scope(self, base: LocalBase, system_prompt: str | None) -> str | None:
        """A name of all that decides the greedy answers of ``base`` beside the questions and their length: what it is,
        the prompt, precision, device, libraries. ``None`` when the backend cannot tell: then they are asked for anew
        each time. Takes no second and loads no model."""
        return None

    def hardware(self) -> Capabilities:
        """What this machine can do for this backend. Takes seconds at most, and loads no model."""
        from ..hardware.capabilities import processor_only

        return processor_only()

    def estimate(self, base: LocalBase, plan: Plan, precision: str) -> Estimate | None:
        """What running ``plan`` on ``base`` in ``precision`` takes at its fullest moment, known without the weights;
        ``None`` when the backend cannot tell."""
        return None

    def launch(self, asked: Wanted) -> Launch:
        """How to start the processes that are asked for, so that they share the steps of one training.

        The first one calls :func:`dlm.training.ranks.run_first` with dlm's arguments, and only there is a bench made.

        Raises:
            UsageProblem: this backend, or this machine, has not what is asked for.
        """
        raise UsageProblem("this backend trains in one process: leave --gpus and --processes out")

    @abstractmethod
    def workbench(
        self, base: LocalBase, recipe: Recipe, system_prompt: str | None
    ) -> AbstractContextManager[Workbench]:
        """A bench for training ``base``."""

    def train_gate(
        self, base: LocalBase, adapters: Sequence[str], samples: Sequence[Sample], settings: GateSettings
    ) -> TrainedGate:
        """Learn from ``samples`` which of ``adapters`` a text belongs to, by how the untouched base reads it.

        Each fold of the samples judges a gate that was trained without it; the one that is returned has learned from
        all. The same for the same arguments.

        Raises:
            TrainingFailed: this backend trains no gates.
        """
        raise TrainingFailed("this backend trains no gates: remove training.gate, or choose another backend")

    @abstractmethod
    def answerer(
        self, base: LocalBase, adapter: Path | Mix | None, system_prompt: str | None, precision: str = "auto"
    ) -> AbstractContextManager[Answerer]:
        """The base, or the base with ``adapter``, ready to answer.

        A mix adds to the base's weights the sum of what its parts add, times their weights; a part of weight 1 alone is
        that adapter.

        Raises:
            AdapterMismatch: the adapter's tensors match no module of this base, or not all of them do; or the adapters
                are of a kind that cannot be summed.
        """

    def runtime(
        self, base: LocalBase, adapter: Path | Mix | None, system_prompt: str | None, precision: str = "auto"
    ) -> AbstractContextManager[Runtime]:
        """As :meth:`answerer`, for a certificate: it also gives token ids and whole distributions.

        Raises:
            AdapterMismatch: as :meth:`answerer`.
            RuntimeMissing: this backend gives no distributions.
        """
        raise RuntimeMissing("this backend gives no distributions, so it certifies no export: pip install 'dlm[hf]'")
