"""What sway is offered: scoring of GGUF files with llama.cpp. Describes only; :mod:`.judging` does the work."""

from __future__ import annotations

from dlm_sway.entries import BackendEntry
from dlm_sway.hookspecs import hookimpl


@hookimpl
def dlm_sway_backends() -> list[BackendEntry]:
    """The backend a suite names with ``kind: gguf``."""
    return [
        BackendEntry(
            name="gguf",
            target="dlm_gguf.judging:GgufJudging",
            summary="Exported GGUF files, merged or with an adapter, scored with llama.cpp.",
            gives=frozenset({"compare", "generate", "scale", "texts"}),
            requires=("llama_cpp",),
            alone=True,
            adapter_files=True,
        )
    ]
