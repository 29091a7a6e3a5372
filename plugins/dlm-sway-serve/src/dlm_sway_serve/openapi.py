"""The published description of the server, for those who write a client in another language.

``python -m dlm_sway_serve.openapi > contracts/sway-serve.openapi.json`` writes the published copy again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from dlm_sway.plugins import manager

from .app import make_app
from .settings import Settings


def document() -> dict[str, Any]:
    """The OpenAPI document, the same for every server."""
    return make_app(Settings(Path()), manager()).openapi()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=2, sort_keys=True) + "\n")
