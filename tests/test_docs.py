"""The documentation names things that exist."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from dlm.plugins import manager as dlm_manager
from dlm_sway.plugins import manager as sway_manager

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```.*?^ *```", re.S | re.M)


def ids(page: Path) -> str:
    return str(page.relative_to(ROOT))


def sessions() -> set[str]:
    """Names of the functions in the noxfile that are sessions."""
    functions = [
        node for node in ast.parse((ROOT / "noxfile.py").read_text()).body if isinstance(node, ast.FunctionDef)
    ]
    return {
        f.name
        for f in functions
        if any("session" in ast.unparse(d) or "workspace" in ast.unparse(d) for d in f.decorator_list)
    }


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_relative_link_leads_somewhere(page):
    text = FENCE.sub("", page.read_text("utf-8"))
    for target in LINK.findall(text):
        path, _, anchor = target.partition("#")
        if path.startswith(("http:", "https:", "mailto:")):
            continue
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target} does not exist"
        assert not anchor or anchor in anchors(found), f"{target}: no such heading"


def anchors(page: Path) -> set[str]:
    """Heading anchors as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_nox_session_that_is_named_exists(page):
    for command in re.findall(r"nox -s ((?:[a-z_]+[ ]?)+)", page.read_text("utf-8")):
        named = set(command.split())
        assert named & sessions() == named, f"nox -s {command}"


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_dlm_and_sway_command_that_is_shown_exists(page):
    """Command lines inside fences, and inline code that starts with the tool's name."""
    text = page.read_text("utf-8")
    known = {
        "dlm": set(dlm_manager().offers("dlm_commands")),
        "sway": set(sway_manager().offers("dlm_sway_commands")),
    }
    fenced = "\n".join(FENCE.findall(text))
    shown = re.findall(r"^ *(dlm|sway) ([a-z][a-z-]+)\b", fenced, re.M)
    shown += re.findall(r"`(dlm|sway) ([a-z][a-z-]+)\b", FENCE.sub("", text))
    unknown = {f"{tool} {command}" for tool, command in shown if command not in known[tool]}
    assert not unknown


def test_the_first_screen_of_the_readme_holds_the_two_commands():
    first = "\n".join((ROOT / "README.md").read_text("utf-8").splitlines()[:30])
    assert "python3 -m pip install nox && python3 -m nox -s quickstart" in first
    assert "python3 -m nox -s tests" in first


def test_derived_files_are_current():
    done = subprocess.run([sys.executable, "tools/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_both_copies_of_the_plumbing_are_current():
    done = subprocess.run(
        [sys.executable, "tools/sync_plugkit.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", ["dlm", "dlm_sway"])
def test_every_hook_and_entry_type_is_in_the_reference(package):
    source = ROOT / package.replace("_", "-") / "src" / package
    page = (ROOT / "docs/reference/hooks.md").read_text("utf-8")
    hooks = re.findall(r"^def (dlm\w+)", (source / "hookspecs.py").read_text(), re.M)
    entries = re.findall(r"^class (\w+)\(Entry\)", (source / "entries.py").read_text(), re.M)
    assert hooks
    assert entries
    for name in [*hooks, *entries]:
        assert f"### `{name}`" in page, name


def test_every_name_that_can_be_installed_is_in_the_table_of_install_commands():
    """The error for a missing name ends in the command that installs it, for everything first-party plugins offer."""
    from dlm_sway._known import INSTALLS

    first_party = {p.parent.name for p in ROOT.glob("plugins/*/pyproject.toml")}
    for hook in ("dlm_sway_probes", "dlm_sway_backends"):
        for name, (offer, *_) in sway_manager().offers(hook).items():
            if offer.source.split()[0] in first_party:
                assert (hook, name) in INSTALLS


def test_the_versions_that_ci_uses_satisfy_what_the_distributions_declare():
    from packaging.requirements import Requirement

    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    for path in [*ROOT.glob("*/pyproject.toml"), *ROOT.glob("plugins/*/pyproject.toml")]:
        for line in tomllib.loads(path.read_text())["project"].get("dependencies", []):
            requirement = Requirement(line)
            if not requirement.name.startswith("dlm"):
                assert requirement.name in pins, f"{requirement.name} is not pinned in constraints.txt"
                assert requirement.specifier.contains(pins[requirement.name])
