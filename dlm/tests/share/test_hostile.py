"""Packs that somebody made to do harm: each is refused with a message of its own, and nothing at all is written."""

from __future__ import annotations

import hashlib
import json
import os
import random
import tarfile

import pytest
import zstandard

from dlm.errors import PackInvalid
from dlm.share import members as rules
from dlm.share.receiving import receive
from dlm.share.tape import header
from dlm.share.unpacking import unpack
from dlm.testing.toy_letters import SIZE, tensor_file

WEIGHTS = "store/adapter/versions/v0001/adapter_model.safetensors"
FACTS = "store/adapter/versions/v0001/version.json"
OTHER = "01J0000000000000000000000B"


def listing(folder):
    return sorted(
        (place, name)
        for place, folders, names in os.walk(folder)
        for name in (*folders, *names)
        if not name.endswith("home2")
    )


@pytest.fixture
def refused(tmp_path, packed):
    """``refused(path, said)``: neither ``dlm verify`` nor ``dlm unpack`` takes it, and the disk is as it was."""
    target = tmp_path / "elsewhere"
    target.mkdir()

    def check(path, said: str) -> None:
        before = listing(tmp_path)
        with pytest.raises(PackInvalid) as problem:
            receive(path, None)
        assert said in str(problem.value)
        assert str(path) in str(problem.value)
        with pytest.raises(PackInvalid) as problem:
            unpack(path, home=target / "home2", out=target)
        assert said in str(problem.value)
        assert not (target / "home2").exists() or not any((target / "home2").iterdir())
        if (target / "home2").exists():
            (target / "home2").rmdir()
        assert listing(tmp_path) == before

    return check


def test_the_pack_that_the_others_are_forged_from_is_good(forge, tmp_path):
    assert receive(forge.write(tmp_path / "good.pack"), None).manifest.version == 1


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.SYMTYPE, "is a symbolic link"),
        (tarfile.LNKTYPE, "is a hard link"),
        (tarfile.CHRTYPE, "is a device"),
        (tarfile.BLKTYPE, "is a device"),
        (tarfile.FIFOTYPE, "is a pipe"),
        (tarfile.DIRTYPE, "is a folder"),
        (tarfile.CONTTYPE, "is an extension of tar"),
        (tarfile.GNUTYPE_LONGNAME, "is an extension of tar"),
        (tarfile.GNUTYPE_LONGLINK, "is an extension of tar"),
        (tarfile.GNUTYPE_SPARSE, "is an extension of tar"),
        (tarfile.XHDTYPE, "is an extension of tar"),
        (tarfile.XGLTYPE, "is an extension of tar"),
    ],
)
def test_what_is_no_plain_file_is_refused(forge, member, special, refused, tmp_path, kind, said):
    forge.extra.append(member("x", b"", special(kind, "store/x.json", "/etc/passwd")))
    refused(forge.write(tmp_path / "bad.pack"), said)


