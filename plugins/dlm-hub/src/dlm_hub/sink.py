"""The target ``hub``: a folder that is a repository, for whoever uploads it."""

from __future__ import annotations

import re
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

from dlm.errors import ExportRefused, UsageProblem
from dlm.export.launching import served_name
from dlm.export.origin import parse_published, published, told
from dlm.export.sink import Sink, Written
from dlm.learning.report import load as load_report
from dlm.training.mixing import Mix, precision_of_base
from dlm_serving.plain import config_of, folders_of

from .card import Facts, card
from .layout import CARD, has_tokenizer, write, write_adapter, write_template, write_tokenizer
from .licences import licence_keys
from .repository import made_by

if TYPE_CHECKING:
    from pathlib import Path

    from dlm.export.origin import Published
    from dlm.export.sink import Request

_LARGE = "*.safetensors filter=lfs diff=lfs merge=lfs -text\ntokenizer.json filter=lfs diff=lfs merge=lfs -text\n"
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_YES, _NO = "yes", "no"


class HubSink(Sink):
    """The target named ``hub``."""

    def folder_name(self, request: Request) -> str:
        chosen = request.chosen
        if isinstance(chosen.adapter, Mix):
            return "hub-mix"
        return f"hub-{chosen.first}" if chosen.first else "hub"

    def check(self, request: Request) -> None:
        settings = request.wishes.settings
        base_of(request)
        _adapter(request)
        served_name(request.wishes.name, request.document.frontmatter.dlm_id)
        if settings.get("questions", _NO) not in (_YES, _NO):
            raise UsageProblem(f"--set questions={settings['questions']}: write yes or no")
        if not _LANGUAGE.fullmatch(settings.get("language", "en")):
            raise UsageProblem(f"--set language={settings['language']}: write two or three letters, such as en")

    def write(self, request: Request, folder: Path) -> Written:
        base, adapter = base_of(request), _adapter(request)
        write_adapter(adapter, folder, base)
        _write_tokenizer(request, folders_of(adapter)[0], folder)
        facts = _facts(request, base, config_of(folder))
        if facts.report is None:
            request.say("note: the card says that nothing was measured: run `dlm report DOC` first, then export again")
        write(folder / CARD, card(facts))
        write(folder / ".gitattributes", _LARGE)
        summary = {
            "name": facts.name,
            "base": base.repo,
            "base_revision": base.revision,
            "same_base": base.same_weights,
        }
        side = {"kind": "hf", "base": "{base}"}
        steps = ("read {folder}/" + CARD, f"hf upload YOU/{facts.name.rpartition('/')[2]} {{folder}}")
        return Written(None, "adapter", summary, steps, {"base": side, "ft": {**side, "adapter": "."}})

    def runtime(self, folder: Path) -> None:
        return None


def base_of(request: Request) -> Published:
    """The repository that others load the base from.

    Raises:
        ExportRefused: nobody knows one.
    """
    if (wanted := request.wishes.settings.get("base")) is not None:
        return parse_published(wanted)
    if (found := published(request.base, request.model)) is None:
        raise ExportRefused(
            f"an adapter on the Hub names its base by a repository there, and none is known for {told(request.base)}: "
            "give --set base=ORG/NAME@COMMIT with the same weights"
        )
    return found


def _adapter(request: Request) -> Path | Mix:
    if request.chosen.adapter is None:
        raise ExportRefused("there is no adapter to export: train the document first with `dlm train DOC`")
    return request.chosen.adapter


def _write_tokenizer(request: Request, trained: Path, folder: Path) -> None:
    """The tokenizer that was trained with, its template with the document's system prompt in it."""
    source = trained if has_tokenizer(trained) else request.base.path
    write_tokenizer(source, folder)
    if request.wishes.template:
        written = write_template((source, request.base.path), folder, request.system_prompt)
        if written and request.system_prompt is not None:
            request.say("note: the conversation template holds the document's system prompt")


def _facts(request: Request, base: Published, config: dict[str, Any]) -> Facts:
    chosen, version, wishes = request.chosen, request.version, request.wishes
    own = version.facts_of(chosen.first)
    identity = request.document.frontmatter.dlm_id
    return Facts(
        name=served_name(wishes.name, identity, None if isinstance(chosen.adapter, Mix) else chosen.first),
        base=base,
        base_source=_source(request),
        licence=licence_keys(request.model),
        kind="DoRA" if config.get("use_dora") else "LoRA",
        rank=int(config.get("r", 0)),
        held=precision_of_base(own),
        document=identity,
        document_digest=str(version.facts.get("document_digest", "not recorded")),
        version=version.name,
        created=str(version.facts.get("created_at", "not recorded")),
        system_prompt=request.system_prompt is not None and wishes.template,
        made_by=made_by(version.facts.get("versions")) or f"dlm {installed('dlm')}",
        report=load_report(version.path) if len(version.adapters) < 2 else None,
        language=wishes.settings.get("language"),
        questions=wishes.settings.get("questions") == _YES,
    )


def _source(request: Request) -> str:
    """Where the base came from, without a folder of this machine."""
    return "a folder" if request.base.source.startswith("folder ") else request.base.source
