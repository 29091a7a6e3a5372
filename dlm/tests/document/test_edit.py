"""Edits of one section or key, looked at byte by byte."""

from __future__ import annotations

from typing import Any

import pytest

from dlm.document import Section, parse
from dlm.document.edit import append_section, insert_after, remove_section, replace_section, set_keys
from dlm.document.identity import section_id
from dlm.errors import DocumentError, UsageProblem

HEAD = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\nbase_model: x\n---\n"
BODY = "# Heron\n\nA pump.  \n\n::prose#a::\nOne.\n\n\n::prose::\nTwo."


def new(content: str, **more: Any) -> Section:
    return Section("prose", content, 1, section_id("prose", None, {}, content), None, **more)


def edited(work: Any, index: int, *more: Any, text: str = HEAD + BODY) -> str:
    document = parse(text)
    return str(work(text, document, document.sections[index].id, *more)).removeprefix(HEAD)


def test_a_section_is_removed_with_the_blank_lines_that_set_it_off() -> None:
    assert edited(remove_section, 0) == "::prose#a::\nOne.\n\n\n::prose::\nTwo."
    assert edited(remove_section, 1) == "# Heron\n\nA pump.  \n\n::prose::\nTwo."
    assert edited(remove_section, 2) == "# Heron\n\nA pump.  \n\n::prose#a::\nOne.\n"


def test_every_copy_of_a_section_is_removed() -> None:
    text = f"{HEAD}::prose::\nTwice.\n::prose::\nOnce.\n\n::prose::\n\nTwice.\n\n"
    assert edited(remove_section, 0, text=text) == "::prose::\nOnce.\n"


def test_several_sections_are_removed_at_once() -> None:
    document = parse(HEAD + BODY)
    first, second, third = (section.id for section in document.sections)
    assert remove_section(HEAD + BODY, document, third, first) == f"{HEAD}::prose#a::\nOne.\n"
    assert remove_section(HEAD + BODY, document, third, second) == f"{HEAD}# Heron\n\nA pump.  \n"


def test_a_section_is_replaced_and_its_neighbours_stay() -> None:
    assert edited(replace_section, 0, new("A valve.")) == "A valve.\n\n" + BODY[BODY.index("::prose#a") :]
    assert edited(replace_section, 0, new("A valve.", adapter="b")).startswith("::prose#b::\n\nA valve.\n\n::prose#a")
    assert edited(replace_section, 1, new("Uno.")) == BODY.replace("::prose#a::\nOne.", "::prose::\n\nUno.")
    assert edited(replace_section, 2, new("Due.")) == BODY.replace("::prose::\nTwo.", "::prose::\n\nDue.\n")


def test_a_section_is_put_in_with_one_blank_line_on_either_side() -> None:
    made = "::prose::\n\nNew.\n"
    assert edited(insert_after, 0, new("New.")) == BODY.replace("::prose#a", f"{made}\n::prose#a")
    assert edited(insert_after, 2, new("New.")) == f"{BODY}\n\n{made}"
    assert append_section(HEAD + BODY, new("New.")) == f"{HEAD}{BODY}\n\n{made}"
    assert append_section(f"{HEAD}{BODY}\n\n", new("New.")) == f"{HEAD}{BODY}\n\n{made}"


def test_new_lines_end_as_the_file_s_do() -> None:
    text = (HEAD + BODY).replace("\n", "\r\n")
    appended = append_section(text, new("New."))
    assert appended.startswith(text)
    assert appended.count("\n") == appended.count("\r\n")
    assert append_section(text.replace("\r\n", "\r"), new("New.")).count("\n") == 0


def test_what_is_not_there_cannot_be_edited() -> None:
    document = parse(HEAD + BODY)
    with pytest.raises(UsageProblem, match="there is no section 0000"):
        remove_section(HEAD + BODY, document, "0000")
    with pytest.raises(ValueError, match="another text"):
        remove_section(HEAD + BODY + "\n", document, document.sections[0].id)
    with pytest.raises(DocumentError, match="no frontmatter"):
        append_section("Text.", new("New."))


FRONT = """---
dlm_id: 01M81FN4JAC853MSGR8B0PH69S  # ours
base_model: "x"

# How to train.
training:
  # by hand
  seed:   1   # lucky
  sources: # from where
    - path: "docs"   # the manual
      include: ['*.md']
  cache: {enabled: true, max_bytes: 10}
---
Body.
"""
SOURCE = "    - path: \"docs\"   # the manual\n      include: ['*.md']"


@pytest.mark.parametrize(
    ("values", "old", "made"),
    [
        ({("training", "seed"): 7}, "seed:   1   #", "seed:   7   #"),
        ({("training", "lora_r"): 4}, "  # by hand", "  lora_r: 4\n  # by hand"),
        ({("training", "num_epochs"): 2}, "  # by hand", "  num_epochs: 2\n  # by hand"),
        ({("dlm_version",): 15}, "# ours\n", "# ours\ndlm_version: 15\n"),
        ({("base_model",): "12"}, '"x"', "'12'"),
        ({("training", "cache", "enabled"): False}, "true", "false"),
        ({("training", "cache", "prune_older_than_days"): 3}, "10}", "10, prune_older_than_days: 3}"),
        ({("training", "cache"): {"enabled": True}}, ", max_bytes: 10", ""),
        ({("training", "cache"): {"max_bytes": 10}}, "enabled: true, ", ""),
        ({("training", "sources"): [{"path": "."}]}, SOURCE, "    - path: .   # the manual"),
        ({("training", "sources"): []}, f"sources: # from where\n{SOURCE}", "sources: [] # from where"),
        ({("system_prompt",): "Be brief: no #\n\nPlease."}, "10}\n",
         "10}\nsystem_prompt: |-\n  Be brief: no #\n\n  Please.\n"),
        ({("export",): {"default_quant": "F16"}}, "10}\n", "10}\nexport:\n  default_quant: F16\n"),
        ({("training", "sources"): [{"path": "a", "exclude": ["x, y"]}, {"path": "b"}]}, SOURCE,
         "    - path: a\n      exclude: ['x, y']\n    - path: b"),
    ],
)  # fmt: skip
def test_one_key_is_set_and_nothing_else_moves(values: dict[Any, Any], old: str, made: str) -> None:
    assert old in FRONT
    assert set_keys(FRONT, values) == FRONT.replace(old, made)
    windows = set_keys(FRONT.replace("\n", "\r\n"), values)
    assert windows == FRONT.replace(old, made).replace("\n", "\r\n")


def test_a_key_that_others_refer_to_is_left_to_a_person() -> None:
    text = FRONT.replace("seed:   1", "preference: {enabled: &on true}").replace(
        "enabled: true, max", "enabled: *on, max"
    )
    assert set_keys(text, {("training", "cache", "enabled"): False}) == text.replace("*on", "false")
    with pytest.raises(UsageProblem, match=r"`training\.preference\.enabled` is written in a way that dlm does not"):
        set_keys(text, {("training", "preference", "enabled"): False})
