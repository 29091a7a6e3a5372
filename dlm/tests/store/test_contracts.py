"""What the store writes is what ``contracts/`` promises to others."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from dlm.store.manifest import schema
from dlm.training.events import Evaluated, StepLogged

CONTRACTS = Path(__file__).parents[3] / "contracts"


def validator(name: str) -> Draft202012Validator:
    contract = json.loads((CONTRACTS / name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(contract)
    return Draft202012Validator(contract)


def test_the_manifest_contract_is_current() -> None:
    write = "python -c 'from dlm.store.manifest import schema; print(schema(), end=\"\")'"
    committed = (CONTRACTS / "store-manifest.schema.json").read_text(encoding="utf-8")
    assert committed == schema(), f"run: {write} > contracts/store-manifest.schema.json"


def test_a_written_manifest_keeps_its_contract(store, adapter, facts) -> None:
    with store.lock("train"):
        store.begin_run(facts).commit(adapter(), {"outcome": {"steps": 2, "final_loss": math.nan}})
        store.begin_run(facts).reject(adapter(), "NaN")
        store.begin_run(facts).fail("boom")
    validator("store-manifest.schema.json").validate(json.loads(store.layout.manifest.read_text()))


def test_log_records_keep_their_contract(store, adapter, facts) -> None:
    contract = validator("train-log.schema.json")
    base = {"key": "tiny", "digest": "sha256:" + "0" * 64, "source": "test", "revision": None}
    plan = {"steps": 2, "tokens": 9, "rows": {"qa": 1}}
    with store.lock("train"):
        run = store.begin_run(facts)
        run.log({"type": "banner", "run_id": run.id, "seed": 7, **facts, "base": base, "recipe": {}, "plan": plan})
        run.log({"type": "evaluation", **asdict(Evaluated(0, 2.5, True))})
        run.log({"type": "step", **asdict(StepLogged(1, 2, math.nan, None, 1e-3, math.inf, 9, 100.0, 0.1))})
        end = {"run_id": run.id, "status": "ok", "adapter_version": 1, "steps": 2, "early_stopped": False}
        run.log({"type": "run_complete", **end, "elapsed_seconds": 0.5})
        run.log({"type": "delta", "new": ["a" * 16], "unchanged": [], "removed": []})
        run.commit(adapter(), {})
    lines = run.log_path.read_text().splitlines()
    assert len(lines) == 5
    for line in lines:
        contract.validate(json.loads(line))


@pytest.mark.parametrize(
    "record",
    [
        {"type": "step", "timestamp": "2026-11-05T12:00:00Z", "step": 1},
        {"type": "evaluation", "timestamp": "2026-11-05 12:00", "step": 0, "held_out_loss": 1, "best": True},
        {"timestamp": "2026-11-05T12:00:00Z"},
    ],
)
def test_the_log_contract_refuses_what_is_incomplete(record: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        validator("train-log.schema.json").validate(record)
