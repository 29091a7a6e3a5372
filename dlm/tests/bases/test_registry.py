"""The bases of the format: every key that a document may hold is understood."""

from __future__ import annotations

import re

import pytest

from dlm.bases import HubSource, PartsSource
from dlm.bases.registry import BASES, MEDIA
from dlm.bases.resolve import resolve
from dlm.errors import UsageProblem

PRIOR = """
qwen2.5-0.5b qwen2.5-1.5b qwen2.5-3b qwen2.5-coder-1.5b qwen3-1.7b qwen3-1.7b-thinking qwen3-4b qwen3-8b llama-3.2-1b
llama-3.2-3b llama-3.3-8b-instruct smollm3-3b olmo-2-7b-instruct gemma-2-2b-it gemma-2-9b-it smollm2-135m smollm2-360m
smollm2-1.7b phi-3.5-mini phi-4-mini-reasoning mixtral-8x7b-instruct mistral-small-3.1-24b-instruct
paligemma-3b-mix-224 qwen2-vl-2b-instruct internvl2-2b internvl3-2b qwen2-audio-7b-instruct
""".split()
GATED = {"llama-3.2-1b", "llama-3.2-3b", "llama-3.3-8b-instruct", "gemma-2-2b-it", "gemma-2-9b-it", "gemma-3-270m"}


def test_every_key_that_ever_was_is_a_base_or_says_who_would_train_it() -> None:
    assert len(PRIOR) == 27
    for key in PRIOR:
        if key in MEDIA:
            with pytest.raises(UsageProblem, match=rf"'{re.escape(key)}' takes (images|audio).*no installed plugin"):
                resolve(key)
        else:
            assert resolve(key).key == key


def test_every_base_is_pinned_and_says_its_size_and_licence() -> None:
    for base in BASES:
        assert resolve(base.key) is base
        assert base.parameters
        assert base.context
        assert 0 < (base.sequence or 0) <= base.context
        assert base.licence
        assert (base.licence_url or "").startswith("https://")
        assert not (base.requires_acceptance and base.redistributable)
        for source in base.sources:
            if isinstance(source, HubSource):
                assert re.fullmatch(r"[0-9a-f]{10,40}", source.revision or "")
            elif isinstance(source, PartsSource):
                assert len({part.sha256 for part in source.parts}) == len(source.parts)
    assert {base.key for base in BASES if base.requires_acceptance} == GATED
    assert len({base.key for base in BASES}) == len(BASES)
