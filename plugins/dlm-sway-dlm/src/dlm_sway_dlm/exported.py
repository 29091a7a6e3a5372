"""A suite beside an export: the questions of the document, asked of the files that will be served.

What was taught goes into a file beside the suite, so that neither the document nor its store is needed to run it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dlm.errors import ExportFailed
from dlm.store.files import write_atomic
from dlm.training.mixing import Mix
from dlm_sway.errors import SwayError

if TYPE_CHECKING:
    from pathlib import Path

    from dlm.export.sink import Request, Written

SUITE: Final = "sway.yaml"
SECTIONS: Final = "sway-sections.json"
BASE: Final = "{base}"
"""In what a target says, the folder of the base."""


def write_suite(request: Request, folder: Path, written: Written) -> str:
    """Write the suite that judges what lies in ``folder``; its name.

    Raises:
        ExportFailed: sway can load neither the files nor what they were made from, or nothing can be asked of them.
    """
    path = request.document.path
    if path is None:
        raise ExportFailed("the document has no path, so what was held out of training is not known")
    try:
        text, sections = _drafted(path, request, folder, written)
    except SwayError as problem:
        raise ExportFailed(f"no suite can be written for the export: {problem}") from problem
    write_atomic(folder / SECTIONS, sections, ExportFailed)
    write_atomic(folder / SUITE, text, ExportFailed)
    return SUITE


def _drafted(path: Path, request: Request, folder: Path, written: Written) -> tuple[str, str]:
    """The suite, and the file of sections that it reads."""
    from dlm_sway.plugins import manager
    from dlm_sway.section_file import dump
    from dlm_sway.suite.autogen import Elsewhere, suite_for

    from .target import of_version

    adapter = request.chosen.first if len(request.chosen.names) == 1 else None
    target = of_version(path, adapter, request.version.number)
    what = f"exported ({written.quant or written.form})"
    judged = written.judged(folder) if callable(written.judged) else written.judged
    if judged is None:
        what = "as trained, since no backend of sway loads the exported files"
        request.say(f"note: the suite judges {request.version.name} {what}")
    base = str(request.base.path)
    models = {
        side: {key: base if value == BASE else value for key, value in spec.items()}
        for side, spec in (judged or _as_trained(request)).items()
    }
    elsewhere = Elsewhere(models, what, f"./{SECTIONS}")
    text = suite_for(target, f"dlm export {path.name} --emit-sway-json", folder / SUITE, manager(), elsewhere)
    return text, dump(target.sections or (), path.name, request.document.digest)


def _as_trained(request: Request) -> dict[str, dict[str, str]]:
    """The version's own adapter, for files that sway has no backend for; their certificate says how near they are."""
    if isinstance(request.chosen.adapter, Mix) or request.chosen.adapter is None:
        raise ExportFailed(
            "sway loads neither these files nor a mix of adapters, so no suite can judge them: leave --emit-sway-json "
            "out, or choose one adapter with --adapter"
        )
    base = {"kind": "hf", "base": BASE}
    return {"base": base, "ft": {**base, "adapter": str(request.chosen.adapter)}}
