"""Write what can be derived, or with --check fail when a derived file is out of date.

- ``_known.py`` of both cores: which command installs a name that no installed plugin offers.
- ``docs/reference/plugins.md``: every distribution and what it offers.
- ``docs/reference/hooks.md``: every hook and entry type, from the contract modules.

Reads the sources in this repository, installed or not; needs pluggy and nothing heavy.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
CORES = {"dlm": ROOT / "dlm", "dlm_sway": ROOT / "dlm-sway"}
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
NOTICE = "Written by tools/generate.py"


class Offered(NamedTuple):
    """One thing a distribution offers."""

    hook: str
    name: str
    summary: str


class Distribution(NamedTuple):
    """One folder with a ``pyproject.toml``."""

    name: str
    description: str
    folder: Path
    offers: tuple[Offered, ...]
    answers: tuple[str, ...] = ()
    """Other hooks that it implements."""


def main() -> int:
    check = "--check" in sys.argv
    sys.path[:0] = [str(folder / "src") for folder in (*CORES.values(), *PLUGINS)]
    stale = [path for path, text in wanted().items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print("stale:" if check else "updated:", path.relative_to(ROOT))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted()[path])
    if check and stale:
        print("run: python tools/generate.py")
    return int(check and bool(stale))


def wanted() -> dict[Path, str]:
    """Text of every derived file."""
    plugins = [distribution(folder) for folder in PLUGINS]
    reference = ROOT / "docs/reference"
    return {
        CORES["dlm"] / "src/dlm/_known.py": known("dlm", plugins),
        CORES["dlm_sway"] / "src/dlm_sway/_known.py": known("dlm_sway", plugins),
        reference / "plugins.md": directory([*(core(group) for group in CORES), *plugins]),
        reference / "hooks.md": hooks(),
    }


def distribution(folder: Path) -> Distribution:
    """A plugin, asked through the registration modules that its entry points name."""
    project = project_of(folder)
    points = project.get("entry-points", {})
    modules = [(group, import_module(name)) for group in CORES for name in points.get(group, {}).values()]
    found = tuple(offer for group, module in modules for offer in offers(group, module))
    others = tuple(name for group, module in modules for name in answers(group, module))
    return Distribution(project["name"], project["description"], folder, found, others)


def core(group: str) -> Distribution:
    """A core, whose built-ins register like anybody's."""
    project = project_of(CORES[group])
    found = offers(group, import_module(f"{group}.builtin"))
    return Distribution(project["name"], project["description"], CORES[group], tuple(found))


def offers(group: str, plugin: object) -> list[Offered]:
    """What ``plugin`` answers to every registration hook of ``group``'s core."""
    found = []
    for name, spec in specs(group).items():
        implementation = getattr(plugin, name, None)
        if implementation is not None and is_registration(spec):
            found += [Offered(name, entry.name, entry.summary) for entry in implementation()]
    return sorted(found)


def answers(group: str, plugin: object) -> list[str]:
    """The hooks of ``group``'s core that ``plugin`` implements beside offering things."""
    return [name for name, spec in specs(group).items() if hasattr(plugin, name) and not is_registration(spec)]


def specs(group: str) -> dict[str, Any]:
    """Hook specifications of a core, in the order they are written."""
    module = import_module(f"{group}.hookspecs")
    return {name: value for name, value in vars(module).items() if hasattr(value, f"{group}_spec")}


def is_registration(spec: Any) -> bool:
    """Whether the hook asks *what do you offer*."""
    return bool(re.fullmatch(r"Iterable\[\w+Entry\]", str(inspect.signature(spec).return_annotation)))


