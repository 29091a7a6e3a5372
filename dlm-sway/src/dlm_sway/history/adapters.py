"""Several adapters on one base, loaded once: every entry of a suite asked of each, with the same items.

Random adapters are not asked here, so an effect that was meant gets a number and no verdict; a guard against harm gets
both. What the numbers show beside each other is said in :mod:`.compare` and :mod:`.ranking`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import NotSupported, TargetError
from ..probes.base import ProbeContext
from ..report.document import completed
from ..scoring.session import asking
from ..scoring.types import BASE, FT, View
from ..sections import doc_text
from ..spec.load import LoadedSuite, load
from ..spec.paths import DOCUMENT, parted
from ..suite.choosing import Chosen, choose
from ..suite.run import run_probe
from .compare import MEASURED, Run

if TYPE_CHECKING:
    from .._plugkit.plugins import PluginManager
    from ..result import ProbeResult
    from ..scoring.backend import Backend
    from ..scoring.session import Session
    from ..scoring.types import AdapterInspection, Answer, Comparison, Item, TextScore

_ELSEWHERE: Final = "needs more than the adapter itself, which is all that is looked at here; `sway run` asks it"


class Looking:
    """What one adapter's probes may ask: the base and that adapter, in the place of the suite's own."""

    def __init__(self, session: Session, view: View) -> None:
        self._session, self._view = session, view

    def compare(self, items: Sequence[Item], view: View, *, per_position: bool = False) -> list[Comparison]:
        """See :class:`~dlm_sway.probes.base.Scoring`, as the rest."""
        return self._session.compare(items, self._at(view), per_position=per_position)

    def noise(self, items: Sequence[Item]) -> list[Comparison]:
        """Base against base."""
        return self._session.noise(items)

    def inspect(self) -> AdapterInspection:
        """Not of every adapter."""
        raise NotSupported(_ELSEWHERE)

    def inspect_null(self, seed: int) -> AdapterInspection:
        """Not here."""
        raise NotSupported(_ELSEWHERE)

    def texts(self, texts: Sequence[str], view: View) -> list[TextScore]:
        """Whole texts."""
        return self._session.texts(texts, self._at(view))

    def generate(self, prompts: Sequence[Item | str], view: View, *, max_new_tokens: int) -> list[Answer]:
        """Greedy answers."""
        return self._session.generate(prompts, self._at(view), max_new_tokens=max_new_tokens)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text is."""
        return self._session.count_tokens(texts)

    def _at(self, view: View) -> View:
        if view == FT:
            return self._view
        if view != BASE:
            raise NotSupported(_ELSEWHERE)
        return view


def ask_all(
    spec: Path | LoadedSuite,
    adapters: Sequence[str],
    *,
    manager: PluginManager,
    backend: Backend | None = None,
    cache: bool = True,
    trace: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[Run]:
    """A result for each of ``adapters``, which stand for folders or documents, in their order.

    The first one takes the place of the suite's own, so that nothing else is loaded. ``backend`` is used instead of
    the one that the suite names, and is not closed.

    Raises:
        SpecError: the suite cannot be run as written, or does not compare an adapter with its base.
        TargetError: there is no such adapter.
        SwayError: the models cannot be loaded, or do not belong together.
    """
    loaded = load(spec, manager) if isinstance(spec, Path) else spec
    if not loaded.suite.defaults.differential:
        raise TargetError(
            f"{loaded.source}: it compares two whole models (defaults.differential: false), and adapters share one "
            "base: run it once a model, and `sway compare` the results"
        )
    folders = [_folder(given, manager) for given in adapters]
    if twice := [str(one) for at, one in enumerate(folders) if one in folders[:at]]:
        raise TargetError(f"{', '.join(twice)}: named twice: an adapter has nothing to be told apart from itself")
    loaded = _on(loaded, folders[0])
    with ExitStack() as stack:
        chosen = Chosen(backend) if backend is not None else choose(loaded, manager)
        if backend is None:
            stack.callback(chosen.backend.close)
        session = stack.enter_context(asking(chosen.backend, cache=cache, trace=trace, say=say))
        session.describe()  # what cannot be loaded ends this here, rather than every entry in turn
        views = [FT, *(View("ft", adapter=str(folder)) for folder in folders[1:])]
        return [
            Run(label, _asked(loaded, session, chosen.gives, folder, view, say))
            for label, folder, view in zip(labels(folders), folders, views, strict=True)
        ]


def labels(folders: Sequence[Path]) -> list[str]:
    """As few last parts of the paths as tell them apart."""
    for parts in range(1, max(len(folder.parts) for folder in folders) + 1):
        found = ["/".join(folder.parts[-parts:]) for folder in folders]
        if len(set(found)) == len(set(folders)):
            return found
    return [str(folder) for folder in folders]


def _folder(given: str, manager: PluginManager) -> Path:
    """The adapter folder that ``given`` names, or that a document's current version is."""
    path = Path(given).expanduser()
    if path.is_dir():
        return path.resolve()
    if parted(given)[0].lower().endswith(DOCUMENT):
        target = manager.hook.dlm_sway_resolve_target(ref=given)
        if target is None:
            raise TargetError(f"{given}: no installed plugin reads documents: pip install 'dlm-sway[dlm]'")
        if target.models.ft.adapter is not None:
            return Path(target.models.ft.adapter).resolve()
    raise TargetError(f"{given}: no such folder: name the folder that holds adapter_config.json")


def _on(loaded: LoadedSuite, adapter: Path) -> LoadedSuite:
    models = loaded.suite.models
    tuned = models.ft.model_copy(update={"adapter": adapter})
    suite = loaded.suite.model_copy(update={"models": models.model_copy(update={"ft": tuned})})
    return replace(loaded, suite=suite)


def _asked(
    loaded: LoadedSuite,
    session: Session,
    gives: frozenset[str],
    folder: Path,
    view: View,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """What ``sway run`` would have found without random adapters, as a result's data."""
    defaults, sections = loaded.suite.defaults, loaded.sections
    ctx = ProbeContext(
        Looking(session, view),
        defaults.seed,
        defaults.alpha,
        None,
        defaults,
        sections=sections,
        doc_text=None if sections is None else doc_text(sections),
        adapter=folder,
    )
    found = []
    for planned in loaded.probes:
        if planned.entry.name == "null_adapter":
            continue  # it only says which random adapters a run would ask
        session.probe = planned.probe.spec.name
        say(f"{view.label}: {planned.probe.spec.name} ({planned.probe.spec.kind})")
        found.append(asdict(_measured(run_probe(planned, ctx, gives))))
    data = {"probes": found, "base_model_id": loaded.suite.models.base.base, "adapter_id": str(folder)}
    return completed({**data, "spec_path": loaded.source}, str(folder))


def _measured(result: ProbeResult) -> ProbeResult:
    """``result`` without a verdict that would rest on random adapters, of which none were asked."""
    if result.seeks == "harm" or result.raw is None:
        return result
    return replace(result, verdict=MEASURED, score=None)  # type: ignore[arg-type]
