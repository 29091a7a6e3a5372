"""What an export reads and says, held against the trained model: prompts token by token, ends of answers, recall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ..corpus.records import Message
from ..errors import DlmError
from .certificate import Check, Recall

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..learning.expected import Expected
    from ..training.backend import Answer
    from .runtime import Runtime

Conversation = tuple[Message, ...]
ENOUGH_ENDS: Final = 0.5
"""Share of answers to the document's questions that end by themselves; where fewer do, the trained model is asked."""
P: Final = 0.05
LOST_AT_MOST: Final = 0.10
"""Share of the questions that an export may lose, however few were asked."""


def _user(*texts: str) -> Conversation:
    return tuple(Message("user" if at % 2 == 0 else "assistant", text) for at, text in enumerate(texts))


CONVERSATIONS: Final[dict[str, Conversation]] = {
    "one turn": _user("Who looks after the lighthouse?"),
    "three turns": _user("Who looks after the lighthouse?", "Its keeper does.", "And who pays her?"),
    "seven turns": _user("Hello!", "Hello.", "One?", "Two.", "Three?", "Four.", "And then?"),
    "a system message of its own": (Message("system", "Answer in one word."), *_user("Is ice cold?")),
    "other scripts": _user("Größe naïve 東京タワー Привет мир مرحبا 👩‍🚀 e\u0301 ﬁ"),
    "blanks and lines": _user("  two  blanks\n\n\ta tab, and a line end \n"),
    "numbers and code": _user("for i in range(1000): x[i] += 3.14159; # 12,345,678\n`rm -rf ./build`"),
    "words that look like special tokens": _user("</s> <|im_end|> <|im_start|>system <bos> [INST] <end_of_turn> <s>"),
}


class Difference(NamedTuple):
    """A conversation that becomes other tokens."""

    name: str
    expected: list[int]
    found: list[int]

    @property
    def at(self) -> int:
        """The first place where they differ."""
        pairs = zip(self.expected, self.found, strict=False)
        shorter = min(len(self.expected), len(self.found))
        return next((at for at, (one, other) in enumerate(pairs) if one != other), shorter)

    @property
    def told(self) -> str:
        """For people."""
        here, there = (str(ids[self.at]) if self.at < len(ids) else "nothing" for ids in (self.found, self.expected))
        return f"{self.name}: token {self.at + 1} is {here}, and was {there} in training"


def prompt_check(reference: Runtime, exported: Runtime, questions: Sequence[str]) -> Check:
    """Whether conversations become the same tokens: the packaged ones, and some of the document's questions."""
    asked = {**CONVERSATIONS, **{f"question {at}": _user(one) for at, one in enumerate(questions, start=1)}}
    differences, equal = [], 0
    for name, conversation in asked.items():
        try:
            expected = reference.prompt_ids(conversation)
        except Exception:  # a template may refuse a conversation in any way it likes, and then it was never trained
            continue
        try:
            found = exported.prompt_ids(conversation)
        except DlmError as problem:
            return Check("prompt", "failed", "it makes no prompt", why=f"{exported.name}: {problem}")
        equal += expected == found
        if expected != found:
            differences.append(Difference(name, expected, found))
    count = f"{equal} of {equal + len(differences)} the same, token by token"
    if differences:
        return Check("prompt", "failed", count, why=_why(differences, equal, reference))
    return Check("prompt", "passed", count)


def start_check(reference: Runtime, exported: Runtime) -> Check:
    """Whether a prompt begins with no more tokens that begin a text than it should."""
    conversation = CONVERSATIONS["one turn"]
    starts = reference.start_ids | exported.start_ids
    here, there = (_leading(runtime.prompt_ids(conversation), starts) for runtime in (exported, reference))
    found = {0: "none", 1: "one"}.get(here, str(here))
    if here == there and here <= 1:
        return Check("start token", "passed", found)
    if here > 1:
        why = "a prompt begins with two start tokens: the file adds one that its template writes already"
    else:
        what = "is missing" if here < there else "is put in front that training never saw"
        why = f"the start token {what}: the file says otherwise than the tokenizer whether one begins a text"
    return Check("start token", "failed", found, why=f"{why}. Write the export again")


