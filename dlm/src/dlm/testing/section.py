"""What every section type must do, whoever wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..corpus.records import Record
from ..corpus.study import build
from ..document import parse, records
from ..errors import DocumentError
from ..plugins import manager
from .contract import forbid_overrides
from .startup import HEAVY, modules_after

if TYPE_CHECKING:
    from ..document import Document, Section

FRONTMATTER = "---\ndlm_id: 01J0000000000000000000000A\ndlm_version: 15\nbase_model: smollm2-135m\n---\n"


class SectionContract:
    """Subclass as ``TestMySection``; set :attr:`name`, :attr:`plugin_module`, :attr:`good` and, if any text is wrong in
    your section, :attr:`bad`. Your plugin must be installed, an editable install will do.

    A test may be overridden only to mark it ``xfail`` with a reason.
    """

    name: str
    plugin_module: str
    """The module of the entry point."""
    good: str
    """Text of a section from which something is trained."""
    attributes: str = ""
    """What its fence must have, such as ``path="a.png"``."""
    bad: tuple[str, int] | None = None
    """Text of a faulty section, and the line of it, counted from 1, that a finding must name."""

    def test_importing_the_plugin_module_is_cheap(self) -> None:
        assert not modules_after(f"import {self.plugin_module}") & HEAVY

    def test_the_type_bears_its_registered_name(self) -> None:
        assert manager().resolve("dlm_sections", self.name).name == self.name

    def test_a_good_section_becomes_records_that_name_it(self) -> None:
        document = self._document(self.good)
        section = self._section(document)
        made = self._records(document)
        assert made
        for record in made:
            assert isinstance(record, Record)
            assert record.section_id == section.id
            assert record.group
            assert bool(record.messages) != bool(record.text), "a record is a conversation or a text, not both"
            assert not record.messages or record.messages[-1].role == "assistant"

    def test_reading_it_twice_gives_equal_records(self) -> None:
        assert self._records(self._document(self.good)) == self._records(self._document(self.good))

    def test_where_the_section_stands_changes_nothing(self) -> None:
        moved = self._document(self.good, before="Something else.\n")
        assert self._section(moved).id == self._section(self._document(self.good)).id
        groups = {record.group for record in self._records(self._document(self.good))}
        assert {record.group for record in self._records(moved)} == groups

    def test_a_weight_reaches_its_records_and_changes_no_name(self) -> None:
        plain, heavy = self._document(self.good), self._document(self.good, weight=3)
        assert self._section(heavy).id == self._section(plain).id
        assert self._section(heavy).attributes == self._section(plain).attributes
        one, three = (sum(record.weight for record in records(found)) for found in (plain, heavy))
        assert three == pytest.approx(3 * one)

    def test_its_records_are_studied(self) -> None:
        document = self._document(self.good)
        studied = {record.group for record in build(document, seed=1).train}
        assert {record.group for record in self._records(document)} <= studied

    def test_a_faulty_section_is_reported_at_its_line(self) -> None:
        if self.bad is None:
            pytest.skip("this section type declares no text wrong")
        text, line = self.bad
        with pytest.raises(DocumentError) as caught:
            self._document(text)
        first = FRONTMATTER.count("\n") + 2
        assert first + line - 1 in {finding.line for finding in caught.value.findings}

    def test_the_contract_is_not_overridden(self) -> None:
        forbid_overrides(type(self), SectionContract)

    def _document(self, text: str, before: str = "", weight: float | None = None) -> Document:
        given = [self.attributes] if self.attributes else []
        fence = " ".join([f"::{self.name}", *given, *([] if weight is None else [f'weight="{weight}"'])])
        return parse(f"{FRONTMATTER}{before}{fence}::\n{text}\n", str(Path("contract.dlm")))

    def _section(self, document: Document) -> Section:
        return next(section for section in reversed(document.sections) if section.type == self.name)

    def _records(self, document: Document) -> list[Record]:
        section = self._section(document)
        return list(manager().resolve("dlm_sections", self.name).records(document, section))
