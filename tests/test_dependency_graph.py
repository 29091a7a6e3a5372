"""Who may depend on whom, read from the ``pyproject.toml`` files and the sources."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECTS = {
    project["name"]: (path.parent, project)
    for path in [*ROOT.glob("*/pyproject.toml"), *ROOT.glob("plugins/*/pyproject.toml")]
    if (project := tomllib.loads(path.read_text())["project"])
}
CORES = ("dlm", "dlm-sway")
PLUGINS = sorted(set(PROJECTS) - set(CORES))
BRIDGE = "dlm-sway-dlm"


def requirements(name: str, *, extras: bool = False) -> list[Requirement]:
    _, project = PROJECTS[name]
    lines = list(project.get("dependencies", []))
    if extras:
        lines += [line for extra in project.get("optional-dependencies", {}).values() for line in extra]
    return [Requirement(line) for line in lines]


def imported(folder: Path) -> set[str]:
    """Top-level names imported anywhere under ``folder``, relative imports left out."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module.split(".")[0])
    return found


def test_this_reads_the_distributions_that_exist():
    assert {"dlm", "dlm-sway", "dlm-hf", "dlm-sway-probes", BRIDGE} <= set(PROJECTS)


@pytest.mark.parametrize("core", CORES)
def test_a_core_requires_no_distribution_of_this_repository(core):
    assert not {requirement.name for requirement in requirements(core)} & set(PROJECTS)


@pytest.mark.parametrize("core", CORES)
def test_a_core_imports_neither_the_other_core_nor_a_plugin(core):
    package = core.replace("-", "_")
    others = {name.replace("-", "_") for name in PROJECTS} - {package}
    assert not imported(PROJECTS[core][0] / "src") & others


def test_only_the_bridge_requires_both_cores():
    both = [name for name in PROJECTS if set(CORES) <= {requirement.name for requirement in requirements(name)}]
    assert both == [BRIDGE]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_accepts_this_release_of_its_siblings_and_not_the_next_major_one(plugin):
    for requirement in requirements(plugin):
        if requirement.name in PROJECTS:
            current = Version(PROJECTS[requirement.name][1]["version"])
            assert requirement.specifier.contains(current, prereleases=True), requirement
            assert not requirement.specifier.contains("2.0.0"), requirement


@pytest.mark.parametrize("core", CORES)
def test_an_extra_that_names_a_sibling_names_one_that_exists_in_a_range_that_holds_it(core):
    siblings = [r for r in requirements(core, extras=True) if r.name.startswith("dlm")]
    assert siblings
    for requirement in siblings:
        current = Version(PROJECTS[requirement.name][1]["version"])
        assert requirement.specifier.contains(current, prereleases=True), requirement
        assert not requirement.specifier.contains("2.0.0"), requirement


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_plugin_is_installed_by_an_extra_of_each_core_it_plugs_into(plugin):
    _, project = PROJECTS[plugin]
    for group, core in (("dlm", "dlm"), ("dlm_sway", "dlm-sway")):
        if group in project["entry-points"]:
            named = {requirement.name for requirement in requirements(core, extras=True)}
            assert plugin in named, f"no extra of {core} installs {plugin}"


@pytest.mark.parametrize("plugin", PLUGINS)
def test_an_entry_point_names_a_module_of_its_own_distribution(plugin):
    folder, project = PROJECTS[plugin]
    for group in ("dlm", "dlm_sway"):
        for module in project["entry-points"].get(group, {}).values():
            assert (folder / "src" / Path(*module.split(".")).with_suffix(".py")).is_file(), module


@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_every_distribution_is_typed_licensed_and_described(name):
    folder, project = PROJECTS[name]
    package = name.replace("-", "_")
    assert (folder / "src" / package / "py.typed").is_file()
    assert (project["license"], project["requires-python"]) == ("MIT", ">=3.11")
    assert project["description"].endswith((".", "?"))
