"""What people see of a transfer."""

from __future__ import annotations

import sys

import pytest

from dlm.cli import transferring
from dlm.cli.transferring import Transfer


def test_a_short_transfer_says_nothing_in_a_pipe(capsys):
    with Transfer(quiet=False) as transfer:
        transfer(0, 100)
        transfer(100, 100)
    assert capsys.readouterr() == ("", "")


def test_a_long_one_says_now_and_then_how_far_it_is(capsys, monkeypatch):
    monkeypatch.setattr(transferring, "EVERY", 0)
    with Transfer(quiet=False) as transfer:
        transfer(5_000_000, 20_000_000)
        transfer(6_000_000, None)
    assert capsys.readouterr() == ("", "5 MB of 20 MB\n6 MB\n")


@pytest.mark.parametrize("quiet", [True, False])
def test_a_terminal_gets_a_bar_that_is_gone_at_the_end(capsys, monkeypatch, quiet):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with Transfer(quiet=quiet) as transfer:
        transfer(5_000_000, 20_000_000)
        transfer.say("trying\x1b[31m again")
        transfer(20_000_000, 20_000_000)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("again" in err) != quiet
    assert "\x1b[31m again" not in err
