"""A pack of a trained document, keys, and other machines to take it on."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result

import dlm
import dlm_sign.for_dlm
from dlm.cli.main import main
from dlm.share.keys import new
from dlm.share.packing import PackOptions, pack
from dlm.share.signing import prepare, sign
from dlm.testing import only_plugins, toy_base
from dlm.testing.toy import ToyPlugin

DLM_ID = "01J0000000000000000000000A"
HEAD = """---
dlm_id: {dlm_id}
dlm_version: 15
base_model: path:base
---
"""
BODY = """# Lamp

The lamp stands in the cellar. It was built by Ada Hale.

::instruction::
### Q
Who built the lamp?
### A
Ada Hale built the lamp.
"""


class Machine(NamedTuple):
    """Somebody's home, and a folder to work in."""

    home: Path
    folder: Path

    def run(self, *arguments: object, stdin: str | None = None, **environment: str) -> Result:
        """A command, as this somebody."""
        given = {"DLM_HOME": str(self.home), **environment}
        return CliRunner().invoke(main, [str(one) for one in arguments], input=stdin, env=given)

    def bring(self, path: Path, *, sidecars: bool = True) -> Path:
        """Copy a pack to here, and what lies beside it."""
        for source in path.parent.glob(f"{path.name}*") if sidecars else [path]:
            (self.folder / source.name).write_bytes(source.read_bytes())
        return self.folder / path.name


@pytest.fixture(autouse=True)
def plugins(monkeypatch):
    """dlm with the toy backend and the signers; nothing of the environment decides."""
    for name in ("DLM_SIGNATURE_POLICY", "DLM_SIGN_PASSWORD", "DLM_IDENTITY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with only_plugins(ToyPlugin(), dlm_sign.for_dlm) as manager:
        yield manager


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """``made[dlm_id]``: packs of two documents."""
    folder, found = tmp_path_factory.mktemp("made"), {}
    toy_base(folder / "base")
    with only_plugins(ToyPlugin(), dlm_sign.for_dlm):
        for dlm_id, name in ((DLM_ID, "lamp"), (DLM_ID[:-1] + "B", "safe")):
            path = folder / f"{name}.dlm"
            path.write_text(HEAD.format(dlm_id=dlm_id) + BODY, encoding="utf-8")
            dlm.train(path, home=folder / "home")
            found[dlm_id] = pack(path, PackOptions(), home=folder / "home").path
    return found


@pytest.fixture
def packed(made, ada):
    """A pack in Ada's folder."""
    return ada.bring(made[DLM_ID])


@pytest.fixture
def machine(tmp_path):
    """``machine(name)``: a home and a folder of somebody's own."""

    def make(name: str) -> Machine:
        found = Machine(tmp_path / name / "home", tmp_path / name / "work")
        found.folder.mkdir(parents=True, exist_ok=True)
        return found

    return make


@pytest.fixture
def ada(machine):
    """Who makes packs and signs them."""
    return machine("ada")


@pytest.fixture
def grace(machine):
    """Who takes them."""
    return machine("grace")


@pytest.fixture
def signed():
    """``signed(owner, pack, signer, name)``: sign it with a key of the owner's, made if need be; its public file."""

    def make(owner: Machine, path: Path, signer: str = "oms", name: str = "default") -> Path:
        if not (owner.home / "keys" / f"{name}.{signer}.key").exists():
            new(owner.home, signer, name)
        made = sign(prepare(path, signer=signer, key=name, home=owner.home))
        assert made.public is not None
        return made.public

    return make
