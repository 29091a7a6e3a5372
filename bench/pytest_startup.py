"""What sway's pytest plugin costs a pytest run that does not use it: ``python bench/pytest_startup.py``.

Prints milliseconds: processor time of pytest on plain tests, with the plugin and without it in turns, and wall time of
importing the plugin where pytest is imported already. Fails when the difference or the import is over the limit. On a
busy machine the difference needs many runs; the import hardly does.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT_MS = 10.0
IMPORT = (
    "import sys, time, pytest; start = time.perf_counter(); import dlm_sway_pytest;"
    "print((time.perf_counter() - start) * 1000); assert 'dlm_sway' not in sys.modules"
)


def main() -> int:
    """Exit code 1 when a median is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=31)
    parser.add_argument("--tests", type=int, default=200, help="Plain tests to collect and run.")
    parser.add_argument("--limit", type=float, default=LIMIT_MS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "test_plain.py").write_text("".join(f"def test_{n}(): pass\n" for n in range(options.tests)))
        pairs = [(seconds(folder), seconds(folder, "-p", "no:sway")) for _ in range(options.runs + 1)][1:]
    imports = sorted(imported() for _ in range(options.runs))
    with_it, without = (sorted(1000 * pair[side] for pair in pairs) for side in (0, 1))
    cost = statistics.median(with_it) - statistics.median(without)
    for label, times in (("with the plugin", with_it), ("without it", without), ("importing it", imports)):
        print(f"{label:<16} median {statistics.median(times):7.1f} ms, best {times[0]:7.1f} ms")
    print(f"difference of the medians of {options.runs} runs, {options.tests} tests each: {cost:+.1f} ms")
    print(f"limit: {options.limit:.0f} ms")
    return int(cost > options.limit or statistics.median(imports) > options.limit)


def seconds(folder: Path, *arguments: str) -> float:
    """Processor time of one pytest run in ``folder``."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env={**os.environ, "PYTHONSAFEPATH": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def imported() -> float:
    """Milliseconds of the import alone, in a process where pytest is imported already."""
    done = subprocess.run([sys.executable, "-c", IMPORT], check=True, capture_output=True, text=True)
    return float(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
