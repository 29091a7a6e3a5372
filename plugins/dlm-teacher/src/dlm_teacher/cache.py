"""Replies kept between runs, one JSON file each, named by everything that decided them."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlm.store.encoding import canonical
from dlm.store.files import disk_errors, write_atomic

from .prompts import VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from .prompts import Prompt

UNUSED_DAYS = 90
"""What no run has asked for in so long is removed."""


@dataclass(frozen=True)
class Replies:
    """The replies of one model at one temperature in a folder, which may not exist yet."""

    folder: Path
    model: str
    temperature: float

    def key(self, prompt: Prompt) -> str:
        """Name of the reply to ``prompt``, which holds the text, the question and the options that matter."""
        made_of = (VERSION, self.model, self.temperature, prompt.text, prompt.max_tokens, prompt.seed)
        return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()

    def get(self, prompt: Prompt) -> str | None:
        """The kept reply; ``None`` when there is none or its file is damaged."""
        path = self._path(prompt)
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(kept, dict) or kept.get("key") != path.stem or not isinstance(kept.get("reply"), str):
            return None
        reply: str = kept["reply"]
        return reply

    def put(self, prompt: Prompt, reply: str) -> None:
        """Keep ``reply``.

        Raises:
            StoreError: the disk is full or closed to us.
        """
        path = self._path(prompt)
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, canonical({"key": path.stem, "model": self.model, "reply": reply}))

    def touch(self, prompt: Prompt) -> None:
        """Note that the reply was used."""
        with disk_errors(self.folder):
            os.utime(self._path(prompt))

    def prune(self) -> None:
        """Remove what has not been used for :data:`UNUSED_DAYS`."""
        limit = time.time() - UNUSED_DAYS * 86_400
        with disk_errors(self.folder):
            for path in sorted(self.folder.glob("*.json")):
                if path.stat().st_mtime < limit:
                    path.unlink()

    def _path(self, prompt: Prompt) -> Path:
        return self.folder / f"{self.key(prompt)}.json"
