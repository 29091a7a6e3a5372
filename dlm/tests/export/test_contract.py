"""What an export's manifest promises to others, in ``contracts/``."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from dlm.cli.main import main
from dlm.errors import StoreError
from dlm.export.cache import MONTH, kept
from dlm.export.manifest import MANIFEST_FILE, read_manifest, schema
from dlm.export.run import export_to

CONTRACTS = Path(__file__).parents[3] / "contracts"
GOLDEN = CONTRACTS / "golden" / "export" / MANIFEST_FILE
SPEC_KEYS = {
    *("target", "quant", "merged", "dequantized", "ollama_name", "created_at", "created_by", "llama_cpp_tag"),
    *("base_model_hf_id", "base_model_revision", "adapter_version", "artifacts"),
}


def validator() -> Draft202012Validator:
    contract = json.loads((CONTRACTS / "export-manifest.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(contract)
    return Draft202012Validator(contract)


def test_the_contract_is_current() -> None:
    write = "python -c 'from dlm.export.manifest import schema; print(schema(), end=\"\")'"
    committed = (CONTRACTS / "export-manifest.schema.json").read_text(encoding="utf-8")
    assert committed == schema(), f"run: {write} > contracts/export-manifest.schema.json"


def test_a_written_manifest_keeps_its_contract_and_the_keys_of_old(trained) -> None:
    found = json.loads((export_to(trained, "toy").folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    validator().validate(found)
    assert set(found) >= SPEC_KEYS
    assert [set(one) for one in found["artifacts"]] == [{"path", "sha256", "size_bytes"}] * 3


def test_the_golden_manifest_can_be_read_forever() -> None:
    validator().validate(json.loads(GOLDEN.read_text(encoding="utf-8")))
    found = read_manifest(GOLDEN.parent)
    assert found is not None
    assert (found.target, found.quant, found.certified, found.bytes) == ("gguf", "Q8_0", "passed", 144_814_589)


@pytest.mark.parametrize("text", ["{", "[]", '{"schema_version": 1}'])
def test_a_damaged_manifest_says_how_to_make_the_export_anew(tmp_path: Path, text) -> None:
    (tmp_path / MANIFEST_FILE).write_text(text)
    with pytest.raises(StoreError, match=r"is damaged .* make the export again"):
        read_manifest(tmp_path)


def test_a_manifest_of_a_newer_dlm_says_so(tmp_path: Path) -> None:
    (tmp_path / MANIFEST_FILE).write_text('{"schema_version": 2}')
    with pytest.raises(StoreError, match="newer dlm"):
        read_manifest(tmp_path)


def test_show_tells_of_every_export(trained) -> None:
    folder = export_to(trained, "toy").folder
    shown = CliRunner().invoke(main, ["show", str(trained)]).stdout
    assert f"{folder.name}, of v0001, certificate: passed" in shown
    assert "exports " in next(line for line in shown.splitlines() if line.strip().startswith("disk"))


def test_gc_all_removes_what_exports_kept_and_nobody_used_for_a_month(trained, home) -> None:
    cache = home / "cache" / "export"
    old, new = (kept(cache, "base-gguf", {"n": n}, lambda path: path.write_bytes(b"x" * 9)) for n in "ab")
    past = time.time() - MONTH - 86_400
    os.utime(old.with_name(old.name + ".json"), (past, past))
    dry = CliRunner().invoke(main, ["gc", "--all", "--dry-run"])
    told = next(line for line in dry.stdout.splitlines() if "export base-gguf, not used for 31 days" in line)
    assert len(told) <= 80
    assert old.exists()
    found = json.loads(CliRunner().invoke(main, ["gc", "--all", "--json"]).stdout)
    assert [one["path"] for one in found["export_cache"]] == [str(old)]
    assert (old.exists(), new.exists()) == (False, True)
