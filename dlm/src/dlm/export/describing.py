"""What the manifest of an export says of it."""

from __future__ import annotations

from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bases.model import FolderSource, HubSource
from ..store.encoding import jsonable, now
from ..training.mixing import Mix, precision_of_base
from .manifest import ExportedAdapter, ExportManifest, artifacts_of
from .safety import names_of

if TYPE_CHECKING:
    from ..bases import BaseModel
    from .sink import Request, Written

_OWN_KEYS = ("ollama_name", "llama_cpp_tag", "name")
"""Of a sink's facts, those that have a key of their own in the manifest."""


def describe(request: Request, target: str, source: str, written: Written, folder: Path) -> ExportManifest:
    """The manifest of what lies in ``folder``; ``source`` is the distribution that wrote it, with its version."""
    facts = dict(jsonable(written.facts))
    own: dict[str, Any] = {key: facts.pop(key) for key in _OWN_KEYS if key in facts}
    made = installed("dlm")
    sink, _, its_version = source.partition(" ")
    return ExportManifest(
        dlm_id=request.document.frontmatter.dlm_id,
        target=target,
        quant=written.quant,
        form=written.form,
        merged=written.form == "merged",
        dequantized=request.wishes.dequantize,
        template=request.wishes.template,
        created_at=now(),
        created_by=f"dlm-{made}",
        base_model=named(request.model),
        base_model_hf_id=hub_id(request.model),
        base_model_revision=request.base.revision,
        base_digest=request.base.digest,
        base_licence=request.model.licence,
        adapter_version=request.version.number,
        adapters=_adapters(request),
        document_digest=request.version.facts.get("document_digest"),
        tool_versions={"dlm": made, **({sink: its_version} if its_version else {})},
        facts=facts,
        artifacts=artifacts_of(folder),
        **{"name": request.wishes.name, **own},
    )


def named(model: BaseModel) -> str:
    """The base's key; of a folder on this disk its last part, since the rest is nobody else's business."""
    source = model.sources[0]
    return f"path:{source.path.name}" if isinstance(source, FolderSource) else model.key


def hub_id(model: BaseModel) -> str | None:
    """Its repository on the Hugging Face Hub, also where the weights came from elsewhere."""
    return next((source.repo for source in model.sources if isinstance(source, HubSource)), None)


def _adapters(request: Request) -> tuple[ExportedAdapter, ...]:
    adapter, version = request.chosen.adapter, request.version
    names = names_of(request.chosen)
    if request.chosen.by == "first" and len(version.adapters) > 1:
        names = version.adapters
    weights = adapter.weights if isinstance(adapter, Mix) else (1.0,) * len(names)
    return tuple(
        ExportedAdapter(
            name=name,
            sha256=version.facts_of(name).get("adapter_sha256"),
            weight=weight,
            trained_on=precision_of_base(version.facts_of(name)),
        )
        for name, weight in zip(names, weights, strict=True)
    )
