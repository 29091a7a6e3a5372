"""The benchmarks run, on little, and what they measure does what it should; times are not judged here."""

from __future__ import annotations

import re
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
    out = run("sources.py", "--files", "40", "--limit", "60", "--ratio", "0")
    assert "40 files to take" in out


def test_a_calibration_study_goes_on_where_it_was_and_raises_no_false_alarm(tmp_path):
    out, kinds = str(tmp_path / "study.jsonl"), "delta_kl,answer_gain,external_perplexity"
    small = ("--kinds", kinds, "--out", out, "--trials", "2", "--sizes", "0.3,3", "--harm-sizes", "3")
    run("calibration_study.py", "--adapters", "2", *small)
    first = Path(out).read_text()
    table = run("calibration_study.py", "--adapters", "5", *small)
    assert Path(out).read_text().startswith(first)
    assert "| any of them (change) | effect | 5 | 0 | 0.000 | 0.000..0.522 | 0 |" in table
    assert re.search(r"\| learned \| \d( \(\d\))? \| 2 \|", table)
    assert "| external_ppl | 2 |" in table


def test_a_calibration_study_keeps_to_its_settings(tmp_path):
    small = ("--kinds", "delta_kl", "--out", str(tmp_path / "study.jsonl"), "--adapters", "1", "--trials", "0")
    run("calibration_study.py", *small)
    done = subprocess.run(
        [sys.executable, BENCH / "calibration_study.py", *small, "--alpha", "0.01"], capture_output=True, text=True
    )
    assert (done.returncode, "other settings" in done.stderr) == (2, True)


def test_what_the_pytest_plugin_costs_is_measured_with_it_and_without_it():
    out = run("pytest_startup.py", "--runs", "1", "--tests", "3", "--limit", "100000")
    assert re.search(r"with it +median +\d+\.\d+ ms", out)
    assert re.search(r"import and hooks, 3 tests: \d+\.\d+ ms", out)
