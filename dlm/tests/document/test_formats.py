"""Weights and titles of sections, and the types that dlm reads without training them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pluggy import HookimplMarker

from dlm.document import Document, parse, probes, records
from dlm.document.formats import Preference
from dlm.document.unsupported import unsupported
from dlm.document.words import InstalledTypes
from dlm.entries import SectionEntry
from dlm.errors import DocumentError, Finding
from dlm.testing import only_plugins

FRONT = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\nbase_model: x\n---\n"
PAIR = "### Q\nWho?\n### A\nAda.\n"


class Trained(Preference):
    """What a plugin would offer."""


TRAINED = Trained()


class Plugin:
    """Offers ``preference``."""

    @HookimplMarker("dlm")
    def dlm_sections(self) -> Iterator[SectionEntry]:
        yield SectionEntry(name="preference", target=f"{__name__}:TRAINED", summary="A better and a worse answer.")


def document(text: str) -> Document:
    return parse(FRONT + text, "d.dlm")


def findings(text: str) -> list[Finding]:
    with pytest.raises(DocumentError) as caught:
        document(text)
    return list(caught.value.findings)


def test_a_weight_reaches_the_records_and_is_no_part_of_the_section() -> None:
    plain, heavy = document(f"::instruction::\n{PAIR}"), document(f'::instruction#tone weight="2.5"::\n{PAIR}')
    assert [record.weight for record in records(heavy)] == [2.5]
    assert heavy.sections[0].attributes == {}
    assert document(f'::instruction weight="2.5"::\n{PAIR}').sections[0].id == plain.sections[0].id
    assert [r.group for r in records(heavy)] == [r.group for r in records(plain)]


@pytest.mark.parametrize(
    ("written", "weight"), [("0", 0), ("1", 1), (".5", 0.5), ("2e-1", 0.2), ("10", 10), ("1.50", 1.5)]
)
def test_a_weight_is_a_number_from_zero(written: str, weight: float) -> None:
    assert document(f'a\n::prose weight="{written}"::\nb').sections[1].weight == weight


@pytest.mark.parametrize(
    "written", ["-1", "", " 1", "1 ", "inf", "nan", "1e999", "1_0", "two", "1,5", "٣", "0x1", "9" * 99]
)
def test_a_weight_that_is_no_number_is_reported_at_its_key(written: str) -> None:
    (found,) = findings(f'a\n::prose title="b" weight="{written}"::\nb')
    assert (found.line, found.col) == (6, 19)
    assert "the weight is" in found.what
    assert "0 leaves the section out" in found.fix


def test_a_section_of_weight_zero_is_checked_and_not_trained() -> None:
    text = f'Text.\n::instruction weight="0"::\n{PAIR}'
    assert [record.kind for record in records(document(text))] == ["prose"]
    assert "an empty answer" in findings(text.replace("Ada.", ""))[0].what
    asked = document(f"{text}::instruction::\n### Q !probe\nWho?\n### A\nAda.\n")
    assert len(probes(asked)) == 1
    assert "nothing to train" in findings('::prose weight="0"::\nText.')[0].what


def test_a_title_stands_before_the_headings_of_its_section_alone() -> None:
    found = document('# Doc\nTop.\n::prose title="Cellar"::\nFirst.\n## Keys\nSecond.\n::prose::\n## Keys\nSecond.\n')
    made = list(records(found))
    assert [record.title for record in made] == ["Doc", "Doc > Cellar", "Doc > Cellar > Keys", "Doc > Keys"]
    assert len({record.group for record in made}) == 4
    assert found.sections[1].id != document("::prose::\nFirst.\n## Keys\nSecond.\n").sections[0].id
    (plain,) = records(document('::prose title="Untitled"::\na\n'))
    assert plain.title == "d > Untitled"


@pytest.mark.parametrize(
    ("fence", "word"),
    [
        ("::preference::", "dlm-preference"),
        ('::image path="a"::', "image"),
        ('::audio path="a" transcript="b"::', "audio"),
    ],
)
def test_what_dlm_only_reads_is_named_at_its_fence_with_who_trains_it(fence: str, word: str) -> None:
    triple = "### Prompt\na\n### Chosen\nb\n### Rejected\nc\n" if "preference" in fence else ""
    found = document(f"Text.\n{fence}\n{triple}")
    assert [record.kind for record in records(found)] == ["prose"]
    (finding,) = unsupported(found)
    assert (finding.path, finding.line, finding.col) == ("d.dlm", 6, 1)
    assert word in finding.what
    assert 'weight="0"' in finding.fix
    assert unsupported(document(f'Text.\n{fence.removesuffix("::")} weight="0"::\n{triple}')) == []
    assert not InstalledTypes().trains(found.sections[1].type)


def test_a_plugin_that_offers_a_word_of_the_format_takes_its_place() -> None:
    text = "Text.\n::preference::\n### Prompt\na\n### Chosen\nb\n### Rejected\nc\n"
    with only_plugins(Plugin()):
        assert isinstance(InstalledTypes()["preference"], Trained)
        assert unsupported(document(text)) == []
    assert len(unsupported(document(text))) == 1
