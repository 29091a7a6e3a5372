"""The target ``mlx-serve``: an adapter converted for mlx-lm, or a merged model, and a script that starts mlx-lm's
server with it.

mlx-lm cannot be told which commit of a base to load, so the script fetches that commit into the export's own folder.
Its server puts the adapter on ``default_model`` and on no other name, so the script's reader is told to ask for that.
"""

from __future__ import annotations

import json
import shlex
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from dlm.errors import ExportFailed, ExportRefused
from dlm.export.conversation import TEMPLATE_FILE, require_template, with_system_prompt, write_template
from dlm.export.launching import Server, Word, content, listening, write_script
from dlm.export.origin import fetched_from, parse_published, told
from dlm.export.sink import Sink, Written
from dlm.store.encoding import canonical
from dlm.training.mixing import Mix, precision_of_base

from .base_lines import about_base, base_lines, how_to_start
from .merged import require_fit, write_merged
from .reading import FOLDER, JUDGED, merged_runtime

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from dlm.export.origin import Published
    from dlm.export.runtime import Runtime
    from dlm.export.sink import Request

SCRIPT: Final = "mlx_serve_launch.sh"
ADAPTER: Final = "adapter"
BASE: Final = "base"
"""Where the script puts the base that it fetches."""
_INSTALL = "pip install mlx-lm"


class MlxServe(Sink):
    """The target named ``mlx-serve``."""

    def refuses_architecture(self, config: Mapping[str, Any]) -> str | None:
        from dlm_mlx.architectures import PROVEN

        if (kind := str(config.get("model_type"))) in PROVEN:
            return None
        return f"nobody has held mlx-lm's model of the architecture {kind} against transformers"

    def folder_name(self, request: Request) -> str:
        form = ["merged"] if request.wishes.form == "merged" else []
        mixed = isinstance(request.chosen.adapter, Mix)
        return "-".join(["mlx-serve", *form, *(["mix"] if mixed else filter(None, [request.chosen.first]))])

    def check(self, request: Request) -> None:
        adapter = _adapter(request)
        if request.wishes.template:
            require_template(request.base.path)
        if request.wishes.form == "merged":
            require_fit(request.base.path, adapter)
            return
        _refuse_adapter(request, adapter)
        _base(request)

    def write(self, request: Request, folder: Path) -> Written:
        template = None
        if request.wishes.template:
            template = with_system_prompt(require_template(request.base.path), request.system_prompt)
        if request.wishes.form == "merged":
            facts: dict[str, Any] = _write_merged(request, folder, template)
            write_script(folder / SCRIPT, _server(request, f"./{FOLDER}", None))
            return Written(None, "merged", facts, (f"{{folder}}/{SCRIPT}",), JUDGED)
        facts = _convert(request, folder / ADAPTER)
        if template is not None:
            write_template(folder, template)
        hub = _base(request)
        write_script(folder / SCRIPT, _server(request, None, hub))
        return Written(None, "adapter", facts, (how_to_start(request, hub, SCRIPT),))

    def runtime(self, folder: Path) -> AbstractContextManager[Runtime] | None:
        return merged_runtime(folder, "mlx") if (folder / FOLDER).is_dir() else None


def _adapter(request: Request) -> Path | Mix:
    if request.chosen.adapter is None:
        raise ExportRefused("there is no adapter to export: train the document first with `dlm train DOC`")
    return request.chosen.adapter


def _parts(adapter: Path | Mix) -> list[tuple[Path, float]]:
    return [(part.folder, part.weight) for part in adapter.parts] if isinstance(adapter, Mix) else [(adapter, 1.0)]


def _base(request: Request) -> Published | None:
    """Where the base is fetched from; ``None`` where whoever starts the script has to name its folder."""
    if (wanted := request.wishes.settings.get("base")) is not None:
        return parse_published(wanted)
    return fetched_from(request.base)


