"""The frontmatter: what is accepted, what is reported and exactly where."""

from __future__ import annotations

import time
from typing import Any

import pytest

from dlm.document import Document, parse
from dlm.document.frontmatter import Frontmatter, Replay, Training
from dlm.document.ulid import new_ulid, valid_ulid
from dlm.document.unsupported import unsupported
from dlm.errors import DocumentError, Finding

ID = "01M81FN4JAC853MSGR8B0PH69S"


def document(*lines: str, dlm_id: str = ID, base: str = "x") -> Document:
    return parse("\n".join(["---", f"dlm_id: {dlm_id}", f"base_model: {base}", *lines, "---", "Text."]), "d.dlm")


def training(*lines: str) -> Training:
    return document("training:", *(f"  {line}" for line in lines)).frontmatter.training


def findings(*lines: str, **keys: str) -> list[Finding]:
    with pytest.raises(DocumentError) as caught:
        document(*lines, **keys)
    return list(caught.value.findings)


def only(*lines: str, **keys: str) -> Finding:
    found = findings(*lines, **keys)
    assert len(found) == 1, found
    return found[0]


def test_what_the_writer_leaves_out_is_left_to_the_recipe() -> None:
    decided = {
        "adapter",
        "optimizer",
        "preference",
        "cpt",
        "gate",
        "cache",
        "replay",
        "recipe",
        "audio",
        "sources_policy",
    }
    given = document().frontmatter.training.model_dump()
    assert {key for key, value in given.items() if value is not None} == decided


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("learning_rate: 2e-4", "learning_rate", 2e-4),
        ("learning_rate: 1E-3", "learning_rate", 1e-3),
        ('learning_rate: "2e-4"', "learning_rate", 2e-4),
        ("seed: -3", "seed", -3),
        ('seed: "7"', "seed", 7),
        ("micro_batch_size: auto", "micro_batch_size", "auto"),
        ("micro_batch_size: 4", "micro_batch_size", 4),
        ("target_modules: auto", "target_modules", "auto"),
        ("target_modules: all-linear", "target_modules", "all-linear"),
        ("target_modules: [q_proj, v_proj]", "target_modules", ("q_proj", "v_proj")),
        ("token_budget: 1000", "token_budget", 1000),
        ("token_budget: 60_000", "token_budget", 60_000),
        ("lr_scheduler: wsd", "lr_scheduler", "wsd"),
        ("precision:", "precision", None),
        ("sources: []", "sources", ()),
        ("replay: {removed: keep, max_sections: 0}", "replay", Replay(removed="keep", max_sections=0)),
        ("replay: {}", "replay", Replay(removed="forget", max_sections=64)),
    ],
)
def test_a_training_value_is_accepted(line: str, key: str, value: object) -> None:
    assert getattr(training(line), key) == value


@pytest.mark.parametrize(
    ("line", "col"),
    [
        ("lora_r: 0", 11),
        ("lora_r: 257", 11),
        ("lora_dropout: 0.6", 17),
        ("sequence_len: 63", 17),
        ("token_budget: 999", 17),
        ("learning_rate: 0", 18),
        ("learning_rate: .inf", 18),
        ("learning_rate: .nan", 18),
        ("micro_batch_size: 0", 21),
        ("micro_batch_size: often", 21),
        ("target_modules: some", 19),
        ("target_modules: []", 19),
        ("target_modules: [1]", 19),
        ("optimizer: sgd", 14),
        ("precision: int8", 14),
        ("warmup_ratio: 0.51", 17),
        ("adapters: {}", 13),
        ("sources: src", 12),
        ("sources: [{path: '', include: x}]", 20),
        ("cpt: {embed_warmup_steps: -1}", 29),
        ("preference: {hyperparams: {beta: 2}}", 36),
        ("replay: {removed: delete}", 21),
        ("replay: {max_sections: -1}", 26),
        ("replay: {max_sections: 1.5}", 26),
    ],
)
def test_a_training_value_is_refused_at_its_own_column(line: str, col: int) -> None:
    found = findings("training:", f"  {line}")[0]
    assert (found.path, found.line, found.col) == ("d.dlm", 5, col)
    assert "training." + line.split(":")[0] in found.what


@pytest.mark.parametrize(
    ("version", "what"),
    [
        ("16", "newer than this dlm"),
        ("0", "no format version 0"),
        ("-1", "no format version"),
        ("true", "whole number"),
        ("1.0", "whole number"),
        ('"15"', "whole number"),
    ],
)
def test_a_version_that_cannot_be_read_is_refused(version: str, what: str) -> None:
    found = only(f"dlm_version: {version}", "training: {unheard_of: 1}")
    assert (found.line, found.col) == (4, 14)
    assert what in found.what


