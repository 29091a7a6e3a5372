"""Launch scripts: the text of a POSIX shell script that starts a server on the files of an export.

A script knows nothing of this machine. It enters its own folder first, so that every path in it is relative and the
export may lie anywhere, finds the program on PATH when it is run, and hands its own arguments on. What each target
passes to its server is the target's business.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ExportFailed, UsageProblem
from ..store.files import disk_errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HOST, PORT = "127.0.0.1", 8000
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?")
_NAME_LENGTH = 96
_VARIABLE = re.compile(r"DLM_[A-Z_]+")


@dataclass(frozen=True)
class Word:
    """One argument of the server, as the shell is to read it."""

    shell: str


def text(value: str) -> Word:
    """``value`` itself, whatever characters it has."""
    return Word(shlex.quote(value))


def variable(name: str, default: str | int) -> Word:
    """The environment's ``name``, or ``default`` where it is unset or empty.

    Raises:
        ValueError: the name is none of ours, or the default cannot stand inside of quotes.
    """
    shown = str(default)
    if not _VARIABLE.fullmatch(name) or re.search(r'["$`\\}\n]', shown):
        raise ValueError(f"no variable of a launch script: {name}={shown!r}")
    return Word(f'"${{{name}:-{shown}}}"')


def content(file: str) -> Word:
    """What the file of this name beside the script says."""
    return Word(f'"$(cat -- {shlex.quote(file)})"')


@dataclass(frozen=True)
class Server:
    """What a script starts."""

    program: str
    """Looked for on PATH when the script is run."""
    install: str
    """What to tell someone who has no such program."""
    arguments: tuple[Word | str, ...]
    """In order; plain strings are the program's own words, such as ``--host``."""
    about: tuple[str, ...] = ()
    """Lines for whoever reads the script."""
    before: tuple[str, ...] = ()
    """Shell lines that set what the arguments need."""


def listening() -> tuple[Word | str, ...]:
    """``--host`` and ``--port``, both of which the environment may change."""
    return ("--host", variable("DLM_HOST", HOST), "--port", variable("DLM_PORT", PORT))


def script(server: Server) -> str:
    """The text of a script that starts ``server``."""
    program = shlex.quote(server.program)
    missing = shlex.quote(f"{server.program} is not on PATH: {server.install}")
    about = (
        *server.about,
        f"DLM_HOST and DLM_PORT change where it listens (here {HOST}:{PORT}); more arguments are handed on.",
    )
    lines = [
        "#!/bin/sh",
        *(f"# {line}" for line in _comments(about)),
        "set -eu",
        'CDPATH="" cd -- "$(dirname -- "$0")"',
        f"command -v {program} >/dev/null 2>&1 || {{",
        f"  printf '%s\\n' {missing} >&2",
        "  exit 127",
        "}",
        *server.before,
        f"exec {program} {_continued(server.arguments)}",
    ]
    return "\n".join(lines) + "\n"


def write_script(path: Path, server: Server) -> None:
    """Write the script to ``path``, for everyone to run.

    Raises:
        ExportFailed: the disk is full or closed to us.
    """
    with disk_errors(path, ExportFailed):
        path.write_text(script(server), encoding="utf-8", newline="\n")
        path.chmod(0o755)


def served_name(wanted: str | None, dlm_id: str, adapter: str | None = None) -> str:
    """What the model is called where it is served: ``wanted``, else the adapter's name, else ``dlm-`` and the
    document's id.

    Raises:
        UsageProblem: a server would take ``wanted`` for something else.
    """
    if wanted is None:
        return adapter or f"dlm-{dlm_id.lower()}"
    if not _NAME.fullmatch(wanted) or len(wanted) > _NAME_LENGTH or ".." in wanted:
        raise UsageProblem(
            f"--name {wanted!r} cannot be the name of a served model: give letters, digits and . _ - /, "
            f"{_NAME_LENGTH} at most, such as --name my-handbook"
        )
    return wanted


def _comments(lines: Sequence[str]) -> list[str]:
    """One line each: a line break inside would end the comment."""
    return [" ".join(line.split()) for line in lines]


def _continued(arguments: Sequence[Word | str]) -> str:
    """The arguments, every option on a line of its own, and the script's own last."""
    shown: list[str] = []
    for argument in arguments:
        word = argument.shell if isinstance(argument, Word) else shlex.quote(argument)
        shown.append(f"\\\n  {word}" if word.startswith("--") else word)
    return " ".join([*shown, '\\\n  "$@"'])
