"""One document's store: the door for readers and writers."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import UsageProblem
from . import checkpoint, lock_file
from . import ledger as ledgers
from . import version as reading
from .layout import store_layout
from .lock import hold
from .manifest import load, save
from .recover import point, recover
from .runs import Run, begin
from .summary import current_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .checkpoint import Checkpoint
    from .ledger import Ledger
    from .manifest import Manifest
    from .version import Contents, Version


class Store:
    """``$DLM_HOME/store/<dlm_id>``. Readers need no lock and create nothing; a writer holds :meth:`lock`.

    Example::

        store = Store(home(), document.frontmatter.dlm_id)
        with store.lock("train"):
            run = store.begin_run({"base": {"key": "smollm2-135m"}})
            run.commit(bench.save, {"precision": "fp32"})
        store.current()  # v0001

    Raises:
        StoreError: ``dlm_id`` is no ULID.
    """

    def __init__(self, home: Path, dlm_id: str) -> None:
        self.dlm_id = dlm_id
        self.layout = store_layout(home, dlm_id)
        self._held = False

    def current(self) -> Version | None:
        """The version to use, ``None`` before the first; right at any moment, whoever is writing.

        Raises:
            StoreError: the pointer, or what it names, was damaged from outside.
        """
        return reading.current(self.layout)

    def contents(self) -> Contents:
        """Everything in the folder of versions: good, damaged, rejected, half-written."""
        return reading.contents(self.layout)

    def versions(self) -> tuple[Version, ...]:
        """Every version that can be used, oldest first."""
        return self.contents().versions

    def version(self, number: int) -> Version:
        """The version ``number``.

        Raises:
            UsageProblem: there is none; names those there are.
            StoreError: it is damaged.
        """
        if not self.layout.version(number).is_dir():
            known = ", ".join(f"v{version.number}" for version in self.versions())
            choice = f"choose one of {known}" if known else "there is none yet, run `dlm train DOC` first"
            raise UsageProblem(f"this document has no version v{number}: {choice}")
        return reading.read_version(self.layout.version(number), number)

    def manifest(self) -> Manifest | None:
        """The story of the runs; ``None`` before the first.

        Raises:
            StoreError: the file is damaged, or of a newer dlm.
        """
        return load(self.layout.manifest)

    def checkpoint(self) -> Checkpoint | None:
        """Where a run that was stopped can go on; ``None`` when none was. Needs no lock.

        Raises:
            StoreError: as :meth:`manifest`.
        """
        found = checkpoint.newest(self.layout)
        return found if found and checkpoint.may_go_on(found, self.manifest(), self.contents()) else None

    def licence_acceptance(self) -> dict[str, Any] | None:
        """The agreement to the base's licence that the manifest records.

        Raises:
            StoreError: as :meth:`manifest`.
        """
        manifest = self.manifest()
        return manifest.license_acceptance if manifest else None

    @contextmanager
    def lock(self, purpose: str) -> Iterator[None]:
        """Be the only writer until the block ends; ``purpose`` is the command's name, for the other one's message.

        Raises:
            StoreLocked: another process is writing; its message names process, host, since when and purpose.
        """
        with hold(self.layout, purpose):
            self._held = True
            try:
                yield
            finally:
                self._held = False

    def settle(self) -> tuple[str, ...]:
        """Finish a commit that was cut short, so that what is read next is what was trained last; one line a repair.

        Does nothing, and takes no lock, when there is none.

        Raises:
            StoreLocked: another process is just committing.
            StoreError: the manifest is damaged, or the disk cannot be written.
        """
        if not any((version.path / ledgers.LEDGER_FILE).is_file() for version in self.versions()):
            return ()
        with self.lock("train"):
            state = recover(self.layout, self.dlm_id)
            save(self.layout.manifest, state.manifest)
        return state.notes

    def ledger(self) -> Ledger:
        """Which sections the last training saw, kept and let go; empty before the first. Needs no lock.

        Raises:
            StoreError: it is damaged, or of a newer dlm.
        """
        return ledgers.load(self.layout)

    def rewrite_ledger(self, change: Callable[[Ledger], Ledger]) -> Ledger:
        """Replace the ledger, outside of a run, by what ``change`` makes of it. Hold :meth:`lock`.

        Raises:
            StoreError: it is damaged, or the disk cannot be written.
        """
        self._require_lock()
        state = recover(self.layout, self.dlm_id)
        save(self.layout.manifest, state.manifest)
        before = self.ledger()
        after = change(before).model_copy(update={"revision": before.revision + 1})
        ledgers.save(self.layout, after)
        return after

    def record_export(self, entry: dict[str, Any]) -> None:
        """Note an export in the manifest, in place of one in the same ``folder``. Takes the lock for a moment.

        Raises:
            StoreLocked: a training runs.
            StoreError: the manifest is damaged, or the disk cannot be written.
        """
        with self.lock("export"):
            state = recover(self.layout, self.dlm_id)
            others = [one for one in state.manifest.exports if one.get("folder") != entry["folder"]]
            save(self.layout.manifest, state.manifest.model_copy(update={"exports": (*others, entry)}))

    def begin_run(self, facts: dict[str, Any], ledger: Ledger | None = None) -> Run:
        """Put right what a dead process left, and open a run. Hold :meth:`lock` until it has ended.

        ``facts`` go into ``version.json``. Known keys: ``document_digest``, ``section_ids``, ``source_path``, ``base``
        (``key``, ``digest``, ``revision``, ``source``), ``recipe``, ``plan``, ``versions`` (distribution to version).
        :meth:`Run.commit` adds ``outcome`` and ``precision``. ``ledger`` is the one that will be committed: whether it
        still follows from the store's is found out here, before anything is trained.

        Raises:
            StoreError: the manifest is damaged, the disk is nearly full or closed to us, or the ledger was changed.
        """
        self._require_lock()
        return begin(self.layout, self.dlm_id, facts, ledger)

    def use(self, number: int) -> Version:
        """Make an existing version the current one. Hold :meth:`lock`.

        Raises:
            UsageProblem: there is no such version.
            StoreError: it is damaged, or the disk cannot be written.
        """
        self._require_lock()
        version = self.version(number)
        version.verify()
        state = recover(self.layout, self.dlm_id)
        point(self.layout, number)
        lock_file.put_in_place(self.layout, version)
        save(self.layout.manifest, state.manifest.model_copy(update=current_keys(version)))
        return version

    def _require_lock(self) -> None:
        if not self._held:
            raise RuntimeError("hold store.lock(...) first")