def project_of(folder: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return project


def extras(group: str) -> dict[str, str]:
    """Distribution to the smallest extra of the core that installs it."""
    found: dict[str, str] = {}
    declared = project_of(CORES[group]).get("optional-dependencies", {})
    for extra, requirements in sorted(declared.items(), key=lambda item: len(item[1])):
        for requirement in requirements:
            found.setdefault(re.split(r"[\[<>=~! ]", requirement)[0], extra)
    return found


def known(group: str, plugins: list[Distribution]) -> str:
    """Source of a core's ``_known.py``."""
    core_name, by_distribution = project_of(CORES[group])["name"], extras(group)
    rows = sorted(
        (offer.hook, offer.name, f"pip install '{core_name}[{by_distribution[plugin.name]}]'")
        for plugin in plugins
        for offer in plugin.offers
        if offer.hook in specs(group) and plugin.name in by_distribution
    )
    lines = [f'    ("{hook}", "{name}"): "{command}",' for hook, name, command in rows]
    head = f'# {NOTICE} from the plugins in this repository: edit there.\n"""Which command installs a name that no '
    head += 'installed plugin offers."""\n\nfrom __future__ import annotations\n\n'
    return head + "INSTALLS: dict[tuple[str, str], str] = {\n" + "\n".join(lines) + "\n}\n"


def directory(found: list[Distribution]) -> str:
    """``docs/reference/plugins.md``."""
    parts = [
        f"<!-- {NOTICE}. -->\n# Distributions\n",
        "Every distribution in this repository and what it offers. `dlm plugins` and `sway plugins` show the same for "
        "what is installed, third parties included.\n",
    ]
    for one in found:
        ways = [f"`{project_of(CORES[g])['name']}[{extras(g)[one.name]}]`" for g in CORES if one.name in extras(g)]
        installed = f"Installed by {' or '.join(ways)}. " if ways else ""
        parts.append(f"## {one.name}\n\n{one.description} {installed}Folder: `{one.folder.relative_to(ROOT)}`.\n")
        rows = [f"| `{hook}` | `{name}` | {summary} |" for hook, name, summary in one.offers]
        parts.append("\n".join(["| hook | name | what it is |", "|---|---|---|", *rows]) + "\n" if rows else "")
        parts.append(f"Implements {', '.join(f'`{name}`' for name in one.answers)}.\n" if one.answers else "")
    return "\n".join(part for part in parts if part)


def hooks() -> str:
    """``docs/reference/hooks.md``."""
    parts = [
        f"<!-- {NOTICE}. -->\n# Hooks\n",
        "A plural noun asks *what do you offer*; a verb asks *will you decide*; a past tense says *this happened* and "
        "returns nothing. A plugin is a module named by an entry point in the group `dlm` or `dlm_sway`; importing it "
        "must be cheap. [Write your first probe](../plugins/first-probe.md) shows one from start to end.\n",
    ]
    for group in CORES:
        parts.append(f"## {project_of(CORES[group])['name']}\n\nEntry point group: `{group}`.\n")
        for name, spec in specs(group).items():
            signature = str(inspect.signature(spec)).replace("'", "")
            first = (
                " The first answer that is not `None` counts." if getattr(spec, f"{group}_spec")["firstresult"] else ""
            )
            parts.append(f"### `{name}`\n\n```python\n{name}{signature}\n```\n\n{prose(spec.__doc__)}{first}\n")
        parts += [entry_type(node) for node in entry_classes(group)]
    return "\n".join(parts)


def entry_classes(group: str) -> list[ast.ClassDef]:
    source = (CORES[group] / "src" / group / "entries.py").read_text()
    return [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]


def entry_type(node: ast.ClassDef) -> str:
    """One entry type with its own fields; ``name``, ``target`` and ``summary`` are common to all."""
    rows = []
    for field, following in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign):
            note = following.value if isinstance(following, ast.Expr) else None
            text = prose(str(note.value)) if isinstance(note, ast.Constant) else ""
            rows.append(f"- `{ast.unparse(field)}` {text}".rstrip())
    fields = "\n\n" + "\n".join(rows) if rows else ""
    return f"### `{node.name}`\n\n{prose(ast.get_docstring(node))}{fields}\n"


def prose(docstring: str | None) -> str:
    """A docstring's text as Markdown: reST roles and double backquotes become single ones."""
    text = " ".join((docstring or "").split())
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text)
    return text.replace("``", "`")


if __name__ == "__main__":
    sys.exit(main())
