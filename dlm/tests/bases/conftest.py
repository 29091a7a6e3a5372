"""A backend that turns any GGUF into a folder of the right shape, and a maker of small wheels."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from dlm.bases import BaseModel, FolderSource, HubSource, WheelSource
from dlm.entries import BaseEntry
from dlm.errors import BaseModelError
from dlm.hookspecs import hookimpl
from dlm.testing import only_plugins
from dlm.testing.toy import ToyPlugin, toy_base

MEMBER = "tiny_base/tiny.gguf"


class ShapeBackend:
    """Writes real files; ``hub`` is the commit it serves, ``None`` when the hub cannot be reached."""

    def __init__(self) -> None:
        self.hub: str | None = None
        self.converted = 0

    def fetch_hub(self, source: HubSource, folder: Path, say: Callable[[str], None]) -> str:
        if self.hub is None:
            (folder / "config.json").write_text("{}")  # a download that broke off
            raise BaseModelError(f"{source.repo} cannot be fetched from the hub: no route")
        write_model(folder, b"hub")
        (folder / ".cache").mkdir()
        return self.hub

    def convert_gguf(self, gguf: Path, folder: Path) -> None:
        self.converted += 1
        write_model(folder, gguf.read_bytes())


def write_model(folder: Path, weights: bytes = b"w", version: str = "5.0") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"hidden_size": 2, "transformers_version": version}))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{x}}", "clean_up": version}))
    (folder / "model.safetensors").write_bytes(weights)
    return folder


@pytest.fixture
def model() -> Callable[..., Path]:
    return write_model


@pytest.fixture
def backend() -> ShapeBackend:
    return ShapeBackend()


@pytest.fixture
def index(tmp_path: Path, monkeypatch) -> Path:
    """The only place pip looks for wheels."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return folder


@pytest.fixture
def wheel(index: Path) -> Callable[..., WheelSource]:
    """``wheel(content, member=..., name=...)`` publishes a wheel and returns the source that wants ``content``."""

    def publish(content: bytes, member: str = MEMBER, name: str = "tiny_base") -> WheelSource:
        info = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(index / f"{name}-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, content)
            archive.writestr("tiny_base/__init__.py", "raise RuntimeError('imported')\n")
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
        return WheelSource(name.replace("_", "-"), "1.0", MEMBER, hashlib.sha256(content).hexdigest())

    return publish


class OffersGated:
    """A plugin with one base whose licence must be accepted."""

    @hookimpl
    def dlm_bases(self) -> Iterable[BaseEntry]:
        yield BaseEntry(name="acme/gated", target="acme_base:GATED", summary="Acme's model.")


@pytest.fixture
def gated(tmp_path: Path, monkeypatch) -> Iterator[BaseModel]:
    """The base ``acme/gated``, offered by a plugin, its files on this disk; toy is the only backend."""
    base = BaseModel(
        key="acme/gated",
        sources=(FolderSource(toy_base(tmp_path / "acme")),),
        summary="Acme's model.",
        licence="LicenseRef-Acme",
        licence_url="https://acme.example/terms",
        requires_acceptance=True,
    )
    monkeypatch.setitem(sys.modules, "acme_base", SimpleNamespace(GATED=base))
    with only_plugins(OffersGated(), ToyPlugin()):
        yield base
