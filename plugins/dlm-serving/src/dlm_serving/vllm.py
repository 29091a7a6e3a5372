"""The target ``vllm``: adapters beside a script that starts vLLM with them on their base, or one merged model.

A version with several adapters is served with all of them, each under its own name, unless one or a mix was asked for.
The base keeps its own name, so that whoever asks for a trained model by name never gets the untouched one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from dlm.errors import ExportRefused, UsageProblem
from dlm.export.conversation import TEMPLATE_FILE, require_template, with_system_prompt, write_template
from dlm.export.launching import Server, Word, listening, served_name, text, variable, write_script
from dlm.export.origin import fetched_from, parse_published, told
from dlm.export.sink import Sink, Written
from dlm.store.encoding import canonical
from dlm.training.mixing import FULL, Mix, precision_of_base

from .base_lines import about_base, base_lines, context_of, how_to_start
from .merged import require_fit, write_merged
from .plain import config_of, copy_or_write, folders_of, is_uniform, obstacle, read_plain
from .reading import FOLDER, JUDGED, merged_runtime

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from dlm.export.origin import Published
    from dlm.export.runtime import Runtime
    from dlm.export.sink import Request

SCRIPT: Final = "vllm_launch.sh"
CONFIG: Final = "vllm_config.json"
RANKS: Final = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM takes for ``--max-lora-rank``; newer ones also take 1."""
LONGEST: Final = 8192
"""Tokens of a conversation that the script asks room for, where the base has a longer context."""
_INSTALL = "pip install vllm"


class Served(NamedTuple):
    """A model that can be asked for by name."""

    name: str
    adapter: Path | Mix


class Vllm(Sink):
    """Adapters and a launch script for vLLM."""

    def folder_name(self, request: Request) -> str:
        chosen, form = request.chosen, ["merged"] if request.wishes.form == "merged" else []
        name = "mix" if isinstance(chosen.adapter, Mix) else chosen.first if chosen.by == "option" else None
        return "-".join(["vllm", *form, *filter(None, [name])])

    def check(self, request: Request) -> None:
        served = all_served(request)
        if request.wishes.template:
            require_template(request.base.path)
        if request.wishes.form == "merged":
            require_fit(request.base.path, _one(served).adapter)
            return
        for one in served:
            _refuse_adapter(one)
        _base(request)

    def write(self, request: Request, folder: Path) -> Written:
        return _write_merged(request, folder) if request.wishes.form == "merged" else _write_adapters(request, folder)

    def runtime(self, folder: Path) -> AbstractContextManager[Runtime] | None:
        return merged_runtime(folder) if (folder / FOLDER).is_dir() else None


def _write_merged(request: Request, folder: Path) -> Written:
    one, template = _one(all_served(request)), None
    if request.wishes.template:
        template = with_system_prompt(require_template(request.base.path), request.system_prompt)
    kinds = write_merged(request.base.path, one.adapter, folder / FOLDER, template)
    about = (f"vLLM serves {one.name}, {request.version.name} of {request.document.frontmatter.dlm_id}, merged.",)
    arguments = ("serve", f"./{FOLDER}", "--served-model-name", text(one.name), *listening(), *_length(request))
    write_script(folder / SCRIPT, Server("vllm", _INSTALL, arguments, about))
    facts = {"models": [one.name], "tensors": kinds, "model": FOLDER}
    return Written(None, "merged", facts, (f"{{folder}}/{SCRIPT}",), JUDGED)


