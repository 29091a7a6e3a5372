"""The signing keys of whoever works here, under ``$DLM_HOME/keys``: private, and never part of anything that leaves.

A pair is ``NAME.SIGNER.key``, which its owner alone may read, and ``NAME.SIGNER.pub``.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import SignatureInvalid, SigningFailed, UsageProblem
from ..store.files import disk_errors
from .trust_store import TrustedKey, read_key

if TYPE_CHECKING:
    from .signer import Signer

FOLDER = "keys"
DEFAULT_NAME = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_@+-]{0,63}")
_FILE = re.compile(r"(.+)\.([a-z0-9-]+)\.key")


class OwnKey(NamedTuple):
    """A key to sign with."""

    name: str
    signer: str
    private: Path
    public: Path
    fingerprint: str
    locked: bool
    """It asks for a password."""
    note: str = ""
    """What is wrong with its files."""


def signer_named(name: str) -> Signer:
    """The installed signer of this name.

    Raises:
        PluginError: nobody offers it; says which command installs it.
    """
    from ..plugins import manager

    made: Signer = manager().resolve("dlm_signers", name)()
    return made


def new(home: Path, signer: str, name: str = DEFAULT_NAME, *, password: str | None = None) -> OwnKey:
    """Make a pair of keys.

    Raises:
        UsageProblem: there is one of this name, or the name is none for a key.
        SigningFailed: it cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise UsageProblem(f"{name!r} is no name for a key: letters, digits and any of _@+- with --name")
    private, public = _files(home, name, signer)
    if private.exists() or public.exists():
        raise UsageProblem(f"there is a key {name} already ({private}), and none is ever replaced: choose another name")
    with disk_errors(private, SigningFailed):
        private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    signer_named(signer).generate(private, public, password=password)
    return _read(private, name, signer)


def own(home: Path) -> list[OwnKey]:
    """All keys here, by name."""
    folder = home / FOLDER
    files = sorted(folder.glob("*.key")) if folder.is_dir() else []
    return [_read(path, found[1], found[2]) for path in files if (found := _FILE.fullmatch(path.name))]


def publics(home: Path) -> list[TrustedKey]:
    """The public halves: what was signed here counts here. A file that is none is :func:`own`'s to tell of."""
    folder, found = home / FOLDER, []
    for path in sorted(folder.glob("*.pub")) if folder.is_dir() else ():
        with suppress(SignatureInvalid):
            found += [key._replace(name=f"you ({path.name.split('.')[0]})") for key in read_key(path)]
    return found


def find(home: Path, signer: str, wanted: str | None) -> Path:
    """The private key to sign with: the file or the name that is ``wanted``, else the only one, else ``default``.

    Raises:
        UsageProblem: there is none such, or it is not clear which; says how to make or to name one.
    """
    flag = "" if signer == "oms" else " --minisign" if signer == "minisign" else f" --signer {signer}"
    if wanted is not None:
        private = _files(home, wanted, signer)[0] if _NAME.fullmatch(wanted) else Path(wanted)
        if private.is_file() or (private := Path(wanted).expanduser()).is_file():
            return private
        named = f" --name {wanted}" if _NAME.fullmatch(wanted) else ""
        raise UsageProblem(
            f"there is no key {wanted}: `dlm key list` has them all, `dlm key new{flag}{named}` makes one"
        )
    mine = [key for key in own(home) if key.signer == signer]
    chosen = mine if len(mine) == 1 else [key for key in mine if key.name == DEFAULT_NAME]
    if chosen:
        return chosen[0].private
    if mine:
        raise UsageProblem(f"which key? --key names one of {', '.join(key.name for key in mine)}")
    raise UsageProblem(f"there is no key to sign with: make one with `dlm key new{flag}`")


def _read(private: Path, name: str, signer: str) -> OwnKey:
    """A pair, and what is wrong with it: a list has to name a broken key, too."""
    from .._plugkit.errors import PluginError

    public = private.with_suffix(".pub")
    try:
        kind = signer_named(signer)
        note = "" if _private(private) else f"others may read it: chmod 600 {private}"
        data = public.read_bytes()
        return OwnKey(name, signer, private, public, kind.fingerprint(data), kind.locked(private), note)
    except (OSError, SigningFailed, SignatureInvalid, PluginError) as problem:
        return OwnKey(name, signer, private, public, "", locked=False, note=str(problem).replace("\n", "; "))


def _private(path: Path) -> bool:
    return not path.stat().st_mode & 0o077


def _files(home: Path, name: str, signer: str) -> tuple[Path, Path]:
    return home / FOLDER / f"{name}.{signer}.key", home / FOLDER / f"{name}.{signer}.pub"
