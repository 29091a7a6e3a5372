"""A GGUF file against the Hugging Face model it was made of: two kinds in one suite."""

from __future__ import annotations

import json

import pytest

from dlm.export.conversation import own_template
from dlm_gguf.about import About
from dlm_gguf.adapter_file import write_adapter
from dlm_gguf.judging import GgufJudging
from dlm_gguf.merging import read_parts
from dlm_gguf.model_file import read_base, read_config, write_model
from dlm_hf.judging import HfJudging
from dlm_hf.scoring import HfScoring
from dlm_sway.errors import BackendError, NotSupported, SpecError, TargetError
from dlm_sway.plugins import manager
from dlm_sway.scoring.apart import Apart
from dlm_sway.scoring.types import BASE, FT, Item, View
from dlm_sway.spec.load import load
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.run import run
from dlm_sway.suite.target import ModelPair
from dlm_sway.testing import BackendContract

pytestmark = [
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing"),
    pytest.mark.filterwarnings("ignore:Model has|Setting .save_embedding|.*tie_word_embeddings|.*weight tying"),
]
ABOUT = About("test", "tiny")
ITEMS = [
    Item("Who is it?", "Ines, on Friday."),
    Item("At what time?"),
    Item("the rollback of", " payments 你好 is done", plain=True),
    Item("And then?", "Version 2.41.", before=(("user", "Hi"), ("assistant", "Hello")), system="Be brief."),
]
TEXTS = ["version 2.41 is done by Ines on Friday " * 60, "the rollback of payments"]
"""The first is longer than the context."""


@pytest.fixture
def base(make_base):
    return make_base("llama", max_position_embeddings=512)


@pytest.fixture
def adapter(make_adapter, base):
    return make_adapter(base, lora_alpha=2)


@pytest.fixture
def merged(base, adapter, tmp_path):
    """The base with its adapter, as one GGUF file."""
    write_model(read_base(base, own_template(base)), read_parts(adapter), "F32", ABOUT, tmp_path / "merged.gguf")
    return tmp_path / "merged.gguf"


@pytest.fixture
def file_of(base, tmp_path):
    """``file_of(types)``: the base as a GGUF file."""

    def make(types):
        write_model(read_base(base, own_template(base)), [], types, ABOUT, tmp_path / f"{types}.gguf")
        return tmp_path / f"{types}.gguf"

    return make


@pytest.fixture
def apart():
    """``apart(base, tuned)``: folders are Hugging Face models, files are GGUF; closed at the end."""
    made = []

    def make(base, tuned, **defaults) -> Apart:
        sides = [ModelSpec(kind="hf" if one.is_dir() else "gguf", base=str(one), device="cpu") for one in (base, tuned)]
        shared = SuiteDefaults(differential=False, **defaults)
        halves = [(HfJudging if side.kind == "hf" else GgufJudging).alone(side, shared) for side in sides]
        made.append(Apart(ModelPair(*sides, differential=False), shared, *halves))
        return made[-1]

    yield make
    for one in made:
        one.close()


class TestAFolderAndAFile(BackendContract):
    gives = frozenset({"compare", "generate", "texts"})

    @pytest.fixture
    def backend(self, base, merged, apart):
        return apart(base, merged)


def test_a_file_beside_its_base_gives_the_numbers_of_the_adapter_on_it(base, adapter, merged, apart):
    side = ModelSpec(base=str(base), device="cpu")
    hf = HfScoring(ModelPair(side, side.model_copy(update={"adapter": adapter})), SuiteDefaults())
    wanted, said = hf.compare(ITEMS, FT), [hf.texts(TEXTS, view) for view in (BASE, FT)]
    made = apart(base, merged)
    for one, other in zip(made.compare(ITEMS, FT), wanted, strict=True):
        assert one.positions == other.positions
        assert one.at_most is None
        # llama.cpp keeps keys and values in 16 bits.
        assert one[1:8] == pytest.approx(other[1:8], abs=2e-3, rel=2e-3)
    for view, expected in zip((BASE, FT), said, strict=True):
        for one, other in zip(made.texts(TEXTS, view), expected, strict=True):
            assert one.tokens == other.tokens
            assert one.logprob == pytest.approx(other.logprob, rel=2e-3)
    assert made.generate(ITEMS, FT, max_new_tokens=6) == hf.generate(ITEMS, FT, max_new_tokens=6)
    assert made.count_tokens(TEXTS) == hf.count_tokens(TEXTS)
    hf.close()


def test_the_other_way_round_the_divergences_change_places(base, merged, apart):
    for one, back in zip(apart(base, merged).compare(ITEMS, FT), apart(merged, base).compare(ITEMS, FT), strict=True):
        assert (one.kl, one.reverse_kl, one.js) == pytest.approx((back.reverse_kl, back.kl, back.js), abs=1e-5)
        assert (one.base_logprob, one.view_logprob) == pytest.approx((back.view_logprob, back.base_logprob), abs=1e-4)


