"""How long the sources of a document take: 20,000 files of 12 kB, found among others that are not to be trained.

Writes a tree into a temporary folder and prints the seconds to walk and filter it, of a first ``dlm check`` and of a
second one on the unchanged tree: ``python bench/sources.py [--files N] [--limit S] [--ratio R]``. A check includes the
start of its process, and finds the files in the memory of the system: the first one does not wait for a disk.

Fails when walking takes longer than the limit, when the second check is less than R times faster than the first, or
when anything is taken that must not be, or left out that must be taken.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from operator import itemgetter
from pathlib import Path

FILES = 20_000
LIMIT_SECONDS = 5.0
LIMIT_RATIO = 5.0
IGNORED = ("node_modules", ".git", "__pycache__", "target")
DOCUMENT = """---
dlm_id: 01M81FN4JAC853MSGR8B0PH69S
dlm_version: 15
base_model: smollm2-135m
training:
  sources:
    - path: tree
---
# The works

What the works are, in many files.

::instruction::

### Q
What is in the tree?
### A
Everything about the works.
"""
SENTENCE = "The keeper of works {n} writes down the level, the pressure and the hour, then closes hatch {n}. "


def main() -> int:
    """Exit code 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--limit", type=float, default=LIMIT_SECONDS, help="seconds, for any number of files")
    parser.add_argument("--ratio", type=float, default=LIMIT_RATIO)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written = plant(folder, options.files)
        # Files that were written a moment ago may still be written to, and are not remembered.
        time.sleep(3)
        walked = walk(folder)
        # The best of three of each: what else the machine does makes all of them slower.
        first, found = min((check(folder, f"home{n}") for n in range(3)), key=itemgetter(0))
        second, again = min((check(folder, "home0") for _ in range(3)), key=itemgetter(0))
    print_numbers(written, walked, (first, found), (second, again))
    wrong = mistakes(written, found, again)
    if walked > options.limit:
        wrong.append(f"walking took {walked:.1f} s, more than {options.limit:.0f} s")
    if first < second * options.ratio:
        wrong.append(f"the second check is only {first / second:.1f} times faster than the first, not {options.ratio}")
    for what in wrong:
        print(f"failed: {what}")
    return int(bool(wrong))


def plant(folder: Path, files: int) -> int:
    """A document with a tree of ``files`` files to take, and about as many that are not to be; how many to take."""
    (folder / "works.dlm").write_text(DOCUMENT, encoding="utf-8")
    for number in range(files):
        place = folder / "tree" / f"part{number % 20}" / f"unit{number // 20 % 50}" / "src"
        place.mkdir(parents=True, exist_ok=True)
        text = f"# Works {number}\n\n" + SENTENCE.format(n=number) * (number % 241 + 1)
        (place / f"works{number}.{('md', 'py', 'txt', 'toml')[number % 4]}").write_text(text, encoding="utf-8")
    for number in range(files // 10):
        litter(folder / "tree" / f"part{number % 20}" / f"unit{number // 20 % 50}", number)
    return files


def litter(place: Path, number: int) -> None:
    """What a tree holds besides text: folders of tools, binaries, secrets, locks."""
    place.mkdir(parents=True, exist_ok=True)
    for name in IGNORED:
        below = place / name / f"package{number}"
        below.mkdir(parents=True, exist_ok=True)
        for file in ("index.js", "readme.md"):
            (below / file).write_text("not to be trained\n", encoding="utf-8")
    (place / f"image{number}.data").write_bytes(bytes(range(256)) * 4)
    (place / f"latin{number}.txt").write_bytes("caf\xe9\n".encode("latin-1"))
    (place / f".env.{number}").write_text("TOKEN=secret\n", encoding="utf-8")
    (place / "package-lock.json").write_text("{}\n", encoding="utf-8")


def walk(folder: Path) -> float:
    """Seconds to walk, filter and read everything in this process, nothing remembered."""
    from dlm.corpus.sources import gather
    from dlm.document import read

    document = read(folder / "works.dlm")
    started = time.perf_counter()
    gather(document)
    return time.perf_counter() - started


def check(folder: Path, home: str) -> tuple[float, dict[str, object]]:
    """Seconds of a whole ``dlm check`` with the memory that lies in ``home``, and what it says about the source."""
    command = [str(Path(sys.executable).with_name("dlm")), "check", "--json", str(folder / "works.dlm")]
    environment = {**os.environ, "DLM_HOME": str(folder / home)}
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    seconds = time.perf_counter() - started
    (source,) = json.loads(done.stdout)["sources"]
    return seconds, source


Said = dict[str, object]


def print_numbers(written: int, walked: float, first: tuple[float, Said], second: tuple[float, Said]) -> None:
    """What the documentation quotes."""
    size = int(str(first[1]["total_bytes"])) / 1e6
    print(f"a tree of {written:,} files to take with {size:.0f} MB, and {written // 10 * 12:,} others")
    print(f"walk, filter and read: {walked:.2f} s")
    print(f"dlm check: first {first[0]:.2f} s, second {second[0]:.2f} s, {first[0] / second[0]:.1f} times faster")


def mistakes(written: int, first: Said, second: Said) -> list[str]:
    """What was taken and must not be, or the other way round; the numbers are those of :func:`litter`."""
    wrong = [] if first == second else ["the second check says something else than the first"]
    each = written // 10
    wanted = {"file_count": written, "skipped_binary": each, "skipped_encoding": each, "skipped_secret": each}
    for name, number in wanted.items():
        if first[name] != number:
            wrong.append(f"{name} is {first[name]}, and must be {number}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
