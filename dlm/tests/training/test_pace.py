"""How long a run will take."""

from __future__ import annotations

import json

import pytest

from dlm.bases import LocalBase
from dlm.training.pace import MEASURED_PARAMETERS, NEWEST, expected, remember


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "base"
    folder.mkdir()
    return LocalBase("toy", folder, "sha256:1", "test")


def weights(path, shape):
    """A safetensors file without its numbers."""
    header = json.dumps(
        {"__metadata__": {"format": "pt"}, "w": {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}}
    )
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode())


def test_a_damaged_base_tells_nothing(base, tmp_path):
    (base.path / "model.safetensors").write_bytes(b"x" * 1000)
    assert expected(base, tmp_path) is None


def test_before_the_first_run_the_base_s_size_is_all_there_is_to_go_by(base, tmp_path):
    assert expected(base, tmp_path) is None
    weights(base.path / "model.safetensors", [10, 100])
    small = expected(base, tmp_path)
    weights(base.path / "more.safetensors", [1000])
    assert not small.measured
    assert expected(base, tmp_path).rate == pytest.approx(small.rate / 2)
    assert small.rate > MEASURED_PARAMETERS / 1000


def test_after_it_the_last_runs_tell(base, tmp_path):
    remember(base, tmp_path, 1000, 2.0)
    assert expected(base, tmp_path) == (500.0, True)
    remember(base, tmp_path, 1000, 1.0)
    assert expected(base, tmp_path).rate == NEWEST * 1000 + (1 - NEWEST) * 500
    assert expected(LocalBase("other", base.path, "sha256:2", "test"), tmp_path) is None


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"sha256:1": "fast"}', '{"sha256:1": -3}'])
def test_a_damaged_file_tells_nothing_and_is_written_anew(base, tmp_path, damage):
    remember(base, tmp_path, 1000, 2.0)
    (tmp_path / "cache" / "pace.json").write_text(damage)
    assert expected(base, tmp_path) is None
    remember(base, tmp_path, 1000, 4.0)
    assert expected(base, tmp_path).rate == 250.0


def test_a_run_that_did_nothing_tells_nothing(base, tmp_path):
    remember(base, tmp_path, 0, 1.0)
    remember(base, tmp_path, 10, 0.0)
    assert expected(base, tmp_path) is None
