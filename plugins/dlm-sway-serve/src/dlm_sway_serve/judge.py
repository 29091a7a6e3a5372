"""From a request to a result: the suite is read, its backend borrowed, and the run made in a thread. No HTTP here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dlm_sway.errors import Fault, SpecError
from dlm_sway.probes.null_adapter import NullAdapter
from dlm_sway.report.document import to_dict
from dlm_sway.spec.faults import suggestion
from dlm_sway.spec.load import received
from dlm_sway.spec.paths import SIDES, addressed
from dlm_sway.suite.choosing import choose
from dlm_sway.suite.preflight import KIND as PREFLIGHT
from dlm_sway.suite.provenance import own_version
from dlm_sway.suite.run import run

from .errors import Busy, OutOfTime, WrongServer
from .keys import Digests, content_key
from .shelf import Shelf
from .stopping import Stop, Stoppable, Stopped

if TYPE_CHECKING:
    from dlm_sway._plugkit.plugins import PluginManager
    from dlm_sway.spec.load import LoadedSuite
    from dlm_sway.suite.choosing import Chosen

    from .bodies import RunRequest, ScoreRequest
    from .settings import Settings
    from .shelf import Warm

_NULLS: Final = NullAdapter.kind


@dataclass
class _Tally:
    started: float
    answered: int = 0
    failed: int = 0
    waiting: int = 0
    seconds: float = 0.0


class Judge:
    """Answers requests, ``settings.at_once`` at a time. Belongs to one event loop."""

    def __init__(self, settings: Settings, manager: PluginManager) -> None:
        self.settings = settings
        self._manager = manager
        self._digests = Digests()
        self._bench = ThreadPoolExecutor(settings.at_once, thread_name_prefix="sway-models")
        self._shelf = Shelf(settings.max_loaded, self._on_bench)
        self._tally = _Tally(time.monotonic())
        self._running: dict[asyncio.Task[dict[str, Any]], Stop] = {}

    async def run(self, asked: RunRequest, stop: Stop) -> dict[str, Any]:
        """The result JSON's data for a whole suite, with ``request_seconds``.

        Raises:
            SwayError, PluginError: as ``sway run`` would print it.
            Busy, OutOfTime: there was no time for it.
        """
        given = {"weights": asked.weights, "threshold": asked.threshold}
        spec = asked.spec if asked.seed is None else seeded(asked.spec, asked.seed)
        return await self._timed(spec, asked.spec_path, given, "POST /run", stop)

    async def score(self, asked: ScoreRequest, stop: Stop) -> dict[str, Any]:
        """``probes``: what the named entries found, and why the model gives no numbers if it does not.

        Raises:
            SwayError, PluginError, Busy, OutOfTime: see :meth:`run`.
        """
        wanted = set(asked.probe_names)
        spec = only(asked.spec, asked.probe_names, asked.spec_path)
        found = await self._timed(spec, asked.spec_path, {}, "POST /score", stop)
        probes = [one for one in found["probes"] if one["name"] in wanted or one["kind"] == PREFLIGHT]
        return {"probes": probes, "request_seconds": found["request_seconds"]}

    def health(self) -> dict[str, Any]:
        """That it answers, and which models are loaded."""
        return {
            "status": "ok",
            "sway_version": own_version(),
            "uptime_seconds": self._uptime(),
            "loaded_models": [_model(warm) for warm in self._shelf.loaded()],
            "max_loaded_models": self.settings.max_loaded,
        }

    def stats(self) -> dict[str, Any]:
        """What it did so far."""
        tally = self._tally
        return {
            "uptime_seconds": self._uptime(),
            "request_count": tally.answered,
            "failed_count": tally.failed,
            "waiting": tally.waiting,
            "total_run_seconds": round(tally.seconds, 3),
            "mean_run_seconds": round(tally.seconds / tally.answered, 3) if tally.answered else None,
            "cached_backends": len(self._shelf.loaded()),
            "max_loaded_models": self.settings.max_loaded,
            "loads": self._shelf.loads,
        }

    async def close(self) -> None:
        """Stop what runs, before its next question, and free the models."""
        for stop in self._running.values():
            stop.now("the server is stopping: ask again when it is back")
        if self._running:
            await asyncio.wait(list(self._running))
        await self._shelf.close()
        self._bench.shutdown()

    def _uptime(self) -> float:
        return round(time.monotonic() - self._tally.started, 3)

    async def _timed(
        self, spec: Mapping[str, Any], name: str, given: Mapping[str, Any], command: str, stop: Stop
    ) -> dict[str, Any]:
        """Answer, or give up when there is no time left. What still runs then ends before its next question."""
        if self._tally.waiting >= self.settings.most_waiting:
            raise Busy(f"{self._tally.waiting} requests are waiting already: ask again later")
        started = time.monotonic()
        task = asyncio.create_task(self._answer(spec, name, {**given, "facts": {"command": command}}, stop))
        self._running[task] = stop
        self._tally.waiting += 1
        task.add_done_callback(self._ended)
        await asyncio.wait({task}, timeout=stop.left)
        if not task.done():
            raise OutOfTime(stop.why)
        return {**task.result(), "request_seconds": round(time.monotonic() - started, 3)}

    def _ended(self, task: asyncio.Task[dict[str, Any]]) -> None:
        del self._running[task]
        self._tally.waiting -= 1
        failed = task.cancelled() or task.exception() is not None
        self._tally.failed += failed
        self._tally.answered += not failed

    async def _answer(self, spec: Mapping[str, Any], name: str, given: Mapping[str, Any], stop: Stop) -> dict[str, Any]:
        loaded, chosen, key = await asyncio.to_thread(self._prepared, spec, name)
        if key is None:
            return await self._alone(loaded, chosen, given, stop)
        async with self._shelf.lend(key, chosen) as warm:
            found: dict[str, Any] = await self._on_bench(
                lambda: self._judged(loaded, warm.chosen, warm.described, given, stop)
            )
            return found

    def _prepared(self, spec: Mapping[str, Any], name: str) -> tuple[LoadedSuite, Chosen, str | None]:
        """The suite, its backend, and the key of that one where it may be shared."""
        check_servers(spec, self.settings.endpoints)
        loaded = received(spec, self._manager, name, self.settings.root, self.settings.endpoints)
        chosen = choose(loaded, self._manager)
        return loaded, chosen, content_key(chosen.backend, self._digests)

    async def _alone(self, loaded: LoadedSuite, chosen: Chosen, given: Mapping[str, Any], stop: Stop) -> dict[str, Any]:
        """With a backend that cannot say what decides its numbers, or has no model: nobody else may use it."""

        def once() -> dict[str, Any]:
            try:
                return self._judged(loaded, chosen, chosen.backend.describe(), given, stop)
            finally:
                chosen.backend.close()

        found: dict[str, Any] = await self._on_bench(once)
        return found

    def _judged(
        self,
        loaded: LoadedSuite,
        chosen: Chosen,
        described: dict[str, object],
        given: Mapping[str, Any],
        stop: Stop,
    ) -> dict[str, Any]:
        """The run itself, in a thread that may use models."""
        started = time.monotonic()
        chosen = chosen._replace(backend=Stoppable(chosen.backend, stop, described))
        try:
            stop.check()
            found = run(loaded, backend=chosen, manager=self._manager, cache=self.settings.cache, **given)
        except Stopped:
            raise OutOfTime(stop.why) from None
        self._tally.seconds += time.monotonic() - started
        return to_dict(found)

    async def _on_bench(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._bench, work)


def check_servers(spec: Mapping[str, Any], allowed: frozenset[str]) -> None:
    """That a suite names no server but those that the owner allowed.

    Raises:
        WrongServer: it does.
    """
    models = spec.get("models")
    for side in SIDES:
        named = models.get(side) if isinstance(models, Mapping) else None
        address = addressed(named) if isinstance(named, Mapping) else None
        if address is not None and address not in allowed:
            raise WrongServer(
                f"models.{side}.endpoint: this server asks no address that a request names, but for those that its "
                "owner allows: start it with `sway serve --allow-endpoint URL`, or run the suite where you are"
            )


def only(spec: Mapping[str, Any], names: list[str], source: str) -> dict[str, Any]:
    """``spec`` with the entries of these names, and the null adapter that calibrates them.

    Raises:
        SpecError: an entry is not there.
    """
    entries = spec.get("suite")
    entries = [one for one in entries if isinstance(one, Mapping)] if isinstance(entries, list) else []
    known = [one["name"] for one in entries if isinstance(one.get("name"), str)]
    if missing := [name for name in dict.fromkeys(names) if name not in known]:
        what = "no entry of the suite is called {!r}"
        raise SpecError([Fault(source, 0, "probe_names", what.format(n), suggestion(n, known)) for n in missing])
    return {**spec, "suite": [one for one in entries if one.get("name") in names or one.get("kind") == _NULLS]}


def seeded(spec: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """``spec`` with another seed; a mistake in its defaults is left for the reader to find."""
    defaults = spec.get("defaults", {})
    return {**spec, "defaults": {**defaults, "seed": seed}} if isinstance(defaults, Mapping) else dict(spec)


def _model(warm: Warm) -> dict[str, Any]:
    ft, said = warm.chosen.backend.models.ft, warm.described
    return {
        "kind": ft.kind,
        "base": ft.base,
        "adapter": None if ft.adapter is None else str(ft.adapter),
        "dtype": str(said.get("dtype", ft.dtype)),
        "device": str(said.get("device", ft.device)),
    }
