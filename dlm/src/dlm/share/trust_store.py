"""Whose keys count here: files under ``$DLM_HOME/trusted-keys``, and which key signed a document when it first came.

A public key lies there as ``NAME.pub``, in any format that an installed signer reads, and may be put there by hand.
``first-use`` holds one file a document. Reading changes nothing; whoever writes holds a lock.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import SignatureInvalid, StoreError, UsageProblem
from ..store.encoding import canonical, now
from ..store.files import disk_errors, write_atomic
from ..store.layout import store_layout
from .sidecars import read_small
from .standing import short

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = "trusted-keys"
FIRST_USE = "first-use"
_PRIVATE = (b"PRIVATE KEY", b"minisign encrypted secret key", b"minisign secret key")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


class TrustedKey(NamedTuple):
    """A public key that counts."""

    name: str
    path: Path
    signer: str
    fingerprint: str
    public: bytes


class RecordedKey(BaseModel):
    """A key that signed a document when it first came."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    signer: str
    fingerprint: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class FirstUse(BaseModel):
    """The whole of ``first-use/DLM_ID.json``."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    dlm_id: str
    recorded_at: str
    keys: Annotated[tuple[RecordedKey, ...], Field(min_length=1)]


class Trust(NamedTuple):
    """All of the store."""

    keys: tuple[TrustedKey, ...]
    records: tuple[FirstUse, ...]
    notes: tuple[str, ...]
    """Files that are no keys."""


def load(home: Path) -> Trust:
    """Everything that counts under ``home``.

    Raises:
        StoreError: a record is damaged: believing that there is none would let anybody's key in.
    """
    keys, notes = trusted(home)
    folder = home / FOLDER / FIRST_USE
    found = [recorded(home, path.stem) for path in sorted(folder.glob("*.json"))] if folder.is_dir() else []
    return Trust(keys, tuple(one for one in found if one is not None), notes)


def trusted(home: Path) -> tuple[tuple[TrustedKey, ...], tuple[str, ...]]:
    """The keys under ``home``, by name, and a line for each file there that is none."""
    folder, keys, notes = home / FOLDER, [], []
    for path in sorted(folder.glob("*.pub")) if folder.is_dir() else ():
        try:
            keys += read_key(path)
        except SignatureInvalid as problem:
            notes.append(f"{path} counts for nothing: {problem}")
    return tuple(keys), tuple(notes)


def read_key(path: Path) -> list[TrustedKey]:
    """The public key in ``path``, in every format that it can be read as.

    Raises:
        SignatureInvalid: it is no public key of an installed signer, or another key in one format than in another.
    """
    from ..plugins import manager

    data, found, why = read_small(path), [], []
    for name in manager().offers("dlm_signers"):
        try:
            fingerprint = manager().resolve("dlm_signers", name)().fingerprint(data)
        except SignatureInvalid as problem:
            why.append(str(problem))
        else:
            found.append(TrustedKey(path.stem, path, name, fingerprint, data))
    if not found and any(mark in data for mark in _PRIVATE):
        raise SignatureInvalid(
            f"{path} is a private key, which nobody but its owner should have: the public one ends with .pub"
        )
    if not found:
        reasons = f" ({'; '.join(why)})" if why else ": nothing installed reads keys: pip install 'dlm[sign]'"
        raise SignatureInvalid(f"{path} is no public key{reasons}")
    # Whoever compares one of the fingerprints must not let the other key in with it.
    if len({key.fingerprint for key in found}) > 1:
        read = " and ".join(f"{key.fingerprint} in the format {key.signer}" for key in found)
        raise SignatureInvalid(f"{path} is two keys in one file, {read}: ask its owner for one of them")
    return found


def recorded(home: Path, dlm_id: str) -> FirstUse | None:
    """Which keys signed the document ``dlm_id`` when it first came; ``None`` where nobody asked to record that.

    Raises:
        StoreError: the record is damaged, or ``dlm_id`` is no id.
    """
    path = _record(home, dlm_id)
    if not path.exists():
        return None
    try:
        found = FirstUse.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as problem:
        raise StoreError(
            f"{path} cannot be read, so nobody knows which key signed {dlm_id} at first: `dlm trust remove {dlm_id}` "
            "forgets it"
        ) from problem
    if found.dlm_id != dlm_id:
        raise StoreError(f"{path} is of {found.dlm_id!r}: `dlm trust remove {dlm_id}` forgets it")
    return found


def record(home: Path, dlm_id: str, keys: tuple[RecordedKey, ...]) -> FirstUse:
    """Write down, unless that was done before, that these keys signed ``dlm_id``; what is written down now."""
    path = _record(home, dlm_id)
    with _writing(home):
        if (before := recorded(home, dlm_id)) is not None:
            return before
        new = FirstUse(dlm_id=dlm_id, recorded_at=now(), keys=keys)
        with disk_errors(path):
            path.parent.mkdir(exist_ok=True)
        write_atomic(path, canonical(new.model_dump(mode="json")))
    return new


def add(home: Path, source: Path, name: str | None) -> TrustedKey:
    """Trust the key in ``source``, as ``name`` or as its file is called.

    Raises:
        SignatureInvalid: it is no public key.
        UsageProblem: there is no such file; or the name is another key's, or none that a file may have.
    """
    if not source.exists():
        raise UsageProblem(f"there is no file {source}: name the one ending with .pub that the key's owner gave you")
    key = read_key(source)[0]
    name = name or source.name.removesuffix(".pub")
    if not _NAME.fullmatch(name):
        raise UsageProblem(f"{name!r} is no name for a key: letters, digits and any of ._@+- with --name")
    place = home / FOLDER / f"{name}.pub"
    with _writing(home):
        if place.exists() and (there := read_key(place)[0]).fingerprint != key.fingerprint:
            raise UsageProblem(
                f"{name} is another key already ({short(there.fingerprint)}): give this one another name with "
                f"--name, or `dlm trust remove {name}` first"
            )
        write_atomic(place, key.public.decode("utf-8", "replace"))
    return key._replace(name=name, path=place)


def remove(home: Path, what: str) -> list[Path]:
    """Forget the key of this name or fingerprint, or what was recorded of the document of this id; the files removed.

    Raises:
        UsageProblem: there is none such.
    """
    with _writing(home):
        found = _named(home, what)
        if not found:
            raise UsageProblem(f"no trusted key and no document is called {what}: `dlm trust list` has them all")
        for path in found:
            with disk_errors(path):
                path.unlink()
    return found


def _named(home: Path, what: str) -> list[Path]:
    if what.startswith("sha256:"):
        if len(what) < len(short(what + "0" * 64)):
            raise UsageProblem(f"{what} is too short for a fingerprint: give 16 hex digits or more")
        return sorted({key.path for key in trusted(home)[0] if key.fingerprint.startswith(what)})
    places = [home / FOLDER / f"{what}.pub"] if _NAME.fullmatch(what) else []
    try:
        places.append(_record(home, what))
    except StoreError:
        return [place for place in places if place.is_file()]
    return [place for place in places if place.is_file()]


def _record(home: Path, dlm_id: str) -> Path:
    store_layout(home, dlm_id)
    return home / FOLDER / FIRST_USE / f"{dlm_id}.json"


@contextmanager
def _writing(home: Path) -> Iterator[None]:
    from filelock import FileLock

    folder = home / FOLDER
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            yield
