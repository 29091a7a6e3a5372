"""How often ``dlm prompt --grounded`` calls an answer supported, right ones and wrong ones. No model is asked.

``python bench/grounding.py`` makes answers from the documents themselves and holds them against questions whose wording
the documents do not have: the table in ``docs/reference/prompt.md``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlm.document import read
from dlm.document.model import Pair
from dlm.grounding import Grounds
from dlm.grounding.passages import passages
from dlm.learning.judging import says

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dlm.document import Document

HERE = Path(__file__).parent
HANDBOOKS = HERE / "handbooks"
TUNED = (
    (HERE.parent / "examples" / "runbook.dlm", HERE / "learning" / "runbook.jsonl"),
    *((HANDBOOKS / f"{name}.dlm", HANDBOOKS / f"{name}.jsonl") for name in ("dev-ferry", "dev-allotment")),
)
"""Documents that the rules were made with."""
OTHERS = tuple((HANDBOOKS / f"{name}.dlm", HANDBOOKS / f"{name}.jsonl") for name in ("test-choir", "test-museum"))
MOST_SENTENCES = 3
MOST_DIGITS = 3
KINDS = {
    "own": "of a pair, to its own question",
    "sentence": "the right sentence, to a question in other words",
    "value": "the right value alone, to a question in other words",
    "digit": "the right sentence with one digit changed",
    "swapped": "the right sentence with the value of another fact",
    "elsewhere": "the value alone, of a fact from another section",
    "beside": "a true sentence from another section",
    "missing": "the value alone, to a question that the document does not answer",
    "missing sentence": "a true sentence, to a question that the document does not answer",
}


def main() -> None:
    """Print the table."""
    columns = _counted(TUNED), _counted(OTHERS)
    print("| answers | called supported | in documents that the rules were not made with |\n|---|---|---|")
    for kind, name in KINDS.items():
        print(f"| {name} | {' | '.join(f'{supported[kind]} of {asked[kind]}' for asked, supported in columns)} |")


def _counted(documents: Iterable[tuple[Path, Path]]) -> tuple[Counter[str], Counter[str]]:
    """Answers by kind, and those of them that are called supported."""
    asked, supported = Counter[str](), Counter[str]()
    for path, exam in documents:
        document = read(path)
        grounds = Grounds(document)
        lines = [json.loads(line) for line in exam.read_text(encoding="utf-8").splitlines() if line.strip()]
        for kind, question, answer in (*_pairs(document), *_answers(document, lines)):
            asked[kind] += 1
            supported[kind] += grounds.check(question, answer).supported
    return asked, supported


def _pairs(document: Document) -> Iterator[tuple[str, str, str]]:
    for section in document.sections:
        for pair in section.body:
            if isinstance(pair, Pair):
                yield from (("own", question, pair.answer) for question in pair.questions)


def _answers(document: Document, lines: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    texts = [passage.text for passage in passages(document) if passage.kind in ("text", "answer")]
    facts = [line for line in lines if line["kind"] == "fact"]
    saying = [[text for text in texts if all(says(text, value) for value in fact["values"])] for fact in facts]
    for fact, right in zip(facts, saying, strict=True):
        question = fact["question"]
        yield "value", question, _value(fact)
        for text in dict.fromkeys(right[:MOST_SENTENCES]):
            yield "sentence", question, text
            yield from (("digit", question, changed) for changed in _other_digits(text))
            yield from (("swapped", question, changed) for changed in _swapped(text, fact, facts))
        for other, told in zip(facts, saying, strict=True):
            if other["section"] != fact["section"] and set(other["values"]) != set(fact["values"]):
                yield "elsewhere", question, _value(other)
                yield from (("beside", question, text) for text in told[:1])
    for line in lines:
        if line["kind"] == "missing":
            for other, told in zip(facts, saying, strict=True):
                yield "missing", line["question"], _value(other)
                yield from (("missing sentence", line["question"], text) for text in told[:1])


def _value(fact: dict[str, Any]) -> str:
    return " and ".join(fact["values"])


def _other_digits(text: str) -> Iterator[str]:
    for match in list(re.finditer(r"\d", text))[:MOST_DIGITS]:
        yield f"{text[: match.start()]}{(int(match[0]) + 3) % 10}{text[match.end() :]}"


def _swapped(text: str, fact: dict[str, Any], facts: list[dict[str, Any]]) -> Iterator[str]:
    old = fact["values"][0]
    for other in facts:
        if other is not fact and old in text and not says(text, other["values"][0]):
            yield text.replace(old, other["values"][0])


if __name__ == "__main__":
    main()