def test_a_newer_version_says_how_to_upgrade() -> None:
    assert "pip install --upgrade dlm" in only("dlm_version: 99").fix


@pytest.mark.parametrize("version", range(1, 16))
def test_every_version_up_to_now_is_read(version: int) -> None:
    assert document(f"dlm_version: {version}").frontmatter.dlm_version == 15


@pytest.mark.parametrize("version", ["", "dlm_version: 1"])
def test_version_1_dpo_becomes_preference(version: str) -> None:
    dpo = "dpo: {enabled: true, beta: 0.3, learning_rate: 1e-6, num_epochs: 2, reference: pre_dpo_adapter}"
    preference = document(*filter(None, [version, f"training: {{{dpo}}}"])).frontmatter.training.preference
    assert (preference.enabled, preference.method, preference.reference) == (True, "dpo", "pre_adapter")
    assert preference.hyperparams.model_dump() == {"beta": 0.3, "alpha": 0.1, "learning_rate": 1e-6, "num_epochs": 2}


def test_a_mistake_in_a_migrated_key_points_at_what_was_written() -> None:
    found = only("training:", "  dpo:", "    beta: 7")
    assert (found.line, found.col, found.what) == (6, 11, "`training.dpo.beta` is 7")
    assert only("training:", "  dpo: 7").line == 5
    assert "unknown key `training.dpo`" in only("dlm_version: 2", "training:", "  dpo: {}").what


def test_version_1_dpo_with_hyperparameters_of_later_versions_loses_none() -> None:
    training = document("training: {dpo: {num_epochs: 2, hyperparams: {beta: 0.7}}}").frontmatter.training
    assert (training.preference.hyperparams.beta, training.preference.hyperparams.num_epochs) == (0.7, 2)
    found = only("training:", "  dpo:", "    beta: 0.2", "    hyperparams: {beta: 0.7}")
    assert (found.line, found.what) == (6, "unknown key `training.dpo.beta`")


@pytest.mark.parametrize(
    "good", [ID, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "01234567890123456789012345", "01E12345678901234567890123"]
)
def test_a_ulid_is_read_as_it_is_written(good: str) -> None:
    assert document(dlm_id=good).frontmatter.dlm_id == good


@pytest.mark.parametrize("bad", ["8" + ID[1:], ID[:-1], ID + "0", ID[:-1] + "U", ID[:-1] + "I", "12", "x"])
def test_a_bad_ulid_is_refused(bad: str) -> None:
    found = only(dlm_id=bad)
    assert (found.line, found.col) == (2, 9)
    assert "dlm init" in found.fix


def test_a_lower_case_ulid_is_given_back_in_upper_case() -> None:
    assert ID in only(dlm_id=ID.lower()).fix


def test_fresh_ulids_are_valid_different_and_dated() -> None:
    fresh = {new_ulid() for _ in range(1000)}
    assert len(fresh) == 1000
    assert all(map(valid_ulid, fresh))
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    milliseconds = sum(alphabet.index(char) << 5 * place for place, char in enumerate(reversed(max(fresh)[:10])))
    assert abs(milliseconds / 1000 - time.time()) < 60


@pytest.mark.parametrize("number", ["123", "1.5", "0x1F", "true"])
def test_a_base_that_yaml_takes_for_a_number_is_to_be_quoted(number: str) -> None:
    found = only(base=number)
    assert (found.line, found.col) == (3, 13)
    assert f'"{number}"' in found.fix
    assert document(base=f'"{number}"').frontmatter.base_model == number


def test_missing_keys_are_named_with_what_to_write() -> None:
    with pytest.raises(DocumentError) as caught:
        parse("---\ndlm_version: 15\n---\nText.")
    assert [finding.what for finding in caught.value.findings] == ["`base_model` is missing", "`dlm_id` is missing"]
    assert "dlm init" in caught.value.findings[1].fix


def test_every_mistake_is_reported_at_once_in_the_order_of_the_lines() -> None:
    lines = ["export:", "  default_quant: Q1", "trainin: {}", "training:", "  seed: 1", "  lora_alpha: x", "  seed: 2"]
    assert [(f.line, f.col) for f in findings(*lines, dlm_id="x")] == [(2, 9), (5, 18), (6, 1), (9, 15), (10, 3)]


def test_an_unknown_key_gets_a_guess_from_its_own_level() -> None:
    assert "did you mean `learning_rate`" in only("training: {learnig_rate: 1}").fix
    assert "did you mean `lora_r`" in only("training: {adapters: {a: {lora_rr: 1}}}").fix
    assert "did you mean `default_quant`" in only("export: {defaultquant: 1}").fix
    assert "did you mean" not in only("training: {default_quant: Q8_0}").fix


@pytest.mark.parametrize(
    "line", ["training:", "training: {lora_r: }", "export: {default_quant: null}", "dlm_version: ~"]
)
def test_a_key_without_a_value_is_a_mistake_where_nothing_has_no_meaning(line: str) -> None:
    assert findings(line)[0].line == 4