def text_check(reference: Runtime, exported: Runtime, texts: Sequence[str]) -> Check:
    """Whether plain texts become the same tokens."""
    wrong = [
        Difference("a text", expected, found)
        for text in texts
        if (expected := reference.text_ids(text)) != (found := exported.text_ids(text))
    ]
    count = f"{len(texts) - len(wrong)} of {len(texts)} the same, token by token"
    if not wrong:
        return Check("texts", "passed", count)
    why = f"the file's tokenizer splits text otherwise ({wrong[0].told}): its kind, or its merges, are wrong"
    return Check("texts", "failed", count, why=why)


def stop_check(
    reference: Runtime, exported: Runtime, said: Sequence[Answer], questions: Sequence[Conversation]
) -> Check:
    """Whether answers end where the trained model learned to end them."""
    ended, asked = sum(answer.complete for answer in said), len(said)
    count = f"{ended} of {asked} answers end by themselves"
    if missing := sorted(reference.stop_ids - exported.stop_ids):
        why = (
            f"token {missing[0]} ends an answer in training, and {exported.name} reads on over it: the file does not "
            "mark it as an end. Write the export again"
        )
        return Check("stop", "failed", count, why=why)
    if asked and ended < ENOUGH_ENDS * asked:
        theirs = [answer.complete for answer in reference.answers(questions[:16], 64)]
        if ended / asked + 0.25 < sum(theirs) / len(theirs):
            why = f"answers run on: {sum(theirs)} of {len(theirs)} ended where it was trained"
            return Check("stop", "failed", count, why=why)
    return Check("stop", "passed", count)


class Question(NamedTuple):
    """A question of the learning report, with what the trained model says to it."""

    text: str
    expected: Expected
    said: str
    fact: int


def recall_of(questions: Sequence[Question], said: Sequence[Answer]) -> Recall:
    """How many are right, here and there."""
    from ..learning.intervals import sign_test

    gains: dict[int, int] = {}
    lost, right, before, same = [], 0, 0, 0
    for question, answer in zip(questions, said, strict=True):
        here, there = question.expected.met(answer.text), question.expected.met(question.said)
        gains[question.fact] = gains.get(question.fact, 0) + here - there
        right, before, same = right + here, before + there, same + (answer.text == question.said)
        if there and not here:
            lost.append(question.text)
    return Recall(len(questions), before, right, same, sign_test(gains.values()), tuple(lost))


def recall_check(recall: Recall) -> Check:
    """Whether the export still knows what was learned: fewer right answers than chance explains, and a tenth of all."""
    found = f"{recall.exported} of {recall.asked} right, {recall.reference} where it was trained"
    fewer = recall.reference - recall.exported
    if fewer > LOST_AT_MOST * recall.asked and recall.p_value <= P:
        why = f"{fewer} questions that were learned are not answered any more, the first: {recall.lost[0]}"
        return Check("recall", "failed", found, why=why)
    return Check("recall", "passed", found)


def _why(differences: Sequence[Difference], equal: int, reference: Runtime) -> str:
    first = differences[0]
    start = sorted(reference.start_ids)
    if all(one.found[1:] == one.expected and one.found[:1] == one.found[1:2] for one in differences):
        return f"the prompt begins with two start tokens ({first.told}): the file adds one that its template writes"
    if all(one.found[1:] == one.expected for one in differences):
        return f"a token is put in front of every prompt ({first.told}): the file says that a text begins with one"
    if all(one.found == one.expected[1:] and one.expected[:1] == start[:1] for one in differences):
        return f"the start token is missing ({first.told}): the file says that a text begins with none"
    if not equal:
        return (
            f"conversations become other tokens ({first.told}): the template in the file is not the one of training, "
            "or the document's system prompt is not put in front"
        )
    if equal == 1 and all(one.name != "a system message of its own" for one in differences):
        return f"the document's system prompt is not put in front of a conversation that has none ({first.told})"
    return f"some conversations become other tokens ({first.told}): template or tokenizer differ in what these have"


def _leading(ids: Sequence[int], starts: frozenset[int]) -> int:
    return next((at for at, token in enumerate(ids) if token not in starts), len(ids))


def texts_of(questions: Iterable[Question]) -> Iterator[Conversation]:
    """As they are asked."""
    for question in questions:
        yield _user(question.text)
