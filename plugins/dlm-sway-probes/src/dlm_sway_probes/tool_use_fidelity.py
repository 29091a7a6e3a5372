"""``tool_use_fidelity``: does the model still call tools as it should, or, where that was trained, does it now?"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from dlm_sway import Item, Measurement, Probe, ProbeContext, ProbeResult, View
from dlm_sway.data import tool_cases
from dlm_sway.probes.base import ProbeSpec, Scoring
from dlm_sway.probes.judging import FEWEST_ITEMS, Condition, Estimate, Words, by_test, intended, unharmed_rate
from dlm_sway.result import Seeks
from dlm_sway.scoring.types import BASE, Answer
from dlm_sway.stats.rates import mcnemar_exact, rate_not_above

from .old_keys import OWN_TEST, no_effect
from .tool_calls import Call, disagreement, faults_of_schema, find_call, is_valid

PACKAGED_TOKENS = 96
"""Twice what the longest call that a packaged case asks for takes."""
_LISTED = 10
_ANY: Mapping[str, Any] = {"type": "object"}
_ASK = (
    "You can call these tools:\n\n{tools}\n\n"
    "Answer the request with one call and nothing else, as a JSON object of this form:\n"
    '{{"name": "...", "arguments": {{...}}}}\n\n'
    "Request: {prompt}"
)
_WORDS = Words(
    still="no change: no call is better or worse than the base's",
    wrong_way="not learned: no more calls are right than the base's",
    small="not learned: ",
)


class ToolCase(BaseModel):
    """A request, the tool that answers it, and the call that should."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str = Field(min_length=1)
    tool_spec: dict[str, Any]
    """``name``, ``description`` and ``parameters`` (a JSON Schema), bare or under ``function``."""
    gold_tool_name: str = Field(min_length=1)
    gold_arguments: dict[str, Any] | None = None
    """What the call must say; left out, any arguments that fit the schema are right."""
    max_new_tokens: int = Field(default=256, ge=8, le=2048)

    @field_validator("tool_spec")
    @classmethod
    def _readable(cls, value: dict[str, Any]) -> dict[str, Any]:
        inner = value.get("function", value)
        if not isinstance(inner, Mapping) or not isinstance(inner.get("parameters", {}), Mapping):
            raise ValueError("`function` and `parameters` of a tool_spec must be mappings")
        fault = faults_of_schema(_parameters(inner))
        if fault:
            raise ValueError(f"the parameters of this tool are no JSON Schema: {fault}")
        return dict(inner)

    @model_validator(mode="after")
    def _one_name(self) -> ToolCase:
        if self.tool != self.gold_tool_name:
            raise ValueError(f"the tool is called {self.tool!r} and gold_tool_name {self.gold_tool_name!r}")
        return self

    @property
    def schema_of_arguments(self) -> Mapping[str, Any]:
        """What the arguments must fit."""
        return _parameters(self.tool_spec)

    @property
    def shown(self) -> str:
        """The tool as the model reads it."""
        facts = {"name": self.gold_tool_name, **self.tool_spec, "parameters": dict(self.schema_of_arguments)}
        for key in ("type", "properties", "required"):  # stand in `parameters`, wherever the suite has them
            facts.pop(key, None)
        return json.dumps(facts, ensure_ascii=False)

    @property
    def tool(self) -> str:
        """The name under which the tool is shown."""
        return str(self.tool_spec.get("name", self.gold_tool_name))


