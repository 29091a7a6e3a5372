"""Packs of the prior trainer, format 1, as its specification describes them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile

import pytest
import zstandard
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.errors import PackInvalid
from dlm.share.receiving import receive
from dlm.share.unpacking import unpack
from dlm.store import Store
from dlm.testing import toy_base

DLM_ID = "01J0000000000000000000000A"
STORE = {
    "dlm_id": DLM_ID,
    "schema_version": 1,
    "created_at": "2025-05-01T10:00:00",
    "updated_at": "2025-05-01T10:05:00",
    "base_model": "smollm2-135m",
    "base_model_revision": "f" * 40,
    "adapter_version": 3,
    "adapter_versions": {},
    "training_runs": [
        {
            "run_id": 1,
            "started_at": "2025-05-01T10:05:00",
            "ended_at": "2025-05-01T10:05:00",
            "adapter_version": 3,
            "status": "completed",
            "seed": 42,
            "steps": 12,
            "pinned_versions": {"torch": "2.6.0"},
        }
    ],
    "exports": [],
    "content_hashes": {"0123456789abcdef": "0123456789abcdef"},
    "source_path": "/home/ada/lamp.dlm",
    "license_acceptance": {"accepted_at": "2025-05-01T10:00:00", "license_url": "https://x.example", "via": "cli_flag"},
}
DELETED = b"The safe opens with 84-17-32."


@pytest.fixture
def prior(tmp_path, forge):
    """``prior(change)`` writes a pack; ``change`` gets its members and the manifest, which is under no digest."""
    weights = forge.members["store/adapter/versions/v0001/adapter_model.safetensors"]

    def write(change=None, name: str = "lamp.dlm", listed: bool = True):
        version = "store/adapter/versions/v0003"
        files = {
            "PACK_HEADER.json": json.dumps(
                {"pack_format_version": 1, "created_at": "2025-05-02T08:00:00", "tool_version": "0.9.0"}
            ).encode(),
            f"dlm/{name}": forge.members["document.dlm"],
            "store/manifest.json": json.dumps(STORE).encode(),
            "store/adapter/current.txt": b"adapter/versions/v0003\n",
            f"{version}/adapter_config.json": b'{"r": 8}',
            f"{version}/adapter_model.safetensors": weights,
            f"{version}/training_state.pt": b"\x80\x02pickle",
            f"{version}/training_args.bin": b"PK",
            "store/adapter/versions/v0002/adapter_model.safetensors": weights + b"older",
            "store/replay/corpus.zst": DELETED,
            "store/tokenized-cache/entries/ab/abcd.npz": b"PK",
            "store/metrics.sqlite": b"SQLite",
        }
        manifest = {"dlm_id": DLM_ID, "base_model": "smollm2-135m", "adapter_version": 3}
        if change:
            change(files, manifest)
        sums = "".join(f"{hashlib.sha256(files[one]).hexdigest()}  {one}\n" for one in sorted(files) if one != "x")
        everything = {"CHECKSUMS.sha256": sums.encode(), "manifest.json": json.dumps(manifest).encode(), **files}
        path = tmp_path / "old.pack"
        path.write_bytes(zstandard.ZstdCompressor(level=10).compress(tar(everything)))
        return path

    return write


def tar(files: dict[str, bytes]) -> bytes:
    """As the prior trainer wrote it: the standard library's default format, mode and times made alike."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in sorted(files):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(files[name]), 0o644
            archive.addfile(info, io.BytesIO(files[name]))
    return out.getvalue()


def test_a_pack_of_the_prior_trainer_becomes_a_store_of_ours(prior, home, tmp_path, plugins):
    toy_base(tmp_path / "a" / "base")
    done = unpack(prior(), out=tmp_path / "a")
    store = Store(home, DLM_ID)
    version = store.current()
    assert version is not None
    version.verify()
    assert version.name == "v0003"
    assert sorted(file.name for file in version.path.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "version.json",
    ]
    manifest = store.manifest()
    assert manifest is not None
    assert (manifest.license_acceptance, manifest.source_path) == (None, str(done.document))
    assert manifest.training_runs[0].status == "ok"
    everything = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert DELETED not in everything
    assert b"pickle" not in everything
    assert "left out 5 files" in done.notes[-1]
    shown = CliRunner().invoke(main, ["show", str(done.document)])
    assert (shown.exit_code, "trained as v0003" in shown.stdout) == (0, True), shown.output
    assert CliRunner().invoke(main, ["verify", str(prior())]).stdout.count("1, of the prior trainer") == 1


