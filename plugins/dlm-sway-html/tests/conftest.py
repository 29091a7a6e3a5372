"""A result with everything that the page can draw, and the browser that opens it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlm_sway.report import document

GOLDEN = Path(__file__).parents[3] / "contracts" / "golden" / "report"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
STARTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
ALONE = ("--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND")
DRAWN = ("--virtual-time-budget=10000", "--enable-logging=stderr", "--dump-dom")


def section(name: str, value: float, ci: list[float] | None, passed: bool) -> dict[str, Any]:
    return {"section_id": f"id-{name}", "tag": name, "effective_sis": value, "ci_95": ci, "passed": passed}


def probe(name: str, kind: str, verdict: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "verdict": verdict, "message": f"said {verdict}", **more}


@pytest.fixture
def everything() -> dict[str, Any]:
    """Every chart, every verdict, and names that would be markup."""
    data = json.loads((GOLDEN / "learned.json").read_text())
    rows = [
        section("Restart <b>twice</b>", 0.4, [0.3, 0.5], True),
        section("Same", 0.1, None, True),
        section("Same", -0.02, [-0.1, 0.04], False),
    ]
    curve = [[1, 3.0], [2, 2.0], [3, 1.5], [1, 1.4], [2, 1.0]]
    data["probes"] += [
        probe(
            "sections",
            "section_internalization",
            "fail",
            raw=0.16,
            ci_95=[0.1, 0.2],
            p_value=0.3,
            p_adjusted=0.6,
            evidence={"per_section": rows, "per_section_threshold": 0.05},
        ),
        probe(
            "strength",
            "adapter_ablation",
            "inconclusive",
            evidence={"lambdas": [0, 0.5, 1], "mean_divergence_per_lambda": [0.0, 0.1, 0.3]},
        ),
        probe("loss", "training_drift", "warn", evidence={"curve_sampled": curve}),
        probe("</script><script>alert(1)</script>", "acme/unknown", "error", evidence={"per_section": "odd"}),
        probe("later", "leakage", "skip", evidence={"curve_sampled": [None, "x"]}),
    ]
    return document.completed(data, "everything")


@pytest.fixture
def browse(tmp_path: Path) -> Callable[..., tuple[str, list[str]]]:
    """Opens a file in Chromium, which reaches no host; skips where none is installed."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium: install the package chromium of your system")

    def look(page: Path, width: int = 1200) -> tuple[str, list[str]]:
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        command = [found, *STARTS, *ALONE, *DRAWN, f"--window-size={width},900", profile, page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    return look
