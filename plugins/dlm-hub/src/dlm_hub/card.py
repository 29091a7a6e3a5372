"""The model card: what the repository is, how to load it, what was measured, and what was not.

It holds no text of the document but what somebody asked for, and no path of this machine.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dlm.export.origin import Published
    from dlm.learning.report import Change, LearningReport, Score
    from dlm.share.claims import ClaimedLearning, Counted

_PLAIN = re.compile(r"[A-Za-z][\w./-]*")
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_QUESTION = re.compile(r"[|\n]+")


@dataclass(frozen=True)
class Facts:
    """What a card tells."""

    name: str
    base: Published
    base_source: str
    """One line for people: where the weights came from that it was trained on."""
    licence: Mapping[str, str]
    """Keys of the card's metadata."""
    kind: str
    """``LoRA``, ``DoRA``."""
    rank: int
    held: str
    """How the base's weights were held in training: ``full``, ``nf4``."""
    document: str
    """Its id."""
    document_digest: str
    version: str
    created: str
    system_prompt: bool
    made_by: str
    report: LearningReport | None
    language: str | None = None
    questions: bool = False
    """Quote the report's questions."""
    adapters: tuple[str, ...] = ()
    """Names of several, each in a folder of its own."""
    claimed: ClaimedLearning | None = None
    """The numbers of a report that is not there itself."""
    here: str = "."
    """Where the code of the card loads it from."""


def card(facts: Facts) -> str:
    """The text of ``README.md``."""
    return f"{head(metadata(facts))}\n{body(facts)}"


def body(facts: Facts, *more: str) -> str:
    """What people read; ``more`` comes before how it was made."""
    return "\n".join([*_about(facts), *_loading(facts), *_learned(facts), *more, *_limits(facts), *_made(facts)])


def metadata(facts: Facts) -> dict[str, Any]:
    """What the Hub reads."""
    return {
        "base_model": facts.base.repo,
        "base_model_relation": "adapter",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        **facts.licence,
        **({"language": [facts.language]} if facts.language else {}),
        "tags": ["dlm", facts.kind.lower(), "transformers"],
    }


def head(keys: Mapping[str, Any]) -> str:
    """``keys`` between lines of ``---``."""
    lines = [
        f"{key}:\n" + "\n".join(f"- {_scalar(one)}" for one in value)
        if isinstance(value, list)
        else f"{key}: {_scalar(value)}"
        for key, value in keys.items()
    ]
    return "\n".join(["---", *lines, "---", ""])


def _scalar(value: str) -> str:
    """A word as it is, anything else as JSON has it, which YAML reads too."""
    plain = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED
    return value if plain else json.dumps(value, ensure_ascii=False)


def _about(facts: Facts) -> Iterator[str]:
    yield f"# {facts.name}\n"
    names = facts.adapters
    what = (
        f"{len(names)} {facts.kind} adapters in folders of their names, {', '.join(f'`{one}`' for one in names)}, "
        if names
        else f"A {facts.kind} adapter of rank {facts.rank} "
    )
    commit = f" at commit `{facts.base.revision}`" if facts.base.revision else ""
    yield (
        f"{what}for [{facts.base.repo}](https://huggingface.co/{facts.base.repo}){commit}. "
        f"{'They were' if names else 'It was'} trained with dlm to answer questions about one document.\n"
    )
    if not facts.base.same_weights:
        yield (
            f"The weights that it was trained on came from another edition of this model ({facts.base_source}), so its "
            "answers on the repository's weights can differ from what was measured.\n"
        )
    if not facts.licence:
        yield "The licence of the base is not known here; it binds this adapter too.\n"


def _loading(facts: Facts) -> Iterator[str]:
    revision = f', revision="{facts.base.revision}"' if facts.base.revision else ""
    held = facts.held != "full"
    quantised = (
        f', quantization_config=BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="{facts.held}")'
        if held
        else ""
    )
    yield "## Use\n"
    yield "```python"
    yield "from peft import PeftModel"
    yield f"from transformers import AutoModelForCausalLM, AutoTokenizer{', BitsAndBytesConfig' if held else ''}\n"
    yield f'here = "{facts.here}"  # this repository: its id on the Hub, or a folder'
    yield "tokenizer = AutoTokenizer.from_pretrained(here)"
    yield f'base = AutoModelForCausalLM.from_pretrained("{facts.base.repo}"{revision}{quantised})'
    if facts.adapters:
        yield f"names = {json.dumps(facts.adapters)}"
        yield "model = PeftModel.from_pretrained(base, here, subfolder=names[0], adapter_name=names[0])"
        yield "for name in names[1:]:"
        yield "    model.load_adapter(here, name, subfolder=name)"
        yield "model.set_adapter(names[0])"
    else:
        yield "model = PeftModel.from_pretrained(base, here)"
    yield 'turns = [{"role": "user", "content": "Your question?"}]'
    yield "prompt = tokenizer.apply_chat_template("
    yield '    turns, add_generation_prompt=True, return_tensors="pt", return_dict=True'
    yield ")"
    yield "answer = model.generate(**prompt, max_new_tokens=200, do_sample=False)"
    yield 'print(tokenizer.decode(answer[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))'
    yield "```\n"
    if facts.system_prompt:
        yield (
            "The conversation template puts the system prompt of training in front of a conversation that begins with "
            "none.\n"
        )
    if held:
        yield (
            f"It was trained on weights rounded to {facts.held} and also corrects that rounding: load the base in the "
            "same way.\n"
        )