def test_the_document_of_a_prior_pack_may_have_any_letters_in_its_name(prior, home, tmp_path):
    done = unpack(prior(name="K\u00fcche und Keller.dlm"), out=tmp_path / "a")
    assert done.document.name == "K\u00fcche und Keller.dlm"


def test_named_adapters_of_a_prior_pack_become_one_version(prior, home, tmp_path):
    def change(files, manifest):
        weights = files["store/adapter/versions/v0003/adapter_model.safetensors"]
        for name, number in (("tone", 1), ("facts", 2)):
            files[f"store/adapter/{name}/current.txt"] = f"adapter/{name}/versions/v{number:04d}\n".encode()
            files[f"store/adapter/{name}/versions/v{number:04d}/adapter_model.safetensors"] = weights + name.encode()
        for key in [one for one in files if one.startswith(("store/adapter/versions", "store/adapter/current"))]:
            del files[key]

    unpack(prior(change), out=tmp_path / "a")
    version = Store(home, DLM_ID).current()
    assert version is not None
    version.verify()
    assert (version.number, version.adapters) == (2, ("facts", "tone"))


def _other_id(files, manifest):
    manifest["dlm_id"] = "../../evil"


def _all_other_ids(files, manifest):
    manifest["dlm_id"] = "../../evil"
    files["store/manifest.json"] = json.dumps({**STORE, "dlm_id": "../../evil"}).encode()
    files["dlm/lamp.dlm"] = b"---\ndlm_id: ../../evil\n---\nx\n"


def _escaping(files, manifest):
    files["store/../../evil"] = b""


def _no_header(files, manifest):
    del files["PACK_HEADER.json"]


def _two_documents(files, manifest):
    files["dlm/other.dlm"] = files["dlm/lamp.dlm"]


def _nothing_trained(files, manifest):
    del files["store/adapter/current.txt"]


def _elsewhere(files, manifest):
    files["store/adapter/current.txt"] = b"../../../etc"


def _newer(files, manifest):
    files["PACK_HEADER.json"] = b'{"pack_format_version": 7}'


def _stranger(files, manifest):
    files["bin/sh"] = b""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_other_id, "of different documents"),
        (_all_other_ids, "is not a document id"),
        (_escaping, "points outside of the store"),
        (_no_header, "has no PACK_HEADER.json"),
        (_two_documents, "holds 2 documents"),
        (_nothing_trained, "holds no trained version"),
        (_elsewhere, "names no version that is there"),
        (_newer, "of pack format 7"),
        (_stranger, "is nothing that a pack holds"),
    ],
)
def test_a_prior_pack_that_leads_elsewhere_is_refused(prior, home, tmp_path, change, said):
    path = prior(change)
    for work in (lambda: receive(path, None), lambda: unpack(path, out=tmp_path / "a")):
        with pytest.raises(PackInvalid, match=said):
            work()
    assert not (tmp_path / "a").exists()
    assert not list(home.rglob("*")) if home.exists() else True
    assert not (tmp_path / "evil").exists()


def test_a_prior_pack_with_a_member_that_its_list_lacks_is_refused(prior, tmp_path):
    path = prior()
    data = zstandard.ZstdDecompressor().decompress(path.read_bytes())
    smuggled = tar({"store/logs/x.jsonl": b"{}"})[:1024]
    path.write_bytes(
        zstandard.ZstdCompressor().compress(
            data.rstrip(b"\0") + bytes(-len(data.rstrip(b"\0")) % 512) + smuggled + bytes(1024)
        )
    )
    with pytest.raises(PackInvalid, match=r"is not listed in CHECKSUMS\.sha256"):
        receive(path, None)


def test_a_prior_pack_that_was_changed_is_refused(prior):
    path = prior()
    data = bytearray(zstandard.ZstdDecompressor().decompress(path.read_bytes()))
    place = bytes(data).index(b"The lamp stands")
    data[place] ^= 1
    path.write_bytes(zstandard.ZstdCompressor().compress(bytes(data)))
    with pytest.raises(PackInvalid, match="is not what its list says"):
        receive(path, None)
