"""Where Ollama is, and what is made of what it says."""

from __future__ import annotations

import pytest

from dlm_ollama.client import Ollama, Refused, address


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("example.org", "http://example.org:11434"),
        (" 'example.org:8080' ", "http://example.org:8080"),
        (":8080", "http://127.0.0.1:8080"),
        ("http://example.org", "http://example.org:80"),
        ("https://example.org/ollama/", "https://example.org:443/ollama"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:99", "http://127.0.0.1:99"),
        ("::1", "http://[::1]:11434"),
        ("[::1]:12", "http://[::1]:12"),
        ("[::]:12", "http://[::1]:12"),
    ],
)
def test_ollama_host_means_what_it_means_to_ollama(said, url):
    assert address(said) == url


@pytest.mark.parametrize(
    ("version", "numbers"), [("0.34.2", (0, 34, 2)), ("0.34.2-rc1", (0, 34, 2)), ("0.0.0", ()), ("dev", ())]
)
def test_the_age_of_a_server_is_known_or_not(ollama, version, numbers):
    ollama.version = version
    assert Ollama().version() == numbers


def test_a_proxy_is_not_asked_for_this_machine(ollama, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert Ollama().version() == (0, 34, 2)


def test_what_a_server_says_is_cut_and_cleaned_for_a_terminal(loopback, ollama):
    ollama.faults = {"/api/version": loopback.Fault(500, "\x1b[31m" + "long " * 100)}
    with pytest.raises(Refused) as refusal:
        Ollama().version()
    assert "\x1b" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_a_file_is_there_or_not(ollama):
    digest = "sha256:" + "0" * 64
    assert not Ollama().has_blob(digest)
    ollama.blob(digest).write_bytes(b"x")
    assert Ollama().has_blob(digest)
