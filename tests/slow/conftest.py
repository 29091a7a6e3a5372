"""The real base model, the real commands, one home for the whole session."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
RUNBOOK = ROOT / "examples" / "runbook.dlm"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where bases are kept: $DLM_HOME when it is set, so that a second session does not convert again."""
    return Path(os.environ.get("DLM_HOME") or tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def run(home: Path) -> Run:
    """``run("dlm", "train", ...)`` as a user would, output captured."""

    def go(program: str, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [BIN / program, *map(str, arguments)],
            capture_output=True,
            text=True,
            env={**os.environ, "DLM_HOME": str(home)},
            timeout=1200,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{program} {arguments} exited {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    return go


@pytest.fixture(scope="session")
def make_document(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """A copy of the example runbook with an identity, and therefore a store, of its own."""

    def make() -> Path:
        from dlm.document.ulid import new_ulid

        text = RUNBOOK.read_text(encoding="utf-8")
        start = text.index("dlm_id: ") + len("dlm_id: ")
        path = tmp_path_factory.mktemp("document") / "runbook.dlm"
        path.write_text(text[:start] + new_ulid() + text[start + 26 :], encoding="utf-8")
        return path

    return make


@pytest.fixture(scope="session")
def trained(run: Run, make_document: Callable[[], Path]) -> tuple[Path, dict]:
    """The example runbook, trained in a few minutes; and what ``dlm train --json`` printed."""
    path = make_document()
    return path, json.loads(run("dlm", "train", path, "--effort", "quick", "--no-report", "--json").stdout)
