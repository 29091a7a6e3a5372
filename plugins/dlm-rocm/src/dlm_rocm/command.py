"""``dlm rocm``."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dlm.hardware.accelerator import Remark

    from .asking import Found


@click.group(short_help="Look at AMD GPUs and try them; write llama.cpp's build script.")
def rocm() -> None:
    """AMD GPUs."""


@rocm.command(short_help="Say which AMD GPUs are here, and try the first.")
@click.option("--no-try", is_flag=True, help="Run nothing on the GPU.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def probe(ctx: click.Context, /, no_try: bool, as_json: bool) -> None:
    """Say which AMD GPUs this computer has, and try on the first what training needs.

    Exits with 0 when training can use one, with 1 when something stands in the way, and with 4 when there is none.
    """
    from .asking import look
    from .checking import remarks
    from .trying import Tried, tried

    found = look()
    results = Tried() if no_try or not (found.gpus and found.hip and found.openable) else tried()
    said = list(remarks(found, lambda: results))
    if as_json:
        rows = {"found": asdict(found), "tried": asdict(results), "remarks": [one._asdict() for one in said]}
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        click.echo(_text(found, said))
    usable = bool(found.gpus and found.hip and found.openable) and all(one.level != "fail" for one in said)
    ctx.exit(0 if usable else 1 if found.gpus else 4)


@rocm.command("build-script", short_help="Print the script that builds llama.cpp.")
@click.option("--out", type=click.Path(dir_okay=False), help="Write it there, and make it executable.")
def build_script(out: str | None) -> None:
    """Print the script that builds llama.cpp with HIP, so that exports can run on AMD GPUs.

    It needs git, CMake and the ROCm of this computer; `sh build-llama-cpp-rocm.sh --help` says what it takes.
    """
    from importlib.resources import files
    from pathlib import Path

    from dlm.store.files import write_atomic

    text = files("dlm_rocm").joinpath("build-llama-cpp-rocm.sh").read_text("utf-8")
    if out is None:
        click.echo(text, nl=False)
        return
    path = Path(out)
    write_atomic(path, text)
    path.chmod(0o755)
    click.echo(f"{path} written; `{path} --help` says what it takes.")


def _text(found: Found, said: list[Remark]) -> str:
    from dlm.hardware.estimate import gigabytes

    if not found.gpus:
        return "\n".join(["No AMD GPU was found: neither AMD's programs nor the kernel name one.", *map(_remark, said)])
    lines = [f"named by {'the kernel' if found.source == 'kernel' else found.source}"]
    for at, gpu in enumerate(found.gpus):
        memory = f", {gigabytes(gpu.memory)}" if gpu.memory is not None else ""
        free = f", {gigabytes(gpu.memory_free)} free" if gpu.memory_free is not None else ""
        lines.append(f"{at}: {gpu.name}, {gpu.architecture or 'architecture unknown'}{memory}{free}")
    built = f"for ROCm (HIP {found.hip})" if found.hip else "for something else"
    lines.append(f"PyTorch: {found.torch}, built {built}" if found.torch else "PyTorch: none")
    return "\n".join([*lines, *map(_remark, said)])


def _remark(one: Remark) -> str:
    sign = {"ok": "ok", "note": "note", "fail": "FAIL"}[one.level]
    text = f"{sign}: {one.what}" + (f": {one.way_out}" if one.way_out else "")
    return textwrap.fill(text, 80, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
