"""``dlm push --to hf:org/name``: pack, signatures, PEFT layout and card, in one commit or not at all."""

from __future__ import annotations

import io
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dlm.errors import TransferRefused
from dlm.share.pushing import private_folder
from dlm.share.receiving import receive
from dlm.share.transport import PACK_FILE, SIDECARS, Sent
from dlm.store.encoding import canonical
from dlm.store.files import disk_errors
from dlm.store.layout import home

from .address import Place
from .claimed import read_claims, told
from .client import asking
from .fetching import Listed, listed, look_up
from .index import INDEX, Index, index_of, read_index
from .layout import CARD
from .pushed_card import PackFacts, compose
from .repository import card_facts, look_into, require_passable, terms, write_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from huggingface_hub import HfApi

    from dlm.share.transport import Parcel, Progress

    from .repository import Contents


_LARGE = 1_000_000
"""Bytes from which on a file is sent before the others."""


class Target(NamedTuple):
    """The repository that is pushed to, as it is before."""

    place: Place
    files: Listed
    private: bool

    @property
    def commit(self) -> str:
        """That the push builds upon."""
        return self.files.place.revision


def send(api: HfApi, parcel: Parcel, place: Place, *, progress: Progress, say: Callable[[str], None]) -> Sent:
    """Publish ``parcel`` at ``place``.

    Raises:
        UsageProblem: nobody knows by which repository others have the base.
        TransferRefused: it must not be published there, or the hub says no.
        TransferFailed: the hub or the way there broke. What has arrived there is not sent again.
    """
    with private_folder(home()) as place_of_work:
        inside, folder = place_of_work / "pack", place_of_work / "repository"
        with disk_errors(inside):
            inside.mkdir()
        receive(parcel.pack, inside)
        contents = look_into(inside, parcel.manifest, parcel.settings)
        require_passable(contents)
        with disk_errors(folder):
            write_repository(contents, folder)
        with asking(place, say):
            target = _target(api, place, parcel, say)
            notes, before = _write_texts(api, contents, parcel, target, folder)
            commit = _commit(api, parcel, target, folder, before, progress)
    return _sent(target, commit, (*terms(contents), *notes))


def _sent(target: Target, commit: str, notes: tuple[str, ...]) -> Sent:
    place = target.place
    if commit == target.commit:
        return Sent(place.at(commit), (*notes, f"nothing has changed: {place.address} has just this already"))
    who = "who may see it" if target.private else "everybody"
    return Sent(
        place.at(commit), (*notes, f"commit {commit}, for {who}; `dlm pull {place.address}` takes the newest one")
    )


def _target(api: HfApi, place: Place, parcel: Parcel, say: Callable[[str], None]) -> Target:
    """The repository and branch, made where they are not there yet."""
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    private = parcel.settings.get("private") == "yes"
    try:
        info = look_up(api, place)
    except RepositoryNotFoundError:
        _require_shareable(parcel, place, private=private)
        api.create_repo(place.repo, private=private or None, exist_ok=True)
        info = look_up(api, place)
        say(f"made the {'private' if info.private else 'public'} repository {api.endpoint}/{place.repo}")
    if private and not info.private:
        raise TransferRefused(
            f"{place.repo} is public, and --set private=yes asks for one that is not: change that at "
            f"{api.endpoint}/{place.repo}/settings, or push to another repository. Nothing was sent"
        )
    _require_shareable(parcel, place, private=bool(info.private))
    try:
        files = listed(api, place)
    except RevisionNotFoundError:
        api.create_branch(place.repo, branch=place.revision, exist_ok=True)
        files = listed(api, place)
    return Target(place, files, bool(info.private))


def _require_shareable(parcel: Parcel, place: Place, *, private: bool) -> None:
    if parcel.manifest.profile == "full" and not private:
        raise TransferRefused(
            f"a full pack holds older versions and deleted text, and {place.repo} is for everybody to read: pack with "
            "--profile share, or push it to a private repository (--set private=yes). Nothing was sent"
        )


