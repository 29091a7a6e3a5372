"""One training run in the store: its log, and how its adapter becomes a version in two phases.

First everything is written into a hidden folder and made durable, ``version.json`` last; then one rename makes it a
version and one replaced line makes it the current one. Whatever is cut short is put right by :mod:`.recover`.
"""

from __future__ import annotations

import itertools
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from . import checkpoint, lock_file
from .encoding import canonical, jsonable, line, now
from .files import disk_errors, free_megabytes, remove_tree, sha256, sync_folder, sync_tree, told, write_atomic
from .layout import ADAPTERS, version_name
from .ledger import LEDGER_FILE, dump, put_in_place, require_unchanged
from .manifest import save
from .recover import point, recover
from .summary import current_keys, new_run, run_numbers
from .version import ADAPTER_FILE, CONFIG_FILE, FACTS_FILE, Version, read_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from .layout import Layout
    from .ledger import Ledger
    from .manifest import Manifest, Status, TrainingRun
    from .recover import Recovered

    Adapters = Mapping[str, Mapping[str, Any]]

ROOM_MB = 64
"""Below this a run is not begun: it would train for minutes and then have nowhere to put its version."""


class Run:
    """A run that was begun and has not ended. Use it only while the store's lock is held."""

    def __init__(self, layout: Layout, manifest: Manifest, run_id: int, number: int, facts: dict[str, Any]) -> None:
        self.id = run_id
        self.log_path = layout.root / str(_begun(manifest, run_id).log_path)
        self.recovered: tuple[str, ...] = ()
        """What had to be put right before this run could begin, one line each."""
        self.facts = facts
        """What was known when it began, as plain data; part of ``version.json``."""
        self.summary_path: str | None = None
        """Relative to the store, once :meth:`summarise` has written it."""
        self._layout = layout
        self._manifest = manifest
        self._number = number
        self._ended = False

    def log(self, record: dict[str, Any]) -> None:
        """Append one record, with the time, to the run's log; NaN is written as null.

        Raises:
            StoreError: the disk is full or closed to us.
        """
        with disk_errors(self.log_path), self.log_path.open("a", encoding="utf-8") as file:
            file.write(line({"timestamp": now(), **record}))

    def commit(
        self,
        write: Callable[[Path], None],
        facts: dict[str, Any],
        ledger: Ledger | None = None,
        adapters: Adapters | None = None,
    ) -> Version:
        """Let ``write`` fill a folder and make it the current version, or leave everything as it was.

        With ``adapters``, names in their order with what is to be known of each, ``write`` puts each into a folder of
        its own, ``adapters/<name>``. All become visible in the one step.

        ``ledger`` becomes the store's in the same step: readers see both as they were, or both as they are now.

        Raises:
            StoreError: the disk is full or closed to us, ``write`` left no adapter, or the ledger was changed since the
                one that ``ledger`` follows from was read. Other exceptions of ``write`` come through as they are.
        """
        if ledger is not None:
            require_unchanged(self._layout, ledger)
            ledger = ledger.stamped(self.id, self._number)
        partial = self._fill(write, facts, ledger, adapters)
        final = self._layout.version(self._number)
        self._show(partial, final)
        try:
            point(self._layout, self._number)
            version = read_version(final, self._number)
            # Before the ledger: as long as that is not in its place, the next command completes the commit.
            lock_file.put_in_place(self._layout, version)
            if ledger is not None:
                with disk_errors(self._layout.ledger):
                    put_in_place(self._layout, final)
            self._close("ok", "", version)
            checkpoint.clear(self._layout)
        except StoreError as problem:
            whole = f"{final.name} is whole and safe: the next `dlm train` or `dlm use` completes the bookkeeping"
            raise StoreError(f"{problem}. {whole}") from problem
        return version

    def reject(self, write: Callable[[Path], None], reason: str, adapters: Adapters | None = None) -> Path:
        """Keep the weights for a look, as ``vNNNN-rejected``; the version before stays current. See :meth:`commit`.

        Raises:
            StoreError: as :meth:`commit`.
        """
        partial = self._fill(write, {"rejected": reason}, None, adapters)
        final = _free_name(self._layout.versions, f"{version_name(self._number)}-rejected")
        self._show(partial, final)
        self._close("rejected", reason)
        checkpoint.clear(self._layout)
        return final

    def fail(self, message: str) -> None:
        """End the run without a version. Does nothing when it has ended already."""
        self._give_up("failed", message)

    def cancel(self, reason: str = "stopped from the keyboard") -> None:
        """End the run because someone stopped it. Does nothing when it has ended already."""
        self._give_up("cancelled", reason)

    def summarise(self, record: dict[str, Any], licence: dict[str, Any] | None = None) -> None:
        """Write ``record`` beside the log, and name it in the manifest; ``licence`` is the agreement to the base's.

        For a run that has ended with a version; nothing depends on it.

        Raises:
            StoreError: the disk is full or closed to us.
        """
        path = self.log_path.with_suffix(".summary.json")
        write_atomic(path, canonical(jsonable({**record, "run_id": self.id, "adapter_version": self._number})))
        self.summary_path = path.relative_to(self._layout.root).as_posix()
        run = _begun(self._manifest, self.id).model_copy(update={"summary_path": self.summary_path})
        agreed = {"license_acceptance": licence} if licence else {}
        self._manifest = self._manifest.with_run(run).model_copy(update=agreed)
        save(self._layout.manifest, self._manifest)

    def _fill(
        self, write: Callable[[Path], None], facts: dict[str, Any], ledger: Ledger | None, adapters: Adapters | None
    ) -> Path:
        """Phase one: a hidden folder with everything in it, durable."""
        if self._ended:
            raise RuntimeError(f"run {self.id} has ended: begin another one")
        partial = self._layout.versions / f".{version_name(self._number)}.partial-{secrets.token_hex(4)}"
        try:
            with disk_errors(partial):
                partial.mkdir()
            self._write(write, partial, adapters)
            if ledger is not None:
                write_atomic(partial / LEDGER_FILE, dump(ledger))
            with disk_errors(partial):
                sync_tree(partial)
                write_atomic(partial / FACTS_FILE, canonical(self._all_facts(partial, facts, adapters)))
        except BaseException:
            if partial.exists():
                remove_tree(partial)
            raise
        return partial

    def _show(self, partial: Path, final: Path) -> None:
        """Phase two begins: from here on the folder counts, and recovery finishes what is cut short."""
        with disk_errors(final):
            partial.rename(final)
            self._ended = True
            sync_folder(final.parent)

    def _write(self, write: Callable[[Path], None], folder: Path, adapters: Adapters | None) -> None:
        places = [folder] if adapters is None else [folder / ADAPTERS / name for name in adapters]
        if adapters is not None:
            with disk_errors(folder):
                for place in places:
                    place.mkdir(parents=True)
        with told(folder):
            write(folder)
        for place in places:
            if not (place / ADAPTER_FILE).is_file():
                whose = "report this to the backend's authors"
                raise StoreError(f"the backend wrote no {ADAPTER_FILE} into {place}: {whose}")

    def _all_facts(self, folder: Path, facts: dict[str, Any], adapters: Adapters | None) -> dict[str, Any]:
        named = {
            name: {**known, "number": number, **_digests(folder / ADAPTERS / name)}
            for number, (name, known) in enumerate((adapters or {}).items(), start=1)
        }
        return {
            **self.facts,
            **facts,
            "dlm_id": self._manifest.dlm_id,
            "version": self._number,
            "run_id": self.id,
            "created_at": now(),
            **(_digests(folder) if adapters is None else {"adapters": jsonable(named)}),
        }

    def _give_up(self, status: Status, message: str) -> None:
        if self._ended:
            return
        self._ended = True
        # On a full disk the reason of the failure matters more than this note; the next run's recovery writes it.
        with suppress(StoreError):
            self._close(status, message)

    def _close(self, status: Status, message: str, version: Version | None = None) -> None:
        end: dict[str, Any] = {"status": status, "message": message, "ended_at": datetime.now(UTC)}
        if version is not None:
            end |= run_numbers(version.facts)
            self._manifest = self._manifest.model_copy(update=current_keys(version))
        if status in ("ok", "rejected"):
            end["adapter_version"] = self._number
        run = _begun(self._manifest, self.id).model_copy(update=end)
        self._manifest = self._manifest.with_run(run)
        save(self._layout.manifest, self._manifest)


