"""How long a very long document takes to read, to write back and to format, and how much memory.

Writes one of 100,000 sections and 50 MB into a temporary folder, reads it with the identity of every section in a
process of its own, and prints seconds and peak memory: ``python bench/document.py [--sections N] [--limit S]``. Fails
when reading takes longer than the limit or more than 1 GiB, or when what was read is not what was written.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TextIO

SECTIONS = 100_000
SECTION_BYTES = 525
LIMIT_SECONDS = 10.0
LIMIT_BYTES = 2**30
FILLER = "The keeper writes down the level of the tank, the pressure in the line and the hour, then closes the hatch. "
HEAD = """---
dlm_id: 01M81FN4JAC853MSGR8B0PH69S
dlm_version: 15
base_model: smollm2-135m
---
"""


def main() -> int:
    """Exit code 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sections", type=int, default=SECTIONS)
    parser.add_argument("--limit", type=float, default=LIMIT_SECONDS, help="seconds, for any number of sections")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.dlm"
        with path.open("w", encoding="utf-8", newline="\n") as file:
            write(file, options.sections)
        command = [sys.executable, __file__, "--measure", str(path)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return report(found, options.sections, options.limit)


def write(file: TextIO, sections: int) -> None:
    """A document of ``sections`` sections, prose and instruction in turn, no two alike."""
    file.write(HEAD)
    for number in range(sections):
        file.write(prose(number) if number % 2 == 0 else instruction(number))


def prose(number: int) -> str:
    """A section with a heading; of odd tens, one with a code block that holds what looks like a fence."""
    code = f"```\n::note::\nvalve {number} --open\n```\n\n" if number // 10 % 2 else ""
    start = f"::prose::\n# Valve {number}\n\n{code}Valve {number} lies behind panel {number * 7}. "
    return padded(start, "\n\n")


def instruction(number: int) -> str:
    """A section with one answer for two wordings."""
    start = (
        f"::instruction::\n\n### Q\nWhere does valve {number} lie?\n### Q\nBehind which panel is valve {number}?\n"
        f"### A\nBehind panel {number * 7}. "
    )
    return padded(start, "\n\n")


def padded(start: str, end: str) -> str:
    """``start`` filled up with sentences to the size of a section."""
    missing = max(0, SECTION_BYTES - len(start) - len(end))
    return start + (FILLER * (missing // len(FILLER) + 1))[:missing].rstrip() + end


def measure(path: Path) -> dict[str, float]:
    """Read ``path``, write it back and format it: seconds, the peak of memory after reading, and what came of it."""
    from dlm.document import read
    from dlm.document.fmt import formatted
    from dlm.document.write import render

    started = time.perf_counter()
    document = read(path)
    found: dict[str, float] = {"read": time.perf_counter() - started, "peak": peak_bytes()}
    found |= {"bytes": path.stat().st_size, "sections": len(document.sections)}
    found["ids"] = len({section.id for section in document.sections})
    started = time.perf_counter()
    found["same"] = render(document) == document.text
    found["render"] = time.perf_counter() - started
    started = time.perf_counter()
    formatted(document.text)
    found["fmt"] = time.perf_counter() - started
    return found


def peak_bytes() -> int:
    """The most memory that this process has held; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def report(found: dict[str, float], sections: int, limit: float) -> int:
    """Print the numbers; 1 when one of them is not as it must be."""
    size, peak = found["bytes"] / 1e6, found["peak"] / 2**20
    print(f"a document of {found['sections']:,} sections, {size:.1f} MB")
    print(
        f"read and identify: {found['read']:.1f} s (limit {limit:.0f} s), peak memory {peak:.0f} MiB (limit 1024 MiB)"
    )
    print(f"write back: {found['render']:.2f} s; dlm fmt: {found['fmt']:.1f} s")
    wrong = []
    if not found["same"]:
        wrong.append("what was written back is not what was read")
    if not sections == found["sections"] == found["ids"]:
        wrong.append(f"{sections} sections were written, {found['sections']} read, with {found['ids']} different ids")
    if found["read"] > limit:
        wrong.append(f"reading took {found['read']:.1f} s, more than {limit:.0f} s")
    if found["peak"] > LIMIT_BYTES:
        wrong.append(f"reading took {peak:.0f} MiB, more than 1024 MiB")
    for what in wrong:
        print(f"failed: {what}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
