"""The frontmatter as JSON Schema, for editors and for readers in other languages.

``python -m dlm.document.schema`` prints the content of ``contracts/dlm-frontmatter.schema.json``.
"""

from __future__ import annotations

import json
import sys

from .frontmatter import Frontmatter


def schema() -> str:
    """JSON Schema (2020-12) of a frontmatter of the current format version, as text."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Frontmatter of a .dlm document"}
    body = Frontmatter.model_json_schema()
    return json.dumps({**body, **head}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
