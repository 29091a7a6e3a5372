"""Putting documents on the disk, whole or not at all, and never over somebody else's change."""

from __future__ import annotations

import os
import secrets
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ..errors import DlmError, UsageProblem
from .text import pairs_text as pairs_text
from .text import render_canonical as render_canonical
from .text import section_text as section_text

if TYPE_CHECKING:
    from .model import Document


def write_new(path: Path, text: str, *, replace: bool = False) -> None:
    """Write ``text`` to ``path``, so that nobody ever sees half of it.

    A link stays a link to what is replaced.

    Raises:
        UsageProblem: there is something at ``path`` and ``replace`` is not set, its folder does not exist, or what is
            there is no file of text: a folder, a device, a pipe.
        DlmError: the disk is full or may not be written to; nothing has changed.
    """
    if _is_folder(path):
        raise UsageProblem(f"{path}: this is a folder; name a file in it, for example {path / 'new.dlm'}")
    real = Path(os.path.realpath(path)) if replace else path
    if not _is_folder(real.parent):
        _no_folder(path, real.parent if path.is_symlink() else path.parent)
    taken = UsageProblem(f"{path}: this file exists; choose another name, or add --force to replace it")
    if os.path.lexists(path) and not replace:
        raise taken
    _regular(path, real)
    with _temporary(path, real) as temporary:
        _write(temporary, text, 0o666)
        if replace:
            temporary.replace(real)
            return
        try:
            _claim(temporary, path)
        except FileExistsError:
            raise taken from None


def replace_text(path: Path, old: str, new: str) -> None:
    """Write ``new`` over the file ``path``, which holds ``old``.

    Its permissions stay, and a link stays a link to it. Equal texts leave the file untouched.

    Raises:
        UsageProblem: the file does not hold ``old`` byte for byte any more.
        DlmError: the disk is full or may not be written to; nothing has changed.
    """
    real = Path(os.path.realpath(path))
    if new == old:
        _unchanged(path, real, old)
        return
    _regular(path, real)
    if real.exists() and not os.access(real, os.W_OK):
        raise DlmError(
            f"{path}: not allowed to write this file; nothing was written: chmod u+w {shlex.quote(str(path))}"
        )
    with _temporary(path, real) as temporary:
        _write(temporary, new)
        if real.exists():
            _take_over(temporary, real.stat())
        # As late as can be: from here to the rename nothing of ours takes time.
        _unchanged(path, real, old)
        temporary.replace(real)


def back_up(path: Path, text: str) -> Path:
    """Write ``text`` beside ``path`` as ``.bak``, else ``.bak.1`` and on, where nothing is yet; the file it made.

    Raises:
        DlmError: the disk is full or may not be written to; there is no backup.
    """
    number = 0
    while True:
        made = path.with_name(f"{path.name}.bak" + (f".{number}" if number else ""))
        try:
            with _temporary(made, made) as temporary:
                _write(temporary, text)
                if path.exists():
                    _take_over(temporary, path.stat())
                _claim(temporary, made)
            return made
        except FileExistsError:
            number += 1


def render(document: Document) -> str:
    """``document`` as text: byte for byte what was read, if the data are still what was read.

    Where a section was put in, taken out or changed, the others keep their text; a changed frontmatter keeps its
    comments and the order of its keys. A document that was never text is written in canonical form.

    Raises:
        UsageProblem: something in it cannot be written.
    """
    from .read import parse

    if not document.text:
        return render_canonical(document)
    was = parse(document.text, document.location)
    text = _rendered_head(document, was)
    return text if document.sections == was.sections else _rendered_body(document, was, text)


def _rendered_head(document: Document, was: Document) -> str:
    from .keys import merge_keys
    from .upgrade import upgrade

    if document.frontmatter == was.frontmatter:
        return document.text
    before, after = (d.frontmatter.model_dump(mode="json", exclude_unset=True) for d in (was, document))
    return merge_keys(upgrade(document.text, document.location).text, before, after, document.location)


def _rendered_body(document: Document, was: Document, text: str) -> str:
    from .edit import append_section, cut
    from .lines import line_end

    written = {part.raw.fence_line: part.lines for part in cut(document.text).sections}
    originals = {section.fence: section for section in was.sections}
    made = "".join(cut(text).head)
    for index, section in enumerate(document.sections):
        if originals.get(section.fence) != section or (index and not section.fence):
            made = append_section(made, section)
            continue
        if not made.endswith(("\n", "\r")):
            made += line_end(text)
        made += "".join(written[section.fence])
    return made


def _no_folder(path: Path, folder: Path) -> NoReturn:
    if os.path.lexists(folder):
        raise UsageProblem(f"{path}: {folder} is no folder; choose another place")
    made = shlex.quote(str(folder))
    raise UsageProblem(f"{path}: the folder {folder} does not exist; make it with: mkdir -p {made}")


def _regular(path: Path, real: Path) -> None:
    """Whoever may write to a folder may replace a device in it, for everybody: /dev/null for example."""
    mode = _mode(real)
    if mode is not None and not stat.S_ISREG(mode):
        raise UsageProblem(f"{path}: this is a device or a pipe, which is never replaced; name a file")


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(_mode(path) or 0)


def _mode(path: Path) -> int | None:
    """What ``path`` is; ``None`` when nothing is there, or nothing can be, as with a name that is too long."""
    try:
        return path.stat().st_mode
    except OSError:
        return None


def _unchanged(path: Path, real: Path, old: str) -> None:
    try:
        same = real.read_bytes() == old.encode()
    except OSError:
        same = False
    if not same:
        raise UsageProblem(f"{path} was changed while dlm was working; nothing was written; run the command again")


def _take_over(temporary: Path, found: os.stat_result) -> None:
    """Owner and permissions of the file that is replaced."""
    if hasattr(os, "chown"):
        # Only root may give files away; a file of somebody else that we may write becomes ours, but not our group's.
        for owner in (-1, found.st_uid):
            with suppress(PermissionError):
                os.chown(temporary, owner, found.st_gid)
    temporary.chmod(stat.S_IMODE(found.st_mode))


def _claim(temporary: Path, made: Path) -> None:
    """Give a finished file the name ``made``, unless that exists.

    Raises:
        FileExistsError: it does.
    """
    with made.open("xb"):
        pass
    temporary.replace(made)


@contextmanager
def _temporary(path: Path, real: Path) -> Iterator[Path]:
    """A name beside ``real`` to write to; whatever is left there at the end is removed."""
    # Without the name of the file, which may be as long as names can be.
    temporary = real.with_name(f".dlm-{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
    except FileExistsError:
        raise
    except OSError as error:
        raise DlmError(f"{path}: cannot be written ({error.strerror}); nothing has changed there") from error
    finally:
        temporary.unlink(missing_ok=True)


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    """A new file; what takes the place of a file that others may not read is never readable to them."""
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
