"""Run a suite: the one function behind ``sway run``, ``sway gate``, ``sway check`` and the Python API."""

from __future__ import annotations

import math
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import AdapterMismatch, NothingToAsk, NotSupported, SpecError, SwayError, TargetError
from ..probes.base import ProbeContext
from ..result import ProbeResult, SuiteResult
from ..scoring.session import asking
from ..sections import doc_text
from ..spec.load import LoadedSuite, PlannedProbe, load, plan
from ..spec.models import Suite, merged_weights
from .choosing import Chosen, choose
from .conclude import ASKED_MODEL, conclude, deciding
from .gate import DISABLED
from .multiplicity import adjusted
from .preflight import preflight
from .provenance import provenance
from .resuming import models_digest, unasked
from .score import composite, score_of

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager
    from ..probes.null_adapter import NullPlan
    from ..scoring.backend import Backend
    from ..scoring.session import Memory, Session
    from ..sections import SectionData
    from .resuming import Earlier

_WITHOUT_NUMBERS: Final = frozenset({"inspect"})
"""What still works when the model answers with NaN: reading the adapter's file."""

_OF_AN_ADAPTER: Final = frozenset({"inspect", "null", "scale"})
"""What needs an adapter that can be switched on one base."""

Say = Callable[[str], None]
Keep = Callable[[SuiteResult], None]


def run(
    spec: str | Path | Suite | LoadedSuite,
    *,
    weights: Mapping[str, float] | None = None,
    threshold: float | None = None,
    backend: Backend | Chosen | None = None,
    manager: PluginManager | None = None,
    facts: Mapping[str, Any] | None = None,
    sections: Sequence[SectionData] | None = None,
    cache: bool | Memory = True,
    trace: Path | None = None,
    say: Say = lambda _: None,
    earlier: Earlier | None = None,
    keep: Keep = lambda _: None,
) -> SuiteResult:
    """Run every enabled entry of ``spec`` and say what the verdicts mean together.

    ``weights`` are merged over the suite's category weights, ``threshold`` replaces its coverage threshold.
    ``backend`` is used instead of the one that ``models.ft.kind`` names, and is not closed; one that was not chosen by
    :func:`~.choosing.choose` is trusted to give every capability. ``sections`` are what was taught, instead of what the
    suite's ``dlm_source`` holds. ``facts`` are added to the provenance. With ``cache``, what an earlier run asked of
    the same models is not asked again; it may also be what makes the memory that is used. ``trace`` is a file to which
    every question is written, a line of JSON each. ``say`` hears progress, one line at a time. ``earlier`` is what an
    interrupted run of the same suite left: its entries are not asked again. ``keep`` gets the unfinished result after
    every entry, those still to come skipped and p-values not adjusted; it can be gone on with.

    A probe that raises becomes the verdict ``error`` and the suite goes on.

    Raises:
        SpecError: the suite cannot be run as written.
        PluginError: the backend cannot be imported.
        SwayError: the models cannot be loaded, or do not belong together.
        TargetError: ``earlier`` is of another run.
    """
    if manager is None:
        from ..plugins import manager as installed

        manager = installed()
    loaded = _with(spec, manager, weights, threshold)
    if sections is not None:
        loaded = replace(loaded, sections=tuple(sections))
    begun = _Begun(datetime.now(UTC).isoformat(), time.perf_counter())
    chosen = choose(loaded, manager) if backend is None else backend
    model, gives, backend_source = chosen if isinstance(chosen, Chosen) else Chosen(chosen)
    with ExitStack() as stack:
        if backend is None:
            stack.callback(model.close)
        session = stack.enter_context(asking(model, cache=cache, trace=trace, say=say))
        described = session.describe()  # what cannot be loaded ends the run here, rather than every probe in turn

        def found() -> dict[str, Any]:
            digest = models_digest(session.identity)
            return provenance(loaded, described, digest, session.counts.as_dict(), backend_source, facts or {})

        known = earlier.for_run(found()) if earlier else {}

        def ended(results: Sequence[ProbeResult]) -> None:
            if len(results) < len(loaded.probes):
                keep(_unfinished(loaded, results, known, {**found(), **_resumed(known)}, begun))

        results = _run_all(loaded, session, gives, manager, say, known, ended)
        facts_found = {**found(), **_resumed(known)}
    defaults = loaded.suite.defaults
    results = [_scored(one) for one in adjusted(results, defaults.multiplicity, defaults.alpha)]
    conclusion = conclude(results)
    summary = tuple(f"{r.name}: {r.message}" for r in deciding(conclusion, results))
    result = _result(loaded, results, conclusion, summary, facts_found, begun)
    manager.notify("dlm_sway_suite_finished", say, result=result)
    return result