def _parameters(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    if "parameters" not in tool and "properties" not in tool:
        return _ANY
    bare = {key: value for key, value in tool.items() if key not in ("name", "description")}
    found: Mapping[str, Any] = tool.get("parameters", bare)
    return found


class ToolUseFidelitySpec(ProbeSpec):
    """Keys of a ``tool_use_fidelity`` entry."""

    cases: tuple[ToolCase, ...] = ()
    """Without any: the 96 packaged ones."""
    allowed_tools: tuple[str, ...] | None = None
    """Names that are no invention; without any, those of the tools that were shown."""
    other_tools: int = Field(default=2, ge=0, le=16)
    """Tools of other cases that are shown beside the right one, so that there is one to choose."""
    assert_validity_delta_gte: float = Field(default=-0.05, ge=-1, le=1)
    """Below zero, a guard: fewer right calls may be lost than this share. Above zero: as much must be gained."""
    assert_hallucination_lte: float = Field(default=0.10, gt=0, le=1)
    """Share of cases in which a tool that does not exist may be called where the base calls none."""
    assert_z_gte: float | None = None
    """Accepted for old files; calls are compared with the base's, not with random adapters'."""

    @field_validator("assert_validity_delta_gte")
    @classmethod
    def _sides(cls, value: float) -> float:
        if value == 0:
            raise ValueError(
                "0 can never be shown: give the share that may be lost, such as -0.05, or the one that must be won, "
                "such as 0.2"
            )
        return value


class Outcome(NamedTuple):
    """What one model did with one case."""

    call: Call | None
    valid: bool
    """A name and arguments that fit the schema."""
    right: bool
    """Valid, the right tool, and the arguments that it should have."""
    invented: bool
    """The name of a tool that nobody offered."""


class ToolUseFidelity(Probe[ToolUseFidelitySpec]):
    """Right calls, before and after; as a guard on those that were lost, or a test of those that were won."""

    kind = "tool_use_fidelity"
    spec_type = ToolUseFidelitySpec

    @property
    def seeks(self) -> Seeks | None:
        """Harm, unless the suite asks for a gain."""
        return "change" if self.spec.assert_validity_delta_gte > 0 else None

    @property
    def cases(self) -> tuple[ToolCase, ...]:
        """Each once."""
        cases = self.spec.cases or [ToolCase(**case._asdict(), max_new_tokens=PACKAGED_TOKENS) for case in tool_cases()]
        return tuple({_key(case): case for case in cases}.values())

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """1 where a call became right, -1 where it no longer is, else 0; beside it, what both models did."""
        before, after = (self._outcomes(scoring, one) for one in (BASE, view))
        gained = [float(b.right - a.right) for a, b in zip(before, after, strict=True)]
        return Measurement(tuple(gained), (), {"before": before, "after": after})

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Two guards with exact bounds, which must both hold; or a gain beyond chance, and no invention."""
        before, after = measured.evidence["before"], measured.evidence["after"]
        pairs, spec = list(zip(before, after, strict=True)), self.spec
        inventions = sum(b.invented and not a.invented for a, b in pairs)
        limits = _no_inventions(inventions, len(pairs), spec, ctx.alpha)
        rates = [sum(one.right for one in side) / len(pairs) for side in (before, after)]
        what = f"right calls {rates[0]:.0%} to {rates[1]:.0%}"
        numbers = {"base_value": rates[0], "ft_value": rates[1], "evidence": self._evidence(before, after)}
        if self.seeks == "change":
            return self._won(measured, ctx, what, limits, numbers)
        able, lost = sum(one.right for one in before), measured.values.count(-1.0)
        if able < FEWEST_ITEMS and limits.outcome != "fail":
            why = f"the base gets {able} of {len(pairs)} calls right, which is too little to lose: {what}"
            return self.result("inconclusive", why, raw=lost / len(pairs), n_items=len(pairs), seeks="harm", **numbers)
        return unharmed_rate(
            self,
            lost,
            len(pairs),
            ctx,
            limit=-spec.assert_validity_delta_gte,
            what=f"{what}, share lost",
            also=[limits],
            **numbers,
        )

    def _won(
        self, measured: Measurement, ctx: ProbeContext, what: str, limits: Condition, numbers: dict[str, Any]
    ) -> ProbeResult:
        p = mcnemar_exact(measured.values.count(1.0), measured.values.count(-1.0), "greater")
        return intended(
            self,
            Estimate.of_mean(measured.values),
            by_test(p, "exact McNemar", ctx.alpha),
            threshold=self.spec.assert_validity_delta_gte,
            what=f"{what}, mean change",
            unit="",
            sign="+",
            moved=any(measured.values),
            words=_WORDS,
            also=[limits],
            **numbers,
        )

    def _outcomes(self, scoring: Scoring, view: View) -> list[Outcome]:
        answers: dict[int, Answer] = {}
        for limit in sorted({case.max_new_tokens for case in self.cases}):
            at = [number for number, case in enumerate(self.cases) if case.max_new_tokens == limit]
            asked = [Item(self._question(self.cases[number])) for number in at]
            answers.update(zip(at, scoring.generate(asked, view, max_new_tokens=limit), strict=True))
        return [self._outcome(case, answers[number].text) for number, case in enumerate(self.cases)]

    def _question(self, case: ToolCase) -> str:
        return _ASK.format(tools="\n".join(one.shown for one in self._offered(case)), prompt=case.prompt)

    def _offered(self, case: ToolCase) -> list[ToolCase]:
        """The case's own tool and a few others, in the order of their names, which gives nothing away."""
        others = {one.tool: one for one in sorted(self.cases, key=_key) if one.tool != case.tool}
        chosen = random.Random(f"tools\n{case.prompt}").sample(sorted(others), min(self.spec.other_tools, len(others)))
        return sorted([case, *(others[name] for name in chosen)], key=lambda one: one.tool)

    def _outcome(self, case: ToolCase, text: str) -> Outcome:
        call = find_call(text)
        if call is None:
            return Outcome(None, valid=False, right=False, invented=False)
        valid = is_valid(call, case.schema_of_arguments)
        gold = case.gold_arguments
        right = valid and call.name == case.gold_tool_name and (gold is None or disagreement(call.arguments, gold) == 0)
        known = self.spec.allowed_tools or [one.tool for one in self._offered(case)]
        return Outcome(call, valid, right, isinstance(call.name, str) and call.name not in known)

    def _evidence(self, before: Sequence[Outcome], after: Sequence[Outcome]) -> dict[str, Any]:
        n, pairs = len(before), list(zip(self.cases, before, after, strict=True))
        valid = [sum(one.valid for one in side) / n for side in (before, after)]
        both = [disagreement(a.call.arguments, b.call.arguments) for _, a, b in pairs if a.call and b.call]
        golds = [
            disagreement(b.call.arguments, case.gold_arguments)
            for case, _, b in pairs
            if b.call and case.gold_arguments is not None
        ]
        gained = sum(b.right and not a.right for _, a, b in pairs)
        lost = sum(a.right and not b.right for _, a, b in pairs)
        return {
            "json_valid_rate_base": valid[0],
            "json_valid_rate_ft": valid[1],
            "validity_delta": valid[1] - valid[0],
            "gained": gained,
            "lost": lost,
            "mcnemar_p": mcnemar_exact(gained, lost),
            "mean_arg_disagreement": sum(both) / len(both) if both else None,
            "num_arg_pairs_compared": len(both),
            "mean_gold_arg_disagreement": sum(golds) / len(golds) if golds else None,
            "hallucination_rate": sum(one.invented for one in after) / n,
            "hallucination_rate_base": sum(one.invented for one in before) / n,
            "num_cases": n,
            "per_case": [_row(*pair) for pair in pairs][:_LISTED],
            "notes": no_effect(self.spec, assert_z_gte=OWN_TEST),
        }


def _no_inventions(events: int, n: int, spec: ToolUseFidelitySpec, alpha: float) -> Condition:
    limit = spec.assert_hallucination_lte
    test = rate_not_above(events, n, limit, alpha)
    word = "goes beyond" if test.outcome == "fail" else "cannot be told from"
    return Condition(
        test.outcome, f"the share that newly calls a tool that does not exist {word} {limit:g} ({events} of {n})"
    )


def _key(case: ToolCase) -> str:
    return json.dumps([case.prompt, case.tool_spec, case.gold_tool_name, case.gold_arguments], sort_keys=True)


def _row(case: ToolCase, before: Outcome, after: Outcome) -> dict[str, Any]:
    return {"prompt": case.prompt[:80], "gold": case.gold_tool_name, "base": _seen(before), "ft": _seen(after)}


def _seen(outcome: Outcome) -> dict[str, Any]:
    called = None if outcome.call is None else outcome.call._asdict()
    return {"call": called, "valid": outcome.valid, "right": outcome.right}