NAMES = {
    "/etc/cron.d/evil": "is an absolute path",
    "C:/evil.json": "is an absolute path",
    "store\\..\\evil.json": "is an absolute path",
    "../evil.json": "points outside",
    "store/../../evil.json": "points outside",
    "store/adapter/versions/v0001/../../../evil.json": "points outside",
    "./document.dlm": "is no plain path",
    "store//manifest.json": "is no plain path",
    "store/logs/train-1-2.jsonl/": "is no plain path",
    "store/m\u00e4nifest.json": "has characters",
    "store/a\x1b[2Jb.json": "has characters",
    "store/" + "a" * 240 + ".json": "longer or deeper",
    "store/exports/" + "a/" * 20 + "b": "longer or deeper",
    "store/adapter/versions/v0001/training_state.pt": "is nothing that a pack holds",
    "store/adapter/versions/v0001/optimizer.pkl": "is nothing that a pack holds",
    "store/adapter/versions/v0001-rejected/x.json": "is nothing that a pack holds",
    "store/adapter/versions/v0001/adapters/../x.json": "points outside",
    "store/.lock": "is nothing that a pack holds",
    "store/evil.sh": "is nothing that a pack holds",
    ".bashrc": "is nothing that a pack holds",
    "store/exports/gguf/.hidden": "is nothing that a pack holds",
    "store/tokenized-cache/tokens.sqlite": "is nothing that a pack holds",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_listed_name_that_no_pack_holds_is_refused(forge, refused, tmp_path, name):
    names = sorted([*forge.members, name])
    forge.json["members"] = [{"path": one, "size": len(forge.members.get(one, b""))} for one in names]
    forge.listed = json.dumps(forge.json).encode()
    files = {"pack.json": forge.listed, **{one: forge.members.get(one, b"") for one in names}}
    forge.sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {one}\n" for one, data in files.items()).encode()
    refused(forge.write(tmp_path / "bad.pack"), NAMES[name])


@pytest.mark.parametrize("name", [name for name in NAMES if len(name) < 100 and name.isascii()])
def test_an_unlisted_name_that_no_pack_holds_is_refused(forge, member, special, refused, tmp_path, name):
    forge.extra.append(member(name, b"", special(tarfile.REGTYPE, name, mtime=forge.mtime)))
    path = forge.write(tmp_path / "bad.pack")
    # A name that tar itself would write otherwise fails as a header.
    refused(path, "" if name.endswith("/") else NAMES[name])


def test_an_unlisted_member_is_refused(forge, member, refused, tmp_path):
    forge.extra.append(member("store/logs/train-000009-20260101T000000Z.jsonl", b"{}\n"))
    refused(forge.write(tmp_path / "bad.pack"), "is not listed in SHA256SUMS")


def test_a_member_that_comes_twice_is_refused(forge, member, refused, tmp_path):
    forge.extra.append(member(WEIGHTS, b"evil"))
    refused(forge.write(tmp_path / "bad.pack"), "comes twice")


def test_a_listed_member_that_is_missing_is_refused(forge, refused, tmp_path):
    forge.tar()
    whole = dict(forge.members)
    files = {"pack.json": forge.listed, **whole}
    forge.sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {one}\n" for one, data in files.items()).encode()
    del forge.members["store/replay/ledger.json"]
    refused(forge.write(tmp_path / "bad.pack"), "is listed and missing")


@pytest.mark.parametrize("pair", [("store/logs/train-1-2T.jsonl", "store/logs/train-1-2T.jsonl")])
def test_a_list_with_a_name_twice_is_refused(forge, refused, tmp_path, pair):
    forge.tar()
    facts = json.loads(forge.listed)
    facts["members"] += [{"path": name, "size": 0} for name in pair]
    forge.listed = json.dumps(facts).encode()
    refused(forge.write(tmp_path / "bad.pack"), "twice")


def test_names_that_are_one_on_other_disks_are_refused(forge, refused, tmp_path):
    forge.members |= {"store/exports/x/Model.gguf": b"1", "store/exports/x/model.gguf": b"2"}
    refused(forge.write(tmp_path / "bad.pack"), "lists a member twice")


def test_a_name_that_is_a_file_and_a_folder_is_refused(forge, refused, tmp_path):
    forge.members |= {"store/exports/x/a": b"1", "store/exports/x/a/b": b"2"}
    refused(forge.write(tmp_path / "bad.pack"), "a file and a folder")


def test_members_out_of_order_are_refused(forge, refused, tmp_path):
    forge.tar()
    facts = json.loads(forge.listed)
    facts["members"].reverse()
    forge.listed = json.dumps(facts).encode()
    refused(forge.write(tmp_path / "bad.pack"), "out of order")


@pytest.mark.parametrize("name", ["document.dlm", WEIGHTS, FACTS, "store/manifest.json", "store/dlm.lock"])
def test_a_member_that_is_not_what_its_digest_says_is_refused(forge, refused, tmp_path, name):
    forge.tar()
    files = {"pack.json": forge.listed, **forge.members}
    forge.sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {one}\n" for one, data in files.items()).encode()
    data = bytearray(forge.members[name])
    data[len(data) // 2] ^= 1
    forge.members[name] = bytes(data)
    refused(forge.write(tmp_path / "bad.pack"), "is not what SHA256SUMS says")


def test_a_pack_json_that_is_not_what_its_digest_says_is_refused(forge, refused, tmp_path):
    forge.tar()
    files = {"pack.json": forge.listed, **forge.members}
    forge.sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {one}\n" for one, data in files.items()).encode()
    forge.listed += b" "
    refused(forge.write(tmp_path / "bad.pack"), "pack.json is not what SHA256SUMS says")


def test_a_size_that_is_not_the_one_listed_is_refused(forge, refused, tmp_path):
    forge.tar()
    facts = json.loads(forge.listed)
    facts["members"][3]["size"] += 1
    forge.listed = json.dumps(facts).encode()
    refused(forge.write(tmp_path / "bad.pack"), "and pack.json says")


@pytest.mark.parametrize(
    "sums",
    [b"", b"\n", b"no list\n", b"0" * 64 + b"  pack.json", b"0" * 64 + b" pack.json\n", b"A" * 64 + b"  pack.json\n"],
)
def test_a_list_of_digests_that_is_none_is_refused(forge, refused, tmp_path, sums):
    forge.sums = sums
    refused(forge.write(tmp_path / "bad.pack"), "SHA256SUMS is no")


def test_a_list_of_digests_that_says_one_twice_is_refused(forge, refused, tmp_path):
    forge.sums = (b"0" * 64 + b"  pack.json\n") * 2
    refused(forge.write(tmp_path / "bad.pack"), "or a second one")


def test_lists_that_differ_are_refused(forge, refused, tmp_path):
    forge.tar()
    digest = hashlib.sha256(forge.listed).hexdigest()
    forge.sums = f"{digest}  pack.json\n".encode()
    refused(forge.write(tmp_path / "bad.pack"), "list different members")


IDS = {
    "../../evil": "is not a document id",
    "..": "is not a document id",
    "": "is not a document id",
    "01j0000000000000000000000a": "is not a document id",
    "/etc": "is not a document id",
    OTHER: "the document says",
}


@pytest.mark.parametrize("dlm_id", IDS)
def test_an_id_that_leads_elsewhere_is_refused(forge, refused, tmp_path, dlm_id):
    forge.json["dlm_id"] = dlm_id
    refused(forge.write(tmp_path / "bad.pack"), IDS[dlm_id])


def _changed(forge, name, **values):
    forge.members[name] = json.dumps(json.loads(forge.members[name]) | values).encode()


def test_a_store_of_another_document_is_refused(forge, refused, tmp_path):
    _changed(forge, "store/manifest.json", dlm_id=OTHER)
    refused(forge.write(tmp_path / "bad.pack"), f"its store of '{OTHER}'")


def test_another_text_than_was_packed_is_refused(forge, refused, tmp_path):
    forge.members["document.dlm"] += b"\nBuy at evil.example.\n"
    refused(forge.write(tmp_path / "bad.pack"), "is not the one that pack.json describes")


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"no frontmatter", b"---\ndlm_id: [\n---\n", b"---\nx: 1\n---\n"])
def test_a_document_that_is_none_is_refused(forge, refused, tmp_path, data):
    forge.members["document.dlm"] = data
    refused(forge.write(tmp_path / "bad.pack"), "the document cannot be read")


