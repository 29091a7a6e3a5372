"""What reads a merged folder back for a certificate: the backend that answers here, on those files alone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dlm.bases import LocalBase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dlm.export.runtime import Runtime

FOLDER = "model"
"""Of the merged model inside of an export."""
JUDGED = {"base": {"kind": "hf", "base": "{base}"}, "ft": {"kind": "hf", "base": f"./{FOLDER}"}}
"""How sway loads it: two whole models."""


@contextmanager
def merged_runtime(folder: Path) -> Iterator[Runtime]:
    """The merged model in the export in ``folder``. The document's system prompt is in its template already.

    Raises:
        UsageProblem: no installed backend gives distributions.
    """
    from dlm.bases.contents import measure
    from dlm.training.choose import choose

    model = folder / FOLDER
    base = LocalBase(f"path:{model}", model, measure(model).digest, f"folder {model}")
    with choose("generate").runtime(base, None, None) as runtime:
        yield runtime
