"""Whether ``dlm serve`` bears many at once: so many clients pull over and over, for so many seconds.

A real server process, on loopback, serves a pack of that many megabytes; clients are threads that run what ``dlm pull``
runs to fetch one. Every file that arrives is held against the SHA-256 of the one that is served:
``python bench/peer.py [--pulls N] [--seconds S] [--megabytes M] [--memory MB]``.

Prints pulls, errors, files that were not what is served, megabytes a second and the server's largest memory. Fails on
any error, any such file, a client that got nothing, or more memory than that.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CLIENTS = 50
SECONDS = 300.0
MEGABYTES = 8
MEMORY = 200
DLM_ID = "01J0000000000000000000000A"
DOCUMENT = f"---\ndlm_id: {DLM_ID}\ndlm_version: 15\nbase_model: smollm2-135m\n---\n# Lamp\n\nThe lamp is lit.\n"
MANY = "1000000"
HEADER = (2).to_bytes(8, "little") + b"{}"
"""Of a safetensors file that names no tensor."""


def main() -> int:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="dlm-bench-") as place:
        folder = Path(place)
        document = _store(folder, arguments.megabytes)
        process, told = _server(folder, document)
        try:
            expected = _expected(folder)
            tally = _pull(told["tickets"][0], folder, expected, arguments)
            memory = _largest_memory(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
            if process.stdout:
                process.stdout.close()
    return _tell(arguments, tally, memory, told["bytes"], code)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pulls", type=int, default=CLIENTS, help="at once")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--megabytes", type=int, default=MEGABYTES)
    parser.add_argument("--memory", type=float, default=MEMORY)
    return parser.parse_args()


def _store(folder: Path, megabytes: int) -> Path:
    from dlm.document import read
    from dlm.store import Store

    document = folder / "lamp.dlm"
    document.write_text(DOCUMENT, encoding="utf-8")
    store = Store(folder / "home", DLM_ID)
    weights = HEADER + random.Random("weights").randbytes(megabytes * 1_000_000)

    def write(place: Path) -> None:
        (place / "adapter_config.json").write_text("{}", encoding="utf-8")
        (place / "adapter_model.safetensors").write_bytes(weights)

    with store.lock("train"):
        store.begin_run({"document_digest": read(document).digest}).commit(write, {})
    return document


def _server(folder: Path, document: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    program = [sys.executable, "-c", "from dlm.cli.main import main; main()", "serve", str(document), "--port", "0"]
    limits = ["--json", "--uses", MANY, "--rate-limit", MANY, "--max-concurrency", "1000", "--token-ttl-minutes", "600"]
    env = {**os.environ, "DLM_HOME": str(folder / "home")}
    with (folder / "server.txt").open("wb") as heard:
        process = subprocess.Popen([*program, *limits], stdout=subprocess.PIPE, stderr=heard, text=True, env=env)
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise SystemExit(f"the server did not start: {(folder / 'server.txt').read_text()}")
    return process, json.loads(line)


def _expected(folder: Path) -> str:
    """Of the file that is served; what is in it is checked once, as ``dlm verify`` does."""
    from dlm.share.receiving import receive

    (pack,) = (folder / "home" / "serving" / DLM_ID / "spool").glob("*.pack")
    receive(pack, None)
    return hashlib.sha256(pack.read_bytes()).hexdigest()


@dataclass
class _Tally:
    pulls: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    torn: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


def _pull(place: str, folder: Path, expected: str, arguments: argparse.Namespace) -> _Tally:
    tally, began = _Tally(), time.monotonic()

    def client(number: int) -> None:
        turn = 0
        while time.monotonic() - began < arguments.seconds:
            turn += 1
            _once(place, folder / f"client-{number}-{turn}", expected, tally, number)

    with ThreadPoolExecutor(arguments.pulls) as pool:
        for done in [pool.submit(client, number) for number in range(arguments.pulls)]:
            done.result()
    tally.seconds = time.monotonic() - began
    return tally


def _once(place: str, folder: Path, expected: str, tally: _Tally, number: int) -> None:
    from dlm.errors import DlmError
    from dlm_peer.transport import Peer

    began = time.monotonic()
    folder.mkdir()
    try:
        fetched = Peer().fetch(place, folder, progress=_unseen, say=_unheard)
        with fetched.pack.open("rb") as file:
            right = hashlib.file_digest(file, "sha256").hexdigest() == expected
    except DlmError as problem:
        with tally.lock:
            tally.errors[f"{type(problem).__name__}: {problem}"[:300]] += 1
        return
    finally:
        shutil.rmtree(folder)
    with tally.lock:
        tally.pulls[number] += 1
        tally.torn += not right
        tally.slowest = max(tally.slowest, time.monotonic() - began)


def _unseen(done: int, total: int | None) -> None:
    pass


def _unheard(line: str) -> None:
    pass


def _largest_memory(pid: int) -> float | None:
    """In MB; ``None`` where nobody says."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM:")), None)


def _tell(arguments: argparse.Namespace, tally: _Tally, memory: float | None, size: int, code: int) -> int:
    pulls, each = tally.pulls.total(), [tally.pulls[number] for number in range(arguments.pulls)]
    used = "unknown" if memory is None else f"{memory:.0f} MB"
    print(f"{arguments.pulls} clients for {tally.seconds:.0f} s, {size / 1e6:.1f} MB each pull")
    print(f"  pulls      {pulls:,} ({min(each)} to {max(each)} each)")
    print(f"  errors     {tally.errors.total()}")
    for problem, times in tally.errors.most_common(5):
        print(f"    {times} times {problem}")
    print(f"  torn       {tally.torn}")
    print(f"  rate       {pulls * size / 1e6 / tally.seconds:,.0f} MB/s, slowest pull {tally.slowest:.1f} s")
    print(f"  memory     {used} of the server (at most {arguments.memory:.0f})")
    print(f"  stopped    with {code}")
    too_large = memory is not None and memory > arguments.memory
    return int(bool(tally.errors) or tally.torn > 0 or min(each) == 0 or too_large or code != 0)


if __name__ == "__main__":
    raise SystemExit(main())
