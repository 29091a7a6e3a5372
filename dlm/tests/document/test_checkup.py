"""What ``dlm check`` finds beyond grammar: pairs against each other, lengths, adapters, files, and the forecast."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from dlm.corpus.forecast import LAID_OUT_BYTES, windows
from dlm.corpus.study import build
from dlm.document import read
from dlm.document.checkup import Checkup, examine
from dlm.document.routing import view
from dlm.plugins import manager
from dlm.store.layout import store_layout
from dlm.store.ledger import Ledger, Tombstone, save
from dlm.testing import toy_base
from dlm.training.material import collect
from dlm.training.recipe import Recipe

HEAD = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\ndlm_version: 15\nbase_model: {base}\n{more}---\n"
PROBES = "".join(f"\n### Q !probe\nWhich number follows {n}?\n### A\n{n + 1}\n" for n in range(4))


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """``checked(body, more="training: ...")``: a document with that body, examined."""
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
    base = toy_base(tmp_path / "base")

    def checked(body: str, more: str = "", base: Path | str = f"path:{base}") -> Checkup:
        path = tmp_path / "d.dlm"
        path.write_text(HEAD.format(base=base, more=f"{more}\n" if more else "") + body, encoding="utf-8")
        return examine(path)

    return checked


@pytest.fixture
def counted(checked, tmp_path):
    """As ``checked``, with a base that has a tokenizer: every word and every mark is a token."""
    tokenizers = pytest.importorskip("tokenizers")
    model = tokenizers.models.WordLevel({"?": 0}, unk_token="?")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    # What a tokenizer.json carries along must not shorten what is counted.
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=50)
    tokenizer.save(str(tmp_path / "base" / "tokenizer.json"))
    return checked


def line_of(checked: Checkup, text: str, nth: int = 1) -> int:
    """The line on which ``text`` stands for the ``nth`` time."""
    lines = checked.path.read_text("utf-8").split("\n")
    return [number for number, line in enumerate(lines, start=1) if line == text][nth - 1]


def pair(question: str, answer: str, flags: str = "") -> str:
    return f"\n### Q{flags}\n{question}\n### A\n{answer}\n"


def test_a_question_with_two_answers_is_a_warning_that_names_both_lines(checked):
    body = (
        "::instruction::\n" + pair("Who built it?", "Ada.") + pair("When?", "In May.") + pair("who  BUILT it?", "Ben.")
    )
    found = checked(body)
    (warning,) = found.warnings
    assert (warning.line, warning.col) == (line_of(found, "### Q", 3), 1)
    assert f"another answer on line {line_of(found, '### Q')}" in warning.what
    assert found.errors == ()


def test_one_of_several_wordings_is_enough_for_a_contradiction_also_across_sections(checked):
    body = "::instruction::\n\n### Q\nWho?\n### Q\nBy whom?\n### A\nAda.\n\n::prose::\nText.\n\n::instruction::\n"
    found = checked(body + pair("By whom?", "Ben.") + pair("By whom?", "Cid."))
    assert [warning.line for warning in found.warnings] == [line_of(found, "### Q", 3), line_of(found, "### Q", 4)]
    assert f"lines {line_of(found, '### Q')} and {line_of(found, '### Q', 3)}" in found.warnings[1].what


def test_of_many_answers_to_one_question_a_warning_names_the_first_lines(checked):
    found = checked("::instruction::\n" + "".join(pair("Who?", f"Number {n}.") for n in range(300)))
    assert len(found.warnings) == 299
    assert [warning.what.rpartition("on lines ")[2] for warning in found.warnings[2:4]] == [
        "8, 13 and 18",
        "8, 13, 18 and others",
    ]
    assert max(len(warning.what) for warning in found.warnings) < 80


def test_probes_contradict_each_other_too_and_never_trained_sections_contradict_nobody(checked):
    clash = pair("Who?", "Ada.", " !probe") + pair("Who?", "Ben.", " !probe")
    assert len(checked("Text.\n\n::instruction::\n" + clash).warnings) == 1


def test_the_same_pair_twice_is_a_note_and_no_warning(checked):
    found = checked("::instruction::\n" + pair("Who?", "Ada.") + pair("When?", "May.") + pair("who?", "Ada."))
    assert found.remarks == ()
    assert any(note.startswith(f"line {line_of(found, '### Q', 3)} repeats") for note in found.notes)


def test_a_pair_that_surely_does_not_fit_a_sequence_is_an_error_at_its_line(counted):
    long = "word " * 400
    found = counted(
        "Text.\n\n::instruction::\n" + pair("Who?", "Ada.") + pair("Why?", long), "training: {sequence_len: 128}"
    )
    ((severity, finding),) = found.remarks
    assert (severity, finding.line) == ("error", line_of(found, "### Q", 2))
    assert "training.sequence_len = 128" in finding.what


def test_without_a_tokenizer_a_pair_that_is_too_long_is_a_warning(checked):
    body = "Text.\n\n::instruction::\n" + pair("Why?", "word " * 400)
    found = checked(body, "training: {sequence_len: 128}", base="hf:nobody/nothing")
    assert [finding.line for finding in found.warnings] == [line_of(found, "### Q")]
    assert "about" in found.warnings[0].what
    assert found.errors == ()


def test_routing_to_an_adapter_that_is_not_declared_is_an_error_at_its_fence(checked):
    more = "training:\n  adapters:\n    tone: {}\n    spare: {}"
    found = checked("Text.\n\n::prose#tome::\nMore.\n\n::prose#tone::\nEven more.\n", more)
    undeclared = [finding for finding in found.errors if "there is no adapter `tome`" in finding.what]
    fix = "did you mean tone? the document declares tone, spare"
    assert [(f.line, f.col, f.fix) for f in undeclared] == [(line_of(found, "::prose#tome::"), 9, fix)]
    assert any("`spare`" in note and f"line {line_of(found, '    spare: {}')} " in note for note in found.notes)


def test_adapters_may_answer_a_question_differently_and_one_may_not(checked):
    more = "training:\n  adapters:\n    formal: {}\n    casual: {}"
    body = f"::instruction::\n{pair('Who?', 'It is Ada.')}::instruction#casual::\n{pair('Who?', 'Ada, who else!')}"
    assert checked(body, more).warnings == ()
    again = f"{body}::instruction#formal::\n{pair('Who?', 'It is Ben.')}"
    (warning,) = checked(again, more).warnings
    assert "another answer" in warning.what


def test_all_kinds_of_findings_come_in_one_pass_in_the_order_of_their_lines(checked):
    body = "::instruction#x::\n" + pair("Who?", "Ada.") + pair("Who?", "Ben.")
    found = checked(body, "training: {optimizer: galore_adamw}", base="gpt-0")
    places = [finding.line for _, finding in found.remarks]
    assert places == sorted(places)
    assert [severity for severity, _ in found.remarks] == ["error", "error", "error", "warning"]


def test_the_forecast_counts_what_training_would_lay_out(checked):
    body = "# Lamp\n\nThe lamp stands in the cellar. It was built by Ada.\n\n::instruction::\n"
    found = checked(body + pair("Who built the lamp?", "Ada built the lamp.") + PROBES)
    assert found.forecast is not None
    assert found.forecast.laid_out is not None
    study = build(read(found.path), 42)
    assert found.forecast.laid_out.rows == dict(Counter(record.kind for record in study.train))
    assert found.forecast.laid_out.held_out == len(study.held_out)


def test_the_forecast_counts_every_adapter_by_what_it_learns(checked):
    more = "training:\n  adapters:\n    formal: {}\n    casual: {}"
    body = f"# Lamp\n\nText.\n\n::instruction::\n{pair('Who?', 'It is Ada.')}::instruction#casual::\n"
    body += pair("When?", "In 1911.")
    found = checked(body, more).forecast.laid_out
    each = [build(view(read(checked(body, more).path), name), 42) for name in ("formal", "casual")]
    assert found.rows == dict(sum((Counter(record.kind for record in study.train) for study in each), Counter()))
    assert found.held_out == sum(len(study.held_out) for study in each)


def test_tokens_are_counted_by_the_base_s_tokenizer_when_it_lies_on_this_disk(counted):
    body = "The lamp stands in the cellar.\n\n::instruction::\n\n### Q\nWho?\n### Q\nWho was it?\n### A\nAda.\n"
    will_train = counted(body + PROBES).as_json()["will_train"]
    assert (will_train["tokens"], will_train["tokens_counted"]) == (7 + 2 + 2, True)


def test_a_tokenizer_that_cannot_be_loaded_leaves_an_estimate(checked, tmp_path):
    (tmp_path / "base" / "tokenizer.json").write_text("{not json", "utf-8")
    will_train = checked("x" * 360 + "\n").as_json()["will_train"]
    assert (will_train["tokens"], will_train["tokens_counted"]) == (100, False)


def test_a_text_longer_than_a_sequence_is_counted_in_windows(checked):
    body = "A sentence of words stands here. " * 200
    found = checked(body + "\n\n::instruction::\n" + PROBES, "training: {sequence_len: 256}")
    assert found.forecast is not None
    assert found.forecast.windows >= found.forecast.tokens / 256 > 1


@pytest.mark.parametrize("tokens", [0, 1, 254, 255, 256, 446, 447, 448, 639, 640, 5000])
def test_windows_are_counted_as_they_are_cut(tokens):
    recipe = Recipe(sequence_len=256, window_overlap=64)
    left, cut = tokens + 1 - 256, 1
    while left > 0:
        left, cut = left - (256 - 64), cut + 1
    assert windows(tokens, recipe) == cut


def test_a_document_too_large_to_lay_out_is_still_counted(checked):
    sentence = "The keeper writes down the level of the tank and the hour. "
    found = checked(sentence * (LAID_OUT_BYTES // len(sentence) + 1), base="hf:nobody/nothing")
    assert found.forecast is not None
    assert found.forecast.laid_out is None
    assert found.forecast.tokens == pytest.approx(LAID_OUT_BYTES / 3.6, rel=0.01)


def test_a_document_with_errors_has_no_forecast_and_its_json_says_what_is_known(checked):
    plain = checked("Text.\n", base="gpt-0").as_json()
    assert (plain["ok"], plain["base"], plain["base_model"]) == (False, None, "gpt-0")
    assert {finding["severity"] for finding in plain["findings"]} == {"error"}
    assert "rows" not in plain["will_train"]
    json.dumps(plain, allow_nan=False)


SOURCES = "training: {sources: [{path: notes}]}"


@pytest.fixture
def notes(tmp_path):
    """``notes(name, text)`` writes a file of the source ``notes``."""
    (tmp_path / "notes").mkdir()

    def notes(name: str, text: str) -> None:
        (tmp_path / "notes" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "notes" / name).write_text(text, encoding="utf-8")

    return notes


def test_sources_are_counted_and_laid_out_as_training_does(checked, notes, tmp_path):
    notes("a.md", "# Heron\n\nHeron is a pump. It was built in May.\n")
    notes(".env", "KEY=secret\n")
    alone, together = checked("The lamp stands in the cellar.\n"), checked("The lamp stands in the cellar.\n", SOURCES)
    assert alone.forecast is not None
    assert together.forecast is not None
    assert together.forecast.tokens > alone.forecast.tokens
    plain = together.as_json()
    assert [(source["path"], source["file_count"]) for source in plain["sources"]] == [("notes", 1)]
    material = collect(read(together.path), tmp_path / "home", 42)
    kinds = Counter(record.kind for record in build(read(together.path), 42, material.more).train)
    assert plain["will_train"]["rows"] == dict(kinds)
    assert any(".env" in note for note in together.notes)


def test_a_large_tree_is_told_by_its_survey_alone(checked, notes):
    sentence = "The keeper writes down the level of the tank and the hour. "
    for number in range(4):
        notes(f"{number}.txt", sentence * (LAID_OUT_BYTES // len(sentence) // 3))
    found = checked("Text.\n", SOURCES)
    assert found.forecast is not None
    assert (found.forecast.laid_out, found.forecast.exact) == (None, False)
    assert found.forecast.tokens == pytest.approx(LAID_OUT_BYTES * 4 / 3 / 3.6, rel=0.01)


def test_mistakes_about_sources_stand_where_they_were_made(checked, notes):
    notes("a.md", "Text.\n")
    more = "training:\n  sources:\n    - path: notes\n    - path: nowhere"
    found = checked("Text.\n\n::prose#x::\nMore.\n", more)
    missing = [finding for finding in found.errors if "nowhere" in finding.what]
    assert [(f.path, f.line) for f in missing] == [(str(found.path), line_of(found, "    - path: nowhere"))]
    assert any("the adapter `x`" in finding.what for finding in found.errors)
    notes(".dlm/training.yaml", "dlm_training_version: 1\nexclud: []\n")
    (config,) = checked("Text.\n", SOURCES).errors
    assert config.path.endswith("notes/.dlm/training.yaml")
    assert (config.line, config.col) == (2, 1)


def test_a_source_from_which_nothing_is_taken_is_a_warning_and_an_error_when_there_is_no_other_text(checked, notes):
    notes("a.bin", "x\0y")
    assert [finding.what for finding in checked("Text.\n", SOURCES).warnings] == ["no file is taken from notes"]
    assert [finding.what for finding in checked("", SOURCES).errors] == ["no file is taken from notes"]


def test_a_section_that_was_forgotten_and_stands_there_again_is_an_error(checked, tmp_path):
    found = checked("Text.\n\n::prose::\nA secret.\n")
    assert found.document is not None
    layout = store_layout(tmp_path / "home", found.document.frontmatter.dlm_id)
    stone = Tombstone(id=found.document.sections[1].id, reason="forgotten", at="2026-11-05T12:00:00Z")
    save(layout, Ledger(revision=1, tombstones=(stone,)))
    again = examine(found.path)
    assert [finding.line for finding in again.errors] == [line_of(found, "::prose::")]
    assert "forgotten on 2026-11-05" in again.errors[0].what
    layout.ledger.write_text("{", "utf-8")
    damaged = examine(found.path)
    assert (damaged.errors, damaged.forecast) == ((), None)
    assert any("ledger.json is damaged" in note for note in damaged.notes)


def test_an_image_that_is_not_there_is_found_beside_the_document_not_beside_the_reader(checked, tmp_path, monkeypatch):
    body = 'Text.\n\n::image path="img/a.png"::\nA heron.\n'
    (tmp_path / "elsewhere" / "img").mkdir(parents=True)
    (tmp_path / "elsewhere" / "img" / "a.png").touch()
    monkeypatch.chdir(tmp_path / "elsewhere")
    missing = [finding for finding in checked(body).errors if "there is no file img/a.png" in finding.what]
    assert len(missing) == 1
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "a.png").touch()
    assert not any("there is no file" in finding.what for finding in checked(body).errors)


def test_mistakes_of_grammar_do_not_hide_the_others(checked):
    found = checked("::instruction::\n" + pair("Who?", "Ada.") + pair("Who?", "Ben.") + "\n::nothing::\n", base="gpt-0")
    assert [severity for severity, _ in found.remarks] == ["error", "warning", "error"]


def test_a_base_whose_licence_nobody_accepted_is_a_note_with_the_command(checked):
    offered = ((key, manager().resolve("dlm_bases", key)) for key in manager().offers("dlm_bases"))
    gated = next(key for key, base in offered if base.requires_acceptance)
    found = checked("Text.\n", base=gated)
    assert any(f"`dlm base accept {gated}`" in note for note in found.notes)
    assert found.as_json()["base"]["accepted"] is False
    assert found.errors == ()


def test_sequences_beyond_the_context_of_the_base_are_a_warning(checked):
    (warning,) = checked("Text.\n", "training:\n  sequence_len: 32768", base="smollm2-135m").warnings
    assert (warning.line, warning.col) == (6, 17)
    assert "8,192" in warning.what
    assert checked("Text.\n", "training:\n  sequence_len: 8192", base="smollm2-135m").warnings == ()
