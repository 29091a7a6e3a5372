"""What AMD's programs and the kernel print becomes the same GPUs, whichever of them is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm_rocm import asking, processors, reading
from dlm_rocm.reading import Gpu

RECORDED = Path(__file__).parent / "recorded"
GB = 10**9


def text(name: str) -> str:
    return (RECORDED / name).read_text("utf-8")


def test_rocminfo_names_gpus_and_not_the_processor():
    card, own = reading.rocminfo(text("rocminfo.txt"))
    assert card == Gpu("Radeon RX 7900 XTX", "gfx1100", 25149440 * 1024)
    assert (own.name, own.architecture) == ("AMD Radeon Graphics", "gfx1036")


def test_rocm_smi_is_read_behind_a_warning_and_in_the_order_of_its_numbers():
    first, second, eleventh = reading.rocm_smi(text("rocm-smi.json"))
    assert first.architecture == "gfx1030"
    assert first.memory_free == 17163091968 - 692142080
    assert (second.name, second.architecture) == ("Raphael", "gfx1036")
    assert eleventh.name == "the eleventh"


def test_an_old_rocm_smi_names_the_card_without_its_architecture():
    (gpu,) = reading.rocm_smi(text("rocm-smi-old.json"))
    assert gpu == Gpu("Arcturus GL-XL [AMD Instinct MI100]", "", 34342961152, 34342961152 - 11075584)


def test_amd_smi_of_both_shapes():
    full, silent = reading.amd_smi(text("amd-smi-static.json"))
    assert full == Gpu("AMD Instinct MI300X", "gfx942", 196592 * 2**20)
    assert silent == Gpu("an AMD GPU", "")
    (newer,) = reading.amd_smi(text("amd-smi-static-7.json"), text("amd-smi-metric-7.json"))
    assert newer == Gpu("AMD Radeon RX 7800 XT", "gfx1101", 16368 * 2**20, 1799 * 2**20)


def test_the_kernel_s_own_files_are_enough():
    big, small = asking.from_kernel(RECORDED / "kfd" / "nodes")
    assert big == Gpu("gfx90a", "gfx90a", 68702699520)
    assert small == Gpu("gfx1036", "gfx1036")
    assert asking.from_kernel(Path("/nowhere")) == []


@pytest.mark.parametrize("read", [reading.amd_smi, reading.rocm_smi, reading.rocminfo, reading.kernel])
@given(st.text(max_size=300))
def test_nonsense_names_no_gpu_and_breaks_nothing(read, said):
    assert read(said) in ([], None)


@pytest.mark.parametrize(
    "said", ["[]", "[1, null]", '{"gpu_data": 3}', '{"card0": "gfx1030"}', '[{"asic": []}]', '{"gpu": 0, "asic": null}']
)
def test_other_json_than_expected_breaks_nothing(said):
    for read in (reading.amd_smi, reading.rocm_smi):
        for gpu in read(said):
            assert gpu == Gpu("an AMD GPU", "")


@pytest.mark.parametrize(
    ("number", "name", "version"),
    [
        (90010, "gfx90a", "9.0.10"),
        (90402, "gfx942", "9.4.2"),
        (110000, "gfx1100", "11.0.0"),
        (100306, "gfx1036", "10.3.6"),
    ],
)
def test_the_three_ways_to_write_an_architecture_agree(number, name, version):
    assert processors.named(number) == name
    assert processors.version(name) == version
    assert processors.behind(version) == name


def test_a_program_that_fails_or_hangs_leaves_the_word_to_the_next(tmp_path, monkeypatch):
    programs = {"amd-smi": "exit 1", "rocm-smi": "sleep 60", "rocminfo": f"cat {RECORDED / 'rocminfo.txt'}"}
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(asking, "SECONDS", 0.5)
    gpus, source = asking.ask()
    assert source == "rocminfo"
    assert [gpu.architecture for gpu in gpus] == ["gfx1100", "gfx1036"]


def test_whoever_knows_the_architecture_is_preferred(tmp_path, monkeypatch):
    (tmp_path / "rocm-smi").write_text(f"#!/bin/sh\ncat {RECORDED / 'rocm-smi-old.json'}\n")
    (tmp_path / "rocm-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(asking, "NODES", tmp_path / "none")
    assert asking.ask()[1] == "rocm-smi"
    monkeypatch.setattr(asking, "NODES", RECORDED / "kfd" / "nodes")
    assert asking.ask()[1] == "kernel"


def test_what_pytorch_was_built_for_is_read_without_importing_it(tmp_path, monkeypatch):
    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "version.py").write_text(
        "from typing import Optional\n__version__ = '2.9.0+rocm6.4'\ncuda: Optional[str] = None\n"
        "hip: Optional[str] = '6.4.43484-123eb5128'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "torch", raising=False)
    assert asking.torch_build() == ("2.9.0+rocm6.4", "6.4.43484-123eb5128")
    (package / "version.py").write_text("__version__ = '2.9.0+cpu'\nhip: Optional[str] = None\n")
    assert asking.torch_build() == ("2.9.0+cpu", "")
