"""The augmenters that a document names, made and ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .._plugkit.plugins import PluginManager
    from ..corpus.lesson import Augmenter
    from ..document import Document


def augmenters_of(
    document: Document, home: Path, plugins: PluginManager, say: Callable[[str], None]
) -> tuple[Augmenter, ...]:
    """In the order in which the document names them.

    Raises:
        PluginUnavailable: no installed plugin offers one of the names.
        UsageProblem: an augmenter does not take its options.
    """
    from ..corpus.lesson import AugmentContext
    from ..store import Store

    named = document.frontmatter.training.recipe.augmenters
    if not named:
        return ()
    cache = Store(home, document.frontmatter.dlm_id).layout.augmented
    context = AugmentContext(document.folder, cache, say)
    return tuple(plugins.resolve("dlm_augmenters", name)(options, context) for name, options in named.items())


def prune_augmented(folder: Path, before: float) -> None:
    """Remove what no augmenter has used since ``before``, seconds since the epoch: it was made of text that is gone.

    Raises:
        StoreError: a file cannot be removed.
    """
    from ..store.files import disk_errors

    with disk_errors(folder):
        for path in folder.rglob("*") if folder.is_dir() else ():
            if path.is_file() and path.stat().st_mtime < before:
                path.unlink()
