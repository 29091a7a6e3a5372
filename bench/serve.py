"""What a warm server saves: ``python bench/serve.py --base FOLDER --adapter FOLDER``.

Prints seconds of one probe, by a ``sway run`` of its own and by ``/score`` of ``sway serve``, each with nothing
remembered and asked a second time; the server's memory; and what becomes of many requests at once for one model that is
not loaded yet. Fails when a warm ``/score`` with nothing remembered is not ``--ratio`` times as fast as a ``sway run``
with nothing remembered, when a request of the many fails, or when they load more than one model.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from dlm_sway_serve import ServeClient

SUITE = """\
version: 1
models:
  base: {{kind: hf, base: "{base}"}}
  ft: {{kind: hf, base: "{base}", adapter: "{adapter}"}}
suite:
  - name: moved
    kind: delta_kl
    prompts: [Who is on call tonight?, What is the runbook for?, When do we page somebody?, Where are the logs kept?]
"""
COLD_REPEATS = 3
SWAY = (sys.executable, "-m", "dlm_sway")


class Took(NamedTuple):
    """Seconds: on the wall, and of processor time (0 where it cannot be read)."""

    wall: float
    processor: float


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        suite = folder / "sway.yaml"
        suite.write_text(SUITE.format(base=options.base.resolve(), adapter=options.adapter.resolve()))
        root = Path(os.path.commonpath([options.base.resolve(), options.adapter.resolve()]))
        command(suite, folder)  # the disk's own memory is filled for everybody
        rows = {"sway run, nothing known": middle(lambda: command(suite, folder, "--no-cache"), COLD_REPEATS)}
        rows["sway run, asked before"] = middle(lambda: command(suite, folder), COLD_REPEATS)
        with server(root, folder / "fresh", "--no-cache") as (url, pid), ServeClient(url, timeout=600) as sway:
            rows["first /score, loads the model"] = scored(sway, suite, pid)
            rows["warm /score, nothing known"] = middle(lambda: scored(sway, suite, pid), options.repeats)
            memory = _kilobytes(pid) / 2**20
        with server(root, folder / "many") as (url, pid), ServeClient(url, timeout=600) as sway:
            crowd = many(sway, suite, options.clients)
            rows["warm /score, asked before"] = middle(lambda: scored(sway, suite, pid), options.repeats)
        return report(rows, memory, crowd, options)


def report(rows: dict[str, Took], memory: float, crowd: tuple[int, int, float], options: argparse.Namespace) -> int:
    """Print the tables; 0 when all is as it should be."""
    cold = rows["sway run, nothing known"].wall
    print("| | s | processor s | times as fast |\n|---|---|---|---|")
    for name, took in rows.items():
        print(f"| {name} | {took.wall:.2f} | {took.processor:.2f} | {cold / took.wall:.1f} |")
    answered, loads, seconds = crowd
    print(f"\nmost memory of the server: {memory:.2f} GiB")
    print(f"{options.clients} at once: {answered} answered, {loads} model loaded, {seconds:.1f} s in all")
    ratio = cold / rows["warm /score, nothing known"].wall
    good = ratio >= options.ratio and answered == options.clients and loads == 1
    print("as it should be" if good else f"NOT as it should be: wanted {options.ratio:g} times as fast, one model")
    return int(not good)


def command(suite: Path, folder: Path, *more: str) -> Took:
    """A ``sway run`` of its own."""
    before, started = os.times(), time.perf_counter()
    environment = {**os.environ, "SWAY_CACHE_DIR": str(folder / "command")}
    subprocess.run([*SWAY, "run", str(suite), *more], env=environment, check=True, capture_output=True)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Took(time.perf_counter() - started, used)


def scored(sway: ServeClient, suite: Path, pid: int) -> Took:
    """One ``/score``."""
    before, started = _processor(pid), time.perf_counter()
    sway.score(suite, ["moved"])
    return Took(time.perf_counter() - started, _processor(pid) - before)


def middle(ask: Callable[[], Took], repeats: int) -> Took:
    """The median of several."""
    found = [ask() for _ in range(repeats)]
    return Took(*(statistics.median(column) for column in zip(*found, strict=True)))


def many(sway: ServeClient, suite: Path, clients: int) -> tuple[int, int, float]:
    """How many of ``clients`` requests at once were answered, how many models that loaded, and in which time."""
    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as crowd:
        found = list(crowd.map(lambda _: len(sway.score(suite, ["moved"])["probes"]), range(clients)))
    return sum(found), sway.stats()["loads"], time.perf_counter() - started


@contextmanager
def server(root: Path, cache: Path, *more: str) -> Iterator[tuple[str, int]]:
    """A server with empty hands; its address and process."""
    environment = {**os.environ, "SWAY_CACHE_DIR": str(cache)}
    environment.pop("SWAY_SERVE_KEY", None)
    arguments = [*SWAY, "serve", "--root", str(root), "--port", "0", *more]
    with (cache.parent / "server.log").open("w+") as log:
        process = subprocess.Popen(arguments, stderr=log, env=environment)
        try:
            yield _address(process, Path(log.name)), process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    while process.poll() is None:
        if found := re.search(r"http://\S+:\d+", log.read_text()):
            return found.group()
        time.sleep(0.02)
    raise SystemExit(log.read_text())


def _processor(pid: int) -> float:
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _kilobytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found.group(1)) if found else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--adapter", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--ratio", type=float, default=10.0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