class _Begun(NamedTuple):
    """When a run began, for people and for measuring."""

    at: str
    clock: float


def _result(
    loaded: LoadedSuite,
    results: Sequence[ProbeResult],
    conclusion: str,
    summary: tuple[str, ...],
    facts: dict[str, Any],
    begun: _Begun,
) -> SuiteResult:
    return SuiteResult(
        probes=tuple(results),
        conclusion=conclusion,
        score=composite(results, merged_weights(loaded.suite.defaults.score_weights)),
        provenance=facts,
        started_at=begun.at,
        finished_at=datetime.now(UTC).isoformat(),
        wall_seconds=round(time.perf_counter() - begun.clock, 3),
        summary=summary,
    )


def _unfinished(
    loaded: LoadedSuite,
    results: Sequence[ProbeResult],
    known: Mapping[str, ProbeResult],
    facts: dict[str, Any],
    begun: _Begun,
) -> SuiteResult:
    """The result so far. Damage that was found is found; anything better waits for the other entries."""
    rest = [unasked(one, known) for one in loaded.probes[len(results) :]]
    asked = [*results, *(one for one in rest if one.name in known)]
    conclusion = conclude(asked)
    if conclusion not in ("broken", "harmed"):
        conclusion = "could not tell"
    told = f"interrupted: {len(asked)} of {len(loaded.probes)} entries were asked, p-values are not adjusted yet"
    whole = _result(loaded, [*results, *rest], conclusion, (told,), facts, begun)
    return replace(whole, status="interrupted")


def _resumed(known: Mapping[str, ProbeResult]) -> dict[str, Any]:
    """For the provenance: the entries whose results are those of an earlier, interrupted run."""
    return {"resumed": sorted(known)} if known else {}


def _with(
    spec: str | Path | Suite | LoadedSuite,
    manager: PluginManager,
    weights: Mapping[str, float] | None,
    threshold: float | None,
) -> LoadedSuite:
    """``spec``, loaded and with the caller's weights and threshold in its defaults."""
    if isinstance(spec, Suite):
        spec = plan(spec, manager, "the suite")
    loaded = spec if isinstance(spec, LoadedSuite) else load(Path(spec), manager)
    given: dict[str, Any] = {}
    if weights:
        given["score_weights"] = {**(loaded.suite.defaults.score_weights or {}), **weights}
    if threshold is not None:
        given["coverage_threshold"] = threshold
    if not given:
        return loaded
    defaults = loaded.suite.defaults.model_copy(update=given)
    type(defaults).model_validate(defaults.model_dump())  # a copy is not validated
    return replace(loaded, suite=loaded.suite.model_copy(update={"defaults": defaults}))


def _run_all(
    loaded: LoadedSuite,
    session: Session,
    gives: frozenset[str],
    manager: PluginManager,
    say: Say,
    known: Mapping[str, ProbeResult],
    ended: Callable[[Sequence[ProbeResult]], None],
) -> list[ProbeResult]:
    manager.notify("dlm_sway_suite_started", say, name=loaded.source, probes=len(loaded.probes))
    ctx = _context(loaded, session)
    results: list[ProbeResult] = []
    broken: ProbeResult | None = None
    asked = False
    for number, planned in enumerate(loaded.probes, start=1):
        spec = planned.probe.spec
        if spec.name in known:
            say(f"[{number}/{len(loaded.probes)}] {spec.name} ({spec.kind}): known from the interrupted run")
            results.append(known[spec.name])
            ended(results)
            continue
        say(f"[{number}/{len(loaded.probes)}] {spec.name} ({spec.kind})")
        if not asked and _asks_model(planned, gives):
            broken, asked = preflight(session), True
        session.probe = spec.name
        results.append(run_probe(planned, ctx, gives if broken is None else gives & _WITHOUT_NUMBERS, broken))
        manager.notify("dlm_sway_probe_finished", say, result=results[-1])
        ended(results)
    return [broken, *results] if broken else results


def _enabled(loaded: LoadedSuite) -> Iterator[PlannedProbe]:
    return (planned for planned in loaded.probes if planned.probe.spec.enabled)


