"""``dlm templates`` and ``dlm init --template``: from a name to a document of one's own."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlm.cli.main import main
from dlm.document import read
from dlm.entries import TemplateEntry
from dlm.errors import DlmError, DocumentError, UsageProblem
from dlm.hookspecs import hookimpl
from dlm.templates import Template
from dlm.templates.start import document_of, find
from dlm.testing import only_plugins

META = """name: runbook
title: Runbook
summary: How to run it.
domain_tags: [operations]
recommended_base: smollm2-135m
licence: MIT
sample_prompts: [Who is on call?]
"""
TEXT = """---
# Acme's own runbook.
base_model:   smollm2-135m   # anything larger will do
dlm_id:  "01KBF2Q0V4Z0M4YHX0E5J1T8AA"
---
# Runbook

dlm_id: is a key, and base_model: another.
"""


@pytest.fixture
def dlm(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("DLM_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Result:
        return CliRunner().invoke(main, list(words))

    return run


class Acme:
    """A plugin with a template, in a package of its own."""

    RUNBOOK = Template("acme_documents", "texts/runbook")

    @hookimpl
    def dlm_templates(self) -> Iterable[TemplateEntry]:
        yield TemplateEntry(name="runbook", target="acme_templates:RUNBOOK", summary="How to run it.")


@pytest.fixture
def acme(tmp_path: Path, monkeypatch):
    texts = tmp_path / "site" / "acme_documents" / "texts"
    texts.mkdir(parents=True)
    (texts.parent / "__init__.py").write_text("")
    (texts / "runbook.dlm").write_text(TEXT)
    (texts / "runbook.meta.yaml").write_text(META)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "acme_documents", raising=False)
    monkeypatch.setitem(sys.modules, "acme_templates", Acme)
    with only_plugins(Acme()):
        yield texts


def test_the_list_fits_a_terminal_and_is_an_array_of_meta_as_json(dlm) -> None:
    lines = dlm("templates", "list").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    listed = json.loads(dlm("templates", "list", "--json").stdout)
    assert len(listed) >= 8
    keys = {"name", "title", "summary", "domain_tags", "recommended_base", "licence", "sample_prompts"}
    for meta in listed:
        assert set(meta) == keys
        assert any(line.startswith(meta["name"]) for line in lines)


def test_show_prints_the_text_that_init_writes_but_for_id_and_base(dlm) -> None:
    shown = dlm("templates", "show", "regex-buddy").stdout
    assert dlm("init", "new.dlm", "--template", "regex-buddy", "--base", "smollm2-360m").exit_code == 0
    made = Path("new.dlm").read_text(encoding="utf-8")
    differ = [(a, b) for a, b in zip(shown.splitlines(), made.splitlines(), strict=True) if a != b]
    assert [a.split(":")[0] for a, _ in differ] == ["dlm_id", "base_model"]
    assert read(Path("new.dlm")).frontmatter.base_model == "smollm2-360m"
    dlm("init", "other.dlm", "--template", "regex-buddy")
    assert read(Path("other.dlm")).frontmatter.dlm_id != read(Path("new.dlm")).frontmatter.dlm_id


def test_the_flag_wins_over_the_templates_base_and_that_is_said(dlm) -> None:
    made = dlm("init", "a.dlm", "--template", "domain-kb", "--base", "qwen2.5-0.5b")
    assert "note: --base qwen2.5-0.5b is used; the template recommends smollm2-135m" in made.stderr
    assert "note" not in dlm("init", "b.dlm", "--template", "domain-kb", "--base", "smollm2-135m").stderr


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("meeting-notes-summarizer", "meeting-notes"),
        ("changelog", "writing-partner"),
        ("tool-use-example", "shell-one-liner"),
        ("regexbuddy", "regex-buddy"),
        ("zzz", None),
    ],
)
def test_a_name_that_is_none_gets_a_guess_and_the_list(dlm, name: str, guess: str | None) -> None:
    refused = dlm("init", "new.dlm", "--template", name)
    assert refused.exit_code == 2
    assert (f"did you mean `{guess}`?" in refused.stderr) is (guess is not None)
    assert "study-guide" in refused.stderr
    assert not Path("new.dlm").exists()
    assert dlm("templates", "show", name).exit_code == 2


def test_a_plugins_template_keeps_everything_but_id_and_base(dlm, acme) -> None:
    assert [meta["name"] for meta in json.loads(dlm("templates", "list", "--json").stdout)].count("runbook") == 1
    assert dlm("init", "new.dlm", "--template", "runbook", "--base", "path:/my models").exit_code == 0
    lines = Path("new.dlm").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "# Acme's own runbook."
    assert lines[2] == 'base_model: "path:/my models"'
    assert lines[3].startswith("dlm_id: 01")
    assert lines[4:] == TEXT.splitlines()[4:], "the body is text"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("title: Runbook\n", "", r"runbook\.meta\.yaml:1:1: `title` is missing"),
        ("title: Runbook", "title: [Runbook]", r":2:8: `title` is not a text"),
        ("[operations]", "operations", r":4:14: `domain_tags` is not a list of texts"),
        ("licence: MIT", "licence: MIT\nstars: 5", r":7:1: unknown key `stars`"),
        ("licence: MIT", "licence: MIT\nlicence: MIT", r":7:1: `licence` is written twice"),
    ],
)
def test_mistakes_of_a_plugins_meta_are_named_with_their_place_and_the_rest_is_listed(
    dlm, acme, old: str, new: str, expected: str
) -> None:
    (acme / "runbook.meta.yaml").write_text(META.replace(old, new))
    with pytest.raises(DocumentError, match=expected):
        find("runbook").meta()
    listed = dlm("templates", "list")
    assert listed.exit_code == 0
    assert "warning: runbook: " in listed.stderr
    assert "study-guide" in listed.stdout


def test_a_plugins_template_that_is_no_document_or_is_missing_is_a_clear_error(dlm, acme) -> None:
    (acme / "runbook.dlm").write_text(TEXT.replace("dlm_id: ", "dlm_idea: "))
    with pytest.raises(DocumentError, match=r"texts/runbook\.dlm:4:1"):
        document_of(find("runbook"), "smollm2-135m")
    (acme / "runbook.dlm").write_text(TEXT.replace("dlm_id:  ", '"dlm_id": '))
    with pytest.raises(UsageProblem, match="unusual way"):
        document_of(find("runbook"), "smollm2-135m")
    (acme / "runbook.dlm").unlink()
    with pytest.raises(DlmError, match="cannot be read"):
        find("runbook").text()
    (acme / "runbook.meta.yaml").write_text(META.replace("name: runbook", "name: other"))
    assert "calls itself 'other'" in dlm("init", "new.dlm", "--template", "runbook").stderr


def test_force_says_where_the_versions_of_the_old_document_stay(dlm) -> None:
    assert dlm("init", "new.dlm").exit_code == 0
    old = read(Path("new.dlm")).frontmatter.dlm_id
    assert dlm("init", "new.dlm", "--template", "study-guide").exit_code == 2
    assert f"stay under {old}" in dlm("init", "new.dlm", "--template", "study-guide", "--force").stderr
    assert "stay under" not in dlm("init", "fresh.dlm", "--force").stderr
    Path("bytes.dlm").write_bytes(b"\xff\xfe\x00")
    assert dlm("init", "bytes.dlm", "--force").exit_code == 0


@pytest.mark.parametrize(("flag", "kind"), [("--multimodal", "image"), ("--audio", "audio")])
def test_media_documents_say_which_plugin_they_would_need(dlm, flag: str, kind: str) -> None:
    refused = dlm("init", "new.dlm", flag)
    assert refused.exit_code == 2
    assert f"`{kind}`" in refused.stderr
    assert not Path("new.dlm").exists()


def test_a_gated_base_is_written_and_the_way_to_accept_it_is_the_next_step(dlm, tmp_path: Path) -> None:
    first = dlm("init", "a.dlm", "--base", "gemma-2-2b-it")
    assert "dlm base accept gemma-2-2b-it" in first.stdout
    assert not (tmp_path / "home").exists()
    second = dlm("init", "b.dlm", "--base", "gemma-2-2b-it", "--i-accept-license")
    assert "dlm base accept" not in second.stdout
    recorded = json.loads((tmp_path / "home" / "licences.json").read_text())["accepted"]
    assert [(entry["base"], entry["via"]) for entry in recorded] == [("gemma-2-2b-it", "cli_flag")]
    assert "accept" not in Path("b.dlm").read_text(encoding="utf-8"), "acceptance never travels in a document"
