"""A base whose licence binds only who agrees: asked once, recorded once, honoured by everything that uses the base."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dlm.bases import BaseModel, HubSource
from dlm.bases.cache import ensure, find, on_disk
from dlm.bases.licence import accept, accepted, manifest_entry, require, spoken
from dlm.bases.resolve import resolve
from dlm.errors import BaseModelError, LicenceNotAccepted

OPEN = BaseModel("open", (), "", licence="MIT", licence_url="https://opensource.org/license/mit")


def silent(_: str) -> None:
    """Nobody listens."""


def test_a_gated_base_is_neither_found_nor_fetched_before_somebody_agrees(gated, tmp_path, backend) -> None:
    home = tmp_path / "home"
    for use in (lambda: find(gated, home), lambda: ensure(gated, home, backend, silent)):
        with pytest.raises(LicenceNotAccepted) as caught:
            use()
        assert "https://acme.example/terms" in str(caught.value)
        assert "`dlm base accept acme/gated`" in str(caught.value)
        assert caught.value.exit_code == 1
    assert not home.exists(), "asking leaves no trace"
    assert on_disk(gated, home) is not None, "it can be told about"


def test_an_agreement_is_recorded_once_and_honoured_by_every_later_use(gated, tmp_path, backend) -> None:
    home = tmp_path / "home"
    found = ensure(gated, home, backend, silent, accept=True)
    before = (home / "licences.json").read_text()
    assert find(gated, home) == found == ensure(gated, home, backend, silent)
    accept(gated, home, "interactive")
    assert (home / "licences.json").read_text() == before
    entry = json.loads(before)["accepted"][0]
    assert (entry["base"], entry["license_spdx"], entry["via"]) == ("acme/gated", "LicenseRef-Acme", "cli_flag")
    assert manifest_entry(gated, home) == {key: value for key, value in entry.items() if key != "base"}


def test_other_terms_and_other_bases_are_asked_about_again(gated, tmp_path) -> None:
    accept(gated, tmp_path, "cli_flag")
    for other in (replace(gated, licence_url="https://acme.example/terms-2"), replace(gated, key="acme/other")):
        with pytest.raises(LicenceNotAccepted):
            require(other, tmp_path, ask=lambda _: None)
        accept(other, tmp_path, "cli_flag")
        assert accepted(other, tmp_path) is not None
    assert accepted(gated, tmp_path) is None, "the newer terms took the place of the older"


def test_what_the_documents_own_store_recorded_counts_when_the_terms_are_the_same(gated, tmp_path, backend) -> None:
    prior = {"accepted_at": "2025-11-02T10:00:00Z", "license_url": gated.licence_url, "via": "interactive"}
    elsewhere = {**prior, "license_url": "https://acme.example/terms-0"}
    with pytest.raises(LicenceNotAccepted):
        ensure(gated, tmp_path, backend, silent, acceptance=elsewhere)
    for damaged in ({}, {"license_url": gated.licence_url}, {"accepted_at": 7, "license_url": gated.licence_url}):
        assert accepted(gated, tmp_path, damaged) is None
    ensure(gated, tmp_path, backend, silent, acceptance=prior)
    kept = accepted(gated, tmp_path)
    assert kept is not None, "kept for the commands that know no document"
    assert (kept.accepted_at, kept.via) == ("2025-11-02T10:00:00Z", "interactive")


@pytest.mark.parametrize("answer", [True, False, None])
def test_the_question_names_licence_and_address_and_only_yes_is_an_agreement(gated, tmp_path, answer) -> None:
    asked: list[str] = []

    def ask(text: str) -> bool | None:
        asked.append(text)
        return answer

    if answer:
        require(gated, tmp_path, ask=ask)
        require(gated, tmp_path, ask=pytest.fail)
    else:
        with pytest.raises(LicenceNotAccepted):
            require(gated, tmp_path, ask=ask)
    assert (tmp_path / "licences.json").exists() is bool(answer)
    assert asked == ["acme/gated is under the Acme licence:\n  https://acme.example/terms\nAccept and continue?"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo terminal")
@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("\n", 1)])
def test_on_a_terminal_the_question_is_asked_and_enter_means_no(tmp_path: Path, typed: str, code: int) -> None:
    import pty

    program = "import sys; from dlm.cli.main import main; main(['base', 'accept', 'gemma-3-270m'])"
    ours, theirs = pty.openpty()
    environment = {**os.environ, "DLM_HOME": str(tmp_path), "DLM_NO_PLUGINS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    assert process.wait(60) == code
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert "https://ai.google.dev/gemma/terms" in shown
    assert "[y/N]" in shown
    assert (accepted(resolve("gemma-3-270m"), tmp_path) is not None) is (code == 0)


def test_a_base_that_asks_for_nothing_needs_and_leaves_no_record(tmp_path: Path) -> None:
    require(OPEN, tmp_path, ask=pytest.fail)
    assert accept(OPEN, tmp_path, "cli_flag") is None
    assert manifest_entry(OPEN, tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_two_that_agree_at_once_are_both_kept(gated, tmp_path) -> None:
    bases = [replace(gated, key=f"acme/{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda base: accept(base, tmp_path, "cli_flag"), bases))
    assert all(accepted(base, tmp_path) for base in bases)


@pytest.mark.parametrize("text", ["{", "[]", '{"accepted": [1]}', '{"schema_version": 1, "accepted": {}}'])
def test_a_damaged_record_is_said_and_kept(gated, tmp_path, text: str) -> None:
    (tmp_path / "licences.json").write_text(text)
    with pytest.raises(BaseModelError, match=r"licences\.json is damaged .*mv "):
        accept(gated, tmp_path, "cli_flag")
    assert (tmp_path / "licences.json").read_text() == text
    require(OPEN, tmp_path)


def test_a_record_of_a_newer_dlm_is_left_alone(gated, tmp_path) -> None:
    (tmp_path / "licences.json").write_text('{"schema_version": 2, "accepted": []}')
    with pytest.raises(BaseModelError, match="newer dlm"):
        accept(gated, tmp_path, "cli_flag")


def test_the_hubs_name_for_a_gated_base_is_no_way_around_its_licence() -> None:
    base = resolve("hf:google/gemma-2-2b-it")
    assert base.requires_acceptance
    assert base.sources == (HubSource("google/gemma-2-2b-it", None),)
    assert base.licence_url == resolve("gemma-2-2b-it").licence_url


def test_licences_that_spdx_does_not_list_are_spoken_by_their_name() -> None:
    assert [spoken(one) for one in ("LicenseRef-Llama-3.2", "Apache-2.0", None)] == ["Llama 3.2", "Apache-2.0", None]
