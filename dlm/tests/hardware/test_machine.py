"""Facts of the machine, out of what operating systems print."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dlm.hardware.machine import _container, disk_free, mac_free, machine, meminfo, room_of_process

MEMINFO = """\
MemTotal:       24684092 kB
MemFree:        12175716 kB
MemAvailable:   16458200 kB
HugePages_Total:       0
"""
VM_STAT = """\
Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               10000.
Pages active:                            200000.
Pages inactive:                           30000.
Pages speculative:                         2000.
Pages purgeable:                            500.
"Translation faults":                 123456789.
"""


def test_linux_counts_in_kilobytes():
    assert meminfo(MEMINFO) == {
        "MemTotal": 24684092 * 1024,
        "MemFree": 12175716 * 1024,
        "MemAvailable": 16458200 * 1024,
        "HugePages_Total": 0,
    }
    assert meminfo("") == {}


def test_macos_counts_in_pages():
    assert mac_free(VM_STAT) == 16384 * 42500
    assert mac_free("") is None


def group(root, path, limit, used, cache):
    folder = root / path
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {cache}\n")


def test_a_container_s_limit_counts_and_its_file_pages_do_not(tmp_path):
    own = tmp_path / "cgroup"
    own.write_text("0::/app/worker\n")
    group(tmp_path / "fs", "app", 4_000_000_000, 3_000_000_000, 1_000_000_000)
    group(tmp_path / "fs", "app/worker", "max", 1, 0)
    assert _container(tmp_path / "fs", own) == (4_000_000_000, 2_000_000_000)


def test_a_group_of_the_older_kind_has_its_own_names(tmp_path):
    own = tmp_path / "cgroup"
    own.write_text("5:memory:/docker/abc\n1:cpu:/\n")
    folder = tmp_path / "fs/memory/docker/abc"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text("2000000000")
    (folder / "memory.usage_in_bytes").write_text("500000000")
    assert _container(tmp_path / "fs", own) == (2_000_000_000, 500_000_000)
    (folder / "memory.limit_in_bytes").write_text(str(0x7FFFFFFFFFFFF000))
    assert _container(tmp_path / "fs", own) == (None, 0)


def test_no_container_limits_nothing(tmp_path):
    assert _container(tmp_path / "none", tmp_path / "missing") == (None, 0)


def test_this_machine_is_described(tmp_path):
    here = machine()
    assert here.processor
    assert 1 <= here.cores <= (os.cpu_count() or 1)
    assert 0 < here.memory_free <= here.memory
    assert disk_free(tmp_path / "not" / "there" / "yet") > 0


LIMITED = """
import resource
from dlm.hardware.machine import machine, room_of_process

print(room_of_process())
resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))
print(room_of_process())
resource.setrlimit(resource.RLIMIT_DATA, (2**28, 2**28))
print(room_of_process(), machine().memory_free)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a process holds")
def test_a_process_may_take_what_its_own_limits_leave_it(tmp_path):
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=True)
    without, mapped, left, free = done.stdout.split()
    assert without == "None"
    assert 2**31 < int(mapped) < 2**32
    assert 2**26 < int(left) < 2**28
    assert int(free) <= 2**28
    assert room_of_process(tmp_path / "no such system") is None
