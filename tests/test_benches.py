"""The benchmarks run, on little, and what they measure does what it should; times are not judged here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parent.parent / "bench"


def run(name: str, *options: str) -> str:
    done = subprocess.run([sys.executable, BENCH / name, *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_long_document_is_read_and_written_back_whole():
    out = run("document.py", "--sections", "400", "--limit", "60")
    assert "400 sections, 0.2 MB" in out


def test_a_tree_is_taken_without_what_is_ignored_and_the_second_check_says_the_same():
    out = run("sources.py", "--files", "100", "--limit", "60", "--ratio", "0")
    assert "100 files to take" in out
