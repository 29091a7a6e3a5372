"""``dlm cache``: what it shows and removes, and that looking creates nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.corpus.records import Record
from dlm.document import read
from dlm.store import Store
from dlm.store.token_file import Window
from dlm.store.tokens import TokenCache, overview

pytestmark = pytest.mark.usefixtures("plugins", "home")


def run(*arguments, **options):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], **options)


@pytest.fixture
def used(write):
    """A document with a cache that two runs used."""
    path = write("training:\n  cache:\n    max_bytes: 5000000")
    store = Store(Path(os.environ["DLM_HOME"]), read(path).frontmatter.dlm_id)
    for number, words in ((1, "abc"), (2, "bcd")):
        cache = TokenCache(store.layout.tokens, 10**9, 90)
        records = [Record("prose", "text", "g", "a" * 16, text=letter) for letter in words]
        cache.windows(records, "scope", lambda missing: [(Window(1, (1, 2, 3)),) for _ in missing])
        cache.finish(number)
    return path, store.layout.tokens


def test_an_unused_cache_is_shown_as_empty_and_not_created(write, home):
    path = write()
    facts = json.loads(run("cache", "show", path, "--json").stdout)
    assert facts["entry_count"] == facts["bytes"] == 0
    assert facts["last_run_hit_rate"] is facts["last_run_id"] is facts["cache_status"] is None
    assert run("cache", "show", path).exit_code == 0
    assert run("cache", "prune", path).exit_code == 0
    assert run("cache", "clear", path, "--force").exit_code == 0
    assert not home.exists()


def test_a_used_cache_is_shown_in_numbers(used):
    path, file = used
    facts = json.loads(run("cache", "show", path, "--json").stdout)
    assert facts["dlm_id"] == read(path).frontmatter.dlm_id
    assert facts["cache_path"] == str(file)
    assert (facts["entry_count"], facts["last_run_id"]) == (4, 2)
    assert facts["bytes"] == overview(file).bytes > 0
    assert facts["last_run_hit_rate"] == pytest.approx(2 / 3)
    shown = run("cache", "show", path).stdout
    assert "67% found (run 2)" in shown
    assert "of at most 5 MB" in shown


def test_why_a_cache_is_not_used_is_said(write, monkeypatch):
    path = write("training:\n  cache:\n    enabled: false")
    assert "training.cache.enabled is false" in run("cache", "show", path).stdout
    monkeypatch.setenv("DLM_DISABLE_TOKENIZED_CACHE", "1")
    assert "DLM_DISABLE_TOKENIZED_CACHE=1" in json.loads(run("cache", "show", path, "--json").stdout)["cache_status"]


def test_pruning_takes_an_age(used):
    path, file = used
    assert "removed 0 records" in run("cache", "prune", path).stdout
    assert "removed 0 records" in run("cache", "prune", path, "--older-than", "1h").stdout
    assert overview(file).entry_count == 4
    assert "removed 4 records" in run("cache", "prune", path, "--older-than", "0s").stdout
    for wrong in ("30", "d", "-1d", "1w", "1.5h", ""):
        done = run("cache", "prune", path, f"--older-than={wrong}")
        assert done.exit_code == 2
        assert "30d" in done.output


def test_clearing_needs_a_word(used):
    path, file = used
    refused = run("cache", "clear", path)
    assert refused.exit_code == 2
    assert "--force" in refused.output
    assert overview(file).entry_count == 4
    assert "removed 4 records" in run("cache", "clear", path, "--force").stdout
    assert overview(file).entry_count == 0
