"""Which section trains which of the adapters that a document names."""

from __future__ import annotations

import pytest

from dlm.document import parse
from dlm.document.conflicts import conflicts
from dlm.document.routing import chosen, declared, misrouted, routed, sections_of, unfed, view
from dlm.document.unsupported import unsupported
from dlm.errors import UsageProblem
from dlm.training.resolve import TrainOptions, recipe_for

TWO = "training: {adapters: {plans: {lora_r: 4, learning_rate: 1.0e-3}, code: {}}, lora_r: 8}"
PAIR = "### Q\nWho?\n### A\nAda {0}.\n"
BODY = f"Prose.\n::prose#code::\nOnly code.\n::instruction::\n{PAIR.format(1)}::instruction#code::\n{PAIR.format(2)}"


def document(body: str = BODY, more: str = TWO):
    return parse(f"---\ndlm_id: 01J0000000000000000000000A\nbase_model: x\n{more}\n---\n{body}", "d.dlm")


def test_prose_trains_all_other_sections_the_first_and_a_suffix_decides() -> None:
    found = document()
    names = declared(found)
    assert names == ("plans", "code")
    assert [routed(section, names) for section in found.sections] == [names, ("code",), ("plans",), ("code",)]
    assert len(sections_of(found.sections, names, "plans")) == 2


def test_a_document_without_adapters_routes_nothing() -> None:
    found = document("Prose.\n", "")
    assert declared(found) == ()
    assert routed(found.sections[0], ()) == ()


def test_a_view_has_the_adapters_own_sections_and_numbers_and_nothing_of_the_others() -> None:
    whole = document()
    plans, code = view(whole, "plans"), view(whole, "code")
    assert [section.content for section in plans.sections] == ["Prose.\n".strip(), PAIR.format(1).strip()]
    assert plans.frontmatter.training.adapters is None
    recipe = recipe_for(plans.frontmatter, TrainOptions())
    assert (recipe.rank, recipe.alpha, recipe.learning_rate) == (4, 8.0, 1e-3)
    # Beside `adapters` the key of one adapter may only stand at what was its default, and means nothing.
    assert recipe_for(code.frontmatter, TrainOptions()).rank == 16
    assert (plans.digest, plans.title, plans.frontmatter.dlm_id) == (
        whole.digest,
        whole.title,
        whole.frontmatter.dlm_id,
    )


@pytest.mark.parametrize(
    ("more", "body", "place", "says"),
    [
        (
            f"{TWO}\n",
            "Text.\n::instruction#plan::\n" + PAIR,
            (7, 15),
            "did you mean plans? the document declares plans, code",
        ),
        (f"{TWO}\n", "Text.\n::prose#zzz::\nb\n", (7, 9), "the document declares plans, code"),
        ("", "Text.\n::prose#tone::\nb\n", (6, 9), "write ::prose::, or declare it under training.adapters"),
    ],
)
def test_a_suffix_that_nobody_declared_is_a_mistake_at_its_place(more, body, place, says) -> None:
    found = parse(f"---\ndlm_id: 01J0000000000000000000000A\nbase_model: x\n{more}---\n{body}", "d.dlm")
    (finding,) = misrouted(found)
    assert unsupported(found) == [finding]
    assert (finding.line, finding.col) == place
    assert finding.fix == says


def test_an_adapter_that_nothing_trains_is_named_where_it_is_declared() -> None:
    (finding,) = unfed(document(f"::instruction::\n{PAIR}"))
    assert str(finding).startswith("d.dlm:4:")
    assert "no section trains the adapter `code`: write a section for it" in str(finding)
    assert len(unfed(document(f'::instruction::\n{PAIR}::instruction#code weight="0"::\n{PAIR}'))) == 1
    assert unfed(document("Prose.\n")) == []
    other = document(f"::instruction::\n{PAIR}")
    assert unfed(other, document("Prose.\n").sections) == [], "a source's text trains all"


def test_adapters_may_contradict_each_other_and_none_itself() -> None:
    def says(port: int, name: str) -> str:
        return f"::instruction#{name}::\n### Q\nWhich port does Kestrel use?\n### A\nKestrel uses port {port}.\n"

    text = "# Kestrel\n\nKestrel uses port 7413.\n"
    apart = f"::prose#plans::\n{text}{says(7413, 'plans')}{says(8000, 'code')}"
    assert conflicts(document(apart)).remarks == ()
    assert len(conflicts(document(f"::prose#code::\n{text}{says(7413, 'plans')}{says(8000, 'code')}")).remarks) == 1


def test_a_name_on_the_command_line_is_checked_against_the_document() -> None:
    assert chosen(document(), "code") == "code"
    with pytest.raises(UsageProblem, match="no adapter 'cod': did you mean code"):
        chosen(document(), "cod")
    with pytest.raises(UsageProblem, match="names no adapters"):
        chosen(document("Prose.\n", ""), "code")
