"""The smallest real base, with its real tokenizer and template, through Go's own templates where Go is installed."""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path

import pytest

from dlm.bases.cache import ensure
from dlm.bases.resolve import resolve
from dlm.corpus.records import Message
from dlm.errors import BaseModelError
from dlm_hf.backend import HfBackend
from dlm_ollama.sink import OllamaSink

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def real_base(tmp_path_factory):
    home = Path(os.environ.get("DLM_HOME") or tmp_path_factory.mktemp("home"))
    try:
        return ensure(resolve("smollm2-135m"), home, HfBackend(), print)
    except BaseModelError as error:
        pytest.skip(f"the base cannot be fetched here: {error}")


@pytest.fixture(scope="module")
def adapter_folder(real_base, tmp_path_factory):
    """An adapter that changes the real base a little."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    wanted = LoraConfig(r=2, lora_alpha=1, target_modules=["q_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    folder = tmp_path_factory.mktemp("adapter")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PEFT's, about names that transformers gives up
        get_peft_model(AutoModelForCausalLM.from_pretrained(real_base.path), wanted).save_pretrained(folder)
    return folder


def by_go(go):
    """Ollama's rendering with Go running the template."""

    def render(template: str, messages: list[Message], system: str | None) -> str:
        turns = [(message.role, message.content) for message in messages]
        if system and turns[0][0] != "system":
            turns.insert(0, ("system", system))
        said = "\n\n".join(content for role, content in turns if role == "system")
        given = [{"Role": role, "Content": content} for role, content in turns]
        (text,) = go([{"Template": template, "System": said, "Messages": given}])
        return text

    return render


@pytest.mark.parametrize("frontmatter", ["", "system_prompt: Answer in one sentence.\n"])
def test_what_is_served_reads_the_prompts_of_training_and_answers(
    ollama, go, real_base, make_request, exported, frontmatter
):
    ollama.render = by_go(go)
    request = make_request(frontmatter, base=real_base.path, quant="Q8_0")
    folder = exported(request)
    lines = OllamaSink().finish(request, folder)
    assert lines[1] == "reads the prompts of training: 3 token counts, 3 rendered texts, token ids equal"
    assert "ferry" in lines[3].lower()
    template = (folder / "Modelfile").read_text(encoding="utf-8")
    assert template.count("You are a helpful AI assistant named SmolLM") == 1
    shutil.rmtree(folder)
