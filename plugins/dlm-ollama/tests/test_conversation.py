"""What Ollama makes of messages before a template sees them."""

from __future__ import annotations

from dlm.corpus.records import Message
from dlm_ollama.conversation import render

SHOW = "{{ range .Messages }}[{{ .Role }} {{ .Content }}]{{ end }}{{ .System }}"


def test_neighbours_of_one_role_are_one_message():
    said = [Message("user", "a"), Message("user", "b"), Message("assistant", "c"), Message("user", "d")]
    assert render(SHOW, said) == "[user a\n\nb][assistant c][user d]"


def test_system_messages_stand_where_they_are_and_joined_in_system():
    said = [Message("system", "a"), Message("user", "b"), Message("system", "c")]
    assert render(SHOW, said) == "[system a][user b][system c]a\n\nc"


def test_the_models_own_system_prompt_gives_way_to_one_of_the_conversation():
    assert render(SHOW, [Message("user", "b")], "own") == "[system own][user b]own"
    assert render(SHOW, [Message("system", "a"), Message("user", "b")], "own") == "[system a][user b]a"
