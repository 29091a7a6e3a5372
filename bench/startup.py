"""How long ``dlm --help`` and ``sway --help`` take, without and with 20 third-party plugins installed.

Prints median and best in milliseconds: ``python bench/startup.py [--runs N] [--limit MS]``. Fails when a median is over
the limit; a machine that is busy with something else shows in the distance between the two.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_MS = 150.0
PLUGIN = """
from dlm{sway}.entries import CommandEntry
from dlm{sway}.hookspecs import hookimpl

@hookimpl
def dlm{sway}_commands():
    return [CommandEntry(name="vendor{n}", target="nowhere_at_all:x", summary="Command {n} of a third party.")]
"""


def main() -> int:
    """Exit code 1 when a median is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=21)
    parser.add_argument("--limit", type=float, default=LIMIT_MS)
    options = parser.parse_args()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        write_plugins(Path(folder), 20)
        for tool in ("dlm", "sway"):
            for plugins, path in ((0, ""), (20, folder)):
                median, fastest = measure(tool, path, plugins, options.runs)
                slowest = max(slowest, median)
                print(f"{tool} --help, {plugins:2d} third-party plugins: median {median:.0f} ms, best {fastest:.0f} ms")
    print(f"limit: {options.limit:.0f} ms")
    return int(slowest > options.limit)


def write_plugins(site: Path, count: int) -> None:
    """Distributions with one plugin for each core, found like installed ones because ``site`` is on the path."""
    for n in range(count):
        points = []
        for group, sway in (("dlm", ""), ("dlm_sway", "_sway")):
            module = f"vendor{n}_for_{group}"
            (site / f"{module}.py").write_text(PLUGIN.format(sway=sway, n=n))
            points.append(f"[{group}]\nvendor{n} = {module}\n")
        info = site / f"vendor{n}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vendor{n}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("\n".join(points))


def measure(tool: str, path: str, plugins: int, runs: int) -> tuple[float, float]:
    """Median and best wall time of ``tool --help`` in milliseconds, after one run that warms the file cache."""
    command = [str(Path(sys.executable).with_name(tool)), "--help"]
    environment = {**os.environ, "PYTHONPATH": path}
    times = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        times.append((time.perf_counter() - started) * 1000)
    shown = done.stdout.count("of a third party")
    if shown != plugins:
        raise SystemExit(f"{tool} --help shows {shown} of {plugins} third-party commands")
    return statistics.median(times[1:]), min(times[1:])


if __name__ == "__main__":
    sys.exit(main())