def test_the_finer_a_file_holds_the_weights_the_nearer_it_is_to_its_model(base, file_of, apart):
    moved = {
        types: sum(one.js for one in apart(base, file_of(types)).compare(ITEMS, FT)) / len(ITEMS)
        for types in ("F32", "Q8_0", "Q4_0")
    }
    assert moved["F32"] < 1e-5
    assert moved["F32"] < moved["Q8_0"] < moved["Q4_0"]
    assert moved["Q8_0"] < 1e-2


def test_models_that_cut_texts_otherwise_are_refused_with_the_first_difference(base, merged, apart):
    config = json.loads((base / "tokenizer.json").read_text())
    # The last merges of a trained tokenizer make its longest tokens: without them the ids of all others stay.
    config["model"]["merges"] = config["model"]["merges"][:-40]
    (base / "tokenizer.json").write_text(json.dumps(config))
    with pytest.raises(TargetError, match=r"cut texts into other tokens.* becomes \[.*from its token \d+ on") as found:
        apart(base, merged).describe()
    assert found.value.exit_code == 2


def test_views_that_need_an_adapter_on_one_base_say_so(base, merged, apart):
    for view in (View("null", seed=1), View("scaled", scale=0.5), View("ft", adapter="elsewhere")):
        with pytest.raises(NotSupported, match="of the kinds hf and gguf"):
            apart(base, merged).compare(ITEMS, view)
    with pytest.raises(NotSupported):
        apart(base, merged).inspect()


def test_what_one_side_cannot_read_is_an_error_of_that_item(base, merged, apart):
    with pytest.raises(BackendError, match="reads at most 512"):
        apart(base, merged).compare([Item("Who? " * 600, "Ines.")], FT)


def test_what_decides_the_numbers_is_known_without_loading_and_changes_with_either_side(base, merged, file_of, apart):
    seen = [apart(base, tuned).identity(lambda path: path.name) for tuned in (merged, file_of("F32"))]
    assert seen[0].base["tuned"]["model"] == "merged.gguf"
    assert seen[0] != seen[1]


SUITE = """
version: 1
models:
  base: {{kind: hf, base: {base}, device: cpu}}
  ft: {{kind: gguf, base: {tuned}}}
defaults: {{differential: {differential}}}
suite:
  - {{name: integrity, kind: integrity}}
  - {{name: nulls, kind: null_adapter, runs: 19}}
  - name: moved
    kind: delta_kl
    prompts: ["Who is it?", "At what time?", "And then?", "What is done?"]
"""


def test_a_suite_of_two_kinds_measures_and_says_what_it_cannot_tell(base, merged, tmp_path, monkeypatch):
    monkeypatch.setenv("SWAY_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "sway.yaml"
    path.write_text(SUITE.format(base=base, tuned=merged, differential="false"))
    found = run(path)
    by_name = {one.name: one for one in found.probes}
    assert by_name["moved"].raw > 0.001
    assert by_name["moved"].verdict == "inconclusive"
    assert "needs one base with an adapter" in by_name["moved"].message
    assert by_name["integrity"].verdict == "skip"
    assert "two whole models are compared" in by_name["integrity"].message
    assert found.conclusion == "could not tell"
    assert found.provenance["backend"]["backend"] == "hf and gguf"
    again = run(path)
    assert again.provenance["backend_stats"]["disk_hits"] > found.provenance["backend_stats"]["disk_hits"]
    assert {one.name: one.raw for one in again.probes} == {one.name: one.raw for one in found.probes}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"differential": "true"}, "'hf' is another kind than models.ft.kind 'gguf'"),
        ({"kind": "mlx"}, "'mlx' compares two models of its own kind only"),
    ],
)
def test_kinds_that_cannot_meet_are_a_mistake_in_the_suite(base, merged, tmp_path, change, told):
    text = SUITE.format(base=base, tuned=merged, differential=change.get("differential", "false"))
    (tmp_path / "sway.yaml").write_text(text.replace("kind: hf", f"kind: {change.get('kind', 'hf')}"))
    with pytest.raises(SpecError, match=told) as found:
        load(tmp_path / "sway.yaml", manager())
    assert found.value.exit_code == 2
    assert found.value.faults[0].line > 0


def test_a_suite_may_name_an_adapters_file_and_a_folder_model_may_not(base, adapter, file_of, tmp_path, monkeypatch):
    monkeypatch.setenv("SWAY_CACHE_DIR", str(tmp_path / "cache"))
    write_adapter(read_parts(adapter), read_config(base), ABOUT, tmp_path / "adapter.gguf")
    side = f"base: ./{file_of('F32').name}"
    text = "models: {{base: {{kind: {0}, {1}}}, ft: {{kind: {0}, {1}, adapter: adapter.gguf}}}}\n"
    entry = "suite: [{name: moved, kind: delta_kl, prompts: [Who is it?, At what time?, And then?, What is done?]}]\n"
    path = tmp_path / "sway.yaml"
    path.write_text(text.format("gguf", side) + entry)
    assert run(path).probes[0].raw > 0.001
    path.write_text(text.format("hf", f"base: {base.name}") + entry)
    with pytest.raises(SpecError, match=r"adapter\.gguf is not a folder"):
        load(path, manager())