def _write_texts(
    api: HfApi, contents: Contents, parcel: Parcel, target: Target, folder: Path
) -> tuple[tuple[str, ...], Index]:
    """Card and index into ``folder``; what to tell, and the index that is there.

    Raises:
        TransferRefused: what is there was not made by a push of this document.
    """
    before = read_index(_text_of(api, target, INDEX))
    facts = card_facts(contents, folder, target.place.repo)
    pack = PackFacts(
        repo=target.place.repo,
        digest=parcel.digest,
        profile=parcel.manifest.profile,
        name=parcel.manifest.document.name,
        signed=tuple(ending for ending in SIDECARS if ending in parcel.sidecars),
    )
    names = sorted({*_names(folder), PACK_FILE, *(PACK_FILE + ending for ending in pack.signed)})
    if parcel.settings.get("replace") != "yes":
        _require_own(parcel, target, before, names)
    claims = read_claims(contents.folder)
    facts = replace(facts, claimed=claims.learning if claims else None)
    card = compose(facts, pack, told(claims), _text_of(api, target, CARD))
    if card.text is not None:
        (folder / CARD).write_text(card.text, encoding="utf-8", newline="")
    (folder / INDEX).write_text(canonical(index_of(parcel, names)), encoding="utf-8", newline="")
    return card.notes, before


def _require_own(parcel: Parcel, target: Target, before: Index, names: list[str]) -> None:
    """Refuse to write over what somebody else, or the push of another document, has put there."""
    repo = target.place.repo
    way = "push to another repository, or replace it with --set replace=yes. Nothing was sent"
    if before.dlm_id not in (None, parcel.manifest.dlm_id):
        raise TransferRefused(f"{repo} holds another document ({before.dlm_id}): {way}")
    if foreign := [name for name in (*names, INDEX) if name in target.files.files and name not in before.files]:
        if foreign == [INDEX] and before.dlm_id is not None:
            return
        shown = ", ".join(foreign[:3]) + (" and others" if len(foreign) > 3 else "")
        raise TransferRefused(f"{repo} has {shown}, which `dlm push` did not write: {way}")


def _names(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _text_of(api: HfApi, target: Target, name: str) -> str | None:
    """A small text of the repository; ``None`` where there is none."""
    from .downloading import read_small

    remote = target.files.files.get(name)
    return None if remote is None else read_small(api, remote).decode("utf-8", "replace")


def _commit(api: HfApi, parcel: Parcel, target: Target, folder: Path, before: Index, progress: Progress) -> str:
    """Upload what is new, then commit all of it at once; the commit, the former one where nothing is new."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    paths: dict[str, Path] = {name: folder / name for name in sorted(_names(folder))}
    paths[PACK_FILE] = parcel.pack
    paths.update({PACK_FILE + ending: path for ending, path in parcel.sidecars.items() if ending in SIDECARS})
    gone = [CommitOperationDelete(name) for name in _gone(before, target, paths)]
    repo, branch = target.place
    with ExitStack() as stack:
        counter = Counter(progress)
        # Handed over as open files, for those the client sends as Git LFS does, which every hub understands.
        files = {name: stack.enter_context(counter.open(path)) for name, path in sorted(paths.items())}
        added = [CommitOperationAdd(name, file) for name, file in files.items()]
        counter.start()
        # One by one: the client sends several in threads, and Ctrl-C would wait for those.
        for one in added:
            if one.upload_info.size >= _LARGE:
                api.preupload_lfs_files(repo, [one], revision=branch, free_memory=False)
        info = api.create_commit(
            repo,
            [*added, *gone],
            commit_message=f"{parcel.manifest.document.name} v{parcel.manifest.version:04d}",
            commit_description=f"Pushed by dlm. The pack is {parcel.digest}.",
            revision=branch,
            parent_commit=target.commit,
        )
        counter.finish()
    return str(info.oid)


def _gone(before: Index, target: Target, paths: Mapping[str, Path]) -> list[str]:
    """What an earlier push wrote and this one does not: above all signatures, which are of that pack alone."""
    ours = {*before.files, *(PACK_FILE + ending for ending in SIDECARS)}
    return sorted(name for name in ours if name in target.files.files and name not in paths)


class Counter:
    """Tells how much of the files was read to be sent."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._at: dict[int, int] = {}
        self._total = 0
        self._started = False

    def open(self, path: Path) -> io.BufferedReader:
        """``path``, to be read by the client."""
        self._total += path.stat().st_size
        return _Counted(path, self)

    def start(self) -> None:
        """From now on reading means sending; until then it was hashing."""
        self._started = True
        self._progress(0, self._total)

    def at(self, key: int, position: int) -> None:
        """The file ``key`` was read up to ``position``; again from the beginning when it is sent again."""
        if self._started:
            with self._lock:
                self._at[key] = position
                self._progress(min(sum(self._at.values()), self._total), self._total)

    def finish(self) -> None:
        """Everything is there, what was there before too."""
        self._progress(self._total, self._total)


class _Counted(io.BufferedReader):
    def __init__(self, path: Path, counter: Counter) -> None:
        super().__init__(io.FileIO(path))
        self._counter = counter

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self._counter.at(id(self), self.tell())
        return data
