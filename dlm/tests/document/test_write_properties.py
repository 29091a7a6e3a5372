"""What holds for every document: writing reads back, layout and migration change nothing that is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from dlm.document import Document, Pair, Section, parse
from dlm.document.edit import append_section, cut, insert_after, remove_section, replace_section, set_keys
from dlm.document.fmt import formatted
from dlm.document.formats import Triple, parse_triples
from dlm.document.identity import canonical, section_id
from dlm.document.pairs import parse_pairs
from dlm.document.scan import text_outside_code
from dlm.document.spans import read_head
from dlm.document.text import triples_text
from dlm.document.upgrade import upgrade
from dlm.document.write import pairs_text, render, render_canonical, section_text
from dlm.errors import DocumentError, UsageProblem

often = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
seldom = settings(often, max_examples=40)

HEAD = "---\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\ndlm_version: 15\nbase_model: smollm2-135m\n---\n"
# One atom a line: everything that some part of the grammar looks at, and things that only look like it.
LINES = st.sampled_from(
    r"""text
::note::
\::note::
\\::prose::
\::prose x::
::prose x::
::image path=a::
::acme/x::
::a::b::
 ::prose::
::instruction::x
### Q
  ### Q
### A
\### Q
\\### A !x
### Q !probe
###Q
### Prompt
### Chosen
# Head
## Sub #
- item
- ```
  ```
  more
> quote
> ```
1. one
2) two
   ```