def begin(layout: Layout, dlm_id: str, facts: dict[str, Any], ledger: Ledger | None = None) -> Run:
    """Put the store in order and open a run in it; the lock is held.

    Raises:
        StoreError: the manifest is damaged, the disk is nearly full or closed to us, or ``ledger``, which will be
            committed, follows from one that is no longer the store's.
    """
    _require_room(layout)
    with disk_errors(layout.root):
        for folder in (layout.versions, layout.logs, layout.replay):
            folder.mkdir(parents=True, exist_ok=True)
    state = recover(layout, dlm_id)
    if ledger is not None:
        require_unchanged(layout, ledger)
    run_id = _next_run(layout, state)
    started = new_run(run_id, facts)
    source_path = facts.get("source_path", state.manifest.source_path)
    manifest = state.manifest.with_run(started).model_copy(update={"source_path": jsonable(source_path)})
    numbers = [run.adapter_version or 0 for run in manifest.training_runs]
    run = Run(layout, manifest, run_id, max([state.contents.highest(), *numbers]) + 1, jsonable(facts))
    run.recovered = state.notes
    with disk_errors(run.log_path):
        run.log_path.touch()
    save(layout.manifest, manifest)
    return run


def _digests(folder: Path) -> dict[str, str | None]:
    """Of an adapter that was written."""
    config = folder / CONFIG_FILE
    return {
        "adapter_sha256": sha256(folder / ADAPTER_FILE),
        "adapter_config_sha256": sha256(config) if config.is_file() else None,
    }


def _begun(manifest: Manifest, run_id: int) -> TrainingRun:
    run = manifest.run(run_id)
    if run is None:
        raise RuntimeError(f"run {run_id} is not in the manifest")
    return run


def _require_room(layout: Layout) -> None:
    if (free := free_megabytes(layout.root)) < ROOM_MB:
        raise StoreError(
            f"only {free} MB are free on the disk of {layout.root}, too little to keep a version: make room, or point "
            "DLM_HOME at a larger disk, then run the command again"
        )


def _next_run(layout: Layout, state: Recovered) -> int:
    """One more than any run that left a trace: a lost manifest must not bring an old id back."""
    listed = [run.run_id for run in state.manifest.training_runs]
    logged = [int(log.name.split("-")[1]) for log in layout.logs.glob("train-[0-9]*-*.jsonl")]
    made = [version.facts.get("run_id") or 0 for version in state.contents.versions]
    return max([0, *listed, *logged, *made]) + 1


def _free_name(folder: Path, name: str) -> Path:
    names = (folder / (name if count == 1 else f"{name}-{count}") for count in itertools.count(1))
    return next(path for path in names if not path.exists())
