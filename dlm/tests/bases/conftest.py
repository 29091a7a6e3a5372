"""A backend that turns any GGUF into a folder of the right shape, and a maker of small wheels."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dlm.bases import HubSource, WheelSource
from dlm.errors import BaseModelError

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
    """``wheel(content, member=...)`` publishes a wheel and returns the source that wants ``content``."""

    def publish(content: bytes, member: str = MEMBER) -> WheelSource:
        info = "tiny_base-1.0.dist-info"
        with zipfile.ZipFile(index / "tiny_base-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, content)
            archive.writestr("tiny_base/__init__.py", "raise RuntimeError('imported')\n")
            archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-base\nVersion: 1.0\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
        return WheelSource("tiny-base", "1.0", MEMBER, hashlib.sha256(content).hexdigest())

    return publish
