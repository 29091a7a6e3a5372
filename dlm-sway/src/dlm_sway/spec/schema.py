"""The JSON Schema of ``sway.yaml``, for editors and for readers in other languages.

``python -m dlm_sway.spec.schema > contracts/sway-spec.schema.json`` writes the published copy again.
"""

from __future__ import annotations

import json
from typing import Any

from .models import Suite

_ENTRY: dict[str, Any] = {
    "type": "object",
    "required": ["name", "kind"],
    "properties": {
        "name": {"type": "string"},
        "kind": {"type": "string", "description": "A probe; `sway list-probes` shows them."},
        "enabled": {"type": "boolean", "default": True},
        "weight": {"type": "number", "minimum": 0, "default": 1.0},
    },
    "description": "One suite entry. A probe adds keys of its own, which only its plugin knows.",
}


def schema() -> dict[str, Any]:
    """The schema of a suite file, with the keys that every entry has."""
    found = Suite.model_json_schema()
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["title"] = "sway.yaml, version 1"
    found["properties"]["suite"] = {"type": "array", "minItems": 1, "items": _ENTRY}
    found["required"] = ["models", "suite"]
    return found


if __name__ == "__main__":
    import sys

    sys.stdout.write(json.dumps(schema(), indent=2, sort_keys=True) + "\n")
