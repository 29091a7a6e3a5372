"""The frontmatter, format version 15, as models. Reading it, and the messages, lie in :mod:`.validate`.

A training value that the writer leaves out is ``None``: then the recipe decides. Values that this version does not act
on are modelled all the same, so that no document is turned away for them; see :mod:`.unsupported`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from .migrations import CURRENT
from .ulid import ULID_PATTERN, valid_ulid

Fraction = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(min_length=1)]


def _mistake(what: str, fix: str) -> PydanticCustomError:
    """A finding in the two halves that every message of dlm has."""
    return PydanticCustomError("dlm", "{what}: {fix}", {"what": what, "fix": fix})


def _auto_or_count(value: Any) -> Any:
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    if isinstance(value, str) and value.isdecimal() and int(value) >= 1:
        return int(value)
    raise _mistake("neither `auto` nor a whole number from 1", "write `auto`, or a number such as 4")


def _modules(value: Any) -> Any:
    if value in ("auto", "all-linear"):
        return value
    if isinstance(value, list | tuple) and value and all(isinstance(item, str) and item for item in value):
        return tuple(value)
    raise _mistake(
        "neither `auto`, `all-linear` nor a list of module names",
        "write `all-linear`, or a list such as [q_proj, v_proj]",
    )


def _ulid(value: Any) -> Any:
    if isinstance(value, str) and valid_ulid(value):
        return value
    what = "not a ULID"
    if isinstance(value, str) and valid_ulid(value.upper()):
        raise _mistake(what, f"write it in upper case: {value.upper()}")
    rule = "26 characters out of 0-9 and A-Z without I, L, O and U, the first at most 7"
    raise _mistake(what, f"{rule}; `dlm init new.dlm` makes a fresh one")


AutoOrCount = Annotated[Literal["auto"] | Count, BeforeValidator(_auto_or_count)]
Modules = Annotated[Literal["auto", "all-linear"] | tuple[Name, ...], BeforeValidator(_modules)]
Adapter = Literal["lora", "qlora", "dora"]


class _Part(BaseModel):
    """A map of the frontmatter: unknown keys are mistakes, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Hyperparams(_Part):
    """``training.preference.hyperparams``."""

    beta: Fraction = 0.1
    alpha: Fraction = 0.1
    learning_rate: Rate = 5e-5
    num_epochs: Count = 3


class Preference(_Part):
    """``training.preference``: learning from a better and a worse answer."""

    enabled: bool = False
    method: Literal["dpo", "orpo"] = "dpo"
    hyperparams: Hyperparams = Hyperparams()
    loss_type: Literal["sigmoid", "hinge", "ipo"] = "sigmoid"
    reference: Literal["base", "pre_adapter"] = "pre_adapter"


class Cpt(_Part):
    """``training.cpt``: continued pre-training on prose."""

    schedule: Literal["auto", "dapt", "sft"] = "auto"
    embed_warmup_steps: Annotated[int, Field(ge=0)] = 0


class Gate(_Part):
    """``training.gate``: a learned mixture of several adapters."""

    enabled: bool = False
    hidden_proj_dim: Annotated[int, Field(ge=8, le=2048)] = 64
    steps: Annotated[int, Field(ge=1, le=10_000)] = 200
    lr: Annotated[float, Field(gt=0, le=1)] = 3e-4
    cold_start_floor: Annotated[int, Field(ge=1, le=1024)] = 4
    entropy_lambda: Fraction = 0.01


class Cache(_Part):
    """``training.cache``: tokenised records kept between runs. Never changes a result."""

    enabled: bool = True
    max_bytes: Count = 10 * 2**30
    prune_older_than_days: Count = 90


class Audio(_Part):
    """``training.audio``."""

    auto_resample: bool = False


class NamedAdapter(_Part):
    """One entry of ``training.adapters``."""

    adapter: Adapter = "lora"
    lora_r: Annotated[int, Field(ge=1, le=256)] | None = None
    lora_alpha: Count | None = None
    lora_dropout: Annotated[float, Field(ge=0, le=0.5)] | None = None
    target_modules: Modules | None = None
    learning_rate: Rate | None = None