def _learned(facts: Facts) -> Iterator[str]:
    yield "## What it learned\n"
    report = facts.report
    if report is None or report.total is None:
        yield from _claimed(facts.claimed) if facts.claimed else ("Not measured.\n",)
        return
    yield from _measured(report, report.total)
    if facts.questions:
        yield from _quoted(report)


def _measured(report: LearningReport, total: Score) -> Iterator[str]:
    yield (
        "Asked greedily, before and after training, with wordings that training never saw. Intervals are 95%; "
        "questions about one fact count as a cluster.\n"
    )
    yield "| | before | after | asked | share after |"
    yield "|---|---|---|---|---|"
    yield _score("questions about the document", total)
    for name, score in report.sources.items():
        if len(report.sources) > 1:
            yield _score(f"of these, {name.replace('_', ' ')}", score)
    yield ""
    yield f"{total.facts} distinct facts were asked about. Verdict: {report.state}.\n"
    yield "| beside the document | before | after | asked |"
    yield "|---|---|---|---|"
    yield _change("general questions answered rightly", report.general)
    yield _change("near questions whose answer brings up the document", report.bleed)
    yield _change("questions it cannot know, answered with a value of the document", report.confabulation)
    yield ""


def _claimed(learning: ClaimedLearning) -> Iterator[str]:
    if (total := learning.total) is not None:
        yield (
            f"{total.after} of {total.asked} questions about the document answered rightly ({100 * total.low:.0f}-"
            f"{100 * total.high:.0f}%), {total.before} before training, about {total.facts} facts. "
            f"Verdict: {learning.state}.\n"
        )
    yield "| beside the document | before | after | asked |"
    yield "|---|---|---|---|"
    yield _change("general questions answered rightly", learning.general)
    yield _change("near questions whose answer brings up the document", learning.bleed)
    yield _change("questions it cannot know, answered with a value of the document", learning.confabulation)
    yield ""


def _score(what: str, score: Score) -> str:
    interval = f"{100 * score.share:.0f}% ({100 * score.low:.0f}-{100 * score.high:.0f}%)"
    return f"| {what} | {score.before} | {score.after} | {score.asked} | {interval} |"


def _change(what: str, change: Change | Counted) -> str:
    return f"| {what} | {change.before} | {change.after} | {change.asked} |"


def _quoted(report: LearningReport) -> Iterator[str]:
    yield "| question | expected | said | right |"
    yield "|---|---|---|---|"
    for item in report.items:
        if item.kind == "fact":
            cells = (item.question, "; ".join(item.expected), item.said_after, "yes" if item.right_after else "no")
            yield f"| {' | '.join(_QUESTION.sub(' ', cell).strip() for cell in cells)} |"
    yield ""


def _limits(facts: Facts) -> Iterator[str]:
    untested: Sequence[str] = (
        "questions about anything that the document does not say, beyond those counted above",
        "harmful or adversarial prompts, and prompts that try to make it give its training text away",
        "long conversations, tools, and languages other than the document's",
        "other programs, quantised weights, and sampling at a temperature above 0",
    )
    yield "## What it was not tested for\n"
    yield "\n".join(f"- {one};" for one in untested[:-1])
    yield f"- {untested[-1]}.\n"
    yield (
        "It can state what is wrong in the words of the document: check what matters. Bias and limits of the base "
        "remain.\n"
    )


def _made(facts: Facts) -> Iterator[str]:
    yield "## How it was made\n"
    rows = {
        "document": f"`{facts.document}`",
        "its digest": f"`{facts.document_digest}`",
        "version": facts.version,
        "trained": facts.created,
        "base's weights in training": "full" if facts.held == "full" else f"rounded to {facts.held}",
        "made by": facts.made_by,
    }
    yield "\n".join(f"- {key}: {value}" for key, value in rows.items()) + "\n"
