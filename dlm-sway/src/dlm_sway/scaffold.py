"""A new distribution with one probe, its entry point, its contract test and a README: ``sway plugin new``.

The files are whole and pass their own tests; whoever wrote NAME turns the probe into one of their own.
"""

from __future__ import annotations

import keyword
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from string import Template
from typing import Final

from .errors import TargetError

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TAKEN: Final = frozenset({"dlm", "dlm-sway", "pytest", "numpy", "scipy", "pydantic", "click", "src", "tests"})

_PYPROJECT: Final = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "$name"
version = "0.1.0"
description = "Probes for sway."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["dlm-sway>=1.0.0.dev0,<2"]

[project.optional-dependencies]
test = ["dlm-sway[testing]>=1.0.0.dev0,<2"]

[project.entry-points.dlm_sway]
$name = "$package.plugin"

[tool.hatch.build.targets.wheel]
packages = ["src/$package"]
"""
_README: Final = """\
# $name

Probes for `sway`, the command of dlm-sway.

| probe | asks |
|---|---|
| `$name/first-word` | Does the first word of an answer change? |

```
pip install -e '.[test]'
python -m pytest
sway list-probes
```

In a suite:

```yaml
suite:
  - {name: random adapters, kind: null_adapter, runs: 39}
  - {name: first words, kind: $name/first-word, prompts: [hello, good morning, what is new?]}
```

`src/$package/plugin.py` describes the probes and is imported at every start of sway: keep it free of heavy imports.
After a change of an entry point in `pyproject.toml`, install again.
"""
_PLUGIN: Final = '''\
"""What $name offers. Imported at every start of sway, so it describes and imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_sway.entries import ProbeEntry
from dlm_sway.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def dlm_sway_probes() -> Iterable[ProbeEntry]:
    """Offer ``$name/first-word``."""
    return [
        ProbeEntry(
            name="$name/first-word",
            target="$package.first_word:FirstWord",
            summary="Does the first word of an answer change?",
            category="adherence",
            needs=frozenset({"compare"}),
            seeks="change",
        )
    ]
'''
_PROBE: Final = '''\
"""Does the first word of an answer change?"""

from __future__ import annotations

from collections.abc import Sequence

from dlm_sway.probes.base import Measurement, Probe, ProbeContext, ProbeSpec, Scoring
from dlm_sway.probes.judging import Estimate, intended
from dlm_sway.result import ProbeResult
from dlm_sway.scoring.types import Item, View
from dlm_sway.suite.calibrate import rank


class FirstWordSpec(ProbeSpec):
    """The keys of an entry, beside those that every entry has."""

    prompts: tuple[str, ...] = ("hello", "good morning", "what is new?", "and then?")
    assert_mean_gte: float = 0.01
    """Smallest mean total variation, between 0 and 1, that counts as a change."""


class FirstWord(Probe[FirstWordSpec]):
    """Total variation between base and fine-tuned model on the first token after each prompt."""

    kind = "$name/first-word"
    spec_type = FirstWordSpec
    calibrated = True  # sway measures the same on random adapters and gives them to judge as nulls

    def measure(self, scoring: Scoring, view: View) -> Measurement:
        """One number a prompt."""
        items = [Item(prompt) for prompt in dict.fromkeys(self.spec.prompts)]
        return Measurement(tuple(seen.tv for seen in scoring.compare(items, view)))

    def judge(self, measured: Measurement, nulls: Sequence[Measurement], ctx: ProbeContext) -> ProbeResult:
        """Real, large enough, and more than random adapters of the same size."""
        return intended(
            self,
            Estimate.of_mean(measured.values, measured.groups),
            rank(measured, nulls, ctx),
            threshold=self.spec.assert_mean_gte,
            what="mean total variation",
            unit="",
        )
'''
_TEST: Final = '''\
"""What sway asks of every probe, asked of ours."""

from __future__ import annotations

from dlm_sway.testing import ProbeContract


class TestFirstWord(ProbeContract):
    name = "$name/first-word"
    plugin_module = "$package.plugin"
'''
_FILES: Final = {
    "pyproject.toml": _PYPROJECT,
    "README.md": _README,
    "src/$package/__init__.py": '"""Probes for sway."""\n',
    "src/$package/plugin.py": _PLUGIN,
    "src/$package/first_word.py": _PROBE,
    "src/$package/py.typed": "",
    "tests/test_contract.py": _TEST,
}


def scaffold(name: str, into: Path) -> list[Path]:
    """Write the distribution ``name`` into the new folder ``into``; its files.

    Raises:
        TargetError: the name cannot be one, or the folder is there already.
    """
    if fault := _fault(name):
        raise TargetError(f"{name!r} {fault}: choose another name, such as acme-probes")
    if into.exists():
        raise TargetError(f"{into}: is there already: choose another folder with --into")
    words = {"name": name, "package": name.replace("-", "_")}
    files = {Template(path).substitute(words): Template(text).substitute(words) for path, text in _FILES.items()}
    try:
        _write(into, files)
    except OSError as error:
        raise TargetError(f"{into}: cannot be written: {error.strerror}: choose another folder with --into") from error
    return [into / path for path in files]


def _fault(name: str) -> str:
    if not _NAME.fullmatch(name):
        return "is no name of a distribution (small letters, digits and single dashes)"
    package = name.replace("-", "_")
    if name in _TAKEN or keyword.iskeyword(package) or package in sys.stdlib_module_names:
        return "is taken"
    return ""


def _write(into: Path, files: dict[str, str]) -> None:
    """All of it or nothing."""
    into.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=into.parent, prefix=f".{into.name}."))
    try:
        for path, text in files.items():
            (aside / path).parent.mkdir(parents=True, exist_ok=True)
            (aside / path).write_text(text, encoding="utf-8", newline="\n")
        mask = os.umask(0)
        os.umask(mask)
        aside.chmod(0o777 & ~mask)
        aside.rename(into)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
