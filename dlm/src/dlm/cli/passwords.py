"""Passwords of signing keys: from a pipe, from the environment, or asked for. Never an argument, which others see."""

from __future__ import annotations

import os
import sys

import click

VARIABLE = "DLM_SIGN_PASSWORD"


def password_of(key: str, *, from_stdin: bool) -> str:
    """The password that unlocks ``key``.

    Raises:
        UsageProblem: none was given, and nobody can be asked.
    """
    found = _given(from_stdin)
    if found is not None:
        return found
    if not sys.stdin.isatty():
        from ..errors import UsageProblem

        raise UsageProblem(f"{key} asks for a password: give it with --password-stdin, or in {VARIABLE}")
    return str(click.prompt(f"Password of {key}", hide_input=True, err=True))


def new_password(*, from_stdin: bool, without: bool) -> str | None:
    """The password that a new key is to have; ``None`` for none.

    Raises:
        UsageProblem: nothing was said, and nobody can be asked.
    """
    from ..errors import UsageProblem

    if without:
        return None
    found = _given(from_stdin)
    if found == "":
        raise UsageProblem("the password is empty: --no-password makes a key that asks for none")
    if found is not None:
        return found
    if not sys.stdin.isatty():
        raise UsageProblem(f"give the key a password with --password-stdin or in {VARIABLE}, or none: --no-password")
    prompt = "Password for the new key (empty for none)"
    typed: str = click.prompt(
        prompt, default="", show_default=False, hide_input=True, confirmation_prompt=True, err=True
    )
    return typed or None


def _given(from_stdin: bool) -> str | None:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return os.environ.get(VARIABLE)
