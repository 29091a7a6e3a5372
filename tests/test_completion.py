"""What a shell offers after Tab: commands, their options, and the names of probes, in every shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
SHELLS = ("bash", "zsh", "fish")


def offered(shell: str, words: list[str]) -> set[str]:
    """What the program answers to a shell that asks about the last of ``words``."""
    program = words[0]
    asked = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1) if shell != "fish" else words[-1]}
    environment = {**os.environ, **asked, f"_{program.upper()}_COMPLETE": f"{shell}_complete"}
    done = subprocess.run([BIN / program], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    if shell == "zsh":  # kind, word, help: a line each
        return set(lines[1::3])
    return {line.split(",", 1)[1].split("\t")[0] for line in lines}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "some"),
    [
        (["sway", "comp"], {"compare"}),
        (["sway", "gate", "--th"], {"--threshold"}),
        (["sway", "explain", "integ"], {"integrity"}),
        (["sway", "compare", "--against", ""], {"previous", "first"}),
        (["dlm", "tr"], {"train"}),
        (["dlm", "train", "--wat"], {"--watch"}),
    ],
)
def test_every_shell_is_offered_commands_options_and_probes(shell: str, words: list[str], some: set[str]) -> None:
    assert some <= offered(shell, words)


@pytest.mark.parametrize("program", ["sway", "dlm"])
@pytest.mark.parametrize("shell", SHELLS)
def test_the_lines_for_a_shell_are_printed(program: str, shell: str) -> None:
    command = [str(BIN / program), "--show-completion", shell]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"_{program.upper()}_COMPLETE={shell}_complete" in done.stdout


def test_a_real_bash_completes_with_them() -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    script = (
        'eval "$(sway --show-completion bash)"; COMP_WORDS=(sway explain nul); COMP_CWORD=2; '
        "_sway_completion sway; printf '%s\\n' \"${COMPREPLY[@]}\"; complete -p sway"
    )
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([bash, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["null_adapter", "complete -o nosort -F _sway_completion sway"], done.stderr
