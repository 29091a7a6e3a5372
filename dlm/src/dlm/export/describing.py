"""What the manifest of an export says of it."""

from __future__ import annotations

from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

from ..store.encoding import jsonable, now
from ..training.mixing import Mix, precision_of_base
from .manifest import ExportedAdapter, ExportManifest, artifacts_of
from .origin import key_of, published
from .safety import names_of, takes_every

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .certificate import Certificate
    from .manifest import Certified
    from .sink import Request, Written

_OWN_KEYS = ("ollama_name", "llama_cpp_tag", "name")
"""Of a sink's facts, those that have a key of their own in the manifest."""

_CERTIFIED: Mapping[str, Certified] = {"passed": "passed", "failed": "lossy", "could not tell": "unknown"}
"""By the verdict of a certificate. One that failed is only here when somebody asked to keep the export."""


def describe(
    request: Request, target: str, source: str, written: Written, folder: Path, certificate: Certificate | None
) -> ExportManifest:
    """The manifest of what lies in ``folder``; ``source`` is the distribution that wrote it, with its version."""
    facts = dict(jsonable(written.facts))
    own: dict[str, Any] = {key: facts.pop(key) for key in _OWN_KEYS if key in facts}
    made, hub = installed("dlm"), published(request.base, request.model)
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
        base_model=key_of(request.base) or f"path:{request.base.path.name}",
        base_model_hf_id=hub.repo if hub else None,
        base_model_revision=hub.revision if hub and hub.same_weights else None,
        base_digest=request.base.digest,
        base_licence=request.model.licence,
        adapter_version=request.version.number,
        adapters=_adapters(request),
        every_adapter=takes_every(request.version, request.chosen),
        document_digest=request.version.facts.get("document_digest"),
        tool_versions={"dlm": made, **({sink: its_version} if its_version else {})},
        facts=facts,
        certificate=certificate.summary if certificate else None,
        certified=_CERTIFIED[certificate.verdict] if certificate else "not measured",
        artifacts=artifacts_of(folder),
        **{"name": request.wishes.name, **own},
    )


def _adapters(request: Request) -> tuple[ExportedAdapter, ...]:
    adapter, version = request.chosen.adapter, request.version
    names = names_of(version, request.chosen)
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