def test_weights_other_than_those_of_the_version_are_refused(forge, refused, tmp_path):
    forge.members[WEIGHTS] += b"x"
    refused(forge.write(tmp_path / "bad.pack"), "is not the adapter that its version was made with")


@pytest.mark.parametrize("name", ["document.dlm", "store/manifest.json", "store/adapter/current.txt"])
def test_a_pack_without_what_it_needs_is_refused(forge, refused, tmp_path, name):
    del forge.members[name]
    refused(forge.write(tmp_path / "bad.pack"), f"has no {name}")


def test_a_version_that_does_not_say_how_it_was_made_is_refused(forge, refused, tmp_path):
    forge.members[FACTS] = b"[" * 100_000
    refused(forge.write(tmp_path / "bad.pack"), "does not say how it was made")


@pytest.mark.parametrize("adapters", [{"../../x": {"number": 1}}, [1], {"a": 1}])
def test_adapters_that_lead_elsewhere_are_refused(forge, refused, tmp_path, adapters):
    _changed(forge, FACTS, adapters=adapters)
    refused(forge.write(tmp_path / "bad.pack"), "adapter")


@pytest.mark.parametrize("text", [b"../../../etc", b"adapter/versions/v0002\n", b"", b"\xff"])
def test_a_pointer_that_leads_elsewhere_is_refused(forge, refused, tmp_path, text):
    forge.members["store/adapter/current.txt"] = text
    refused(forge.write(tmp_path / "bad.pack"), "its current version is not")