def _write_adapters(request: Request, folder: Path) -> Written:
    hub, served = _base(request), all_served(request)
    name, revision = (hub.repo, hub.revision) if hub else (told(request.base), None)
    ranks = [copy_or_write(one.adapter, folder / "adapters" / one.name, name, revision) for one in served]
    if request.wishes.template:
        write_template(folder, with_system_prompt(require_template(request.base.path), request.system_prompt))
    rank = next(allowed for allowed in RANKS if allowed >= max(ranks))
    write_script(folder / SCRIPT, _server(request, hub, served, rank))
    facts = {
        "base": name,
        "base_revision": revision,
        "base_digest": request.base.digest,
        "models": [one.name for one in served],
        "max_lora_rank": rank,
        "ranks": dict(zip([one.name for one in served], ranks, strict=True)),
    }
    (folder / CONFIG).write_text(canonical(facts), encoding="utf-8")
    base = {"kind": "hf", "base": "{base}"}
    judged = {"base": base, "ft": {**base, "adapter": f"./adapters/{served[0].name}"}}
    return Written(None, "adapter", facts, (how_to_start(request, hub, SCRIPT),), judged)


def all_served(request: Request) -> list[Served]:
    """What can be asked for by name."""
    chosen, wanted = request.chosen, request.wishes.name
    identity = request.document.frontmatter.dlm_id
    if chosen.adapter is None:
        raise ExportRefused("there is no adapter to export: train the document first with `dlm train DOC`")
    if chosen.by == "first":
        if wanted is not None and len(request.version.adapters) > 1:
            raise UsageProblem("--name names one model, and this version has several: choose one with --adapter")
        return [Served(name, request.version.folder_of(name)) for name in request.version.adapters]
    mixed = isinstance(chosen.adapter, Mix)
    return [Served(served_name(wanted, identity, None if mixed else chosen.first), chosen.adapter)]


def _one(served: list[Served]) -> Served:
    if len(served) > 1:
        names = ", ".join(one.name for one in served)
        raise UsageProblem(f"one merged model has one adapter, or a mix of several, and there are {names}: --adapter")
    return served[0]


def _length(request: Request) -> tuple[Word | str, ...]:
    return ("--max-model-len", variable("DLM_CTX", min(context_of(request.base.path), LONGEST)))


def _held(request: Request) -> str:
    """How the base's weights were held in training: an adapter belongs on weights that are held so."""
    return precision_of_base(request.version.facts_of(request.chosen.first))


def _base(request: Request) -> Published | None:
    """Where vLLM finds the base; ``None`` where whoever starts it has to say."""
    if (wanted := request.wishes.settings.get("base")) is not None:
        return parse_published(wanted)
    return fetched_from(request.base)


def _refuse_adapter(served: Served) -> None:
    for folder in folders_of(served.adapter):
        config = config_of(folder)
        if (why := obstacle(config)) is not None:
            raise ExportRefused(
                f"vLLM cannot serve the adapter {served.name}: {why}. Export it with --merged, or train with "
                "`adapter: lora`"
            )
    rank = int(config["r"]) if not isinstance(served.adapter, Mix) and is_uniform(config) else 0
    rank = rank or read_plain(served.adapter).rank
    if rank > RANKS[-1]:
        raise ExportRefused(
            f"vLLM serves adapters of rank {RANKS[-1]} at most, and {served.name} has {rank}: export it with "
            "--merged, or mix fewer adapters"
        )


def _server(request: Request, hub: Published | None, served: list[Served], rank: int) -> Server:
    template = ("--chat-template", f"./{TEMPLATE_FILE}") if request.wishes.template else ()
    arguments: tuple[Word | str, ...] = (
        "serve",
        Word('"$model"'),
        Word('${revision:+--revision "$revision"}'),
        "--served-model-name",
        text(told(request.base)),
        *listening(),
        *_length(request),
        *(("--quantization", "bitsandbytes") if _held(request) != FULL else ()),
        "--enable-lora",
        "--max-loras",
        str(len(served)),
        "--max-lora-rank",
        str(rank),
        "--lora-modules",
        *(text(f"{one.name}=./adapters/{one.name}") for one in served),
        *template,
    )
    names = ", ".join(one.name for one in served)
    about = (f"vLLM serves {names} on {told(request.base)}: ask for a model by its name.", *about_base(request, hub))
    return Server("vllm", _INSTALL, arguments, about, base_lines(request, hub))