@pytest.mark.parametrize("line", ["training: 3", "training: [1]", "training: {cpt: yes}", "export: text"])
def test_a_map_that_is_none_is_named(line: str) -> None:
    assert "it must be a map" in only(line).fix


def test_flat_adapter_keys_beside_named_adapters_must_be_their_old_defaults() -> None:
    adapters = "adapters: {a: {}, b: {}}"
    assert training(adapters, "lora_r: 8", "learning_rate: 2e-4", "adapter: lora").adapters is not None
    found = findings("training:", f"  {adapters}", "  lora_r: 16", "  learning_rate: 1e-3")
    assert [(finding.line, finding.col) for finding in found] == [(6, 3), (7, 3)]


def test_an_adapter_name_must_be_usable_in_a_fence() -> None:
    found = only("training: {adapters: {Tone: {}}}")
    assert (found.line, found.col) == (4, 23)
    assert "lower-case" in found.fix


def test_a_gate_needs_two_adapters() -> None:
    assert "two adapters" in only("training: {gate: {enabled: true}, adapters: {a: {}}}").what


@pytest.mark.parametrize(
    ("yaml", "line"),
    [
        ("a: [1", 4),
        ("a: b: c", 4),
        ("\ta: 1", 4),
        ("a: *nowhere", 4),
        ("a: \x07", 4),
        ("a: !!python/name:os.system x", 4),
    ],
)
def test_yaml_that_cannot_be_read_is_reported_where_it_breaks(yaml: str, line: int) -> None:
    assert line in {finding.line for finding in findings(yaml)}


def test_aliases_cannot_be_used_to_exhaust_the_machine() -> None:
    lines = ["l0: &l0 [x, x]", *(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 11))]
    started = time.perf_counter()
    found = findings(*lines, "training: {adapters: *l10, sources: *l10}")
    assert time.perf_counter() - started < 5
    assert max(len(str(finding)) for finding in found) < 300


def test_an_anchor_that_is_set_again_is_none_of_our_business() -> None:
    found = document("training: {seed: &a 1, lora_r: *a, num_epochs: &a 2, lora_alpha: *a}").frontmatter.training
    assert (found.lora_r, found.lora_alpha) == (1, 2)


def test_the_models_never_change_after_reading() -> None:
    found: Any = Frontmatter(dlm_id=ID, base_model="x")
    with pytest.raises(ValueError, match="frozen"):
        found.base_model = "y"


@pytest.mark.parametrize(
    ("line", "key", "col"),
    [
        ("adapter: qlora", "training.adapter", 3),
        ("optimizer: paged_adamw_8bit", "training.optimizer", 3),
        ("preference: {enabled: true}", "training.preference.enabled", 16),
        ("audio: {auto_resample: true}", "training.audio.auto_resample", 11),
    ],
)
def test_what_would_be_ignored_is_listed_with_its_place(line: str, key: str, col: int) -> None:
    (found,) = unsupported(document("training:", f"  {line}"))
    assert (found.path, found.line, found.col) == ("d.dlm", 5, col)
    assert f"does not act on `{key}`" in found.what
    assert "remove it" in found.fix


@pytest.mark.parametrize(
    ("adapters", "more", "says"),
    [
        ("{a: {}, b: {adapter: qlora}}", "", "4-bit and of full weights"),
        ("{a: {}, b: {}}", ", cpt: {embed_warmup_steps: 9}", "adapters that hold embeddings"),
        ("{a: {adapter: dora}, b: {}}", "", ""),
        ("{a: {adapter: qlora}, b: {adapter: qlora}}", "", ""),
    ],
)
def test_a_gate_over_adapters_that_cannot_be_summed_is_listed(adapters, more, says, monkeypatch) -> None:
    monkeypatch.setattr("dlm.document.unsupported.without_quantiser", lambda _: "")
    found = unsupported(document(f"training: {{adapters: {adapters}, gate: {{enabled: true}}{more}}}"))
    assert [says in finding.what and finding.line for finding in found] == ([4] if says else [])


def test_what_does_not_touch_training_is_not_listed() -> None:
    quiet = [
        "adapter: dora",
        "optimizer: adamw_torch",
        "cpt: {schedule: dapt, embed_warmup_steps: 10}",
        "cache: {enabled: false}",
        "sources: [{path: src}]",
        "replay: {removed: keep, max_sections: 0}",
    ]
    quiet += ["preference: {enabled: false, method: orpo}", "seed: 3", "gate: {steps: 9}"]
    export = "export: {default_quant: Q8_0, default_temperature: 0.5}"
    assert unsupported(document("training:", *(f"  {line}" for line in quiet), export)) == []
