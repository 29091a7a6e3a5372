"""What somebody is advised to do about a stranger's key can be done."""

from __future__ import annotations

import re
from pathlib import Path


def test_a_pull_that_is_over_names_no_folder_that_is_gone(packed, ada, grace, signed, tmp_path):
    signed(ada, packed)
    done = grace.run("pull", packed, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert "`dlm trust add KEY.pub` with the file that they give you" in done.stderr
    assert "pulling" not in done.output


def test_a_pull_that_was_refused_names_a_key_that_can_be_added(packed, ada, grace, signed, tmp_path):
    signed(ada, packed)
    refused = grace.run("pull", packed, "--out", tmp_path / "out", "--policy", "enforce")
    assert refused.exit_code == 1
    found = re.search(r"`dlm trust add (\S+) --name WHO`", refused.stderr)
    assert found is not None
    assert Path(found[1]).is_file()
    assert grace.run("trust", "add", found[1], "--name", "ada").exit_code == 0
    assert grace.run("pull", packed, "--out", tmp_path / "out", "--policy", "enforce").exit_code == 0


def test_unpack_says_who_signed_as_pull_does(packed, ada, grace, signed, tmp_path):
    public = signed(ada, packed)
    assert grace.run("trust", "add", public, "--name", "ada").exit_code == 0
    done = grace.run("unpack", packed, "--out", tmp_path / "out")
    assert "  signature  oms, by ada, whose key is trusted here\n" in done.stdout
    assert all(len(line) <= 80 or "/" in line for line in done.stdout.splitlines())


def test_an_unchecked_signature_is_told_in_whole_sentences(packed, ada, grace, signed):
    from dlm.testing import only_plugins
    from dlm.testing.toy import ToyPlugin

    signed(ada, packed)
    with only_plugins(ToyPlugin()):
        done = grace.run("verify", packed)
    assert "(installed: none); install it: pip install 'dlm[sign]'" in " ".join(done.stdout.split())
