"""Which base a reference names, and what a folder must hold to be one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dlm.bases import FolderSource, HubSource
from dlm.bases.cache import ensure, find
from dlm.bases.contents import measure
from dlm.bases.registry import SMOLLM2_135M
from dlm.bases.resolve import resolve
from dlm.errors import BaseModelError, UsageProblem

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_key_is_looked_up_among_the_plugins() -> None:
    assert resolve("smollm2-135m") is SMOLLM2_135M


def test_an_unknown_key_names_the_known_ones_and_the_other_ways() -> None:
    with pytest.raises(UsageProblem, match=r"(?s)'gpt-9'.*smollm2-135m.*path:DIR.*hf:org/name"):
        resolve("gpt-9")


def test_a_folder_is_looked_up_beside_the_document(tmp_path: Path, monkeypatch) -> None:
    assert resolve("path:models/x", tmp_path).sources == (FolderSource(tmp_path / "models/x"),)
    monkeypatch.chdir(tmp_path)
    assert resolve("path:x").key == f"path:{tmp_path / 'x'}"
    assert resolve("path:~/x", tmp_path).sources == (FolderSource(Path.home() / "x"),)


def test_a_hub_reference_is_pinned_or_pins_what_is_fetched_first() -> None:
    assert resolve("hf:org/na.me").sources == (HubSource("org/na.me", None),)
    assert resolve(f"hf:org/name@{COMMIT}").sources == (HubSource("org/name", COMMIT),)


@pytest.mark.parametrize(
    "bad", ["hf:name", "hf:org/name@main", "hf:org/name@012345678", "hf:org/name/x", "hf:../x@", "path:", "hf:"]
)
def test_a_malformed_reference_says_how_to_write_it(bad: str) -> None:
    with pytest.raises(UsageProblem, match="base_model: "):
        resolve(bad)


def test_a_folder_that_is_no_base_names_everything_that_is_missing(tmp_path: Path, backend) -> None:
    base = resolve("path:x", tmp_path)
    with pytest.raises(BaseModelError, match="is not a folder"):
        find(base, tmp_path / "home")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(BaseModelError, match=r"config\.json, tokenizer\.json, \*\.safetensors missing"):
        ensure(base, tmp_path / "home", backend, lambda line: None)


def test_a_folders_digest_is_remembered_until_a_file_changes(tmp_path: Path, model, backend, monkeypatch) -> None:
    model(tmp_path / "x", b"one")
    base, home = resolve("path:x", tmp_path), tmp_path / "home"
    first = find(base, home)
    assert first is not None
    assert not home.exists(), "looking writes nothing"
    assert ensure(base, home, backend, lambda line: None) == first
    monkeypatch.setattr("dlm.bases.folders.measure", lambda folder: pytest.fail("hashed again"))
    assert find(base, home) == first
    monkeypatch.undo()
    (tmp_path / "x" / "model.safetensors").write_bytes(b"two")
    os.utime(tmp_path / "x" / "model.safetensors", ns=(1, 1))
    changed = ensure(base, home, backend, lambda line: None)
    assert changed.digest != first.digest
    (home / "bases" / "digests.json").write_text("not json")
    assert ensure(base, home, backend, lambda line: None) == changed


def test_the_digest_names_what_the_model_does_not_who_saved_it(tmp_path: Path, model) -> None:
    same = [measure(model(tmp_path / name, b"w", version)).digest for name, version in (("a", "5.0"), ("b", "5.9"))]
    assert same[0] == same[1]
    (tmp_path / "a" / "README.md").write_text("words")
    assert measure(tmp_path / "a").digest == same[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.json", '{"hidden_size": 3}'),
        ("model.safetensors", "v"),
        ("model-00002.safetensors", ""),
        ("tokenizer.json", "[]"),
        ("tokenizer_config.json", '{"chat_template": "{{y}}"}'),
        ("chat_template.jinja", "{{z}}"),
        ("generation_config.json", "{}"),
    ],
)
def test_the_digest_sees_every_file_that_decides_the_output(tmp_path: Path, model, name: str, text: str) -> None:
    before = measure(model(tmp_path / "a")).digest
    (tmp_path / "a" / name).write_text(text)
    assert measure(tmp_path / "a").digest != before
