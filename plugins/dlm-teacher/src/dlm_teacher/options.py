"""The options that a document gives under ``training.recipe.augmenters.teacher``, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dlm.errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

WHERE = "training.recipe.augmenters.teacher"
"""Where the options stand in a document."""

Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Whole = Annotated[int, Field(strict=True)]

_ALLOWED = {
    "model": "path:FOLDER, hf:org/name, a key of `dlm base list`, gguf:FILE, or an endpoint such as https://host/v1",
    "name": "the model's name at the endpoint",
    "questions": "a whole number from 0 to 64",
    "wordings": "a whole number from 1 to 8",
    "paraphrases": "a whole number from 0 to 64",
    "temperature": "a number from 0 to 2",
    "api_key_env": "the name of an environment variable, such as OPENAI_API_KEY",
    "parallel": "a whole number from 1 to 64",
    "timeout_s": "seconds, from 1 to 3600",
}


class Options(BaseModel):
    """What the teacher is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    model: Text
    name: Text | None = None
    questions: Annotated[Whole, Field(ge=0, le=64)] = 12
    """Facts asked about in each text."""
    wordings: Annotated[Whole, Field(ge=1, le=8)] = 3
    """Ways in which each of those is asked."""
    paraphrases: Annotated[Whole, Field(ge=0, le=64)] = 16
    """Other wordings of each of the document's own questions."""
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.8
    api_key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    parallel: Annotated[Whole, Field(ge=1, le=64)] = 4
    """Requests to an endpoint at a time."""
    timeout_s: Annotated[float, Field(ge=1, le=3600)] = 120.0
    """How long an endpoint may take for one reply."""

    @property
    def remote(self) -> bool:
        """Whether the model is behind an endpoint."""
        return self.model.startswith(("http://", "https://"))


def read_options(given: Mapping[str, Any]) -> Options:
    """``given`` as :class:`Options`.

    Raises:
        UsageProblem: an option is unknown, missing or wrong; names every one and what it may be.
    """
    try:
        options = Options.model_validate(dict(given))
    except ValidationError as problem:
        lines = dict.fromkeys(_mistake(str(error["loc"][0]), error["type"]) for error in problem.errors())
        raise UsageProblem("\n".join(lines)) from problem
    if options.remote and options.name is None:
        raise UsageProblem(f"{WHERE}.name is missing: an endpoint serves models by name, so write {_ALLOWED['name']}")
    if not options.remote:
        for option in ("name", "api_key_env"):
            if getattr(options, option) is not None:
                raise UsageProblem(f"{WHERE}.{option} is only for an endpoint, and {options.model} is none: remove it")
    return options


def _mistake(option: str, kind: str) -> str:
    if kind == "missing":
        return f"{WHERE}.{option} is missing: write {_ALLOWED[option]}"
    if kind == "extra_forbidden":
        return f"{WHERE}.{option} is no option of the teacher: allowed are {', '.join(_ALLOWED)}"
    return f"{WHERE}.{option} is wrong: write {_ALLOWED[option]}"
