"""A suite that is written for people: complete, annotated, and ready to run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlm_sway import Item, hookimpl
from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.drafts import Draft, as_cases, spread
from dlm_sway.errors import SpecError, TargetError
from dlm_sway.spec.load import load
from dlm_sway.spec.models import ModelSpec
from dlm_sway.suite.autogen import Elsewhere, autogen, suite_for
from dlm_sway.suite.target import ModelPair, Target


class Bridge:
    """Resolves one document, and drafts three entries for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @hookimpl
    def dlm_sway_resolve_target(self, ref: str) -> Target | None:
        if not ref.endswith("notes.dlm"):
            return None
        adapter = self.folder / "store" / "v0001"
        adapter.mkdir(parents=True, exist_ok=True)
        base = ModelSpec(kind="learned", base="hub/table")
        pair = ModelPair(base=base, ft=base.model_copy(update={"adapter": adapter}))
        facts = {"document_digest": "sha256:0", "dlm_id": "01"}
        return Target("notes.dlm v0001", pair, system_prompt="Be: brief.", provenance=facts, document=Path(ref))

    @hookimpl
    def dlm_sway_read_sections(self, path: Path) -> Any:
        return () if path.name == "notes.dlm" else None

    @hookimpl
    def dlm_sway_draft_suite(self, target: Target) -> Iterator[Draft]:
        yield Draft(order=50, name="off", kind="say", intent="Off.", keys={"verdict": "pass"}, missing="no such thing")
        yield Draft(order=30, name="yes", kind="moved", intent="Did it move?", keys={"prompts": ["yes: #1?", "línea"]})
        yield Draft(order=40, name="none", kind="say", missing="nothing to say")
        yield Draft(order=60, name="odd", kind="moved", keys={"no_such_key": 1})
        yield Draft(order=70, name="far", kind="nowhere", keys={"x": 1})


@pytest.fixture
def bridged(manager: PluginManager, tmp_path: Path) -> PluginManager:
    (tmp_path / "notes.dlm").write_text("", encoding="utf-8")
    manager.register(Bridge(tmp_path), name="bridge")
    return manager


def test_a_drafted_suite_loads_and_names_what_it_left_out(bridged: PluginManager, tmp_path: Path) -> None:
    out = tmp_path / "sway.yaml"
    text = autogen(str(tmp_path / "notes.dlm"), out, bridged)
    out.write_text(text, encoding="utf-8")
    loaded = load(out, bridged)
    assert [(one.probe.spec.name, one.probe.spec.enabled) for one in loaded.probes] == [
        ("integrity", True),
        ("null_baseline", True),
        ("yes", True),
        ("off", False),
    ]
    assert loaded.probes[2].probe.spec.prompts == ("yes: #1?", "línea")
    assert loaded.suite.defaults.system_prompt == "Be: brief."
    assert "  # Did it move?\n  - name: yes\n" in text.replace('"yes"', "yes").replace("'yes'", "yes")
    assert "  # Off.\n  # Disabled: no such thing.\n" in text
    assert "# skipped: say (nothing to say)\n" in text
    assert "# skipped: moved (its draft is refused: no_such_key: " in text
    assert "# skipped: nowhere (no installed plugin offers" in text


def test_a_document_stands_for_its_base_and_its_current_version(bridged: PluginManager, tmp_path: Path) -> None:
    out = tmp_path / "sway.yaml"
    text = autogen(str(tmp_path / "notes.dlm"), out, bridged)
    assert text.count("./notes.dlm") == 4
    out.write_text(text, encoding="utf-8")
    models = load(out, bridged).suite.models
    assert models.ft.adapter == tmp_path / "store" / "v0001"
    assert (models.base.base, models.ft.base) == ("hub/table", "hub/table")


def test_a_path_elsewhere_is_absolute(bridged: PluginManager, tmp_path: Path) -> None:
    text = autogen(str(tmp_path / "notes.dlm"), tmp_path / "suites" / "sway.yaml", bridged)
    assert f"dlm_source: {tmp_path / 'notes.dlm'}\n" in text


def test_other_files_that_hold_the_same_are_asked_what_their_backend_can_answer(
    bridged: PluginManager, tmp_path: Path
) -> None:
    class Talks:
        @hookimpl
        def dlm_sway_draft_suite(self, target: Target) -> Iterator[Draft]:
            yield Draft(order=35, name="says", kind="talk", keys={"verdict": "pass"})

    bridged.register(Talks(), name="talks")
    target = bridged.hook.dlm_sway_resolve_target(ref=str(tmp_path / "notes.dlm"))
    models = {"base": {"kind": "learned", "base": "there"}, "ft": {"kind": "learned", "base": "./whole"}}
    elsewhere = Elsewhere(models, "exported (Q8_0)", "./sections.json")
    text = suite_for(target, "make it", tmp_path / "sway.yaml", bridged, elsewhere)
    assert text.startswith("# Drafted by `make it`, sway ")
    assert "# tests:    notes.dlm v0001, exported (Q8_0)\n" in text
    assert "# skipped: talk (the backend learned does not give generate)\n" in text
    assert "kind: moved\n" in text
    assert "  ft:\n    kind: learned\n    base: ./whole\n" in text
    assert "  differential: false\n" in text
    assert "dlm_source: ./sections.json\n" in text
    assert "notes.dlm\n" not in text.partition("version: 1")[2]


def test_drafting_twice_gives_the_same_text(bridged: PluginManager, tmp_path: Path) -> None:
    one, two = (autogen(str(tmp_path / "notes.dlm"), tmp_path / "sway.yaml", bridged) for _ in range(2))
    assert one == two


def test_a_document_without_a_plugin_to_read_it_is_a_mistake_on_its_line(
    manager: PluginManager, tmp_path: Path
) -> None:
    (tmp_path / "notes.dlm").write_text("", encoding="utf-8")
    path = tmp_path / "sway.yaml"
    path.write_text(
        "models:\n  base: {kind: learned, base: notes.dlm}\n  ft: {kind: learned, base: notes.dlm}\n"
        "suite:\n  - {name: a, kind: moved}\n",
        encoding="utf-8",
    )
    with pytest.raises(SpecError, match=r"sway.yaml:2: models.base.base: no installed plugin reads documents"):
        load(path, manager)


def test_what_cannot_be_resolved_is_not_drafted(manager: PluginManager, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"dlm-sway\[dlm\]"):
        autogen("other.dlm", tmp_path / "sway.yaml", manager)


def test_as_many_facts_as_possible_are_asked_about() -> None:
    items = [Item(str(n), "r", group) for n, group in enumerate(["a", "a", "b", "", "b", "a"])]
    assert [item.prompt for item in spread(items, 4)] == ["0", "2", "3", "1"]
    assert spread([], 4) == []
    assert as_cases(items[2:4]) == [{"prompt": "2", "reference": "r", "group": "b"}, {"prompt": "3", "reference": "r"}]
