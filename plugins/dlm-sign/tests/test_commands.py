"""The commands as a person and a script meet them."""

from __future__ import annotations

import json
import re

import pytest

SECRET = "korrekt-pferd-batterie"
DLM_ID = "01J0000000000000000000000A"


def test_one_signs_another_trusts_and_verifies(packed, ada, grace):
    made = ada.run("key", "new", "--no-password")
    assert made.exit_code == 0, made.output
    fingerprint = re.search(r"sha256:[0-9a-f]{64}", made.output)[0]
    assert ada.run("sign", packed).exit_code == 0
    pack = grace.bring(packed)
    refused = grace.run("verify", pack, "--policy", "enforce")
    assert refused.exit_code == 1
    assert fingerprint in refused.output
    added = grace.run("trust", "add", f"{pack}.pub", "--name", "ada")
    assert fingerprint in added.output
    verified = grace.run("verify", pack, "--policy", "enforce", "--json")
    assert verified.exit_code == 0, verified.output
    standing = json.loads(verified.stdout)["standing"]
    assert (standing["status"], standing["by"], standing["fingerprint"]) == ("trusted", "ada", fingerprint)
    assert "by ada, whose key is trusted here" in grace.run("verify", pack).output
    assert grace.run("trust", "remove", "ada").exit_code == 0
    assert grace.run("verify", pack, "--policy", "enforce").exit_code == 1


def test_the_exit_codes_of_verify(packed, ada, grace):
    """0 fine, or told of; 1 the check failed; 2 asked for what makes no sense."""
    pack = grace.bring(packed)
    assert grace.run("verify", pack).exit_code == 0
    assert grace.run("verify", pack, "--policy", "enforce").exit_code == 1
    assert grace.run("verify", pack, DLM_SIGNATURE_POLICY="enforce").exit_code == 1
    assert grace.run("verify", pack, "--policy", "off", DLM_SIGNATURE_POLICY="enforce").exit_code == 0
    assert grace.run("verify", pack, DLM_SIGNATURE_POLICY="strict").exit_code == 2
    assert grace.run("verify", pack, "--identity", "ada@example.org").exit_code == 2
    ada.run("key", "new", "--no-password")
    ada.run("sign", packed)
    pack = grace.bring(packed)
    assert grace.run("verify", pack).exit_code == 0
    pack.write_bytes(pack.read_bytes()[:-1] + b"\0")
    damaged = grace.run("verify", pack)
    assert (damaged.exit_code, "is not the signature of" in damaged.output) == (1, True)


def test_a_key_is_recorded_on_first_use_and_listed(packed, ada, grace):
    ada.run("key", "new", "--no-password")
    ada.run("sign", packed)
    pack = grace.bring(packed)
    first = grace.run("verify", pack, "--policy", "enforce", "--trust-on-first-use")
    assert first.exit_code == 0, first.output
    assert f"from now on packs of {DLM_ID}" in first.output
    assert "recorded for this document" in grace.run("verify", pack, "--policy", "enforce").output
    listed = json.loads(grace.run("trust", "list", "--json").stdout)
    assert [one["dlm_id"] for one in listed["first_use"]] == [DLM_ID]
    assert DLM_ID in grace.run("trust", "list").output


def test_unpack_looks_at_signatures_too(packed, ada, grace):
    ada.run("key", "new", "--no-password")
    pack = grace.bring(packed)
    assert grace.run("unpack", pack, "--policy", "enforce").exit_code == 1
    assert not (grace.home / "store").exists()
    ada.run("sign", packed)
    pack = grace.bring(packed)
    done = grace.run("unpack", pack, "--policy", "enforce", "--key", f"{pack}.pub", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["standing"]["status"] == "trusted"


def test_a_new_key_asks_for_a_password_or_for_a_clear_no(ada):
    silent = ada.run("key", "new")
    assert silent.exit_code == 2
    assert "--no-password" in silent.output
    assert ada.run("key", "new", "--password-stdin", stdin="\n").exit_code == 2
    assert not (ada.home / "keys").exists()


@pytest.mark.parametrize("flags", [(), ("--minisign",)])
def test_no_command_tells_a_password_or_a_private_key(packed, ada, grace, flags):
    runs = [ada.run("key", "new", *flags, "--password-stdin", stdin=f"{SECRET}\n")]
    runs += [ada.run("sign", packed, *flags, "--password-stdin", stdin="wrong horse\n")]
    assert runs[-1].exit_code == 3
    runs += [ada.run("sign", packed, *flags)]
    assert (runs[-1].exit_code, "--password-stdin" in runs[-1].output) == (2, True)
    runs += [ada.run("sign", packed, *flags, DLM_SIGN_PASSWORD=SECRET)]
    assert runs[-1].exit_code == 0, runs[-1].output
    runs += [ada.run("key", "list"), ada.run("key", "list", "--json"), ada.run("key", "show", "--json")]
    runs += [ada.run("verify", packed), ada.run("trust", "add", *list((ada.home / "keys").glob("*.key")))]
    assert runs[-1].exit_code == 1
    (private,) = (ada.home / "keys").glob("*.key")
    secrets = [SECRET, "wrong horse", *(line for line in private.read_text().splitlines() if len(line) > 60)]
    told = "".join(run.output + repr(run.exception) for run in runs)
    beside = b"".join(path.read_bytes() for path in packed.parent.glob("*.pack.*"))
    assert len(secrets) > 2
    for secret in secrets:
        assert secret not in told
        assert secret.encode() not in beside


def test_a_comment_that_was_signed_cannot_write_over_the_screen(packed, ada, monkeypatch):
    import dlm_sign.mini

    monkeypatch.setattr(dlm_sign.mini, "_comment", lambda pack: "fine \ttabs")
    ada.run("key", "new", "--minisign", "--no-password")
    ada.run("sign", packed, "--minisign")
    place = packed.with_name(f"{packed.name}.minisig")
    assert ada.run("verify", packed).exit_code == 0
    place.write_text(place.read_text().replace("fine", "\x1b[2Jfine"))
    forged = ada.run("verify", packed)
    assert forged.exit_code == 1
    assert "\x1b" not in forged.output


def test_lists_fit_a_terminal(packed, ada):
    ada.run("key", "new", "--no-password", "--name", "a" * 20)
    ada.run("key", "new", "--minisign", "--no-password")
    assert max(map(len, ada.run("key", "list").output.splitlines())) <= 80
    for command in (("key", "new"), ("sign",), ("verify",), ("trust", "add")):
        assert max(map(len, ada.run(*command, "--help").output.splitlines())) <= 80