@pytest.mark.parametrize(
    "name", ["../evil.dlm", "a/b.dlm", "evil.sh", "x\x00.dlm", "..\\x.dlm", "a" * 300 + ".dlm", ""]
)
def test_a_document_is_not_written_elsewhere(forge, refused, tmp_path, name):
    forge.json["document"]["name"] = name
    refused(forge.write(tmp_path / "bad.pack"), "document.name")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"pack_format": 3}', "pip install -U dlm"),
        (b'{"pack_format": "2"}', "is not one"),
        (b"[]", "is not one"),
        (b"{", "is no JSON"),
        (b"[" * 200_000, "is no JSON"),
        (b'{"x": "\xff"}', "is no JSON"),
    ],
)
def test_a_manifest_that_is_none_is_refused(forge, refused, tmp_path, data, said):
    forge.listed = data
    refused(forge.write(tmp_path / "bad.pack"), said)


@pytest.mark.parametrize("sizes", [[2**62], [2**36] * 5, [-1]])
def test_a_pack_that_says_that_it_is_enormous_is_refused(forge, refused, tmp_path, sizes):
    forge.tar()
    facts = json.loads(forge.listed)
    for member, size in zip(facts["members"], sizes, strict=False):
        member["size"] = size
    forge.listed = json.dumps(facts).encode()
    refused(forge.write(tmp_path / "bad.pack"), "")


def test_too_many_members_are_refused(forge, refused, tmp_path):
    forge.members |= {f"store/exports/x/f{number}": b"" for number in range(rules.LIMITS.members)}
    refused(forge.write(tmp_path / "bad.pack"), "members, and may hold")


def test_a_list_that_does_not_fit_into_memory_is_refused(forge, refused, tmp_path):
    forge.sums = random.Random(1).randbytes(rules.LIMITS.list + 1)
    refused(forge.write(tmp_path / "bad.pack"), "and may have")


def test_a_bomb_is_refused(forge, refused, tmp_path, monkeypatch):
    monkeypatch.setattr("dlm.share.tape.LIMITS", rules.LIMITS._replace(free=2**20))
    forge.members["store/exports/x/zeros"] = bytes(32 * 2**20)
    refused(forge.write(tmp_path / "bad.pack"), "it grows to more than")


@pytest.mark.parametrize(
    "change",
    [{"uid": 7}, {"mode": 0o4755}, {"uname": "root"}, {"mtime": 5}, {"linkname": "/etc/passwd"}],
    ids=lambda change: next(iter(change)),
)
def test_a_header_with_more_than_a_name_and_a_size_is_refused(forge, member, special, refused, tmp_path, change):
    block = special(tarfile.REGTYPE, "document.dlm", **{"mtime": forge.mtime, "mode": 0o644} | change)
    forge.extra.append(member("document.dlm", b"", block))
    refused(forge.write(tmp_path / "bad.pack"), "an owner, a mode or a time")


def test_a_damaged_header_is_refused(forge, member, refused, tmp_path):
    forge.extra.append(member("x", b"", b"\x01" * 512))
    refused(forge.write(tmp_path / "bad.pack"), "header is damaged")


def test_a_negative_size_is_refused(forge, member, special, refused, tmp_path):
    raw = bytearray(special(tarfile.REGTYPE, "document.dlm", mtime=forge.mtime))
    raw[124:136] = b"\xff" * 12
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw)
    forge.extra.append(member("x", b"", bytes(raw)))
    refused(forge.write(tmp_path / "bad.pack"), "says that it is -")


