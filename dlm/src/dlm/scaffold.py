"""A new distribution with one augmenter, its entry point, its contract test and a README: ``dlm plugin new``.

The files are whole and pass their own tests; their owner turns the augmenter into one of their own.
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

from .errors import UsageProblem

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TAKEN: Final = frozenset({"dlm", "dlm-sway", "pytest", "pydantic", "click", "src", "tests"})

_PYPROJECT: Final = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "$name"
version = "0.1.0"
description = "Study records for dlm."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["dlm>=1.0.0.dev0,<2"]

[project.optional-dependencies]
test = ["pytest>=8"]

[project.entry-points.dlm]
$name = "$package.plugin"

[tool.hatch.build.targets.wheel]
packages = ["src/$package"]
"""
_README: Final = """\
# $name

Study records for `dlm`.

| augmenter | writes |
|---|---|
| `$name/other-words` | Questions with the words that your people use. |

```
pip install -e '.[test]'
python -m pytest
dlm plugins
```

In the head of a document, where `lamp` stands for one of its words:

```yaml
training:
  recipe:
    augmenters:
      $name/other-words: {words: {lamp: [lantern]}}
```

`src/$package/plugin.py` describes the augmenters and is imported at every start of dlm: keep it free of heavy imports.
After a change of an entry point in `pyproject.toml`, install again.
"""
_PLUGIN: Final = '''\
"""What $name offers. Imported at every start of dlm, so it describes and imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.entries import AugmenterEntry
from dlm.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable


@hookimpl
def dlm_augmenters() -> Iterable[AugmenterEntry]:
    """Offer ``$name/other-words``."""
    return [
        AugmenterEntry(
            name="$name/other-words",
            target="$package.other_words:OtherWords",
            summary="Questions with the words that your people use.",
        )
    ]
'''
_AUGMENTER: Final = '''\
"""Questions with the words that people use in place of the document's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dlm.corpus.lesson import AugmentContext, Augmenter, Lesson
from dlm.corpus.makers import asked, question
from dlm.corpus.records import Record
from dlm.errors import UsageProblem

KIND = "$name-other-words"


class OtherWords(Augmenter):
    """Each question again with each of the other words. Takes ``words``: a word, and a list of those said for it."""

    kinds: Mapping[str, float] = {KIND: 0.5}  # the share of study time that these records may take
    why: Mapping[str, str] = {KIND: "Questions with the words that your people use."}

    def __init__(self, options: Mapping[str, Any], context: AugmentContext) -> None:
        super().__init__(options, context)
        if unknown := sorted(set(options) - {"words"}):
            said = "give `words: {lamp: [lantern]}`"
            raise UsageProblem(f"$name/other-words has no option {', '.join(unknown)}: {said}")
        self.words: Mapping[str, list[str]] = options.get("words", {})

    def records(self, lesson: Lesson) -> Iterator[Record]:
        """One record a question and other word. What is reserved for judging is never written."""
        for record in lesson.questions:
            if question(record) in lesson.reserved:
                continue
            for word, others in self.words.items():
                for other in others:
                    said = re.sub(rf"\\b{re.escape(word)}\\b", other, question(record))
                    if said != question(record) and said not in lesson.reserved:
                        yield asked(record, KIND, said)
'''
_TEST: Final = '''\
"""What dlm asks of every augmenter, asked of ours."""

from __future__ import annotations

from dlm.testing import AugmenterContract


class TestOtherWords(AugmenterContract):
    name = "$name/other-words"
    plugin_module = "$package.plugin"
    options = {"words": {"lamp": ["lantern"]}}
'''
_FILES: Final = {
    "pyproject.toml": _PYPROJECT,
    "README.md": _README,
    "src/$package/__init__.py": '"""Study records for dlm."""\n',
    "src/$package/plugin.py": _PLUGIN,
    "src/$package/other_words.py": _AUGMENTER,
    "src/$package/py.typed": "",
    "tests/test_contract.py": _TEST,
}


def scaffold(name: str, into: Path) -> list[Path]:
    """Write the distribution ``name`` into the new folder ``into``; its files.

    Raises:
        UsageProblem: the name cannot be one, or the folder is there already.
    """
    if fault := _fault(name):
        raise UsageProblem(f"{name!r} {fault}: choose another name, such as acme-study")
    if into.exists():
        raise UsageProblem(f"{into}: is there already: choose another folder with --into")
    words = {"name": name, "package": name.replace("-", "_")}
    files = {Template(path).substitute(words): Template(text).substitute(words) for path, text in _FILES.items()}
    try:
        _write(into, files)
    except OSError as error:
        raise UsageProblem(f"{into}: cannot be written: {error.strerror}: choose another folder with --into") from error
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
