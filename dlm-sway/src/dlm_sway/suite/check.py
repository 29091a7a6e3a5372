"""``sway check``: the suite most people want, made from what there is to test, and its answer in sentences."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from ..data import general_items
from ..errors import TargetError
from ..spec.models import Models, ModelSpec, Suite, SuiteDefaults
from .conclude import changes_nothing
from .run import Keep, run
from .target import ModelPair, Target

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager
    from ..result import ProbeResult, SuiteResult
    from ..scoring.backend import Backend
    from ..scoring.types import Item

NULLS: Final = 39
"""Random adapters to compare with: the fewest that can show p = 0.025."""
MARGIN: Final = 0.3
"""Nats. How far answers to unrelated questions may move, on average, before sway calls it harm."""

ExitCode = Literal[0, 1, 4]


@dataclass(frozen=True)
class Checked:
    """What was found, and the exit code it means."""

    result: SuiteResult
    exit_code: ExitCode


def check(
    ref: str,
    *,
    nulls: int = NULLS,
    base: str | None = None,
    margin: float = MARGIN,
    prompts: Sequence[str] = (),
    backend: Backend | None = None,
    manager: PluginManager | None = None,
    facts: Mapping[str, Any] | None = None,
    cache: bool = True,
    say: Callable[[str], None] = lambda _: None,
    keep: Keep = lambda _: None,
) -> Checked:
    """Judge what ``ref`` names: an adapter folder, or anything that a plugin can resolve, such as a document.

    ``base`` replaces the base that an adapter folder names; ``prompts`` the packaged questions it is asked. ``margin``
    (nats) is how far unrelated answers may move. ``keep`` gets the unfinished result after every question.

    Raises:
        TargetError: ``ref`` cannot be resolved.
        SwayError: the models cannot be loaded.
    """
    if manager is None:
        from ..plugins import manager as installed

        manager = installed()
    target = resolve(ref, manager, base)
    suite = make_suite(target, nulls=nulls, margin=margin, prompts=prompts)
    provenance = {
        "target": {"name": target.name, **target.provenance},
        "unasked": list(unasked(target)),
        **(facts or {}),
    }
    result = run(
        suite,
        backend=backend,
        manager=manager,
        facts=provenance,
        sections=target.sections,
        cache=cache,
        say=say,
        keep=keep,
    )
    result = replace(result, summary=(*sentences(result.probes), *unasked(target), *_caveats(target)))
    return Checked(result, exit_code(result, asked_learning=bool(target.held_out)))


def resolve(ref: str, manager: PluginManager, base: str | None = None) -> Target:
    """What ``ref`` names.

    Raises:
        TargetError: nobody knows it, or it names no base.
    """
    target: Target | None = manager.hook.dlm_sway_resolve_target(ref=ref)
    if target is None:
        target = _adapter_folder(Path(ref).expanduser(), base)
    elif base is not None:
        raise TargetError(f"{ref} names its own base: leave --base out, or check its adapter folder instead")
    return target


def _adapter_folder(folder: Path, base: str | None) -> Target:
    if folder.suffix == ".dlm":
        raise TargetError(f"{folder}: reading documents needs a plugin: pip install 'dlm-sway[dlm]'")
    if not folder.exists():
        raise TargetError(f"{folder}: no such adapter folder or document: check the path")
    config = folder / "adapter_config.json"
    if not config.is_file():
        raise TargetError(f"{folder}: not an adapter folder: name the one that holds adapter_config.json")
    name = base or _declared_base(config)
    spec = ModelSpec(base=name, adapter=folder.resolve())
    return Target(name=str(folder), models=ModelPair(base=spec.model_copy(update={"adapter": None}), ft=spec))


def _declared_base(config: Path) -> str:
    try:
        declared = json.loads(config.read_text("utf-8")).get("base_model_name_or_path")
    except (OSError, ValueError, AttributeError) as error:
        raise TargetError(f"{config}: cannot be read: {error}: save the adapter again") from error
    if not isinstance(declared, str) or not declared:
        raise TargetError(f"{config}: names no base model: give one with --base FOLDER_OR_HUB_ID")
    if declared.startswith(("/", ".", "~")) and not Path(declared).expanduser().is_dir():
        raise TargetError(f"{config}: its base {declared} is not on this disk: give one with --base FOLDER_OR_HUB_ID")
    return declared


def make_suite(target: Target, *, nulls: int, margin: float, prompts: Sequence[str] = ()) -> Suite:
    """The suite that ``sway check`` runs; save its JSON to see or change it."""
    defaults = SuiteDefaults(differential=target.models.differential, system_prompt=target.system_prompt)
    models = Models(base=target.models.base, ft=target.models.ft)
    entries: tuple[dict[str, Any], ...] = (
        {"name": "integrity", "kind": "integrity"},
        {"name": "nulls", "kind": "null_adapter", "runs": nulls},
        *_questions(target, margin, prompts),
    )
    return Suite(models=models, defaults=defaults, suite=entries)


def _questions(target: Target, margin: float, prompts: Sequence[str]) -> Iterator[dict[str, Any]]:
    changed = {"name": "changed", "kind": "delta_kl", "divergence": "kl"}
    own = target.held_out or target.taught
    if not own:
        # A third of the packaged questions, of every topic: each is asked of every random adapter, which takes time.
        yield {**changed, "prompts": list(prompts)} if prompts else {**changed, "cases": _cases(general_items()[::3])}
        return
    yield {**changed, "cases": _cases(own)}
    if target.held_out:
        yield {"name": "learned", "kind": "answer_gain", "cases": _cases(target.held_out)}
    elsewhere = {"name": "elsewhere", "kind": "delta_kl", "divergence": "kl", "assert_mean_lte": margin}
    yield {**elsewhere, "cases": _cases(general_items())}


def _cases(items: Sequence[Item]) -> list[dict[str, str]]:
    return [{"prompt": item.prompt, "reference": item.reference, "group": item.group} for item in items]


def unasked(target: Target) -> Iterator[str]:
    """Which questions could not be put, and what it would take."""
    if target.held_out:
        return
    if target.taught:
        yield "not asked: whether it learned, because no question was kept out of training"
    else:
        yield (
            "not asked: whether it learned, and whether it changed elsewhere: a folder does not say what was taught; "
            "check the document, or write a suite with `answer_gain`"
        )


def exit_code(result: SuiteResult, *, asked_learning: bool) -> ExitCode:
    """0 learned (or changed, when learning could not be asked about), 4 could not tell, else 1."""
    if any(probe.verdict == "error" for probe in result.probes):
        return 1
    if result.conclusion == "changed" and asked_learning:
        return 1 if _verdict(result.probes, "learned") == "fail" else 4
    if result.conclusion in ("learned", "changed"):
        return 0
    return 4 if result.conclusion == "could not tell" else 1


def sentences(results: Sequence[ProbeResult]) -> Iterator[str]:
    """Each question and its answer, with numbers."""
    for result in results:
        if result.verdict == "error":
            yield f"{result.name}: could not be asked: {result.message}"
        elif result.name == "integrity" and result.verdict == "fail":
            yield f"{'integrity' if changes_nothing(result) else 'broken'}: {result.message}"
        elif result.name == "learned":
            yield _learned(result)
        elif result.name == "changed":
            yield f"{_word(result, 'changed', 'no real change')}: {_bare(result.message)}"
        elif result.name == "elsewhere":
            yield f"elsewhere: {_word(result, 'no harm', 'harmed')}: {result.message}"


def _learned(result: ProbeResult) -> str:
    if result.verdict != "pass" or result.raw is None:
        return f"{_word(result, 'learned', 'not learned')}: {_bare(result.message)}"
    facts = [f"{result.raw:+.2f} nats"]
    if result.ci_95 is not None:
        facts.append(f"95% CI {result.ci_95[0]:.2g}..{result.ci_95[1]:.2g}")
    if result.p_value is not None:
        also = "" if result.p_adjusted in (None, result.p_value) else f", {result.p_adjusted:.2g} adjusted"
        facts.append(f"p = {result.p_value:.2g}{also}")
    if result.nulls is not None:
        facts += [f"{result.nulls.n} nulls", f"smallest possible p {result.nulls.resolution:.2g}"]
    return (
        f"learned: answers it never saw worded this way became {times(result.raw)} more likely per token "
        f"({', '.join(facts)})"
    )


def times(nats: float) -> str:
    """A gain in log-probability as a factor: 2.90 nats are ``18x``."""
    factor = math.exp(min(nats, 50.0))
    if factor > 1000:
        return "over 1000x"
    return f"{factor:.0f}x" if factor >= 10 else f"{factor:.1f}x"


def _word(result: ProbeResult, good: str, bad: str) -> str:
    words = {"pass": good, "warn": good, "fail": bad}
    return words.get(result.verdict, f"{good}: could not tell")


def _bare(message: str) -> str:
    """``message`` without a verdict in front, which the sentence has given already."""
    return message.removeprefix("no change: ").removeprefix("not learned: ")


def _caveats(target: Target) -> Iterator[str]:
    if note := target.provenance.get("note"):
        yield f"note: {note}"


def _verdict(results: Sequence[ProbeResult], name: str) -> str | None:
    return next((result.verdict for result in results if result.name == name), None)
