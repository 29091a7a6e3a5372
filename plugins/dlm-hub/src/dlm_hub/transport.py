"""The transport ``hf``: packs on the Hugging Face Hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm.errors import DlmError, UsageProblem
from dlm.export.origin import parse_published
from dlm.share.transport import Transport

from .address import parse, parse_branch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dlm.share.transport import Fetched, Parcel, Progress, Sent

YES, NO = "yes", "no"


class HubTransport(Transport):
    """``hf:org/name``, for ``dlm push`` and ``dlm pull``."""

    def check_send(self, place: str, settings: Mapping[str, str]) -> None:
        from .client import open_hub, require_login

        parse_branch(place)
        for name in ("private", "replace"):
            if settings.get(name, NO) not in (YES, NO):
                raise UsageProblem(f"--set {name}={settings[name]}: write yes or no")
        if (base := settings.get("base")) is not None:
            parse_published(base)
        open_hub()
        require_login()

    def send(self, parcel: Parcel, place: str, *, progress: Progress, say: Callable[[str], None]) -> Sent:
        from .client import open_hub
        from .sending import send

        self.check_send(place, parcel.settings)
        return send(open_hub(), parcel, parse_branch(place), progress=progress, say=say)

    def head(self, place: str, count: int) -> bytes | None:
        from .client import open_hub
        from .fetching import head

        try:
            return head(open_hub(), parse(place), count)
        except DlmError:
            return None  # who fetches it is told why

    def check_fetch(self, place: str) -> None:
        from .client import open_hub

        parse(place)
        open_hub()

    def fetch(self, place: str, folder: Path, *, progress: Progress, say: Callable[[str], None]) -> Fetched:
        from .client import open_hub
        from .fetching import fetch

        return fetch(open_hub(), parse(place), folder, progress=progress, say=say)
