"""Suite files: every mistake is named at once, with its line, its place and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.errors import Fault, SpecError
from dlm_sway.spec.load import load, plan
from dlm_sway.spec.models import Models, ModelSpec, Suite, SuiteDefaults

Write = Callable[..., Path]


def faults(path: Path, manager: PluginManager) -> list[Fault]:
    with pytest.raises(SpecError) as caught:
        load(path, manager)
    assert str(caught.value) == "\n".join(str(fault) for fault in caught.value.faults)
    return list(caught.value.faults)


def test_a_good_file_becomes_probes_in_their_order_with_absolute_paths(
    suite_file: Write, manager: PluginManager, tmp_path: Path
) -> None:
    loaded = load(suite_file("- {name: b, kind: moved, limit: .5, weight: 2}\n- {name: a, kind: say}\n"), manager)
    assert [(p.probe.spec.name, p.entry.category) for p in loaded.probes] == [("b", "adherence"), ("a", "attribution")]
    assert loaded.probes[0].probe.spec.weight == 2
    assert loaded.suite.models.ft.adapter == tmp_path / "adapter"
    assert loaded.suite.models.ft.base == "table"
    assert loaded.suite.defaults == SuiteDefaults()
    assert loaded.digest.startswith("sha256:")
    assert loaded.notes == ()


def test_two_faults_in_one_file_are_both_named_with_their_lines(suite_file: Write, manager: PluginManager) -> None:
    path = suite_file("- {name: a, kind: moved, assert_mean: 1}\n- {name: b, kind: mooved}\n")
    unknown_key, unknown_kind = faults(path, manager)
    assert (unknown_key.line, unknown_key.where) == (6, "suite[0] (a).assert_mean")
    assert unknown_key.what == "unknown key 'assert_mean'"
    assert (unknown_kind.line, unknown_kind.where) == (7, "suite[1] (b).kind")
    assert "no installed plugin offers the probe 'mooved'" in unknown_kind.what
    assert "moved, null_adapter" in unknown_kind.what
    assert unknown_kind.fix == "did you mean 'moved'?"


def test_faults_of_every_part_of_the_file_come_together(suite_file: Write, manager: PluginManager) -> None:
    entries = """\
        - {name: a, kind: moved, limit: high}
        - name: b
          kind: moved
          prompts:
            - fine
            - 3
        - {kind: say}
        - just text
        """
    more = "defaults: {alpha: 2, coverage_treshold: 0.5}\nscope: all\n"
    every = faults(suite_file(entries, more=more), manager)
    found = {fault.where: (fault.line, fault.what, fault.fix) for fault in every}
    assert found["defaults.coverage_treshold"] == (
        5,
        "unknown key 'coverage_treshold'",
        "did you mean 'coverage_threshold'?",
    )
    assert found["defaults.alpha"][1] == "Input should be less than 1 (got the number 2)"
    assert found["scope"][:2] == (6, "unknown key 'scope'")
    assert found["suite[0] (a).limit"] == (8, "expected a number, got the text 'high'", "write a number")
    assert found["suite[1] (b).prompts[1]"] == (13, "expected text, got the number 3", "put it in quotes")
    assert found["suite[2].name"] == (14, "required, but not there", "add `name: ...`")
    assert found["suite[3]"][:2] == (15, "expected a mapping, got the text 'just text'")
    assert len(found) == len(every) == 7


@pytest.mark.parametrize(
    ("value", "what", "fix"),
    [
        ("null", "empty (YAML null)", 'as in "null"'),
        ("~", "empty (YAML null)", 'as in "null"'),
        ("true", "the YAML boolean true", 'as in "true"'),
        ("12", "the number 12", "put it in quotes"),
    ],
)
def test_yaml_words_that_are_not_text_are_explained(
    value: str, what: str, fix: str, suite_file: Write, manager: PluginManager
) -> None:
    (fault,) = faults(suite_file(f"- {{name: {value}, kind: say}}\n"), manager)
    assert what in fault.what
    assert fix in fault.fix


@pytest.mark.parametrize(
    ("keys", "where", "fix"),
    [
        ("limit: true-ish", "limit", "write a number"),
        ("limit: null", "limit", "write a number"),
        ("limit: [1]", "limit", "write a number"),
        ("prompts: true", "prompts", "write a list: [..] or one item a line after `- `"),
        ("prompts: null", "prompts", "write a list: [..] or one item a line after `- `"),
        ("prompts: [[a, b]]", "prompts[0]", "write one text, without [..] and without `- `"),
        ("prompts: [why: so]", "prompts[0]", "write one text: where it holds `: `, put it in quotes"),
        ("weight: -1", "weight", "write a number of at least 0"),
        ("enabled: 7", "enabled", "write true or false"),
        ("prompts: ['']", "prompts", "change the value, or leave the key out for its default"),
    ],
)
def test_the_fix_is_one_that_mends_it(
    keys: str, where: str, fix: str, suite_file: Write, manager: PluginManager
) -> None:
    (fault,) = faults(suite_file(f"- {{name: a, kind: moved, {keys}}}\n"), manager)
    assert (fault.where, fault.fix) == (f"suite[0] (a).{where}", fix)


def test_a_limit_of_the_defaults_is_named(suite_file: Write, manager: PluginManager) -> None:
    entries = "- {name: a, kind: moved}\n"
    found = [faults(suite_file(entries, more=f"defaults: {{alpha: {alpha}}}\n"), manager)[0].fix for alpha in (0, 2)]
    assert found == ["write a number above 0", "write a number below 1"]


def test_off_and_yes_are_plain_words_as_names_and_switches_as_booleans(
    suite_file: Write, manager: PluginManager
) -> None:
    loaded = load(suite_file("- {name: off, kind: say, enabled: no}\n- {name: yes, kind: say}\n"), manager)
    assert [(p.probe.spec.name, p.probe.spec.enabled) for p in loaded.probes] == [("off", False), ("yes", True)]


def test_a_name_used_twice_is_refused_and_both_places_are_given(suite_file: Write, manager: PluginManager) -> None:
    (fault,) = faults(suite_file("- {name: a, kind: say}\n- {name: a, kind: moved}\n"), manager)
    assert (fault.line, fault.what) == (7, "the name 'a' is taken by suite[0] on line 6")


def test_a_second_null_adapter_is_refused_unless_it_is_disabled(suite_file: Write, manager: PluginManager) -> None:
    two = "- {name: a, kind: null_adapter}\n- {name: b, kind: null_adapter%s}\n"
    (fault,) = faults(suite_file(two % ""), manager)
    assert (fault.line, fault.where) == (7, "suite[1] (b)")
    assert len(load(suite_file(two % ", enabled: false"), manager).probes) == 2


def test_a_suite_without_probes_is_refused_because_it_would_always_pass(
    suite_file: Write, manager: PluginManager
) -> None:
    path = suite_file("")
    path.write_text(path.read_text().replace("suite:", "suite: []"))
    (fault,) = faults(path, manager)
    assert (fault.where, fault.what) == ("suite", "no probe to run")


def test_an_adapter_is_looked_up_beside_the_file_and_then_in_the_working_folder(
    suite_file: Write, manager: PluginManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "adapter").mkdir(parents=True)
    monkeypatch.chdir(elsewhere)
    path = suite_file("- {name: a, kind: say}\n")
    assert load(path, manager).suite.models.ft.adapter == tmp_path / "adapter"
    (tmp_path / "adapter").rmdir()
    assert load(path, manager).suite.models.ft.adapter == elsewhere / "adapter"
    (elsewhere / "adapter").rmdir()
    (fault,) = faults(path, manager)
    assert (fault.line, fault.where) == (4, "models.ft.adapter")
    assert f"no such folder: ./adapter (neither in {tmp_path} nor in {elsewhere})" in fault.what


def test_a_base_may_be_a_file_that_is_named_by_a_path(
    suite_file: Write, manager: PluginManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = suite_file("- {name: a, kind: say}\n")
    for name in ("table", "base.gguf"):
        (tmp_path / name).write_bytes(b"x")
    assert load(path, manager).suite.models.base.base == "table", "a hub's name is none of the files around it"
    path.write_text(path.read_text().replace("base: table", "base: ./base.gguf"))
    assert load(path, manager).suite.models.base.base == str(tmp_path / "base.gguf")


def test_a_backend_nobody_offers_is_named_with_those_that_exist(suite_file: Write, manager: PluginManager) -> None:
    base, ft = faults(suite_file("- {name: a, kind: say}\n", kind="api"), manager)
    assert (base.line, base.where, ft.where) == (3, "models.base.kind", "models.ft.kind")
    assert "the backend 'api' (installed: absent, learned, missing, untouched)" in base.what


def test_an_adapter_on_another_base_than_the_one_compared_with_is_refused(
    suite_file: Write, manager: PluginManager
) -> None:
    path = suite_file("- {name: a, kind: say}\n")
    path.write_text(path.read_text().replace("base: table}", "base: other}"))
    (fault,) = faults(path, manager)
    assert (fault.line, fault.where) == (4, "models.ft.base")
    path.write_text(path.read_text() + "defaults: {differential: false}\n")
    assert load(path, manager).suite.models.base.base == "other"


def test_code_that_comes_with_a_model_is_refused(suite_file: Write, manager: PluginManager) -> None:
    path = suite_file("- {name: a, kind: say}\n")
    path.write_text(path.read_text().replace("adapter: ./adapter", "adapter: ./adapter, trust_remote_code: true"))
    (fault,) = faults(path, manager)
    assert (fault.where, fault.line) == ("models.ft.trust_remote_code", 4)
    assert "never runs code that comes with a model" in fault.what


@pytest.mark.parametrize(
    ("weights", "what"),
    [
        ("{adherance: 1}", "no category is called 'adherance'"),
        ("{ablation: -1}", "the weight of ablation is -1.0"),
        ("{adherence: 0, attribution: 0, calibration: 0, ablation: 0}", "every category weighs 0"),
        ("{ablation: .inf}", "the weight of ablation is inf"),
    ],
)
def test_category_weights_that_make_no_sense_are_refused(
    weights: str, what: str, suite_file: Write, manager: PluginManager
) -> None:
    (fault,) = faults(suite_file("- {name: a, kind: say}\n", more=f"defaults: {{score_weights: {weights}}}\n"), manager)
    assert fault.where == "defaults.score_weights"
    assert what in fault.what


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b"version: 1\nname: caf\xe9\n", 2, "byte 20 is not UTF-8"),
        (b"", 1, "the file is empty"),
        (b"- a\n- b\n", 1, "the top level is a list, not a mapping"),
        (b"version: 1\nmodels: {base: {\n", 3, "not valid YAML"),
        (b"version: 1\nversion: 1\n", 2, 'found duplicate key "version"'),
        (b"a: 1\n---\nb: 2\n", 2, "not valid YAML"),
    ],
    ids=["latin-1", "empty", "a list", "unclosed", "duplicate", "two documents"],
)
def test_what_is_not_one_yaml_mapping_is_refused(
    content: bytes, line: int, what: str, tmp_path: Path, manager: PluginManager
) -> None:
    path = tmp_path / "sway.yaml"
    path.write_bytes(content)
    first = faults(path, manager)[0]
    assert (first.source, first.line) == (str(path), line)
    assert what in first.what


def test_a_python_tag_makes_no_object(tmp_path: Path, manager: PluginManager) -> None:
    path = tmp_path / "sway.yaml"
    path.write_text("models: !!python/object/apply:os.getcwd []\n")
    found = {fault.where: fault.what for fault in faults(path, manager)}
    assert found == {"models": "expected a mapping, got a list", "suite": "no probe to run"}


def test_a_file_that_does_not_exist_is_one_fault(tmp_path: Path, manager: PluginManager) -> None:
    (fault,) = faults(tmp_path / "sway.yaml", manager)
    assert fault.what == "No such file or directory"


def test_aliases_that_multiply_are_stopped(tmp_path: Path, manager: PluginManager) -> None:
    path = tmp_path / "sway.yaml"
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    path.write_text("\n".join(rows))
    (fault,) = faults(path, manager)
    assert "more than 100,000 values" in fault.what


def test_another_version_of_the_format_is_refused(suite_file: Write, manager: PluginManager) -> None:
    path = suite_file("- {name: a, kind: say}\n")
    path.write_text(path.read_text().replace("version: 1", "version: 2"))
    (fault,) = faults(path, manager)
    assert (fault.where, fault.what) == ("version", "expected 1, got the number 2")


def test_keys_that_change_nothing_are_accepted_and_said_to(suite_file: Write, manager: PluginManager) -> None:
    path = suite_file("- {name: a, kind: say}\n", more="defaults: {top_k: 20, concurrent_probes: 4}\n")
    assert [note.split()[0] for note in load(path, manager).notes] == ["defaults.top_k", "defaults.concurrent_probes"]


def test_a_suite_made_in_code_is_checked_like_a_file(manager: PluginManager, tmp_path: Path) -> None:
    spec = ModelSpec(kind="learned", base="table", adapter=tmp_path / "none")
    suite = Suite(models=Models(base=spec, ft=spec), suite=({"name": "a", "kind": "say", "typo": 1},))
    with pytest.raises(SpecError) as caught:
        plan(suite, manager, "the notebook")
    assert [(fault.source, fault.line, fault.where) for fault in caught.value.faults] == [
        ("the notebook", 0, "models.base.adapter"),
        ("the notebook", 0, "models.ft.adapter"),
        ("the notebook", 0, "suite[0] (a).typo"),
    ]


def test_an_empty_prompt_is_a_mistake_on_its_line(suite_file: Write, manager: PluginManager) -> None:
    (fault,) = faults(suite_file("- name: a\n  kind: moved\n  prompts: [hello, ' ']\n"), manager)
    assert (fault.line, fault.where) == (8, "suite[0] (a).prompts")
    assert fault.what.startswith("prompt 2 is empty")
