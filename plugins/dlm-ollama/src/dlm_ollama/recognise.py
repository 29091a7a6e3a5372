"""Which dialect a base speaks: the one whose template gives what the base's own template gives, or none.

Nothing is taken from names. Probe conversations are rendered by the base's own template, as training rendered them, and
by Ollama's rules from the dialect's template; a dialect is right when all of them are equal, as text and as token ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dlm.corpus.records import Message

from .conversation import render
from .dialects import DIALECTS, Around, Dialect, Found, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlm_hf.render import Renderer

_QUESTION = "Which harbours does the ferry call at?"
_SYSTEM = Message("system", "Answer like a harbour master.")
_TALK = (
    Message("user", _QUESTION),
    Message("assistant", "At three: Borkum, Juist and Norderney."),
    Message("user", "«Wann?» {{ .System }} \U0001f6a2\n\n- <b>first</b>\n- last"),
    Message("assistant", "Um 7.\nUnd um 9."),
    Message("user", "Thanks. And back?"),
)
PROBES: tuple[tuple[Message, ...], ...] = (_TALK[:1], _TALK[:3], _TALK)
"""One turn, two and three; each is rendered without a system message and with one."""


class Unspeakable(Exception):
    """The base's own template refuses a conversation; the message is what it says."""


class Difference(NamedTuple):
    """Where a dialect and the base's own template part."""

    conversation: tuple[Message, ...]
    wanted: str
    got: str


@dataclass(frozen=True)
class Recognised:
    """A base's dialect, proved."""

    dialect: Dialect
    template: str
    """For Ollama."""
    system: str | None
    """The document's system prompt as the model reads it: without outer white space where the base's template drops
    that."""
    takes_system: bool
    conversations: int
    """That were equal."""


@dataclass(frozen=True)
class Unrecognised:
    """No dialect fits; the nearest one, for people."""

    dialect: Dialect | None
    difference: Difference


class _Base:
    """The base's own template and tokenizer."""

    def __init__(self, renderer: Renderer) -> None:
        from dlm_hf.render import Renderer as Fresh

        self.document = renderer
        self.bare = Fresh(renderer.tokenizer, None)
        """Without the document's system prompt."""
        self._tokenizer = renderer.tokenizer
        self.start = str(self._tokenizer.bos_token or "")
        first = list(self._tokenizer("a").input_ids)[:1]
        self.adds_start = bool(self.start) and first == [self._tokenizer.bos_token_id]
        """Whether the tokenizer, and with it the exported file's, puts the start token in front by itself."""

    @property
    def reasons(self) -> bool:
        return "enable_thinking" in str(self._tokenizer.chat_template or "")

    def text(self, messages: Sequence[Message], renderer: Renderer) -> str:
        """What the model reads, without a start token that the tokenizer adds by itself.

        Raises:
            Unspeakable: the template refuses the conversation.
        """
        try:
            text = renderer.prompt_text(messages)
        except Exception as problem:  # a template's own complaint surfaces as whatever Jinja makes of it
            raise Unspeakable(str(problem)) from problem
        return text.removeprefix(self.start) if self.adds_start and renderer.mode == "chat" else text

    def compared(
        self, template: str, messages: Sequence[Message], renderer: Renderer, system: str | None = None
    ) -> Difference | None:
        """Where the base's own template and an Ollama template part, as text or as token ids."""
        wanted = self.text(messages, renderer)
        got = render(template, messages, system)
        # As Ollama does it: special tokens read, a start token added where the tokenizer does.
        if got == wanted and list(self._tokenizer(got).input_ids) == renderer.prompt_ids(messages):
            return None
        return Difference(tuple(messages), wanted, got)


def recognise(renderer: Renderer) -> Recognised | Unrecognised:
    """The dialect of a base; ``renderer`` has the document's system prompt.

    Raises:
        Unspeakable: the base's own template refuses the document's system prompt, or every conversation.
    """
    base = _Base(renderer)
    nearest: Unrecognised | None = None
    for dialect in _candidates(base):
        if (found := _found(dialect, base)) is None:
            continue
        result = _proved(dialect, found, base)
        if isinstance(result, Recognised):
            return result
        nearest = nearest or result
    return nearest or Unrecognised(None, _shown(base))


def _candidates(base: _Base) -> list[Dialect]:
    plain = base.document.mode == "plain"
    return [
        dialect
        for dialect in DIALECTS
        if (dialect.name == "plain") is plain and dialect.reasons in (None, base.reasons)
    ]


def _found(dialect: Dialect, base: _Base) -> Found | None:
    """What is around the turns of the smallest conversations; ``None`` when the turns themselves do not fit."""
    turn = f"{dialect.user.before}{_QUESTION}{dialect.user.after}{dialect.invitation}"
    alone = base.text(PROBES[0], base.bare)
    if not alone.endswith(turn):
        return None
    head = alone.removesuffix(turn)
    written = base.start and not base.adds_start and head.startswith(base.start)
    # A start token that also opens every turn, as SmolLM2's does, belongs to the turns.
    start = base.start if written and not dialect.user.before.startswith(base.start) else ""
    opening = head.removeprefix(start)
    try:
        both = base.text([_SYSTEM, *PROBES[0]], base.bare)
    except Unspeakable:
        return Found(start, opening)
    around = _around(dialect, both.removeprefix(start))
    return None if around is None or (opening and dialect.system != "block") else Found(start, opening, around)


def _around(dialect: Dialect, both: str) -> Around | None:
    """What is around the system message in front of a question."""
    before, met, rest = both.partition(_SYSTEM.content)
    between, also, _ = rest.partition(_QUESTION)
    if not (met and also):
        return None
    opener = dialect.user.before
    if dialect.system == "block":
        return Around(before, between.removesuffix(opener)) if between.endswith(opener) else None
    return Around(before.removeprefix(opener), between) if before.startswith(opener) else None


def _proved(dialect: Dialect, found: Found, base: _Base) -> Recognised | Unrecognised:
    """The dialect, if everything is equal."""
    template = write(dialect, found)
    asked: list[Sequence[Message]] = [*PROBES]
    if found.system is not None:
        asked += [[_SYSTEM, *probe] for probe in PROBES]
    for messages in asked:
        if (difference := base.compared(template, messages, base.bare)) is not None:
            return Unrecognised(dialect, difference)
    if (system := base.document.system_prompt) is None:
        return Recognised(dialect, template, None, found.system is not None, len(asked))
    differences = []
    for candidate in dict.fromkeys((system, system.strip())):
        against = [base.compared(template, probe, base.document, candidate) for probe in PROBES]
        if not any(against):
            return Recognised(dialect, template, candidate, found.system is not None, len(asked) + len(PROBES))
        differences += [difference for difference in against if difference is not None]
    return Unrecognised(dialect, differences[0])


def _shown(base: _Base) -> Difference:
    """What the base's own template writes, where no dialect even comes near."""
    return Difference(PROBES[0], base.text(PROBES[0], base.bare), "")
