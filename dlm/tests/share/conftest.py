"""A trained document, its pack, and a way to forge others from it."""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner

import dlm
from dlm.cli.main import main
from dlm.share.packing import PackOptions, pack
from dlm.share.tape import BLOCK, header, reading
from dlm.testing import only_plugins, toy_base
from dlm.testing.toy import ToyPlugin
from dlm.testing.toy_sink import ToySinkPlugin

HEAD = """---
dlm_id: 01J0000000000000000000000A
dlm_version: 15
base_model: path:base
{more}---
"""
BODY = """# Lamp

The lamp stands in the cellar. It was built by Ada Hale.

::instruction::
### Q
Who built the lamp?
### A
Ada Hale built the lamp.

### Q !probe
Name the maker of the lamp.
### A
Ada Hale built the lamp.
"""


def compressed(data: bytes, **options) -> bytes:
    return zstandard.ZstdCompressor(level=3, write_checksum=True, **options).compress(data)


@dataclass
class Member:
    """A member as it will be written: ``block`` in place of the header that its name and size ask for."""

    name: str
    data: bytes
    block: bytes | None = None

    def bytes(self, mtime: int) -> bytes:
        head = self.block or header(self.name, len(self.data), mtime)
        return head + self.data + bytes(-len(self.data) % BLOCK)


@dataclass
class Forge:
    """The members of a good pack, to be changed; ``json`` is ``pack.json``. Lists and digests follow unless given."""

    members: dict[str, bytes]
    json: dict
    sums: bytes | None = None
    listed: bytes | None = None
    extra: list[Member] = field(default_factory=list)
    """Behind the others."""
    mtime: int = 1_700_000_000
    end: bytes = bytes(2 * BLOCK)

    def tar(self) -> bytes:
        self.members = dict(sorted(self.members.items()))
        if self.listed is None:
            self.json["members"] = [{"path": name, "size": len(data)} for name, data in self.members.items()]
            self.listed = json.dumps(self.json).encode()
        files = {"pack.json": self.listed, **self.members}
        sums = self.sums
        if sums is None:
            sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()).encode()
        made = [Member("SHA256SUMS", sums), *(Member(name, data) for name, data in files.items()), *self.extra]
        return b"".join(member.bytes(self.mtime) for member in made) + self.end

    def write(self, path: Path, data: bytes | None = None) -> Path:
        path.write_bytes(compressed(self.tar() if data is None else data))
        return path


def contents(path: Path) -> dict[str, bytes]:
    """Every member of a pack of ours."""
    found = {}
    with reading(path) as (reader, entry):
        while entry is not None:
            found[entry.name] = b"".join(reader.chunks())
            entry = reader.next()
    return found


@pytest.fixture
def plugins():
    """dlm with the toy backend and the toy target."""
    with only_plugins(ToyPlugin(), ToySinkPlugin()) as manager:
        yield manager


@pytest.fixture
def document(tmp_path, home, plugins):
    """``document(more, body)`` writes and trains it; its base is named by where it lies beside it."""
    folder = tmp_path / "ada" / "notes"
    toy_base(folder / "base")

    def trained(more: str = "", body: str = BODY, name: str = "lamp.dlm", train: bool = True) -> Path:
        path = folder / name
        path.write_text(HEAD.format(more=f"{more}\n" if more else "") + body, encoding="utf-8")
        if train:
            dlm.train(path)
        return path

    return trained


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A pack of the profile ``share`` with a learning report, and nothing of where it was made."""
    folder = tmp_path_factory.mktemp("made")
    toy_base(folder / "base")
    (folder / "lamp.dlm").write_text(HEAD.format(more="") + BODY, encoding="utf-8")
    with only_plugins(ToyPlugin()):
        dlm.train(folder / "lamp.dlm", home=folder / "home")
        asked = CliRunner().invoke(main, ["report", str(folder / "lamp.dlm")], env={"DLM_HOME": str(folder / "home")})
        assert next(folder.rglob("learning.json")).is_file(), asked.output
        return pack(folder / "lamp.dlm", PackOptions(), home=folder / "home")


@pytest.fixture
def packed(made, tmp_path):
    """A copy of it."""
    path = tmp_path / made.path.name
    path.write_bytes(made.path.read_bytes())
    return made._replace(path=path)


def forge_from(path: Path) -> Forge:
    members = contents(path)
    facts = json.loads(members.pop("pack.json"))
    del members["SHA256SUMS"]
    return Forge(members, facts)


@pytest.fixture
def forge(packed) -> Forge:
    return forge_from(packed.path)


@pytest.fixture
def forged():
    """``forged(made)``: the same of another pack."""
    return lambda made: forge_from(made.path)


@pytest.fixture
def read_pack():
    return contents


@pytest.fixture
def member():
    return Member


@pytest.fixture
def special():
    """``special(kind, name, target)``: a header that no pack has."""

    def make(kind: bytes, name: str, target: str = "", size: int = 0, **more) -> bytes:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, target, size
        for key, value in more.items():
            setattr(info, key, value)
        return info.tobuf(tarfile.USTAR_FORMAT)

    return make
