"""What the Hub calls a base's licence, which binds its adapter too: the identifiers that its model cards may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dlm.bases.licence import spoken

if TYPE_CHECKING:
    from dlm.bases import BaseModel

HUB: Final = {
    "Apache-2.0": "apache-2.0",
    "BSD-3-Clause": "bsd-3-clause",
    "CC-BY-4.0": "cc-by-4.0",
    "CC-BY-NC-4.0": "cc-by-nc-4.0",
    "CC-BY-SA-4.0": "cc-by-sa-4.0",
    "LicenseRef-Gemma": "gemma",
    "LicenseRef-Llama-3.1": "llama3.1",
    "LicenseRef-Llama-3.2": "llama3.2",
    "LicenseRef-Llama-3.3": "llama3.3",
    "MIT": "mit",
}
"""By SPDX identifier. Any other licence is ``other`` to the Hub, with its name and a link."""


def licence_keys(model: BaseModel) -> dict[str, str]:
    """``license``, and with ``other`` its name and link; empty where the base's licence is not known."""
    if model.licence is None:
        return {}
    if (known := HUB.get(model.licence)) is not None:
        return {"license": known}
    name = (spoken(model.licence) or model.licence).lower().replace(" ", "-")
    link = {"license_link": model.licence_url} if model.licence_url else {}
    return {"license": "other", "license_name": name, **link}
