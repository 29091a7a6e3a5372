"""How often sway cries wolf, and how often it finds what is there: every probe and the suite, over many adapters.

Without ``--base``, on tables whose every number is known, which takes seconds::

    python bench/calibration_study.py --adapters 12 --out study.jsonl

With a base, on a real model that is loaded once::

    python bench/calibration_study.py --base FOLDER --adapters 200 --out study.jsonl --device cuda

The suite is what ``sway autogen`` would draft for a document of invented facts, or ``--suite FILE``. Arms:

* null: adapters that learned nothing: random directions, every norm that of the adapter (without ``--adapter`` or
  ``--suite``, a random one that is made beside ``--out``). An alarm is an effect that is claimed, or harm. Each is
  judged against null adapters that no other trial is judged against.
* family: with ``--family N``, the same with alpha shared over the suite's tests (Holm), for which the nulls of N trials
  are put together. The null arm itself then shares nothing, so that each probe's own rate is seen.
* placebo: with ``--placebos FOLDER...``, adapters that were trained by the usual recipe on text without meaning.
* effect: what the suite asks about was planted, in three ``--sizes``. On tables, logits for the right token; on a real
  model, the adapter at a part of its strength, asked part of the questions (only with ``--suite``).
* harm: what has nothing to do with the document was spoilt. On tables, logits for a wrong token; on a real model, null
  adapters of several times the norm.

Every trial is a line of ``--out``, and a study that was stopped goes on where it was. ``--first`` leaves trials to
other processes; their files put together are one study, and ``--show FILE...`` prints its tables. Ends with 1 when
some rate of false alarms is shown to lie above alpha.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    # Python leaves the program's own folder out when it is told to be safe.
    sys.path.append(str(HERE))

from calibration import material  # noqa: E402
from calibration.models import Question, Real, Tables, entries_about, random_adapter, real  # noqa: E402
from calibration.tally import Trial, rows, table, too_many  # noqa: E402
from learning.results import Cell, Results  # noqa: E402

from dlm_sway.plugins import manager  # noqa: E402
from dlm_sway.spec.load import load  # noqa: E402
from dlm_sway.spec.models import SuiteDefaults  # noqa: E402
from dlm_sway.suite.target import ModelPair  # noqa: E402

if TYPE_CHECKING:
    from dlm_sway.result import SuiteResult

SIZES = {"tables": "0.3,1,3", "real": "0.25,0.5,1"}
HARM = {"tables": "0.3,1,3", "real": "2,4,8"}


class Planned(NamedTuple):
    """One trial that is still to be made."""

    arm: str
    size: float
    trial: int
    make: Callable[[], SuiteResult]


def main() -> int:
    """Make the trials that are missing, then print the tables."""
    options = _options()
    if options.show:
        return _told([cell for path in options.show for cell in Results(path, _say).cells], options.alpha)
    results = Results(options.out, _say)
    study = _digest(options)
    if any(cell["key"]["study"] != study for cell in results.cells):
        _say(f"{options.out} was measured with other settings: choose another file, or remove it")
        return 2
    for at, planned in enumerate(_plan(options), start=1):
        key = {"study": study, "arm": planned.arm, "size": planned.size, "trial": planned.trial}
        if results.find(key, full=True) is None:
            started = time.perf_counter()
            results.add(key, _trial(planned.make()), full=True)
            _say(f"{at}: {planned.arm} {planned.size:g} #{planned.trial}: {time.perf_counter() - started:.1f} s")
    return _told(results.cells, options.alpha)


def _told(cells: Sequence[Cell], alpha: float) -> int:
    """Print the tables; 1 when false alarms are shown to be too many."""
    trials: list[Trial] = [{**cell["key"], **cell["measured"]} for cell in cells]
    found = rows(trials)
    print(table(found, alpha))
    wrong = too_many(found, alpha)
    for row in wrong:
        _say(f"{row.name} ({row.arm}): {row.found.events} alarms in {row.found.n} are more than alpha allows")
    return 1 if wrong else 0


def _plan(options: argparse.Namespace) -> Iterator[Planned]:
    with _arms(options) as arms:
        last = options.first + options.adapters
        yield from (_planned("null", 1.0, trial, arms.null) for trial in range(options.first, last))
        if options.family and isinstance(arms, Real):
            for number in range(options.first // options.family, last // options.family):
                yield Planned("family", 1.0, number, partial(arms.family, number, options.family))
        for number, folder in enumerate(options.placebos):
            yield Planned("placebo", 1.0, number, partial(_placebo, options, folder))
        for arm, sizes in (("effect", options.sizes), ("harm", options.harm_sizes)):
            if arm == "effect" and options.base and not options.suite:
                continue  # nothing was taught to a random adapter, whatever its strength
            for size in sizes:
                trials = range(options.first, options.first + options.trials)
                yield from (_planned(arm, size, trial, getattr(arms, arm)) for trial in trials)


def _planned(arm: str, size: float, trial: int, make: Callable[..., SuiteResult]) -> Planned:
    return Planned(arm, size, trial, (lambda: make(trial)) if arm == "null" else (lambda: make(trial, size)))


@contextmanager
def _arms(options: argparse.Namespace) -> Iterator[Tables | Real]:
    defaults = _defaults(options)
    if options.base is None:
        yield Tables(defaults, options.nulls, options.kinds)
        return
    adapter = options.adapter
    question = _suite(options)
    if question is not None:
        adapter = adapter or question.models.ft.adapter
    adapter = adapter or random_adapter(options.base, options.out.with_suffix(".adapter"))
    with real(options.base, adapter, defaults, device=options.device, dtype=options.dtype) as (pair, session):
        if question is None:
            sections = material.sections(0)
            entries = entries_about(sections, options.nulls, pair, options.kinds)
            question = Question(entries, sections, defaults)
        yield Real(replace(question, models=pair), session)


def _defaults(options: argparse.Namespace) -> SuiteDefaults:
    return SuiteDefaults(alpha=options.alpha, multiplicity="none" if options.family else "holm")


def _suite(options: argparse.Namespace) -> Question | None:
    """The suite of ``--suite``, with ``--nulls`` and ``--kinds`` in it."""
    if options.suite is None:
        return None
    loaded = load(options.suite, manager())
    kept = [
        {**entry, "runs": options.nulls} if entry["kind"] == "null_adapter" and options.nulls else entry
        for entry in loaded.suite.suite
        if not options.kinds or entry["kind"] in (*options.kinds, "null_adapter")
    ]
    models = loaded.suite.models
    own = _defaults(options)
    defaults = loaded.suite.defaults.model_copy(update={"alpha": own.alpha, "multiplicity": own.multiplicity})
    return Question(tuple(kept), loaded.sections or (), defaults, ModelPair(models.base, models.ft))


def _placebo(options: argparse.Namespace, folder: Path) -> SuiteResult:
    """The suite on an adapter of its own, with null adapters of its own norms."""
    defaults = _defaults(options)
    with real(options.base, folder, defaults, device=options.device, dtype=options.dtype) as (pair, session):
        question = _suite(options)
        if question is None:
            sections = material.sections(0)
            question = Question(entries_about(sections, options.nulls, pair, options.kinds), sections, defaults)
        return question.answer(session.backend)


def _trial(result: SuiteResult) -> dict[str, Any]:
    entries = {
        probe.name: {
            "kind": probe.kind,
            "seeks": probe.seeks,
            "verdict": probe.verdict,
            "raw": probe.raw,
            "p": probe.p_value,
            "p_adjusted": probe.p_adjusted,
        }
        for probe in result.probes
    }
    return {"conclusion": result.conclusion, "entries": entries}


def _digest(options: argparse.Namespace) -> str:
    """Names everything that decides a trial, except how many there are."""
    names = ("base", "adapter", "suite", "nulls", "alpha", "kinds", "dtype", "family")
    facts = {name: str(getattr(options, name)) for name in names}
    if options.suite is not None:
        facts["text"] = options.suite.read_text("utf-8")
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--base", type=Path, help="folder of a base model; without it, tables with known numbers")
    parser.add_argument("--adapter", type=Path, help="adapter whose norms the null adapters have")
    parser.add_argument("--suite", type=Path, help="a suite, such as `sway autogen` writes; its adapter was taught")
    parser.add_argument("--adapters", type=int, default=12, help="null adapters to test")
    parser.add_argument("--first", type=int, default=0, help="number of the first trial (default 0)")
    parser.add_argument("--family", type=int, metavar="N", help="whole suites, with the nulls of N trials; a real base")
    parser.add_argument("--placebos", type=Path, nargs="*", default=[], help="folders of placebo adapters to test")
    parser.add_argument("--trials", type=int, help="trials of each planted size; as many as --adapters by default")
    parser.add_argument("--sizes", type=_numbers, help="planted effects")
    parser.add_argument("--harm-sizes", type=_numbers, help="planted harm")
    parser.add_argument("--nulls", type=int, help="null adapters that calibrate; as many as the suite needs by default")
    parser.add_argument("--kinds", type=lambda text: text.split(","), default=[], help="only these probes")
    parser.add_argument("--alpha", type=float, default=0.05)
    parser.add_argument("--out", type=Path, help="results, a line each; what is there is not done again")
    parser.add_argument("--show", type=Path, nargs="+", help="only print the tables of these results, of one study")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    options = parser.parse_args()
    where = "tables" if options.base is None else "real"
    options.sizes = _numbers(SIZES[where]) if options.sizes is None else options.sizes
    options.harm_sizes = _numbers(HARM[where]) if options.harm_sizes is None else options.harm_sizes
    options.trials = options.adapters if options.trials is None else options.trials
    if not (options.out or options.show):
        parser.error("name a file for the results with --out")
    if (options.placebos or options.family) and options.base is None:
        parser.error("--placebos and --family need --base")
    if options.family and not (options.nulls and options.first % options.family == 0):
        parser.error("--family N needs --nulls, and a --first that N divides")
    return options


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",") if part]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
