"""Go's rules for templates: what is documented, said in examples, and the same examples put to Go itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlm_ollama.gotemplate import Struct, TemplateFault, Unsupported, execute, parse

DATA: dict[str, Any] = {
    "System": "be brief",
    "Messages": [("system", "be brief"), ("user", "hi {{ .System }}"), ("assistant", ""), ("user", "«ü»")],
    "Words": ["a", "b", "c"],
    "Number": 2,
    "Names": {"x": "1", "a": "2"},
}

UNSUPPORTED = "unsupported"

EXAMPLES = [
    ("plain text }} stays", "plain text }} stays"),
    ("a {{- .System -}} b", "abe briefb"),
    ("a\n\t {{- /* said aside */ -}} \r\n b", "ab"),
    ("a {{/* said aside */}} b", "a  b"),
    ("a {{ /* a space is allowed */ }} b", None),
    ("{{ 3 -}} x", "3x"),
    ("{{ -3 }}", "-3"),
    ("{{3 -}}{{- -3}}", "3-3"),
    ("{{ .Missing }}|{{ .System }}", "<no value>|be brief"),
    ("{{ .Messages.Role }}", None),
    ("{{ range .Messages }}{{ .Nothing }}{{ end }}", None),
    (
        "{{ range .Messages }}{{ .Role }}:{{ .Content }};{{ end }}",
        "system:be brief;user:hi {{ .System }};assistant:;user:«ü»;",
    ),
    ("{{ range $i, $m := .Messages }}{{ $i }}{{ $m.Role }}{{ end }}", "0system1user2assistant3user"),
    ("{{ range $m := .Messages }}{{ len $m.Content }},{{ end }}", "8,16,0,6,"),
    ("{{ range .Missing }}x{{ else }}none{{ end }}", "none"),
    ("{{ range $k, $v := .Names }}{{ $k }}{{ $v }} {{ end }}", "a2 x1 "),
    ("{{ range .System }}x{{ end }}", None),
    ("{{ range $i, $w := .Words }}{{ if $i }}, {{ end }}{{ $w }}{{ end }}", "a, b, c"),
    ('{{ range .Words }}{{ if eq . "b" }}{{ continue }}{{ end }}{{ . }}{{ end }}', "ac"),
    ('{{ range .Words }}{{ if eq . "b" }}{{ break }}{{ end }}{{ . }}{{ end }}', "a"),
    ("{{ break }}", None),
    ("{{ if .System }}yes{{ else }}no{{ end }}", "yes"),
    ("{{ if .Missing }}yes{{ else if .Words }}words{{ else }}no{{ end }}", "words"),
    ("{{ if eq .Number 1 }}1{{ else if eq .Number 2 }}2{{ else }}?{{ end }}{{ .Number }}", "22"),
    ("{{ with .Missing }}{{ . }}{{ else }}none{{ end }}", "none"),
    ("{{ with .Names }}{{ .x }}{{ $.System }}{{ end }}", "1be brief"),
    ("{{ with $x := .System }}{{ $x }}{{ end }}", "be brief"),
    ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ $x }}{{ end }}{{ $x }}", "32"),
    ("{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}", None),
    ("{{ $x = 1 }}", None),
    ("{{ $first := true }}{{ range .Words }}{{ if $first }}!{{ $first = false }}{{ end }}{{ . }}{{ end }}", "!abc"),
    ('{{ eq .System "a" "be brief" }}', "true"),
    ('{{ eq .Number "2" }}', None),
    ("{{ eq 1 1.0 }}", None),
    ('{{ ne .System "x" }} {{ not .System }} {{ not .Missing }}', "true false true"),
    ("{{ and .System .Words }} {{ .Names }}", "[a b c] map[a:2 x:1]"),
    ('{{ and .System .Number }} {{ or .Missing .System }} {{ or "" 0 }}', "2 be brief 0"),
    ("{{ and false (index .Words 9) }}", "false"),
    ("{{ or true (index .Words 9) }}", "true"),
    ("{{ and (eq .Number 2) (lt .Number 3) (ge 3 3) (le 1 2) (gt 2 1) }}", "true"),
    ('{{ lt "a" "b" }}{{ lt 1 "b" }}', None),
    ('{{ index .Words 1 }}{{ index .Names "x" }}.', "b1."),
    ("{{ index .Words 3 }}", None),
    ('{{ len (slice .Words 1) }}{{ len (slice .Words 1 2) }}{{ slice "höchst" 0 1 }}', "21h"),
    ("{{ slice .Words 2 1 }}", None),
    ("{{ range $i, $_ := .Words }}{{ if eq (len (slice $.Words $i)) 1 }}last{{ end }}{{ end }}", "last"),
    ("{{ (index .Messages 1).Role }}", "user"),
    ('{{ .System | len }}{{ .System | eq "be brief" }}', "8true"),
    ('{{ json .Words }}{{ json .System }}{{ json "<ü&" }}', '["a","b","c"]"be brief""\\u003cü\\u0026"'),
    ('{{ print 1 2 "a" 3 4 "b" "c" }}', "1 2a3 4bc"),
    ('{{ "a\\n\\"\\u00e9" }}{{ `raw\\n` }}{{ \'a\' }}', 'a\n"éraw\\n97'),
    ('{{ "\\x41\\a" }}', "A\a"),
    ('{{ "{{" }}', "{{"),
    ("{{ true }}{{ false }}{{ 0x10 }}{{ 1_000 }}", "truefalse161000"),
    ("{{ nil }}", None),
    ("{{ }}", None),
    ("{{ if }}x{{ end }}", None),
    ("{{ if true }}x", None),
    ("x{{ end }}", None),
    ("{{ if true }}x{{ else }}y{{ else }}z{{ end }}", None),
    ("{{ .System", None),
    ('{{ "open }}', None),
    ("{{ .System .Number }}", None),
    ("{{ 1 | 2 }}", None),
    ("{{ $ }}{{ (.System }}", None),
    ("{{ not }}", None),
    ("{{ range $a, $b, $c := .Words }}{{ end }}", None),
    ("{{ if $x := .Number }}{{ $x }}{{ else }}{{ $x }}{{ end }}", "2"),
    ("{{ range $i, $w := .Words }}{{ else }}{{ $i }}{{ end }}", ""),
    ("{{- .System }}  ", "be brief  "),
    ("  {{-.System}}", None),
    ("{{ .System}}{{.Number }}", "be brief2"),
]


def given_data() -> dict[str, Any]:
    messages = [Struct(Role=role, Content=content) for role, content in DATA["Messages"]]
    return {**DATA, "Messages": messages, "Response": ""}


def ours(template: str) -> str | None:
    try:
        return execute(parse(template), given_data())
    except Unsupported:
        return UNSUPPORTED
    except TemplateFault:
        return None


@pytest.mark.parametrize(("template", "printed"), EXAMPLES)
def test_a_template_prints_what_go_documents(template, printed):
    assert ours(template) == printed


def test_what_is_not_supported_is_refused_by_name():
    with pytest.raises(Unsupported, match="define"):
        parse('{{ define "x" }}{{ end }}')
    with pytest.raises(Unsupported, match="printf"):
        parse('{{ printf "%d" 1 }}')


def by_go(go, templates: list[str]) -> list[str | None]:
    messages = [{"Role": role, "Content": content} for role, content in DATA["Messages"]]
    return go([{**DATA, "Messages": messages, "Template": template} for template in templates])


@pytest.mark.slow
def test_go_itself_prints_the_same_for_every_example(go):
    templates = [template for template, _ in EXAMPLES]
    assert dict(zip(templates, by_go(go, templates), strict=True)) == dict(EXAMPLES)


SPACES = st.sampled_from(["", " ", "\n", " \n\t", "a", "<|im_end|>\n", "}}"])
VALUES = st.sampled_from([".System", ".Missing", "$.Number", ".Words", "(len $.Words)", '"x"', "0", "true", "$", "."])
CONDITIONS = st.one_of(
    VALUES,
    st.builds("{} {}".format, st.sampled_from(["not", "len", "eq 2", 'ne "x"', 'eq "user"']), VALUES),
    st.builds("{} {} {}".format, st.sampled_from(["and", "or", "eq", "lt", "index"]), VALUES, VALUES),
)


def action(inside: str, left: bool, right: bool) -> str:
    return f"{{{{{'- ' if left else ' '}{inside}{' -' if right else ' '}}}}}"


ACTIONS = st.builds(action, CONDITIONS, st.booleans(), st.booleans())


def branches(bodies):
    opening = st.one_of(
        st.builds("if {}".format, CONDITIONS),
        st.builds("with {}".format, CONDITIONS),
        st.sampled_from(["range .Words", "range $i, $m := .Messages", "range .Missing", "range $x := .Words"]),
    )
    trims = st.booleans()
    whole = st.tuples(opening, trims, trims, bodies, trims, bodies, trims)

    def text(parts) -> str:
        head, a, b, then, c, otherwise, d = parts
        return f"{action(head, a, b)}{then}{action('else', c, a)}{otherwise}{action('end', b, d)}"

    return whole.map(text)


TEMPLATES = st.recursive(
    st.one_of(SPACES, ACTIONS),
    lambda inner: st.one_of(branches(inner), st.builds("{}{}".format, inner, inner)),
    max_leaves=12,
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(TEMPLATES, min_size=20, max_size=20))
def test_go_itself_prints_the_same_for_any_template(go, templates):
    known = {template: text for template in templates if (text := ours(template)) != UNSUPPORTED}
    assert dict(zip(known, by_go(go, list(known)), strict=True)) == known
