"""The pre-commit hooks as somebody uses them: `pre-commit try-repo` on a copy of this repository, with a real model."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUITE = """\
version: 1
models:
  base: {kind: hf, base: ../base}
  ft: {kind: hf, base: ../base, adapter: ./adapter}
suite:
  - {name: sound, kind: integrity}
"""
INSTALLED = (
    ".pre-commit-hooks.yaml",
    "LICENSE",
    "pyproject.toml",
    "dlm-sway",
    "plugins/dlm-hf",
    "plugins/dlm-sway-probes",
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("pre-commit") is None, reason="pre-commit is not installed: pip install pre-commit"
    ),
]


def git(folder, *arguments):
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def committed(folder):
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    return folder


@pytest.fixture(scope="module")
def hooks(tmp_path_factory):
    """What of this repository the hooks install, as it is now."""
    folder = tmp_path_factory.mktemp("hooks")
    for name in INSTALLED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("tests", "__pycache__", ".*"))
        else:
            shutil.copy(source, target)
    return committed(folder)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A repository with a small adapter and its suite; the base lies beside it."""
    made = tmp_path_factory.mktemp("model")
    subprocess.run([sys.executable, ROOT / "tools/tiny_model.py", made], check=True, capture_output=True)
    folder = made / "repository"
    folder.mkdir()
    shutil.move(made / "adapter", folder / "adapter")
    (folder / "sway.yaml").write_text(SUITE)
    return committed(folder)


@pytest.fixture(scope="module")
def spoiled(model, tmp_path_factory):
    """The same with an adapter that training did not move."""
    import torch
    from safetensors.torch import load_file, save_file

    shutil.copytree(model.parent / "base", tmp_path_factory.mktemp("spoiled") / "base")
    folder = tmp_path_factory.getbasetemp() / "spoiled0" / "repository"
    shutil.copytree(model, folder, ignore=shutil.ignore_patterns(".git"))
    weights = folder / "adapter" / "adapter_model.safetensors"
    save_file({name: torch.zeros_like(value) for name, value in load_file(weights).items()}, weights)
    return committed(folder)


@pytest.fixture(scope="module")
def pre_commit(tmp_path_factory):
    """Runs pre-commit in a repository; its exit code and what was printed."""
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("pre-commit")),
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
    }

    def run(folder, *arguments):
        command = ["pre-commit", *map(str, arguments)]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


def judged(passing, failing):
    """What the hook printed for a sound adapter and for an empty one is right."""
    code, said = passing
    assert code == 0, said
    assert "gate passed" in said
    code, said = failing
    assert code == 1, said
    assert "exit code: 1" in said
    assert "gate failed:" in said


def test_the_hook_passes_a_sound_adapter_and_stops_an_empty_one(pre_commit, hooks, model, spoiled):
    tried = ("try-repo", hooks, "sway-gate", "--verbose", "--all-files")
    judged(pre_commit(model, *tried), pre_commit(spoiled, *tried))


def test_the_isolated_hook_installs_sway_from_the_repository_and_does_the_same(
    pre_commit, hooks, model, spoiled, tmp_path
):
    """By a configuration, as users have it: `try-repo` would make the environment anew each time."""
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=hooks, check=True, capture_output=True, text=True
    ).stdout
    config = tmp_path / "config.yaml"
    config.write_text(
        f"repos:\n  - repo: {hooks}\n    rev: {revision.strip()}\n    hooks:\n"
        "      - {id: sway-gate-isolated, args: [sway.yaml, --no-cache]}\n"
    )
    run = ("run", "--config", config, "--verbose", "--all-files")
    judged(pre_commit(model, *run), pre_commit(spoiled, *run))


def test_the_hook_runs_when_a_suite_a_document_or_an_adapter_changed_and_else_not(pre_commit, hooks, model):
    for changed, runs in {
        "sway.yaml": True,
        "adapter/adapter_model.safetensors": True,
        "adapter/adapter_config.json": True,
        "adapter/README.md": False,
        "not-sway.yaml": False,
    }.items():
        (model / changed).touch()
        code, said = pre_commit(model, "try-repo", hooks, "sway-gate", "--verbose", "--files", changed)
        assert code == 0, said
        assert ("no files to check" not in said) == runs, (changed, said)