def test_bytes_between_members_are_refused(forge, refused, tmp_path):
    tar = bytearray(forge.tar())
    tar[len(tar) - 1025] = 1
    refused(forge.write(tmp_path / "bad.pack", bytes(tar)), "bytes are hidden behind")


@pytest.mark.parametrize("end", [bytes(512), bytes(1536), bytes(1024) + b"x" * 512, bytes(512) + b"x" * 512, b""])
def test_another_end_than_a_packs_is_refused(forge, refused, tmp_path, end):
    forge.end = end
    refused(forge.write(tmp_path / "bad.pack"), "something follows" if end else "is cut off")


def test_a_pack_that_begins_with_something_else_is_refused(forge, member, refused, tmp_path):
    tar = member("evil.json", b"{}").bytes(forge.mtime) + forge.tar()
    refused(forge.write(tmp_path / "bad.pack", tar), "it begins with 'evil.json'")


def test_what_is_no_zstd_file_is_refused(refused, tmp_path):
    path = tmp_path / "bad.pack"
    for data, said in (
        (b"", "is no pack"),
        (b"PK\x03\x04" + bytes(100), "is no pack"),
        (b"\x50\x2a\x4d\x18\x04\x00\x00\x00evil", "is no pack"),
        (b"\x28\xb5\x2f\xfd\xff" + bytes(50), "is no pack"),
        (b"\x28\xb5\x2f\xfd\x04\x58\x07\x00\x00" + bytes(50), "no zstd block"),
    ):
        path.write_bytes(data)
        refused(path, said)


def test_an_empty_tar_is_refused(forge, refused, tmp_path):
    refused(forge.write(tmp_path / "bad.pack", bytes(1024)), "is an empty pack")


def test_a_pack_without_a_checksum_is_refused(forge, refused, tmp_path):
    path = tmp_path / "bad.pack"
    path.write_bytes(zstandard.ZstdCompressor(write_checksum=False).compress(forge.tar()))
    refused(path, "has no checksum")


def test_a_wish_for_much_memory_is_refused(forge, refused, tmp_path):
    options = zstandard.ZstdCompressionParameters(window_log=27, write_checksum=True, write_content_size=False)
    squeezer = zstandard.ZstdCompressor(compression_params=options).compressobj()
    path = tmp_path / "bad.pack"
    path.write_bytes(squeezer.compress(forge.tar()) + squeezer.flush())
    refused(path, "MB of memory")


@pytest.mark.parametrize("more", [b"\x00", b"evil", b"\x28\xb5\x2f\xfd\x24\x00\x01\x00\x00"])
def test_what_follows_the_pack_is_refused(packed, refused, tmp_path, more):
    path = tmp_path / "bad.pack"
    path.write_bytes(packed.path.read_bytes() + more)
    refused(path, "after its end")


def test_a_pack_that_is_cut_off_anywhere_is_refused(packed, refused, tmp_path):
    data, path = packed.path.read_bytes(), tmp_path / "bad.pack"
    for cut in random.Random("cut").sample(range(1, len(data)), 200):
        path.write_bytes(data[:cut])
        refused(path, "is cut off")


def test_a_changed_bit_is_refused_or_changes_nothing(packed, tmp_path):
    data, path, chance = packed.path.read_bytes(), tmp_path / "bad.pack", random.Random("bits")
    for place in [0, 4, 5, len(data) - 1, *chance.sample(range(len(data)), 200)]:
        raw = bytearray(data)
        raw[place] ^= 1 << chance.randrange(8)
        path.write_bytes(raw)
        try:
            found = receive(path, None)
        except PackInvalid:
            continue
        assert found.digest == packed.digest


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "claims.json cannot be read"),
        (b"[]", "claims.json cannot be read"),
        (b"[" * 100_000, "claims.json cannot be read"),
        (b'{"claims_format": 2}', "claims.json cannot be read"),
        (b"\xff", "claims.json cannot be read"),
    ],
)
def test_claims_that_are_none_are_refused(forge, refused, tmp_path, data, said):
    forge.members["claims.json"] = data
    refused(forge.write(tmp_path / "bad.pack"), said)


