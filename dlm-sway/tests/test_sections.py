"""Sections: as a file, and as probes see them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from dlm_sway import Item, SectionData, section_file
from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.errors import SpecError, TargetError
from dlm_sway.sections import SectionPair, SectionPreference, doc_text
from dlm_sway.suite.run import run

CONTRACT = Path(__file__).parents[2] / "contracts" / "sway-sections.schema.json"
SECTIONS = (
    SectionData(
        "a",
        "prose",
        "The lamp is green.\n",
        "lab",
        ("Notes",),
        held_out=(Item("Which colour?", "Green.", "g"),),
        reversed=(Item("What is green?", "The lamp is.", "g"),),
    ),
    SectionData(
        "b",
        "instruction",
        "### Q\nWho?\n### A\nAda.",
        pairs=(SectionPair(("Who?", "Who is it?"), "Ada.", group="w"), SectionPair(("Where?",), "Here.", True)),
    ),
    SectionData("c", "preference", "...", preferences=(SectionPreference("How?", "So.", "Not so."),)),
)


def test_sections_survive_their_file(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    path.write_text(section_file.dump(SECTIONS, "notes.dlm", "sha256:0"), encoding="utf-8")
    assert section_file.load(path) == SECTIONS
    jsonschema.Draft202012Validator(json.loads(CONTRACT.read_text())).validate(json.loads(path.read_text()))


def test_the_published_schema_is_the_one_that_is_read() -> None:
    assert json.loads(CONTRACT.read_text()) == section_file.schema(), (
        "run: python -m dlm_sway.section_file > contracts/sway-sections.schema.json"
    )


def test_what_was_taught_leaves_out_probes_and_other_wordings() -> None:
    assert SECTIONS[1].taught == (Item("Who?", "Ada.", "w"),)
    assert doc_text(SECTIONS[:1]) == "The lamp is green."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "the file"),
        ('{"sections": [{"id": "a", "kind": "image", "text": ""}]}', "sections.0.kind"),
        (None, "No such"),
    ],
)
def test_a_section_file_with_a_mistake_names_the_place(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "notes.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(TargetError, match=said):
        section_file.load(path)


def test_a_probe_is_given_the_sections_that_the_suite_names(
    suite_file: Callable[..., Path], manager: PluginManager, tmp_path: Path
) -> None:
    (tmp_path / "notes.json").write_text(section_file.dump(SECTIONS, "notes.dlm"), encoding="utf-8")
    spec = suite_file("- {name: s, kind: sections}\n", more="dlm_source: notes.json\n")
    (found,) = run(spec, manager=manager).probes
    assert (found.verdict, found.n_items) == ("pass", 1)
    assert found.evidence["text"] == doc_text(SECTIONS)


def test_a_probe_without_sections_is_skipped_with_its_reason(
    suite_file: Callable[..., Path], manager: PluginManager
) -> None:
    (found,) = run(suite_file("- {name: s, kind: sections}\n"), manager=manager).probes
    assert (found.verdict, found.message, found.evidence["skip_reason"]) == ("skip", "no sections", "nothing to ask")


def test_a_document_that_no_plugin_reads_is_a_mistake_on_its_line(
    suite_file: Callable[..., Path], manager: PluginManager, tmp_path: Path
) -> None:
    (tmp_path / "notes.dlm").write_text("", encoding="utf-8")
    with pytest.raises(SpecError, match=r"sway.yaml:5: dlm_source: .*no installed plugin reads.*dlm-sway\[dlm\]"):
        run(suite_file("- {name: s, kind: sections}\n", more="dlm_source: notes.dlm\n"), manager=manager)
