"""What sway's pytest plugin costs a pytest run that does not use it: ``python bench/pytest_startup.py``.

Prints milliseconds of processor time: of importing the plugin where pytest is imported already, of everything that its
hooks do while plain tests are collected and run, and, for comparison, of whole runs with it and without it, which
differ by more than that from run to run. Fails when import and hooks together are over the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT_MS = 10.0
CLOCKED = """
import functools, inspect, json, sys, time
import pytest

start = time.thread_time()
import dlm_sway_pytest as plugin

spent = {"import": time.thread_time() - start, "hooks": 0.0}

def clocked(function):
    @functools.wraps(function)
    def call(*given, **named):
        start = time.thread_time()
        try:
            return function(*given, **named)
        finally:
            spent["hooks"] += time.thread_time() - start
    return call

def clocked_wrapper(function):
    @functools.wraps(function)
    def call(*given, **named):
        start = time.thread_time()
        inner = function(*given, **named)
        next(inner)
        spent["hooks"] += time.thread_time() - start
        found = yield
        start = time.thread_time()
        try:
            inner.send(found)
        except StopIteration as done:
            spent["hooks"] += time.thread_time() - start
            return done.value
    return call

for name, function in list(vars(plugin).items()):
    if name.startswith("pytest_"):
        wrap = clocked_wrapper if inspect.isgeneratorfunction(function) else clocked
        setattr(plugin, name, wrap(function))
code = pytest.main(["-q", "-p", "no:sway", "-p", "no:cacheprovider"], plugins=[plugin])
assert code == 0 and "dlm_sway" not in sys.modules
print(json.dumps(spent))
"""


def main() -> int:
    """Exit code 1 when import and hooks take longer than the limit, by their medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=21)
    parser.add_argument("--tests", type=int, default=1000, help="Plain tests to collect and run.")
    parser.add_argument("--limit", type=float, default=LIMIT_MS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "test_plain.py").write_text("".join(f"def test_{n}(): pass\n" for n in range(options.tests)))
        inside = [clocked(folder) for _ in range(options.runs)]
        pairs = [(seconds(folder), seconds(folder, "-p", "no:sway")) for _ in range(options.runs + 1)][1:]
    parts = {key: [1000 * one[key] for one in inside] for key in ("import", "hooks")}
    whole = {"with it": [1000 * one for one, _ in pairs], "without it": [1000 * one for _, one in pairs]}
    for label, times in {**parts, **whole}.items():
        print(f"{label:<10} median {statistics.median(times):8.2f} ms, best {min(times):8.2f} ms")
    cost = sum(statistics.median(times) for times in parts.values())
    print(f"import and hooks, {options.tests} tests: {cost:.2f} ms, limit {options.limit:.0f} ms")
    return int(cost > options.limit)


def clocked(folder: Path) -> dict[str, float]:
    """Seconds of import and hooks in one run."""
    found: dict[str, float] = json.loads(run(folder, "-c", CLOCKED).splitlines()[-1])
    return found


def seconds(folder: Path, *arguments: str) -> float:
    """Processor time of one whole run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run(folder: Path, *arguments: str) -> str:
    """What Python prints in ``folder``."""
    env = {**os.environ, "PYTHONSAFEPATH": "1"}
    done = subprocess.run([sys.executable, *arguments], cwd=folder, check=True, capture_output=True, text=True, env=env)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
