"""The sway backend on exported files: sway's contract, and the numbers that PyTorch gives for the same model."""

from __future__ import annotations

import pytest

from dlm.export.conversation import own_template
from dlm_gguf.about import About
from dlm_gguf.adapter_file import write_adapter
from dlm_gguf.judging import GgufJudging
from dlm_gguf.merging import read_parts
from dlm_gguf.model_file import read_base, read_config, write_model
from dlm_sway.errors import BackendError, NotSupported, TargetError
from dlm_sway.scoring.types import FT, Item, View
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair
from dlm_sway.testing import BackendContract

pytestmark = [
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing"),
    pytest.mark.filterwarnings("ignore:Model has|Setting .save_embedding|.*tie_word_embeddings|.*weight tying"),
]
ABOUT = About("test", "tiny")


@pytest.fixture
def files(make_base, make_adapter, tmp_path):
    """A base, the same with an adapter merged in, and the adapter alone; the first as Hugging Face's folders too."""
    base = make_base("llama", max_position_embeddings=512)
    adapter = make_adapter(base, lora_alpha=2)
    parts, template = read_parts(adapter), own_template(base)
    write_model(read_base(base, template), [], "F32", ABOUT, tmp_path / "base.gguf")
    write_model(read_base(base, template), parts, "F32", ABOUT, tmp_path / "merged.gguf")
    write_adapter(parts, read_config(base), ABOUT, tmp_path / "adapter.gguf")
    return tmp_path, base, adapter


def judging(folder, tuned="merged.gguf", adapter=None, **defaults) -> GgufJudging:
    base = ModelSpec(kind="gguf", base=str(folder / "base.gguf"))
    ft = ModelSpec(kind="gguf", base=str(folder / tuned), adapter=adapter and folder / adapter)
    return GgufJudging(ModelPair(base, ft, differential=adapter is not None), SuiteDefaults(**defaults))


class TestAnAdapterBesideItsBase(BackendContract):
    gives = frozenset({"compare", "generate", "scale", "texts"})

    @pytest.fixture
    def backend(self, files):
        made = judging(files[0], "base.gguf", "adapter.gguf")
        yield made
        made.close()


def test_the_numbers_are_those_of_pytorch(files):
    from dlm_hf.scoring import HfScoring

    folder, base, adapter = files
    hf = HfScoring(
        ModelPair(ModelSpec(base=str(base)), ModelSpec(base=str(base), adapter=adapter, device="cpu")), SuiteDefaults()
    )
    items = [
        Item("Who is it?", "Ines, on Friday."),
        Item("At what time?"),
        Item("the rollback of", " payments is done", plain=True),
        Item("And then?", "Version 2.41.", before=(("user", "Hi"), ("assistant", "Hello")), system="Be brief."),
    ]
    wanted = hf.compare(items, FT)
    for made in (judging(folder), judging(folder, "base.gguf", "adapter.gguf")):
        for one, other in zip(made.compare(items, FT), wanted, strict=True):
            assert one.positions == other.positions
            # llama.cpp keeps keys and values in 16 bits.
            assert one[1:8] == pytest.approx(other[1:8], abs=2e-3, rel=2e-3)
        texts = ["version 2.41 is done by Ines on Friday " * 3]
        assert made.texts(texts, FT)[0].logprob == pytest.approx(hf.texts(texts, FT)[0].logprob, rel=2e-3)
        assert made.count_tokens(texts) == hf.count_tokens(texts)
        answers = made.generate(items[:1], FT, max_new_tokens=6)
        assert answers == hf.generate(items[:1], FT, max_new_tokens=6)
        made.close()
    hf.close()


def test_of_a_merged_file_nothing_can_be_scaled_and_the_message_says_what_can(files):
    made = judging(files[0])
    with pytest.raises(NotSupported, match="kind: hf"):
        made.compare([Item("Who?")], View("scaled", scale=0.5))
    made.close()


def test_a_file_that_is_not_there_or_damaged_is_named(files):
    with pytest.raises(TargetError, match=r"models\.ft: there is no file .*nowhere\.gguf"):
        judging(files[0], "nowhere.gguf").compare([Item("Who?")], FT)
    (files[0] / "broken.gguf").write_bytes((files[0] / "merged.gguf").read_bytes()[:5000])
    with pytest.raises(BackendError, match=r"broken\.gguf is no whole GGUF file"):
        judging(files[0], "broken.gguf").compare([Item("Who?")], FT)


def test_what_decides_the_numbers_is_known_without_loading_a_model(files):
    identity = judging(files[0]).identity(lambda path: path.name)
    assert (identity.base["model"], identity.adapter["model"]) == ("base.gguf", "merged.gguf")


def test_damage_on_which_llama_cpp_ends_the_program_is_an_error_here(files):
    whole = (files[0] / "merged.gguf").read_bytes()
    assert b"Fr" in whole
    (files[0] / "broken.gguf").write_bytes(whole.replace(b"Fr", b"F\x00"))
    with pytest.raises(BackendError, match=r"broken\.gguf"):
        judging(files[0], "broken.gguf").compare([Item("Who?")], FT)
