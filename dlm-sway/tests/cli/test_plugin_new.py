"""``sway plugin new``: what it writes builds, keeps the contract, and is offered."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlm_sway.cli.plugin_new import plugin
from dlm_sway.errors import TargetError
from dlm_sway.scaffold import scaffold


def test_the_new_distribution_builds_keeps_the_contract_and_is_listed(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    done = CliRunner().invoke(plugin, ["new", "acme-new", "--into", str(folder)], catch_exceptions=False)
    assert f"next: pip install -e '{folder}[test]' && python -m pytest {folder}" in done.stdout
    wheel = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(wheel, cwd=folder, check=True, capture_output=True)
    installed = tmp_path / "installed"
    with zipfile.ZipFile(next((tmp_path / "dist").glob("acme_new-0.1.0-*.whl"))) as archive:
        archive.extractall(installed)
    env = {**os.environ, "PYTHONPATH": str(installed), "DLM_SWAY_STRICT": "1"}
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests"]
    asked = subprocess.run(tests, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stdout
    assert "passed" in asked.stdout
    listing = [sys.executable, "-m", "dlm_sway", "list-probes"]
    listed = subprocess.run(listing, env=env, capture_output=True, text=True, check=True).stdout
    assert "acme-new/first-word" in listed


@pytest.mark.parametrize("name", ["Acme", "acme_probes", "acme--x", "1st", "", "../up", "json", "class", "dlm-sway"])
def test_a_name_that_cannot_be_one_writes_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="choose another name"):
        scaffold(name, tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    with pytest.raises(TargetError, match="is there already"):
        scaffold("acme-new", tmp_path / "made")
    assert list((tmp_path / "made").iterdir()) == []
