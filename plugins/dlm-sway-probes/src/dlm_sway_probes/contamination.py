"""``contamination``: were the questions that judge the adapter trained? Words only, no model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Self

from pydantic import Field

from dlm_sway import Measurement, Probe, ProbeContext, ProbeResult, SectionData
from dlm_sway.data import general_items
from dlm_sway.errors import NothingToAsk
from dlm_sway.probes.base import ProbeSpec

from .cases import Case

_WORD = re.compile(r"\w+")
_LISTED = 10


class ContaminationSpec(ProbeSpec):
    """Keys of a ``contamination`` entry."""

    prompts: tuple[str, ...] = ()
    cases: tuple[Case, ...] = ()
    """What is asked elsewhere in the suite; without any, the document's held-out questions."""
    training_text: tuple[str, ...] = ()
    """What was trained, where no document says so."""
    ngram: int = Field(default=13, ge=3)
    """As many words in a row, found in what was trained, make a question contaminated."""
    assert_fraction_contaminated_lte: float = Field(default=0.0, ge=0, le=1)


class Contamination(Probe[ContaminationSpec]):
    """Share of questions that stand, whole or in a long run of words, in what was trained."""

    kind = "contamination"
    spec_type = ContaminationSpec

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Never called: no view is measured."""
        raise TypeError("contamination is run, not judged")

    def prepare(self, ctx: ProbeContext) -> Self:
        """With the document's questions and text, where the suite gives none."""
        spec, sections = self.spec, ctx.sections or ()
        asked = spec.prompts or spec.cases
        held_out = tuple(item.prompt for section in sections for item in (*section.held_out, *section.reversed))
        trained = spec.training_text or tuple(text for section in sections for text in trained_texts(section))
        if not asked and not held_out:
            raise NothingToAsk("no questions: give prompts or cases, or name the document with dlm_source")
        if not trained:
            raise NothingToAsk("what was trained is unknown: give training_text, or name the document with dlm_source")
        found = {"training_text": trained} | ({} if asked else {"prompts": held_out})
        return type(self)(spec.model_copy(update=found))

    def run(self, ctx: ProbeContext) -> ProbeResult:
        """Count; there is nothing to estimate, since all questions and all of the text are known."""
        spec = self.prepare(ctx).spec
        asked = tuple(dict.fromkeys([*spec.prompts, *(case.prompt for case in spec.cases)]))
        known = Trained(spec.training_text, spec.ngram)
        how = {prompt: known.finds(prompt) for prompt in asked}
        found = [prompt for prompt in asked if how[prompt]]
        fraction = len(found) / len(asked)
        passed = fraction <= spec.assert_fraction_contaminated_lte
        return self.result(
            "pass" if passed else "fail",
            f"{len(found)} of {len(asked)} questions were trained, in whole or {spec.ngram} words in a row; "
            f"{spec.assert_fraction_contaminated_lte:.0%} may be" + (f", the first {found[0][:60]!r}" if found else ""),
            raw=fraction,
            n_items=len(asked),
            seeks="harm",
            evidence=self._evidence(how, found, known),
        )

    def _evidence(self, how: dict[str, str], found: Sequence[str], known: Trained) -> dict[str, Any]:
        elsewhere = [item.prompt for item in general_items()]
        return {
            "contaminated": [{"prompt": prompt, "how": how[prompt]} for prompt in found[:_LISTED]],
            "ngram": known.ngram,
            "trained_words": known.words,
            "fraction_of_general_questions": sum(bool(known.finds(prompt)) for prompt in elsewhere) / len(elsewhere),
        }


class Trained:
    """Texts that were trained, to look words up in."""

    def __init__(self, texts: Iterable[str], ngram: int) -> None:
        rows = [words(text) for text in texts]
        self.ngram, self.words = ngram, sum(map(len, rows))
        self._runs = {tuple(row[at : at + ngram]) for row in rows for at in range(len(row) - ngram + 1)}
        self._whole = [f" {' '.join(row)} " for row in rows]
        self._equal = {" ".join(row) for row in rows}

    def finds(self, text: str) -> str:
        """``same``, ``inside`` (whole, in something longer), ``run`` (so many words of it in a row), or nothing."""
        row = words(text)
        joined = " ".join(row)
        if not row:
            return ""
        if joined in self._equal:
            return "same"
        if any(f" {joined} " in whole for whole in self._whole):
            return "inside"
        return "run" if any(tuple(row[at : at + self.ngram]) in self._runs for at in range(len(row))) else ""


def words(text: str) -> list[str]:
    """Lower case, without punctuation."""
    return _WORD.findall(text.lower())


def trained_texts(section: SectionData) -> list[str]:
    """What training reads of a section: its prose, and the pairs that are not kept for judging."""
    if section.kind == "prose":
        return [section.text]
    pairs = [text for pair in section.pairs if not pair.probe for text in (*pair.questions, pair.answer)]
    return pairs + [text for one in section.preferences for text in one]