def _asks_model(planned: PlannedProbe, gives: frozenset[str]) -> bool:
    """Whether the entry will ask for numbers, rather than only read the adapter's file."""
    needs = planned.entry.needs
    return planned.probe.spec.enabled and bool(needs - _WITHOUT_NUMBERS) and needs <= gives


def _context(loaded: LoadedSuite, session: Session) -> ProbeContext:
    defaults, sections, tests = loaded.suite.defaults, loaded.sections, _tests(loaded)
    return ProbeContext(
        session,
        defaults.seed,
        defaults.alpha,
        _null_plan(loaded, tests),
        defaults,
        tests=tests,
        sections=sections,
        doc_text=None if sections is None else doc_text(sections),
        adapter=loaded.suite.models.ft.adapter,
    )


def _tests(loaded: LoadedSuite) -> int:
    """How many entries look for an effect that was meant, and so share the suite's alpha."""
    if loaded.suite.defaults.multiplicity == "none":
        return 1
    return max(1, sum((one.probe.seeks or one.entry.seeks) == "change" for one in _enabled(loaded)))


def run_probe(
    planned: PlannedProbe, ctx: ProbeContext, gives: frozenset[str], broken: ProbeResult | None = None
) -> ProbeResult:
    """One entry's result, whatever happens in the probe. ``broken`` says why the model gives no numbers.

    Raises:
        AdapterMismatch, TargetError: the models cannot be tested at all, so no other probe could answer either.
    """
    started = time.perf_counter()
    result = _answer(planned, ctx, gives, broken)
    seeks = result.seeks or planned.probe.seeks or planned.entry.seeks
    if seeks == "harm" and not planned.entry.needs:
        result = replace(result, evidence={**result.evidence, ASKED_MODEL: False})
    return replace(
        _scored(result),
        category=result.category or planned.entry.category,
        seeks=seeks,
        duration_s=round(time.perf_counter() - started, 3),
    )


def _scored(result: ProbeResult) -> ProbeResult:
    """``result`` with the score of its verdict, whatever the probe wrote there."""
    return replace(result, score=score_of(result.verdict))


def _answer(planned: PlannedProbe, ctx: ProbeContext, gives: frozenset[str], broken: ProbeResult | None) -> ProbeResult:
    probe = planned.probe
    if not probe.spec.enabled:
        return probe.result("skip", "disabled in the suite", evidence={"skip_reason": DISABLED})
    if broken and planned.entry.needs - gives:
        return probe.result("skip", "not asked: the model gives no numbers", evidence={"skip_reason": "preflight"})
    if missing := planned.entry.needs - gives:
        message = f"the backend cannot {' or '.join(sorted(missing))}, which this probe needs"
        if missing & _OF_AN_ADAPTER and not ctx.defaults.differential:
            message += ": two whole models are compared (differential: false), and that takes an adapter on one base"
        return probe.result("skip", message, evidence={"skip_reason": "unsupported"})
    try:
        return _finite(probe.run(ctx))
    except (AdapterMismatch, TargetError, SpecError):
        raise
    except NotSupported as error:
        return probe.result("skip", str(error), evidence={"skip_reason": "unsupported"})
    except NothingToAsk as error:
        return probe.result("skip", str(error), evidence={"skip_reason": "nothing to ask"})
    except SwayError as error:
        return probe.result("error", str(error))
    except Exception as error:
        if os.environ.get("DLM_SWAY_STRICT") == "1":
            raise
        message = f"{type(error).__name__}: {error} (in the probe {probe.spec.kind!r} of {planned.source})"
        return probe.result("error", message, evidence={"traceback": traceback.format_exc()})


def _finite(result: ProbeResult) -> ProbeResult:
    """``result``, unless its number is NaN or infinite: then no verdict can rest on it."""
    if result.raw is None or math.isfinite(result.raw):
        return result
    message = f"the probe measured {result.raw}, which is no number to judge ({result.message})"
    return replace(result, verdict="error", message=message, raw=None, ci_95=None)


def _null_plan(loaded: LoadedSuite, tests: int) -> NullPlan | None:
    """The calibration that the enabled ``null_adapter`` entry asks for, wherever in the suite it stands."""
    for planned in _enabled(loaded):
        spec: Any = planned.probe.spec
        if spec.kind == "null_adapter":
            plan: NullPlan = spec.plan(tests, loaded.suite.defaults.alpha)
            return plan
    return None
