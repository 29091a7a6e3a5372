"""Suites that somebody else sent: they reach what lies in the root, and nothing beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlm_sway._plugkit.plugins import PluginManager
from dlm_sway.errors import SpecError
from dlm_sway.spec.fields import inside
from dlm_sway.spec.load import received


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("served/adapter", "served/base", "beside"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "served" / "link").symlink_to(tmp_path / "beside")
    return tmp_path / "served"


def suite(**changes: Any) -> dict[str, Any]:
    """A suite for the kit's model; ``changes`` go to the fine-tuned side."""
    ft = {"kind": "learned", "base": "base", "adapter": "adapter", **changes}
    return {
        "models": {"base": {"kind": "learned", "base": ft["base"]}, "ft": ft},
        "suite": [{"name": "a", "kind": "moved"}],
    }


def refusals(data: dict[str, Any], manager: PluginManager, root: Path) -> str:
    with pytest.raises(SpecError) as caught:
        received(data, manager, "<request>", root)
    return str(caught.value)


def test_paths_count_from_the_root(root: Path, manager: PluginManager) -> None:
    loaded = received(suite(), manager, "<request>", root)
    assert loaded.suite.models.ft.adapter == root / "adapter"
    assert loaded.suite.models.base.base == str(root / "base")
    assert loaded.source == "<request>"


def test_an_absolute_path_inside_the_root_is_the_same_as_a_relative_one(root: Path, manager: PluginManager) -> None:
    loaded = received(suite(adapter=str(root / "adapter")), manager, "<request>", root)
    assert loaded.suite.models.ft.adapter == root / "adapter"


@pytest.mark.parametrize("way", ["../beside", "link", "adapter/../../beside", "~", "/", "\0", "x" * 5000, "."])
def test_what_lies_outside_reads_like_what_is_not_there(
    way: str, root: Path, manager: PluginManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root.parent / "beside")
    if way == ".":  # the root itself lies inside, the working folder does not matter
        assert received(suite(adapter=way), manager, "<request>", root).suite.models.ft.adapter == root
        return
    told = refusals(suite(adapter=way), manager, root)
    assert told == (
        f"<request>:0: models.ft.adapter: no such folder among those that are served: {way}: "
        "correct the path; it counts from the served folder"
    )
    assert told == refusals(suite(adapter="nowhere"), manager, root).replace("nowhere", way)


def test_a_base_is_served_or_has_a_hubs_name(root: Path, manager: PluginManager, monkeypatch: Any) -> None:
    monkeypatch.chdir(root.parent)
    assert received(suite(base="some/model"), manager, "<request>", root).suite.models.base.base == "some/model"
    for outside in ("../beside", "beside", "served/base", "/", f"{'x' * 3000}/y"):
        assert "models.base.base: no such folder among those" in refusals(suite(base=outside), manager, root)


@pytest.mark.parametrize(
    ("key", "value"), [("entry_point", "os:system"), ("endpoint", "http://10.0.0.1/"), ("trust_remote_code", True)]
)
def test_no_code_and_no_server_can_be_named(key: str, value: object, root: Path, manager: PluginManager) -> None:
    assert f"models.ft.{key}: {key} cannot be set from outside: remove the key" in refusals(
        suite(**{key: value}), manager, root
    )


def test_a_probes_own_paths_count_from_the_root_and_stay_there(root: Path, manager: PluginManager) -> None:
    data = suite() | {"suite": [{"name": "n", "kind": "null_adapter", "runs": 3, "placebos": ["link"]}]}
    told = refusals(data, manager, root)
    assert "suite[0] (n).placebos[0]: no such file or folder among those that are served: link" in told


def test_a_path_that_a_plugin_did_not_check_is_checked_for_it(
    root: Path, manager: PluginManager, monkeypatch: Any
) -> None:
    import sys

    from dlm_sway.probes.base import ProbeSpec

    class WithPath(ProbeSpec):
        folders: tuple[Path, ...] = ()

    monkeypatch.setattr(sys.modules["sway_tests_kit"].Moved, "spec_type", WithPath)
    kept = suite() | {"suite": [{"name": "p", "kind": "moved", "folders": [str(root / "adapter")]}]}
    assert received(kept, manager, "<request>", root)
    data = suite() | {"suite": [{"name": "p", "kind": "moved", "folders": [str(root / "adapter"), "/etc"]}]}
    assert "suite[0] (p): a path leads out of what is served" in refusals(data, manager, root)


def test_a_document_source_outside_the_root_is_not_read(root: Path, manager: PluginManager) -> None:
    (root.parent / "beside" / "sections.json").write_text("secret")
    told = refusals(suite() | {"dlm_source": "../beside/sections.json"}, manager, root)
    assert "dlm_source: no such document: ../beside/sections.json" in told
    assert "secret" not in told


def test_links_in_a_circle_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert inside("a", tmp_path) is None
