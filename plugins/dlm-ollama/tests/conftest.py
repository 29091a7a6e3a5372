"""Go's own templates where Go is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

RENDERER = Path(__file__).parent / "go" / "render.go"


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory):
    """``go(requests)``: what Go's ``text/template`` prints for each; ``None`` where it refuses or stops."""
    compiler = shutil.which("go")
    if compiler is None:
        pytest.skip("Go is not installed")
    folder = tmp_path_factory.mktemp("go")
    program = folder / "render"
    places = {"PATH": os.environ["PATH"], "HOME": str(folder), "GOCACHE": str(folder / "cache"), "GOFLAGS": "-p=1"}
    subprocess.run([compiler, "build", "-o", str(program), str(RENDERER)], check=True, env=places)

    def render(requests: list[dict[str, Any]]) -> list[str | None]:
        lines = "".join(json.dumps(request) + "\n" for request in requests).encode()
        said = subprocess.run([str(program)], input=lines, check=True, capture_output=True).stdout
        replies = [json.loads(line) for line in said.split(b"\n") if line]
        return [None if reply.get("error") else reply["text"] for reply in replies]

    return render