def test_claims_of_a_newer_dlm_are_not_guessed_at(forge, refused, tmp_path):
    _changed(forge, "claims.json", claims_format=2)
    refused(forge.write(tmp_path / "bad.pack"), "pip install -U dlm")


@pytest.mark.parametrize(
    "phases",
    [
        '[{"recipe": ' + "[" * 600 + "]" * 600 + "}]",
        '[{"recipe": {"seed": "x"}}]',
        '[{"recipe": {"seed": [1]}}]',
        '[{"recipe": NaN}]',
        '[{"recipe": {"seed": 7}}]',
        "[1]",
        "7",
    ],
)
def test_facts_that_are_claimed_otherwise_or_cannot_be_are_refused(forge, refused, tmp_path, phases):
    facts = json.loads(forge.members[FACTS])
    forge.members[FACTS] = json.dumps(facts | {"phases": 0}).replace('"phases": 0', f'"phases": {phases}').encode()
    refused(forge.write(tmp_path / "bad.pack"), "claim")


def test_a_learning_report_with_other_numbers_than_are_claimed_is_refused(forge, refused, tmp_path):
    name = FACTS.replace("version.json", "learning.json")
    _changed(forge, name, state="learned", total=None)
    refused(forge.write(tmp_path / "bad.pack"), "claims another learning")


def test_small_files_that_do_not_fit_into_memory_together_are_refused(forge, refused, tmp_path, monkeypatch):
    monkeypatch.setattr("dlm.share.receiving.LIMITS", rules.LIMITS._replace(text=2**16))
    forge.members |= {f"store/adapter/versions/v{number:04d}/version.json": bytes(2**14) for number in range(2, 8)}
    refused(forge.write(tmp_path / "bad.pack"), "too large for what it is")


@pytest.fixture
def with_base(forge):
    """The pack with a base inside that is the right one."""
    config, weights = {"model_type": "toy", "name": "toy"}, tensor_file([0.0] * SIZE)
    forge.members |= {
        "base/config.json": json.dumps(config).encode(),
        "base/tokenizer.json": b"{}",
        "base/model.safetensors": weights,
    }
    forge.json["base"] |= {"included": True}
    return forge


def test_the_pack_with_a_base_that_the_others_are_forged_from_is_good(with_base, tmp_path):
    path = with_base.write(tmp_path / "good.pack")
    assert receive(path, None).manifest.base.included
    done = unpack(path, home=tmp_path / "h", out=tmp_path / "out")
    assert done.base == tmp_path / "out" / "base"


BASE_NAMES = {
    "base/pytorch_model.bin": "is nothing that a pack holds",
    "base/model.pkl": "is nothing that a pack holds",
    "base/modeling_evil.py": "is nothing that a pack holds",
    "base/base.json": "is nothing that a pack holds",
    "base/.hidden.safetensors": "is nothing that a pack holds",
    "base/sub/model.safetensors": "is nothing that a pack holds",
    "base/run.sh": "is nothing that a pack holds",
    "base/../../evil.json": "points outside",
    "base/": "is no plain path",
}


@pytest.mark.parametrize("name", BASE_NAMES)
def test_a_base_holds_nothing_but_a_base(with_base, refused, tmp_path, name):
    with_base.members[name] = b"x"
    refused(with_base.write(tmp_path / "bad.pack"), BASE_NAMES[name])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("base/model.safetensors", b"poisoned"),
        ("base/config.json", b'{"model_type": "toy", "name": "another"}'),
        ("base/tokenizer.json", b'{"evil": 1}'),
        ("base/chat_template.jinja", b"{{ evil }}"),
        ("base/tokenizer_config.json", b'{"chat_template": "{{ evil }}"}'),
        ("base/more.safetensors", b""),
    ],
)
def test_another_base_than_the_version_was_trained_on_is_refused(with_base, refused, tmp_path, name, data):
    with_base.members[name] = data
    refused(with_base.write(tmp_path / "bad.pack"), "is not the one that its version was trained on")


