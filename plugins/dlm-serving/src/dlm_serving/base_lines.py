"""How a launch script comes to its base: a repository at a commit, or a folder that whoever runs it names.

No path of this machine is in a script. ``DLM_BASE`` names another copy of the same base; of a base that did not come
from the Hub it has to, since another edition of a model has other weights than the adapter was trained on.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from dlm.errors import ExportFailed
from dlm.export.origin import told

if TYPE_CHECKING:
    from pathlib import Path

    from dlm.export.origin import Published
    from dlm.export.sink import Request

_UNKNOWN_CONTEXT = 2048


def base_lines(request: Request, hub: Published | None) -> tuple[str, ...]:
    """Shell lines that set ``model`` and ``revision``; the latter is empty for a folder."""
    if hub is None:
        wanted = f"set DLM_BASE to the folder of the base {told(request.base)}: `dlm base show` says where it lies"
        chosen = [f': "${{DLM_BASE:?{_inside_quotes(wanted)}}}"', "model=$DLM_BASE revision="]
    else:
        repo, revision = shlex.quote(hub.repo), shlex.quote(hub.revision or "")
        chosen = [
            'if [ -n "${DLM_BASE:-}" ]; then',
            "  model=$DLM_BASE revision=",
            "else",
            f"  model={repo} revision={revision}",
            "fi",
        ]
    beside = '  *) if [ -d "$OLDPWD/$model" ]; then model=$OLDPWD/$model; fi ;;'
    return (*chosen, "case $model in", "  /*) ;;", beside, "esac")


def about_base(request: Request, hub: Published | None) -> tuple[str, ...]:
    """What the script's reader should know of the base."""
    digest = f"It was trained on weights with the digest {request.base.digest}."
    if hub is None:
        return ("DLM_BASE names the folder of the base, which did not come from the Hub.", digest)
    return ("DLM_BASE names a folder that holds the base, to load it from there.", digest)


def how_to_start(request: Request, hub: Published | None, script: str) -> str:
    """The command for people; ``{folder}`` stands for where the export lies."""
    before = "" if hub else f"DLM_BASE={shlex.quote(str(request.base.path))} "
    return f"{before}{{folder}}/{script}"


def context_of(folder: Path) -> int:
    """Tokens that the base in ``folder`` can read.

    Raises:
        ExportFailed: its configuration cannot be read.
    """
    path = folder / "config.json"
    try:
        found = json.loads(path.read_bytes()).get("max_position_embeddings", _UNKNOWN_CONTEXT)
    except (OSError, ValueError, AttributeError) as problem:
        raise ExportFailed(f"{path} cannot be read ({problem}): fetch the base again with `dlm base pull`") from problem
    return found if isinstance(found, int) and found > 0 else _UNKNOWN_CONTEXT


def _inside_quotes(text: str) -> str:
    """``text`` as it can stand between double quotes in a shell."""
    return "".join(f"\\{letter}" if letter in '"$`\\}' else letter for letter in text)
