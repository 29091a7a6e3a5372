"""The last step of an export: the model in a running Ollama, looked at, and what is said about it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from dlm.errors import ExportFailed, ExportRefused

from .asking import ask, first_line
from .client import Ollama, Refused, Unreachable
from .closed_loop import Unequal, look
from .creating import CannotCreate, create, obstacle, spoken
from .modelfile import NAME
from .planning import renderer_of

if TYPE_CHECKING:
    from pathlib import Path

    from dlm.export.sink import Request

    from .closed_loop import Looked
    from .modelfile import Modelfile


def hand_on(request: Request, folder: Path, model: Modelfile, name: str, *, required: bool) -> tuple[str, ...]:
    """Create the model, compare what it reads with what training read, and ask it something. Lines for people.

    Raises:
        ExportFailed: it would not take the model, or the model reads or says something else; without an Ollama only
            when it is ``required``.
    """
    ollama = Ollama()
    try:
        version = ollama.version()
    except (Unreachable, Refused) as problem:
        missing = f"no Ollama answers at {ollama.url} ({problem})"
        if required:
            raise ExportFailed(
                f"{missing}: start it with `ollama serve`, or name its address in OLLAMA_HOST. The files are in "
                f"{folder}, and complete"
            ) from problem
        return (f"note: {missing}", *by_hand(name, folder))
    try:
        if (why := obstacle(version, model)) is not None:
            raise CannotCreate(why)
        create(ollama, name, folder, model, request.say)
    except CannotCreate as problem:
        raise ExportFailed(
            f"the files in {folder} are fine, but Ollama at {ollama.url} did not take them: {problem}. By hand: "
            f"{_command(name, folder)}"
        ) from problem
    return (f"created {name} in Ollama {spoken(version)} at {ollama.url}", *_looked_at(ollama, request, model, name))


def by_hand(name: str, folder: Path) -> tuple[str, ...]:
    """How the model is created later. Lines for people."""
    return ("the model is not in Ollama yet; to put it there:", f"  {_command(name, folder)}")


def _command(name: str, folder: Path) -> str:
    return f"ollama create {name} -f {shlex.quote(str(folder / NAME))}"


def require_willing(model: Modelfile) -> None:
    """Refuse before any work what the Ollama that runs here would not take; nothing when none does.

    Raises:
        ExportRefused: says what to export instead.
    """
    ollama = Ollama()
    try:
        why = obstacle(ollama.version(), model)
    except (Unreachable, Refused):
        return
    if why is not None:
        raise ExportRefused(
            f"Ollama at {ollama.url} would not take it: {why}. The files alone are written with --set create=never"
        )


def _looked_at(ollama: Ollama, request: Request, model: Modelfile, name: str) -> tuple[str, ...]:
    """What the created model reads and says."""
    gone = f"`ollama rm {name}` removes it"
    try:
        compared = _compared(ollama, request, model, name)
        replies = ask(ollama, name, request.document)
    except Unequal as problem:
        raise ExportFailed(
            f"{name} is in Ollama, but {problem}. It would answer worse than what was trained: {gone}. Is "
            "OLLAMA_GO_TEMPLATE set where Ollama runs?"
        ) from problem
    except (Unreachable, Refused) as problem:
        raise ExportFailed(f"{name} is in Ollama, but cannot be asked: {problem}. {gone}") from problem
    first = replies[0]
    if not first.answer:
        raise ExportFailed(f"{name} is in Ollama, but says nothing to {first.question!r}. {gone}")
    judged = [reply.right for reply in replies if reply.right is not None]
    share = (f"right in Ollama: {sum(judged)} of the document's first {len(judged)} questions",) if judged else ()
    return (compared, f"  {first.question}", f"  > {first_line(first.answer)}", *share)


def _compared(ollama: Ollama, request: Request, model: Modelfile, name: str) -> str:
    """With a template of ours, prompts have to be equal; without one Ollama chooses, and is only told on."""
    try:
        looked: Looked = look(ollama, name, renderer_of(request))
    except Unequal as problem:
        if model.template is not None:
            raise
        return f"note: without a template of ours, {problem}"
    return f"reads the prompts of training: {looked} equal"
