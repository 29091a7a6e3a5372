"""Whose signature counts, under which policy, and what is never taken."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from model_signing import hashing, signing, verifying

import dlm_sign.for_dlm
from dlm.errors import PackInvalid, SignatureInvalid, StoreError, UsageProblem
from dlm.share import trust_store
from dlm.share.accepting import accept
from dlm.share.keys import signer_named
from dlm.share.sidecars import beside
from dlm.share.standing import Rules
from dlm.share.trusting import judge
from dlm.share.unpacking import unpack
from dlm.testing import only_plugins
from dlm.testing.toy import ToyPlugin
from dlm_sign.mini import Minisign
from dlm_sign.oms import Oms

DLM_ID = "01J0000000000000000000000A"
OTHER_ID = DLM_ID[:-1] + "B"


def judged(machine, pack: Path, policy="enforce", **more):
    return judge(pack, beside(pack), policy=policy, name=more.pop("name", DLM_ID), home=machine.home, **more)


def everything(machine) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(machine.home.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(("policy", "status"), [("off", "unchecked"), ("warn", "unsigned")])
def test_an_unsigned_pack_is_taken_and_told_of_unless_the_policy_is_enforce(packed, grace, policy, status):
    standing = judged(grace, packed, policy)
    assert standing.status == status
    assert standing.notes
    with pytest.raises(SignatureInvalid, match="is not signed, and the policy is enforce"):
        judged(grace, packed)


@pytest.mark.parametrize("signer", ["oms", "minisign"])
def test_a_key_that_was_added_counts_for_every_document(made, ada, grace, signed, signer):
    for dlm_id, path in made.items():
        pack = ada.bring(path)
        public = signed(ada, pack, signer)
        trust_store.add(grace.home, public, "ada")
        standing = judged(grace, grace.bring(pack), name=dlm_id)
        assert (standing.status, standing.by) == ("trusted", "ada")
        assert standing.fingerprint == signer_named(signer).fingerprint(public.read_bytes())


@pytest.mark.parametrize("signer", ["oms", "minisign"])
def test_a_trusted_key_is_found_without_the_file_beside_the_pack(packed, ada, grace, signed, signer):
    public = signed(ada, packed, signer)
    trust_store.add(grace.home, public, "ada")
    public.unlink()
    assert judged(grace, packed).status == "trusted"


def test_a_strangers_signature_is_told_of_and_under_enforce_refused(packed, ada, grace, signed):
    signed(ada, packed)
    standing = judged(grace, packed, "warn")
    assert (standing.status, standing.counts) == ("unknown-signer", False)
    assert "dlm trust add" in standing.notes[0]
    with pytest.raises(SignatureInvalid, match="nobody here has trusted"):
        judged(grace, packed)
    assert not (grace.home / "trusted-keys").exists()


def test_what_was_signed_here_counts_here(packed, ada, signed):
    signed(ada, packed, name="mine")
    standing = judged(ada, packed)
    assert (standing.status, standing.by) == ("trusted", "you (mine)")


WRONG = {
    "empty": lambda data: b"",
    "not JSON": lambda data: b"untrusted",
    "another kind of JSON": lambda data: b"[1]",
    "no bundle": lambda data: b"{}",
    "deep": lambda data: b'{"a":' * 100_000,
    "huge": lambda data: data + b" " * 2**20,
    "cut off": lambda data: data[: len(data) // 2],
    "not text": lambda data: b"\xff\xfe" + data[8:],
}


@pytest.mark.parametrize("policy", ["warn", "enforce"])
@pytest.mark.parametrize("ending", [".sig", ".pub", ".minisig", ".minisig.pub"])
@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_file_beside_the_pack_that_is_broken_is_never_a_mere_warning(
    packed, ada, grace, signed, change, ending, policy
):
    trust_store.add(grace.home, signed(ada, packed, "minisign" if "mini" in ending else "oms"), "ada")
    place = packed.with_name(packed.name + ending)
    place.write_bytes(change(place.read_bytes()))
    with pytest.raises(SignatureInvalid):
        judged(grace, packed, policy)
    assert judged(grace, packed, "off").status == "unchecked"


@pytest.mark.parametrize("signer", ["oms", "minisign"])
def test_the_signature_of_another_pack_is_refused(made, ada, grace, signed, signer):
    first, second = (ada.bring(path) for path in made.values())
    signed(ada, first, signer)
    signed(ada, second, signer)
    swapped = {ending: path.with_name(second.name + ending) for ending, path in beside(first).items()}
    with pytest.raises(SignatureInvalid, match="is not the signature of"):
        judge(first, swapped, policy="warn", name=DLM_ID, home=grace.home, first_use=True)
    assert not (grace.home / "trusted-keys").exists()


@pytest.mark.parametrize("signer", ["oms", "minisign"])
def test_a_key_beside_the_pack_that_did_not_make_the_signature_is_refused(packed, ada, grace, signed, signer):
    signed(ada, packed, signer)
    mallory = grace.bring(packed)
    other = signed(grace, mallory, signer)
    packed.with_name(other.name).write_bytes(other.read_bytes())
    with pytest.raises(SignatureInvalid, match="made by another key"):
        judged(grace, packed, "warn", first_use=True)


def test_a_bundle_that_lies_about_its_key_is_refused(packed, ada, grace, signed):
    signed(ada, packed)
    victim = signed(grace, grace.bring(packed)).read_bytes()
    place = packed.with_name(f"{packed.name}.sig")
    bundle = json.loads(place.read_bytes())
    theirs = json.loads((grace.folder / place.name).read_bytes())
    bundle["verificationMaterial"] = theirs["verificationMaterial"]
    place.write_text(json.dumps(bundle))
    with pytest.raises(SignatureInvalid, match="not signed by this key"):
        judged(grace, packed, "warn", keys=[_file(packed, victim)])


def test_a_signature_of_a_folder_that_holds_the_pack_is_not_one_of_the_pack(packed, ada, grace, signed, tmp_path):
    public = signed(ada, packed)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "lamp").write_bytes(packed.read_bytes())
    config = signing.Config().use_elliptic_key_signer(private_key=ada.home / "keys" / "default.oms.key")
    config.sign(folder, packed.with_name(f"{packed.name}.sig"))
    with pytest.raises(SignatureInvalid):
        judged(grace, packed, "warn", keys=[public])


def test_a_signature_that_does_not_name_the_sha256_of_the_file_is_refused(packed, ada, grace, signed):
    """The stock tool takes this one, and nothing could tell that what is unpacked is what it is of."""
    public, place = signed(ada, packed), packed.with_name(f"{packed.name}.sig")
    config = signing.Config().use_elliptic_key_signer(private_key=ada.home / "keys" / "default.oms.key")
    config.set_hashing_config(hashing.Config().use_file_serialization(hashing_algorithm="blake3")).sign(packed, place)
    verifying.Config().use_elliptic_key_verifier(public_key=public).verify(packed, place)
    with pytest.raises(SignatureInvalid, match="not the signature of one file by its SHA-256"):
        judged(grace, packed, "warn", keys=[public])


def test_two_signatures_both_have_to_hold(packed, ada, grace, signed):
    trust_store.add(grace.home, signed(ada, packed), "ada")
    signed(ada, packed, "minisign")
    assert [one.status for one in judged(grace, packed).signatures] == ["trusted", "unknown-signer"]
    place = packed.with_name(f"{packed.name}.minisig")
    lines = place.read_text().splitlines()
    lines[1] = lines[1][:40] + ("A" if lines[1][40] != "A" else "B") + lines[1][41:]
    place.write_text("\n".join(lines))
    with pytest.raises(SignatureInvalid, match=r"minisig is not the signature"):
        judged(grace, packed, "warn")


def test_two_signatures_of_different_bytes_are_never_both_taken(packed, ada, grace, signed, monkeypatch):
    """Whoever exchanges the file between one verification and the next is noticed."""
    signed(ada, packed)
    first = packed.read_bytes()
    packed.write_bytes(_another_pack_of_the_same_document(packed))
    signed(ada, packed, "minisign")
    second = packed.read_bytes()
    for kind, data in ((Oms, first), (Minisign, second)):
        monkeypatch.setattr(kind, "verify", _putting(data, kind.verify))
    with pytest.raises(SignatureInvalid, match="was changed while its signatures were checked"):
        judged(grace, packed, "warn")


def test_a_signature_that_nothing_here_can_check_is_not_enough_for_enforce(packed, ada, grace, signed):
    trust_store.add(grace.home, signed(ada, packed), "ada")
    signed(ada, packed, "minisign").unlink()
    assert [one.status for one in judged(grace, packed, "warn").signatures] == ["trusted", "unchecked"]
    with pytest.raises(SignatureInvalid, match="a key that is not here"):
        judged(grace, packed)


def test_without_the_plugin_a_signature_is_told_of_with_the_command_that_installs_it(packed, ada, grace, signed):
    signed(ada, packed)
    with only_plugins(ToyPlugin()):
        standing = judged(grace, packed, "warn")
        assert standing.status == "unchecked"
        assert "pip install 'dlm[sign]'" in standing.notes[0]
        with pytest.raises(SignatureInvalid, match=r"pip install 'dlm\[sign\]'"):
            judged(grace, packed)


def test_only_a_key_that_was_asked_for_is_taken(packed, ada, grace, signed):
    public = signed(ada, packed)
    assert judged(grace, packed, keys=[public]).status == "trusted"
    trust_store.add(grace.home, public, "ada")
    other = signed(grace, grace.bring(packed))
    with pytest.raises(SignatureInvalid, match="made by another key"):
        judged(grace, packed, "warn", keys=[other])
    for path in beside(packed).values():
        path.unlink()
    with pytest.raises(SignatureInvalid, match="a signature was asked for"):
        judged(grace, packed, "warn", keys=[other])
    with pytest.raises(UsageProblem, match="with the policy off"):
        judged(grace, packed, "off", keys=[other])


def test_a_minisign_key_that_was_asked_for_is_not_met_by_another_kind_of_signature(packed, ada, grace, signed):
    signed(ada, packed)
    mini = signed(ada, ada.bring(packed), "minisign")
    packed.with_name(f"{packed.name}.minisig").unlink()
    with pytest.raises(SignatureInvalid, match="and not by sha256:"):
        judged(grace, packed, "warn", keys=[mini])


@pytest.mark.parametrize("signer", ["oms", "minisign"])
def test_a_key_is_recorded_on_first_use_and_holds_for_that_document_alone(made, ada, grace, signed, signer):
    mine, other = (ada.bring(path) for path in made.values())
    fingerprint = signer_named(signer).fingerprint(signed(ada, mine, signer).read_bytes())
    signed(ada, other, signer)
    standing = judged(grace, mine, first_use=True)
    assert (standing.status, standing.fingerprint) == ("recorded", fingerprint)
    assert fingerprint in standing.notes[-1]
    again = judged(grace, mine)
    assert (again.status, again.notes) == ("recorded", ())
    assert judged(grace, other, "warn", name=OTHER_ID).status == "unknown-signer"


def test_nothing_is_recorded_for_a_signature_that_does_not_hold(packed, ada, grace, signed):
    signed(ada, packed)
    packed.write_bytes(packed.read_bytes() + b"\0")
    with pytest.raises(SignatureInvalid, match="other bytes"):
        judged(grace, packed, "warn", first_use=True)
    assert not (grace.home / "trusted-keys").exists()


@pytest.mark.parametrize("policy", ["warn", "enforce"])
@pytest.mark.parametrize("first_use", [False, True])
def test_another_key_for_a_document_is_refused_loudly(packed, ada, grace, machine, signed, policy, first_use):
    signed(ada, packed)
    old = judged(grace, packed, first_use=True).fingerprint
    mallory = machine("mallory")
    forged = mallory.bring(packed)
    new = signer_named("oms").fingerprint(signed(mallory, forged).read_bytes())
    before = everything(grace)
    with pytest.raises(SignatureInvalid, match="THE KEY HAS CHANGED") as told:
        judged(grace, forged, policy, first_use=first_use)
    assert old in str(told.value)
    assert new in str(told.value)
    assert everything(grace) == before
    trust_store.add(grace.home, forged.with_name(f"{forged.name}.pub"), "mallory")
    assert judged(grace, forged).by == "mallory"


@pytest.mark.parametrize("strip", [(".sig", ".pub"), (".pub",)])
def test_a_document_that_was_signed_once_is_not_taken_with_its_signature_stripped(packed, ada, grace, signed, strip):
    signed(ada, packed)
    judged(grace, packed, first_use=True)
    for ending in strip:
        packed.with_name(packed.name + ending).unlink()
    with pytest.raises(SignatureInvalid, match="when it first came"):
        judged(grace, packed, "warn")
    trust_store.remove(grace.home, DLM_ID)
    assert judged(grace, packed, "warn").status in ("unsigned", "unchecked")


def test_a_damaged_record_is_an_error_and_no_way_in(packed, ada, grace, signed):
    signed(ada, packed)
    judged(grace, packed, first_use=True)
    (record,) = (grace.home / "trusted-keys").rglob("*.json")
    for text in ("", "{}", '{"dlm_id": "x", "recorded_at": "", "keys": []}', record.read_text().replace("01J", "01K")):
        record.write_text(text)
        with pytest.raises(StoreError, match=f"dlm trust remove {DLM_ID}"):
            judged(grace, packed, "warn")


def test_a_document_id_that_points_elsewhere_is_refused(packed, ada, grace, signed):
    signed(ada, packed)
    with pytest.raises(StoreError, match="is not a document id"):
        judged(grace, packed, name="../../evil", first_use=True)


def test_of_many_who_record_a_key_at_once_one_wins_and_the_others_are_refused(packed, grace, machine, signed):
    packs = []
    for number in range(6):
        maker = machine(f"maker{number}")
        packs.append(maker.bring(packed))
        signed(maker, packs[-1])

    def take(pack: Path) -> str:
        try:
            return judged(grace, pack, first_use=True).fingerprint
        except SignatureInvalid as problem:
            return "refused" if "THE KEY HAS CHANGED" in str(problem) else str(problem)

    with ThreadPoolExecutor(6) as pool:
        *refused, winner = sorted(pool.map(take, packs))
    assert refused == ["refused"] * 5
    record = trust_store.recorded(grace.home, DLM_ID)
    assert [key.fingerprint for key in record.keys] == [winner]


@pytest.mark.parametrize("signer", ["oms", "minisign"])
def test_a_pack_that_is_exchanged_after_its_signature_was_checked_is_not_unpacked(
    made, ada, grace, signed, signer, monkeypatch
):
    """The file that the signature is of lies there while it is verified, and another one before and after."""
    pack = grace.bring(ada.bring(made[DLM_ID]))
    trust_store.add(grace.home, signed(grace, pack, signer), "ada")
    good, kind = pack.read_bytes(), type(signer_named(signer))
    real = kind.verify

    def verify(self, path, signature, *, public):
        other = path.read_bytes()
        path.write_bytes(good)
        held = real(self, path, signature, public=public)
        path.write_bytes(other)
        return held

    monkeypatch.setattr(kind, "verify", verify)
    pack.write_bytes(_another_pack_of_the_same_document(pack))
    assert accept(pack, None, rules=Rules("off"), home=grace.home).standing.status == "unchecked"
    with pytest.raises(PackInvalid, match="was exchanged while it was read"):
        unpack(pack, home=grace.home, rules=Rules("enforce"))
    assert not (grace.home / "store").exists()
    assert [path.name for path in grace.folder.iterdir() if path.suffix == ".dlm"] == []


def test_what_was_signed_is_unpacked_and_used(packed, ada, grace, signed):
    trust_store.add(grace.home, signed(ada, packed), "ada")
    done = unpack(grace.bring(packed), home=grace.home, rules=Rules("enforce"))
    assert (done.standing.status, done.standing.by) == ("trusted", "ada")
    assert done.document.is_file()


def test_unpacking_asks_the_environment_where_nobody_else_has_said_anything(packed, grace, monkeypatch):
    monkeypatch.setenv("DLM_SIGNATURE_POLICY", "enforce")
    with pytest.raises(SignatureInvalid, match="is not signed"):
        unpack(grace.bring(packed), home=grace.home)
    monkeypatch.setenv("DLM_SIGNATURE_POLICY", "strict")
    with pytest.raises(UsageProblem, match="DLM_SIGNATURE_POLICY=strict is no policy"):
        unpack(grace.bring(packed), home=grace.home)


def test_what_lies_in_the_trust_store_and_is_no_key_counts_for_nothing_and_is_told_of(packed, ada, grace, signed):
    trust_store.add(grace.home, signed(ada, packed), "ada")
    (grace.home / "trusted-keys" / "note.pub").write_text("call Ada")
    assert judged(grace, packed).by == "ada"
    assert "note.pub counts for nothing" in trust_store.load(grace.home).notes[0]


def test_a_key_can_be_named_by_fingerprint_and_forgotten(packed, ada, grace, signed):
    key = trust_store.add(grace.home, signed(ada, packed), "ada")
    with pytest.raises(UsageProblem, match="too short"):
        trust_store.remove(grace.home, "sha256:12")
    assert trust_store.remove(grace.home, key.fingerprint[:30]) == [key.path]
    with pytest.raises(UsageProblem, match="no trusted key"):
        trust_store.remove(grace.home, "ada")
    for name in ("../ada", "", ".hidden", "a/b"):
        with pytest.raises(UsageProblem, match="no trusted key"):
            trust_store.remove(grace.home, name)


def test_a_name_in_the_trust_store_is_never_given_to_another_key(packed, ada, grace, signed):
    first, second = signed(ada, packed), signed(grace, grace.bring(packed))
    trust_store.add(grace.home, first, "ada")
    trust_store.add(grace.home, first, "ada")
    with pytest.raises(UsageProblem, match="ada is another key already"):
        trust_store.add(grace.home, second, "ada")
    with pytest.raises(UsageProblem, match="is no name for a key"):
        trust_store.add(grace.home, second, "../ada")


def test_signers_are_described_without_loading_what_they_need():
    assert [entry.suffix for entry in dlm_sign.for_dlm.dlm_signers()] == [".sig", ".minisig"]


def _putting(data: bytes, real):
    def verify(self, path, signature, *, public):
        path.write_bytes(data)
        return real(self, path, signature, public=public)

    return verify


def _file(pack: Path, public: bytes) -> Path:
    place = pack.with_name("victim.pub")
    place.write_bytes(public)
    return place


def _another_pack_of_the_same_document(pack: Path) -> bytes:
    """The same members, compressed in another way: whole, of the same document, and other bytes."""
    import zstandard

    plain = zstandard.ZstdDecompressor().decompressobj().decompress(pack.read_bytes())
    return zstandard.ZstdCompressor(level=1, write_checksum=True).compress(plain)