class Source(_Part):
    """One entry of ``training.sources``: a folder of text files."""

    path: Name
    include: tuple[str, ...] = ("**/*",)
    exclude: tuple[str, ...] = ()
    max_bytes_per_file: Count | None = None
    max_files: Count | None = None


class Replay(_Part):
    """``training.replay``: what happens with a section that is no longer in the document."""

    removed: Literal["forget", "keep"] = "forget"
    """``forget``: never trained again. ``keep``: its text stays in the store and is trained on."""
    max_sections: Annotated[int, Field(ge=0)] = 64
    """How many sections that are gone are trained on at most."""


class StudyRecipe(_Part):
    """``training.recipe``: what is made of the document, and how long it is studied. A name alone may be written."""

    name: Literal["study", "plain", "distill"] = "study"
    """``plain``: the text and the questions as written, nothing else. ``distill``: the base with the section in its
    context is the teacher."""
    effort: Literal["quick", "normal", "thorough"] = "normal"
    augmenters: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    """Further writers of study records, by the name of a plugin's, each with its options."""


def _recipe(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class Training(_Part):
    """``training``: how to train. ``None`` leaves the choice to the recipe."""

    adapter: Adapter = "lora"
    lora_r: Annotated[int, Field(ge=1, le=256)] | None = None
    lora_alpha: Count | None = None
    lora_dropout: Annotated[float, Field(ge=0, le=0.5)] | None = None
    target_modules: Modules | None = None
    sequence_len: Annotated[int, Field(ge=64, le=32_768)] | None = None
    micro_batch_size: AutoOrCount | None = None
    grad_accum: AutoOrCount | None = None
    learning_rate: Rate | None = None
    num_epochs: Count | None = None
    token_budget: Annotated[int, Field(ge=1000)] | None = None
    """Tokens to train on, counted once a row and step, prompts included."""
    optimizer: Literal["adamw_torch", "adamw_bnb_8bit", "paged_adamw_8bit", "galore_adamw", "galore_adamw_8bit"] = (
        "adamw_torch"
    )
    lr_scheduler: Literal["cosine", "linear", "constant", "wsd"] | None = None
    warmup_ratio: Annotated[float, Field(ge=0, le=0.5)] | None = None
    precision: Literal["bf16", "fp16", "fp32"] | None = None
    seed: int | None = None
    preference: Preference = Preference()
    cpt: Cpt = Cpt()
    gate: Gate = Gate()
    cache: Cache = Cache()
    replay: Replay = Replay()
    recipe: Annotated[StudyRecipe, BeforeValidator(_recipe)] = StudyRecipe()
    audio: Audio = Audio()
    adapters: (
        Annotated[dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")], NamedAdapter], Field(min_length=1)]
        | None
    ) = None
    sources: tuple[Source, ...] | None = None
    sources_policy: Literal["permissive", "strict"] = "permissive"


Quant = Literal[
    "F32",
    "F16",
    "BF16",
    "Q8_0",
    "Q6_K",
    "Q5_K_M",
    "Q5_K_S",
    "Q5_1",
    "Q5_0",
    "Q4_K_M",
    "Q4_K_S",
    "Q4_1",
    "Q4_0",
    "Q3_K_M",
    "Q2_K",
]


class Export(_Part):
    """``export``: what an exported model is given."""

    default_quant: Quant | None = None
    """``None`` leaves it to the size of the base."""
    default_temperature: Annotated[float, Field(gt=0, le=2)] | None = None
    default_top_p: Annotated[float, Field(gt=0, le=1)] | None = None


class Frontmatter(_Part):
    """The whole frontmatter."""

    dlm_id: Annotated[str, BeforeValidator(_ulid), Field(json_schema_extra={"pattern": ULID_PATTERN})]
    dlm_version: Annotated[int, Field(strict=True, ge=1, le=CURRENT)] = CURRENT
    base_model: Name
    """A key of ``dlm base list``, ``path:FOLDER`` or ``hf:owner/name``."""
    training: Training = Training()
    export: Export = Export()
    system_prompt: str | None = None
    """Put before every conversation, in training, prompting and judging alike."""