def _refuse_adapter(request: Request, adapter: Path | Mix) -> None:
    from dlm_mlx.adapter_file import read_adapter
    from dlm_mlx.configuring import overrides
    from dlm_mlx.errors import Unusable

    held = precision_of_base(request.version.facts_of(request.chosen.first))
    if held != "full":
        raise ExportRefused(
            f"this adapter was trained on {held} weights, which MLX does not have, and also corrects their rounding: "
            "train with `adapter: lora`, or export with --merged --dequantize"
        )
    try:
        for folder, _ in _parts(adapter):
            read_adapter(folder)
    except Unusable as problem:
        raise ExportRefused(f"{problem}. Or export with --merged") from problem
    if differing := overrides(_config(request.base.path)):
        raise ExportRefused(
            f"mlx-lm's server does not find {', '.join(sorted(differing))} in this base's configuration where it "
            "looks for it, and would serve another model: export with --merged, which writes it there"
        )


def _write_merged(request: Request, folder: Path, template: str | None) -> dict[str, Any]:
    from dlm_mlx.configuring import overrides

    more = overrides(_config(request.base.path))
    kinds = write_merged(request.base.path, _adapter(request), folder / FOLDER, template, more)
    return {"tensors": kinds, "model": FOLDER}


def _convert(request: Request, folder: Path) -> dict[str, Any]:
    """Convert the adapter; where MLX runs, mlx-lm loads it onto the base, and it has to act there."""
    from dlm_mlx.converting import convert
    from dlm_mlx.errors import Unusable

    parts = _parts(_adapter(request))
    try:
        if find_spec("mlx") and find_spec("mlx_lm"):
            from dlm_mlx.checking import convert_checked

            made, moved = convert_checked(parts, folder, request.base.path)
        else:
            made, moved = convert(parts, folder), None
    except Unusable as problem:
        raise ExportRefused(f"{problem}. Or export with --merged") from problem
    path = folder / "adapter_config.json"
    # Training may have written a folder of this machine there.
    named = {**json.loads(path.read_bytes()), "model": told(request.base)}
    path.write_text(canonical(named), encoding="utf-8")
    facts = {"modules": made.modules, "rank": made.rank, "scale": made.scale, "folded": made.folded}
    return facts if moved is None else {**facts, "largest_change_of_a_logit": round(moved, 3)}


def _config(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError) as problem:
        raise ExportFailed(f"{folder / 'config.json'} cannot be read ({problem})") from problem
    return found


def _server(request: Request, model: str | None, hub: Published | None) -> Server:
    """A script for a merged ``model``, or for the adapter on its base."""
    merged = model is not None
    arguments: tuple[Word | str, ...] = (
        "--model",
        Word('"$model"') if model is None else model,
        *(() if merged else ("--adapter-path", f"./{ADAPTER}")),
        *listening(),
        *(("--chat-template", content(TEMPLATE_FILE)) if request.wishes.template and not merged else ()),
    )
    about = (
        f"mlx-lm's server with {request.version.name} of the document {request.document.frontmatter.dlm_id}.",
        "Leave `model` out of a request, or ask for default_model: another name is loaded without what was trained.",
        *(() if merged else about_base(request, hub)),
    )
    return Server("mlx_lm.server", _INSTALL, arguments, about, () if merged else _fetching(request, hub))


def _fetching(request: Request, hub: Published | None) -> tuple[str, ...]:
    """Shell lines that set ``model``; of a base from the Hub, they fetch it once at its commit."""
    if hub is None:
        return tuple(line.replace(" revision=", "") for line in base_lines(request, None))
    revision = f" --revision {shlex.quote(hub.revision)}" if hub.revision else ""
    return (
        "model=${DLM_BASE:-}",
        'if [ -z "$model" ]; then',
        f"  model=./{BASE}",
        f"  [ -e ./{BASE}/.complete ] || {{",
        f"    hf download {shlex.quote(hub.repo)}{revision} --local-dir ./{BASE} >&2",
        f"    : >./{BASE}/.complete",
        "  }",
        'elif [ -d "$OLDPWD/$model" ]; then',
        "  model=$OLDPWD/$model",
        "fi",
    )
