"""A question in several wordings, as it stands in a suite. Shared by the probes that ask whether wording matters."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator


class WordedCase(BaseModel):
    """A question that was taught, its answer, and the question in other words, each once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str = Field(min_length=1)
    gold: str = Field(min_length=1)
    paraphrases: tuple[str, ...] = Field(min_length=1)

    @field_validator("paraphrases")
    @classmethod
    def _said(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(text.strip() for text in value):
            raise ValueError("a paraphrase is empty")
        return tuple(dict.fromkeys(value))
