"""The digest by which an interrupted run is gone on with: of what a document holds and what its training left out, and
of nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlm.document import read
from dlm.store import Store
from dlm.training.material import collect

ASK = """
import sys
from pathlib import Path
from dlm_sway.suite.resuming import sections_digest, sections_parts
from dlm_sway_dlm.sections import read
found = read(Path(sys.argv[1]))
print(sections_digest(found), *sections_parts(found).values(), sum(len(one.held_out) for one in found))
"""
TEXT = """---
dlm_id: 01M81FN4JAC853MSGR8B0PH69S
dlm_version: 15
base_model: path:{base}
training:
  sources:
    - path: more
---
# Harbour

The harbour is open from March to October. Its master is Ines Varga, who lives above it.
The crane lifts 12 tons.

::instruction::
### Q
Who is the master of the harbour?
### Q
What is the name of the harbour master?
### A
The harbour master is Ines Varga.

### Q
How much does the crane lift?
### Q
What can the crane lift?
### A
The crane lifts 12 tons.
"""
GONE = "\n::instruction::\n### Q\nWho painted the old buoy?\n### A\nTomas Lindqvist painted it.\n"
FILES = {f"{name}.md": f"# {name}\n\nThe {name} was built in {year} by the town.\n" for name, year in
         (("pier", 1911), ("lighthouse", 1874), ("slipway", 1932), ("office", 1950))}  # fmt: skip


class Place:
    """A document with a folder of files, and its store."""

    def __init__(self, folder: Path) -> None:
        self.document, self.home = folder / "harbour.dlm", folder / "home"
        (folder / "base").mkdir()
        (folder / "more").mkdir()
        self.write(GONE)

    def write(self, more: str = "") -> None:
        folder = self.document.parent
        self.document.write_text(TEXT.format(base=folder / "base") + more, "utf-8")

    def files(self, names: list[str]) -> None:
        for name in names:
            path = self.document.parent / "more" / name
            path.unlink(missing_ok=True)
            path.write_text(FILES[name], "utf-8")

    def train(self) -> None:
        """What a training leaves behind, the ledger with what is kept of deleted sections among it."""
        document = read(self.document)
        store = Store(self.home, document.frontmatter.dlm_id)
        facts = {"document_digest": document.digest, "section_ids": [], "recipe": {"seed": 7}}

        def fill(folder: Path) -> None:
            (folder / "adapter_model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
            (folder / "adapter_config.json").write_text("{}")

        with store.lock("train"):
            material = collect(document, self.home, 7)
            store.begin_run(facts).commit(fill, {"outcome": {}, "precision": "fp32"}, material.change.ledger)

    def ask(self, cwd: Path, **env: str) -> list[str]:
        """The digest, its parts, and how many questions there are that training never saw, in a process of its own."""
        command = [sys.executable, "-c", ASK, os.path.relpath(self.document, cwd)]
        given = {**os.environ, "DLM_HOME": str(self.home), "PYTHONSAFEPATH": "1", **env}
        return subprocess.run(command, cwd=cwd, env=given, capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.files(sorted(FILES))
    made.train()
    made.write()  # from now on a section is gone, and the ledger keeps it
    made.train()
    return made


def test_neither_order_nor_time_nor_surroundings_nor_another_training_of_the_same_change_it(
    place: Place, tmp_path: Path
) -> None:
    first = place.ask(tmp_path, PYTHONHASHSEED="1", TZ="UTC")
    assert int(first[-1]) > 0
    place.files(sorted(FILES, reverse=True))
    os.utime(place.document, (1, 1))
    place.train()
    assert place.ask(place.home, PYTHONHASHSEED="2", TZ="Asia/Tokyo", LC_ALL="C", COLUMNS="10") == first


def test_an_edit_changes_it_and_so_does_one_of_a_file_that_the_document_reads(place: Place, tmp_path: Path) -> None:
    first = place.ask(tmp_path)
    pier = tmp_path / "more" / "pier.md"
    pier.write_text(pier.read_text().replace("1911", "1912"))
    second = place.ask(tmp_path)
    place.document.write_text(place.document.read_text().replace("12 tons", "14 tons"))
    third = place.ask(tmp_path)
    assert len({one[0] for one in (first, second, third)}) == 3
    assert len({one[1] for one in (first, second, third)}) == 3