def test_a_base_that_says_that_it_is_another_is_refused(with_base, refused, tmp_path):
    with_base.json["base"] |= {"digest": "sha256:" + "0" * 64}
    refused(with_base.write(tmp_path / "bad.pack"), "was trained on another base than pack.json says")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_half_a_base_is_refused(with_base, refused, tmp_path, name):
    del with_base.members[f"base/{name}"]
    refused(with_base.write(tmp_path / "bad.pack"), "lacks its weights, settings or tokenizer")


@pytest.mark.parametrize("data", [b"", b"[]", b"[" * 100_000, b"\xff"])
def test_settings_of_a_base_that_are_none_are_refused(with_base, refused, tmp_path, data):
    with_base.members["base/config.json"] = data
    refused(with_base.write(tmp_path / "bad.pack"), "settings that cannot be read")


def test_a_base_that_nobody_tells_of_is_refused(with_base, refused, tmp_path):
    with_base.json["base"] |= {"included": False}
    refused(with_base.write(tmp_path / "bad.pack"), "does not say whether the base is inside")


def test_a_base_that_is_told_of_and_missing_is_refused(forge, refused, tmp_path):
    forge.json["base"] |= {"included": True}
    refused(forge.write(tmp_path / "bad.pack"), "does not say whether the base is inside")


@pytest.mark.parametrize("place", ["../up", "/abs", "~/home", ".ssh", "a/../../b", "C:\\x"])
def test_a_base_is_not_written_to_where_its_document_would_have_it_elsewhere(with_base, tmp_path, place):
    from dlm.document.identity import digest

    text = with_base.members["document.dlm"].decode().replace("path:base", f"path:{place}")
    with_base.members["document.dlm"] = text.encode()
    with_base.json["document"]["digest"] = digest(text)
    claims = json.loads(with_base.members["claims.json"])
    claims["document"]["digest"] = digest(text)
    with_base.members["claims.json"] = json.dumps(claims).encode()
    outside = sorted(tmp_path.parent.iterdir())
    done = unpack(with_base.write(tmp_path / "bad.pack"), home=tmp_path / "h", out=tmp_path / "out")
    assert done.base is None
    assert any("is no folder beside the document" in note for note in done.notes)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.pack", "h", "lamp.dlm.pack", "out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["lamp.dlm"]
    assert sorted(tmp_path.parent.iterdir()) == outside


def test_a_launch_script_is_the_only_thing_that_comes_to_run(forge, member, special, refused, tmp_path):
    script, folder = b"#!/bin/sh\n", "store/exports/x"
    forge.members |= {f"{folder}/start.sh": script, f"{folder}/notes.txt": b"x"}
    forge.json["exports"] = ["x"]
    done = unpack(forge.write(tmp_path / "good.pack"), home=tmp_path / "h", out=tmp_path / "out")
    runs = {path.name for path in (tmp_path / "h").rglob("*") if path.is_file() and os.access(path, os.X_OK)}
    assert runs == ({"start.sh"} if os.name != "nt" else runs)
    assert done.document.is_file()
    block = special(tarfile.REGTYPE, f"{folder}/tool", mtime=forge.mtime, mode=0o755)
    forge.extra.append(member(f"{folder}/tool", b"", block))
    refused(forge.write(tmp_path / "bad.pack"), "an owner, a mode or a time")


def test_an_early_pack_whose_launch_scripts_could_not_run_is_read_and_they_run(forge, tmp_path):
    name = "store/exports/x/start.sh"
    forge.members[name] = b"#!/bin/sh\n"
    forge.json["exports"] = ["x"]
    tar = forge.tar()
    assert header(name, 10, forge.mtime) in tar
    early = tar.replace(header(name, 10, forge.mtime), header(name, 10, forge.mtime, runs=False))
    unpack(forge.write(tmp_path / "early.pack", early), home=tmp_path / "h", out=tmp_path / "out")
    (script,) = (tmp_path / "h").rglob("start.sh")
    assert os.access(script, os.X_OK)
