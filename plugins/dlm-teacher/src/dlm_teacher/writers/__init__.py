"""The models that may be a teacher, each in a module that is imported when a document names one of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlm.corpus.lesson import AugmentContext

    from ..options import Options
    from .base import Writer


def open_writer(options: Options, context: AugmentContext) -> Writer:
    """The writer that ``options.model`` names; its weights are loaded at the first prompt.

    Raises:
        UsageProblem: the model is named wrongly, or its key may not be sent where the document asks.
        BaseModelError: a local model cannot be had.
        TeacherFailed: a library for it is missing.
    """
    if options.remote:
        from .endpoint import EndpointWriter

        return EndpointWriter(options)
    if options.model.startswith("gguf:"):
        from .gguf import GgufWriter

        return GgufWriter(options, context)
    from .local import LocalWriter

    return LocalWriter(options, context)
