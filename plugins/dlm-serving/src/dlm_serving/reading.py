"""What reads a merged folder back for a certificate: the backend that answers here, on those files alone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dlm.bases import LocalBase
from dlm.errors import RuntimeMissing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dlm.export.runtime import Runtime

FOLDER = "model"
"""Of the merged model inside of an export."""
JUDGED = {"base": {"kind": "hf", "base": "{base}"}, "ft": {"kind": "hf", "base": f"./{FOLDER}"}}
"""How sway loads it: two whole models."""


@contextmanager
def merged_runtime(folder: Path, backend: str | None = None) -> Iterator[Runtime]:
    """The merged model in the export in ``folder``, read by ``backend``, else by the one that answers here. The
    document's system prompt is in its template already.

    Raises:
        RuntimeMissing: ``backend`` is not installed.
        UsageProblem: the backend gives no distributions.
    """
    from dlm._plugkit.errors import PluginError
    from dlm.bases.contents import measure
    from dlm.training.choose import choose

    model = folder / FOLDER
    base = LocalBase(f"path:{model}", model, measure(model).digest, f"folder {model}")
    try:
        chosen = choose("generate", backend)
    except PluginError as problem:
        raise RuntimeMissing(f"what would serve the merged model cannot be asked: {problem}") from problem
    with chosen.runtime(base, None, None) as runtime:
        yield runtime
