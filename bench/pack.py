"""How fast a trained document is packed and unpacked, beside ``tar | zstd -3``, and in how much memory.

Makes a store whose version holds that many megabytes of weights as bfloat16 has them, in a temporary folder, and prints
megabytes a second and processor time of each, the best of several turns taken alternately, and the largest memory of
the process that packed or unpacked: ``python bench/pack.py [--megabytes N] [--turns N] [--ratio R] [--memory MB]``.
Both sides find the files in the memory of the system, and both wait until what they wrote is on the disk. Start-up is
not counted.

Fails below that share of the throughput of ``tar | zstd -3``, or above that much memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MEGABYTES = 2000
TURNS = 3
RATIO = 0.8
MEMORY = 200
DLM_ID = "01J0000000000000000000000A"
DOCUMENT = f"---\ndlm_id: {DLM_ID}\ndlm_version: 15\nbase_model: smollm2-135m\n---\n# Lamp\n\nThe lamp is lit.\n"
FILES = 8
CHILD = """
import json, resource, sys, time
from pathlib import Path
from dlm.share.packing import PackOptions, pack
from dlm.share.unpacking import unpack
what, document, file, home = sys.argv[1:]
import zstandard
from dlm.document import read
read(Path(document))
began, before = time.perf_counter(), time.process_time()
if what == "pack":
    pack(Path(document), PackOptions("full", out=Path(file), force=True), home=Path(home))
else:
    unpack(Path(file), home=Path(home), out=Path(home))
took, cpu = time.perf_counter() - began, time.process_time() - before
print(json.dumps([took, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def main() -> int:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="dlm-bench-") as place:
        folder = Path(place)
        home, document = _store(folder, arguments.megabytes)
        seconds: dict[str, list[float]] = {}
        cpu: dict[str, list[float]] = {}
        memory = 0.0
        for _ in range(arguments.turns):
            for name, took, worked, used in _turn(folder, home, document):
                seconds.setdefault(name, []).append(took)
                cpu.setdefault(name, []).append(worked)
                memory = max(memory, used)
        size = (folder / "our.pack").stat().st_size / 1e6
    least = {name: (min(took), min(cpu[name])) for name, took in seconds.items()}
    return _tell(arguments, least, memory, size)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=MEGABYTES)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--ratio", type=float, default=RATIO)
    parser.add_argument("--memory", type=float, default=MEMORY)
    return parser.parse_args()


def _store(folder: Path, megabytes: int) -> tuple[Path, Path]:
    """A store with one version of that many megabytes, half of them in other files than the adapter's."""
    from dlm.document import read
    from dlm.store import Store

    document = folder / "lamp.dlm"
    document.write_text(DOCUMENT, encoding="utf-8")
    store = Store(folder / "home", DLM_ID)
    each = megabytes // FILES

    def write(place: Path) -> None:
        (place / "adapter_config.json").write_text("{}", encoding="utf-8")
        for number in range(FILES):
            name = f"part-{number}.safetensors" if number else "adapter_model.safetensors"
            _weights(place / name, each, number)

    with store.lock("train"):
        store.begin_run({"document_digest": read(document).digest}).commit(write, {})
    return folder / "home", document


def _weights(path: Path, megabytes: int, seed: int) -> None:
    """Numbers of two bytes: the second, sign and exponent, one of few; the first anything."""
    chance = random.Random(f"{seed}\nweights")
    halved = [0x3D - 8 + (at + 1).bit_length() for at in range(128)]
    table = bytes([*halved, *(0x80 | exponent for exponent in halved)])
    with path.open("wb") as file:
        for _ in range(megabytes):
            raw = bytearray(1_000_000)
            raw[0::2] = chance.randbytes(500_000)
            raw[1::2] = chance.randbytes(500_000).translate(table)
            file.write(raw)


def _turn(folder: Path, home: Path, document: Path) -> list[tuple[str, float, float, float]]:
    ours, theirs = folder / "our.pack", folder / "their.tar.zst"
    found = [("tar | zstd -3", *_theirs(f"tar -C {home} -cf - store | zstd -q -3 -f -o {theirs}", [theirs]), 0.0)]
    found.append(("dlm pack", *_ours("pack", document, ours, home)))
    there = folder / "there"
    there.mkdir()
    found.append(("zstd -d | tar x", *_theirs(f"zstd -q -dc {theirs} | tar -C {there} -xf -", [there]), 0.0))
    shutil.rmtree(there)
    found.append(("dlm unpack", *_ours("unpack", document, ours, there)))
    shutil.rmtree(there)
    return found


def _theirs(line: str, written: list[Path]) -> tuple[float, float]:
    from dlm.store.files import sync_tree

    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["bash", "-c", f"set -o pipefail; {line}"], check=True)
    for path in written:
        if path.is_dir():
            sync_tree(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _ours(what: str, document: Path, file: Path, home: Path) -> tuple[float, float, float]:
    home.mkdir(exist_ok=True)
    command = [sys.executable, "-c", CHILD, what, str(document), str(file), str(home)]
    took, cpu, used = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return took, cpu, used


def _tell(arguments: argparse.Namespace, least: dict[str, tuple[float, float]], memory: float, size: float) -> int:
    print(f"{arguments.megabytes:,} MB of weights, packed {size:,.0f} MB; best of {arguments.turns}")
    for name, (took, cpu) in least.items():
        print(f"  {name:<16} {arguments.megabytes / took:>7,.0f} MB/s  {took:6.2f} s  {cpu:6.2f} s of a processor")
    seconds = {name: took for name, (took, _) in least.items()}
    packing = seconds["tar | zstd -3"] / seconds["dlm pack"]
    unpacking = seconds["zstd -d | tar x"] / seconds["dlm unpack"]
    print(f"pack at {packing:.0%}, unpack at {unpacking:.0%} of it (at least {arguments.ratio:.0%})")
    print(f"memory at most {memory:.0f} MB (at most {arguments.memory:.0f})")
    return int(min(packing, unpacking) < arguments.ratio or memory > arguments.memory)


if __name__ == "__main__":
    raise SystemExit(main())
