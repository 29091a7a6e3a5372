"""Say what an import drags in, in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = frozenset({"mlx", "numpy", "peft", "pydantic", "ruamel", "torch", "transformers"})
"""What a registration module must not import."""


def modules_after(statement: str) -> set[str]:
    """Names in ``sys.modules`` after running ``statement`` in a new process.

    Raises:
        RuntimeError: the statement failed; the message holds what the process printed.
    """
    code = f"{statement}\nimport json, sys\nsys.stdout.write('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{statement!r} failed in a fresh interpreter:\n{done.stderr}")
    return set(json.loads(done.stdout.splitlines()[-1]))