---
===
* * *
```
~~~~
`````
~~~
```a`b
+
key: value
<!-- dlm-auto-synth: x -->
<!-- c -->""".split("\n")
).flatmap(lambda line: st.sampled_from([line, line, f"{line}  ", f"{line} \t"])) | st.sampled_from(
    ["", "", " \t ", "    code  ", "\tcode ", "a\u2028b", "\x0c", "\xa0", "\ufeff"]
)
TEXT = st.one_of(st.lists(LINES, max_size=9).map("\n".join), st.text(max_size=30))
WORDS = st.text("abc é`:#\"'-", min_size=1, max_size=12).filter(str.strip)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


BODY = st.lists(LINES, max_size=8)
PAIR = st.builds(
    lambda questions, answer, probe: [*(f"### Q{probe}\n{q}" for q in questions), f"### A\n{answer}"],
    st.lists(WORDS, min_size=1, max_size=3, unique_by=str.strip),
    TEXT.filter(lambda text: text.strip() and "#" not in text and "`" not in text and "~" not in text),
    st.sampled_from(["", "", " !probe", " !followup"]),
)
FENCES = [
    "::prose::",
    "::prose#facts::",
    '::prose title="A  b" weight="0.5" ::',
    "::prose ::  ",
    '::image path="a.png"::',
]
SECTION = st.one_of(
    st.builds(lambda fence, body: [fence, *body], st.sampled_from(FENCES), BODY),
    st.builds(
        lambda lead, pairs: ["::instruction::", *lead, *(line for pair in pairs for line in pair)],
        st.sampled_from(
            [[], [""], ["", " "], ['<!-- dlm-auto-harvest: source="a run" -->']],
        ),
        st.lists(PAIR, min_size=1, max_size=3),
    ),
)
FRONTMATTER = st.sampled_from(
    [
        "dlm_id: 01M81FN4JAC853MSGR8B0PH69S  \nbase_model: x\n\n",
        "\n# top\nbase_model: 'x' # why\ndlm_id: 01M81FN4JAC853MSGR8B0PH69S\ndlm_version: 15",
        "{dlm_id: 01M81FN4JAC853MSGR8B0PH69S, base_model: x}",
        "dlm_id: 01M81FN4JAC853MSGR8B0PH69S\nbase_model: x\nsystem_prompt: |+\n  Be kind.\n\n  # no\n",
        "dlm_version: 3\ndlm_id:   01M81FN4JAC853MSGR8B0PH69S\ntraining: {seed: 3, # s\n  num_epochs: 2}\n"
        "base_model: x\nexport:\n  # hot\n  default_temperature: 2e-1 # cold",
    ]
).map(lambda text: text.split("\n"))


def file(frontmatter: list[str], body: list[str], sections: list[list[str]], end: str, bom: str, last: str) -> str:
    lines = ["---", *frontmatter, "--- ", *body, *(line for section in sections for line in section)]
    return bom + "\n".join(lines).replace("\n", end) + last


FILE = st.builds(
    file, FRONTMATTER, BODY, st.lists(SECTION, max_size=4), ENDS, st.sampled_from(["", "\ufeff"]),
    st.sampled_from(["", "\n", "\r\n", "\n\n \n"]),
)  # fmt: skip


def read_or_skip(text: str) -> Document:
    """The document, for the texts that are one; any other way to fail than a finding fails the test."""
    try:
        return parse(text)
    except DocumentError as error:
        assume(not error.findings)
        raise


def section(kind: str, content: str, **more: Any) -> Section:
    adapter, attributes = more.pop("adapter", None), more.pop("attributes", {})
    return Section(
        kind, content, 1, section_id(kind, adapter, attributes, content), None, 2, adapter, attributes, **more
    )


def said(document: Document) -> list[tuple[Any, ...]]:
    return [(s.id, s.type, s.adapter, s.attributes, s.provenance, s.weight) for s in document.sections]


@often
@given(FILE)
@example(HEAD + "Text.\r\rMore.\r\n")
def test_what_was_read_is_written_byte_for_byte(text: str) -> None:
    document = read_or_skip(text)
    assert render(document) == text
    assert cut(text).text == text


@often
@given(FILE)
def test_the_canonical_text_reads_back_as_the_same_document(text: str) -> None:
    document = read_or_skip(text)
    written = render_canonical(document)
    again = parse(written)
    assert again.frontmatter == document.frontmatter
    assert said(again) == said(document)
    assert [canonical(s.content) for s in again.sections] == [canonical(s.content) for s in document.sections]
    assert render_canonical(again) == written


@often
@given(TEXT, st.sampled_from(["prose", "image"]), st.floats(0, 1e300, allow_nan=False))
@example("```\nnever closed", "prose", 1.0)
@example("::prose::\n\\::prose::\n\\\\::note::", "prose", 0.1 + 0.2)
def test_a_section_with_any_text_reads_back(content: str, kind: str, weight: float) -> None:
    attributes = {"path": "a b.png", "alt": "::x::"} if kind == "image" else {"title": "# `it's`"}
    made = section(kind, content, attributes=attributes, adapter="facts", weight=weight)
    try:
        text = section_text(made)
    except UsageProblem:
        assert "\0" in content
        return
    read = parse(f"{HEAD}Before.\n\n{text}\n::prose::\nBehind.\n").sections
    found = [s for s in read if s.type == kind and s.adapter == "facts"]
    if kind == "prose" and not content.strip(" \t\r\n"):
        assert len(read) == 2
        return
    (found_one,) = found
    assert (found_one.attributes, found_one.weight) == (attributes, weight)
    wanted, got = canonical(content), canonical(found_one.content)
    assert got == wanted or (got.startswith(wanted) and set(got[len(wanted) :].strip()) <= {"`", "~"})


@often
@given(
    st.lists(
        st.tuples(st.lists(TEXT.filter(str.strip), min_size=1, max_size=2), TEXT.filter(str.strip), st.booleans()),
        min_size=1,
        max_size=3,
    ),
    st.booleans(),
)
@example([(["### Q\n```"], "```\n### A\n\\### Q !probe", False)], False)
@example([(["- a\n### Q\n  ```\n### A"], "> ```\n### Q", True)], True)
def test_questions_and_answers_of_any_text_read_back(data: list[tuple[list[str], str, bool]], follow: bool) -> None:
    pairs: list[Pair] = []
    for questions, answer, probe in data:
        before = (*pairs[-1].before, (pairs[-1].questions[0], pairs[-1].answer)) if follow and pairs else ()
        pairs.append(Pair(tuple(questions), answer, probe or (bool(before) and pairs[-1].probe), 1, before))
    content = pairs_text(pairs)
    found = parse_pairs(content, 1, lambda *finding: pytest.fail(str(finding)))
    assert [(len(p.questions), p.probe, len(p.before)) for p in found] == [
        (len(p.questions), p.probe, len(p.before)) for p in pairs
    ]
    for read, wanted in zip(found, pairs, strict=True):
        for got, text in zip((*read.questions, read.answer), (*wanted.questions, wanted.answer), strict=True):
            plain = text.replace("\r\n", "\n").replace("\r", "\n").strip()
            assert got == plain or (got.startswith(f"{plain}\n") and set(got[len(plain) + 1 :]) <= {"`", "~"})
    assert pairs_text(found) == content
    try:
        text = section_text(section("instruction", content))
    except UsageProblem:
        assert "\0" in content
        return
    assert canonical("\n".join(cut(HEAD + text).sections[1].raw.lines)) == canonical(content)


@seldom
@given(st.lists(st.tuples(*[TEXT.filter(str.strip)] * 3), min_size=1, max_size=2))
def test_preferences_of_any_text_read_back(data: list[tuple[str, str, str]]) -> None:
    content = triples_text([Triple(*texts, 1) for texts in data])
    found = parse_triples(content, 1, lambda *finding: pytest.fail(str(finding)))
    assert len(found) == len(data)
    assert triples_text(found) == content


@often
@given(FILE)
def test_layout_changes_no_id_no_meaning_no_code_and_only_once(text: str) -> None:
    document = read_or_skip(text)
    new = formatted(text)
    again = parse(new)
    assert (again.frontmatter, said(again), again.title) == (document.frontmatter, said(document), document.title)
    assert formatted(new) == new
    assert "\r" not in new
    assert not new.startswith("\ufeff")
    assert new.endswith("\n")
    for before, after in zip(document.sections, again.sections, strict=True):
        assert [line for _, line, code in text_outside_code(before.content.strip("\n")) if code and line.strip()] == [
            line for _, line, code in text_outside_code(after.content.strip("\n")) if code and line.strip()
        ]
    comments = [line.strip() for line in read_head(text).yaml.split("\n") if "#" in line]
    assert comments == [line.strip() for line in read_head(new).yaml.split("\n") if "#" in line]


NEW = section("instruction", "### Q\nWhen is Unit 9 oiled?\n### A\n::never::", provenance={})


@often
@given(FILE, st.integers(0, 5))
def test_an_edit_of_one_section_leaves_the_others_as_they_are(text: str, index: int) -> None:
    document = read_or_skip(text)
    assume(document.sections)
    one = document.sections[index % len(document.sections)]
    others = [s.id for s in document.sections if s.id != one.id]

    def ids(text: str) -> list[str]:
        return [s.id for s in parse(f"{text}\n::prose::\nLast.\n").sections][:-1]

    removed = remove_section(text, document, one.id)
    assert ids(removed) == others
    made = section("prose", f"A new text.\n{one.content}")
    for new in (made, NEW):
        order = [s.id for s in document.sections]
        last = max(place for place, found in enumerate(order) if found == one.id)
        first = order.index(one.id)
        wanted = parse(HEAD + section_text(new)).sections[0].id
        replaced = [found for place, found in enumerate(order) if place == first or found != one.id]
        replaced[first] = wanted
        assert ids(insert_after(text, document, one.id, new)) == [*order[: last + 1], wanted, *order[last + 1 :]]
        assert ids(append_section(text, new)) == [*order, wanted]
        assert ids(replace_section(text, document, one.id, new)) == replaced
    appended = append_section(text, NEW)
    kept = {found.fence for found in document.sections if found.id != one.id}
    for part in cut(text).sections:
        if part.raw.fence_line in kept:
            lines = "".join(part.lines).rstrip(" \t\r\n")
            assert lines in removed
            assert lines in appended
    if NEW.id not in others:
        back = remove_section(appended, parse(appended), NEW.id)
        assert back.rstrip(" \t\r\n") == text.rstrip(" \t\r\n")


@seldom
@given(FILE)
def test_a_changed_document_is_written_with_what_did_not_change(text: str) -> None:
    document = read_or_skip(text)
    frontmatter = document.frontmatter.model_copy(update={"system_prompt": "New: #1"})
    frontmatter = type(frontmatter).model_validate(frontmatter.model_dump(exclude_unset=True))
    changed = replace(document, frontmatter=frontmatter, sections=(*document.sections[1:], NEW))
    again = parse(render(changed))
    assert again.frontmatter.model_dump() == frontmatter.model_dump()
    assert [s.type for s in again.sections] == [s.type for s in changed.sections]
    assert [s.id for s in again.sections][:-1] == [s.id for s in document.sections[1:]]


SCALARS = st.one_of(
    st.integers(-5, 10**6),
    st.booleans(),
    st.floats(1e-9, 1e9, allow_nan=False),
    st.sampled_from(["x", "a, b", "12", "2e-4", "true", "null", "~", "", " x", "a: b", "# no", "- x", "{a}", "a\nb\n"])
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
NAMES = "training training.seed training.sources training.cache.enabled training.lora_r export.default_top_p".split()
KEYS = st.sampled_from([*NAMES, "system_prompt", "dlm_version", "base_model", "zebra"]).map(
    lambda name: tuple(name.split("."))
)


@often
@given(FRONTMATTER, st.dictionaries(KEYS, VALUES, min_size=1, max_size=3), ENDS)
def test_set_keys_sets_them_and_leaves_the_rest(lines: list[str], values: dict[Any, Any], end: str) -> None:
    text = end.join(["---", *lines, "---", "# Body  ", " untouched "])
    before = read_head(text).data
    assume(not (("training",) in values and len(values) > 1))
    new = set_keys(text, values)
    data = read_head(new).data
    for key, value in values.items():
        found: Any = data
        for step in key:
            found = found[step]
        assert found == value
    touched = {key[0] for key in values}
    assert {k: v for k, v in data.items() if k not in touched} == {k: v for k, v in before.items() if k not in touched}
    assert new.endswith(end.join(["---", "# Body  ", " untouched "]))
    if touched <= {"dlm_version", "base_model", "zebra"} and "#" not in repr(values):
        assert [line.partition("#")[2] for line in new.split(end) if "#" in line] == [
            line.partition("#")[2] for line in text.split(end) if "#" in line
        ]
    assert set_keys(new, values) == new


DPO = st.dictionaries(
    st.sampled_from(["enabled", "beta", "learning_rate", "num_epochs", "loss_type", "reference", "method"]),
    st.just(None),
).flatmap(
    lambda chosen: st.tuples(
        st.permutations(sorted(chosen)),
        st.booleans(),
        st.sampled_from(["pre_dpo_adapter", '"pre_dpo_adapter"', "base"]),
    )
)
DPO_VALUES = {"enabled": "true", "beta": "0.25", "learning_rate": "1e-6", "num_epochs": "2", "loss_type": "'ipo'"}


@often
@given(DPO, st.sampled_from(["", "dlm_version: 1", "dlm_version: 1 # old"]), ENDS, st.booleans())
def test_migration_keeps_values_comments_and_the_body(dpo: Any, version: str, end: str, wide: bool) -> None:
    order, flow, reference = dpo
    given_values = DPO_VALUES | {"reference": reference, "method": "dpo"}
    items = [(key, given_values[key]) for key in order]
    gap = "  " if wide else ""
    if flow or not items:
        inner = f",\n {gap}   ".join(f"{key}: {value}" for key, value in items)
        block = f"  dpo: {{{inner}}} # all"
    else:
        block = "  dpo: # all\n" + "\n".join(f"{gap}    # {k}\n{gap}    {k}: {v} # {k}!" for k, v in items)
    head = ["---", "# top", "dlm_id: 01M81FN4JAC853MSGR8B0PH69S", version, "base_model: 'x'", "training:", block]
    body = f"# Heron  {end}{end}Oil it.{end} {end}"
    text = "\n".join([*head, "  seed: 3 # three", "---", ""]).replace("\n", end) + body
    before = parse(text)
    done = upgrade(text)
    assert (done.before, done.text.endswith(f"---{end}{body}")) == (1, True)
    after = parse(done.text)
    assert after.frontmatter == before.frontmatter
    assert said(after) == said(before)
    assert read_head(done.text).data["dlm_version"] == 15
    assert "dpo" not in read_head(done.text).data["training"]
    for comment in ["# top", "# all", "# three", *(f"# {k}!" for k, _ in items if not flow)]:
        assert done.text.count(comment) == 1
    assert upgrade(done.text) == (15, done.text)


@often
@given(FILE)
def test_migration_of_any_document_keeps_what_it_says(text: str) -> None:
    document = read_or_skip(text)
    done = upgrade(text)
    after = parse(done.text)
    assert (after.frontmatter, said(after)) == (document.frontmatter, said(document))
    assert [part.lines for part in cut(done.text).sections] == [part.lines for part in cut(text).sections]


@seldom
@given(st.binary(max_size=200) | FILE.map(str.encode))
def test_any_bytes_are_laid_out_and_migrated_or_refused_with_findings(data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    works: list[Callable[[str], object]] = [formatted, upgrade]
    for work in works:
        try:
            work(text)
        except (DocumentError, UsageProblem):
            continue
