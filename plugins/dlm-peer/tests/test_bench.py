"""The bench of many pulls at once, for a few seconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.slow


def test_fifty_clients_pull_for_some_seconds_without_an_error_or_a_torn_file():
    command = [sys.executable, ROOT / "bench/peer.py", "--pulls", "50", "--seconds", "10", "--megabytes", "4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  errors     0\n  torn       0\n" in done.stdout
