"""What every augmenter must do, whoever wrote it."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import pytest

from ..corpus.lesson import AugmentContext, Augmenter, Lesson
from ..corpus.makers import question
from ..corpus.records import Objective, Record
from ..errors import UsageProblem
from ..plugins import manager
from .contract import forbid_overrides
from .lessons import block, lesson, pair
from .startup import HEAVY, modules_after

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RESERVED = ("Which harbour is Ferrymoor's lamp kept in?", "Name the maker of the lamp.")
LESSON = lesson(
    pair("Who built the lamp?", "Ada Hale built the lamp in 1907.", "maker"),
    pair("Where does the lamp stand?", "The lamp stands in the cellar of the customs house.", "place"),
    block("Lamp > Care", "The wick is cut every 12 days. Nobody but Ines may fill it with oil.", "care"),
    block("Lamp > History", "The lamp was built by Ada Hale. It was lit for the first time in May 1907.", "history"),
    title="Lamp",
    reserved=RESERVED,
)


class AugmenterContract:
    """Subclass as ``TestMyAugmenter``; set :attr:`name` and :attr:`plugin_module`, and :attr:`options` if yours needs
    any. Your plugin must be installed, an editable install will do.

    A test may be overridden only to mark it ``xfail`` with a reason. One that needs a service may set :attr:`options`
    in a fixture that starts it.
    """

    name: str
    plugin_module: str
    """The module of the entry point."""
    options: Mapping[str, Any] = {}
    """What a document would give under ``training.recipe.augmenters.NAME``."""
    writes: ClassVar[bool] = True
    """Whether it writes anything about the kit's lesson, two pairs and two texts about a lamp."""

    def test_importing_the_plugin_module_is_cheap(self) -> None:
        assert not modules_after(f"import {self.plugin_module}") & HEAVY

    def test_every_kind_has_a_share_a_reason_and_a_name_of_its_own(self) -> None:
        from ..corpus.study import WEIGHTS

        found = manager().resolve("dlm_augmenters", self.name)
        assert issubclass(found, Augmenter)
        assert found.kinds
        assert set(found.kinds) == set(found.why)
        assert not set(found.kinds) & {*WEIGHTS, "anchor"}, "these kinds are dlm's own"
        assert all(share > 0 and math.isfinite(share) for share in found.kinds.values())

    def test_an_unknown_option_is_refused_by_name(self, tmp_path: Path) -> None:
        with pytest.raises(UsageProblem, match="no_such_option"):
            self._made(tmp_path, {**self.options, "no_such_option": 1})

    def test_records_are_well_formed_and_name_where_they_come_from(self, tmp_path: Path) -> None:
        made = self._records(tmp_path)
        assert bool(made) == self.writes
        kinds = manager().resolve("dlm_augmenters", self.name).kinds
        origins = {(record.group, record.section_id) for record in LESSON.questions}
        origins |= {(one.record.group, one.record.section_id) for one in LESSON.blocks}
        for record in made:
            assert record.kind in kinds
            assert record.objective in get_args(Objective)
            assert (record.group, record.section_id) in origins
            assert bool(record.messages) != bool(record.text), "a record is a conversation or a text, not both"
            assert not record.messages or [turn.role for turn in record.messages][-2:] == ["user", "assistant"]
            assert all(turn.content.strip() for turn in record.messages)
            assert record.weight > 0
            assert math.isfinite(record.weight)

    def test_nothing_is_longer_than_there_is_room(self, tmp_path: Path) -> None:
        for record in self._records(tmp_path):
            said = record.text + "".join(turn.content for turn in record.messages)
            assert len(said.encode()) <= LESSON.room

    def test_no_reserved_question_is_written(self, tmp_path: Path) -> None:
        reserved = {_plain(one) for one in RESERVED}
        assert not reserved & {_plain(question(one)) for one in self._records(tmp_path) if one.messages}

    def test_a_reserved_question_among_the_pairs_is_not_used(self, tmp_path: Path) -> None:
        answer = "The lamp is kept in Ferrymoor harbour."
        probed = replace(LESSON, questions=(*LESSON.questions, pair(RESERVED[0], answer, "reserved")))
        assert "reserved" not in {record.group for record in self._records(tmp_path, probed)}

    def test_the_same_lesson_gives_the_same_records_whatever_the_cache_holds(self, tmp_path: Path) -> None:
        first = self._records(tmp_path)
        assert self._records(tmp_path) == first
        for path in sorted((tmp_path / "cache").rglob("*")):
            if path.is_file():
                path.write_bytes(b"\x00 not what was written")
        assert self._records(tmp_path) == first
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        assert self._records(tmp_path) == first

    def test_nothing_is_written_beside_the_cache(self, tmp_path: Path) -> None:
        self._records(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} <= {"cache", "document"}
        assert not list((tmp_path / "document").iterdir())

    def test_an_empty_document_gives_nothing(self, tmp_path: Path) -> None:
        assert self._records(tmp_path, replace(LESSON, questions=(), blocks=())) == []

    def test_the_contract_is_not_overridden(self) -> None:
        forbid_overrides(type(self), AugmenterContract)

    def _made(self, place: Path, options: Mapping[str, Any]) -> Augmenter:
        (place / "document").mkdir(exist_ok=True)
        context = AugmentContext(place / "document", place / "cache", _one_line)
        found: Augmenter = manager().resolve("dlm_augmenters", self.name)(options, context)
        return found

    def _records(self, place: Path, taught: Lesson = LESSON) -> list[Record]:
        return list(self._made(place, self.options).records(taught))


def _one_line(said: str) -> None:
    assert said.strip()
    assert "\n" not in said, "what is said to people is one line at a time"


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
