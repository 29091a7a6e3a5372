"""What a Sigstore bundle says, read from its JSON as the specification has it. Nothing is verified here."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from dlm.errors import SignatureInvalid

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PREDICATE = "https://model_signing/signature/v1.0"


def material(signature: bytes) -> dict[str, Any]:
    """Its verification material: a public key's hint, or a certificate.

    Raises:
        SignatureInvalid: it is no bundle.
    """
    found = _load(signature, "a signature").get("verificationMaterial")
    if not isinstance(found, dict):
        raise SignatureInvalid("it is JSON, and no Sigstore bundle")
    return found


def hint(signature: bytes) -> str:
    """The SHA-256, in hex, of the PEM of the key that it says made it; empty where it says none."""
    key = material(signature).get("publicKey")
    found = key.get("hint") if isinstance(key, dict) else None
    return found if isinstance(found, str) else ""


def digest(signature: bytes) -> str:
    """The SHA-256, in hex, of the one file that it is of. Ask only after the signature was verified.

    Raises:
        SignatureInvalid: it is of a folder, of parts of a file, or of another digest than SHA-256.
    """
    statement = _statement(signature)
    try:
        predicate = statement["predicate"]
        (resource,) = predicate["resources"]
        kind = (statement["predicateType"], predicate["serialization"]["method"], resource["algorithm"])
        found = resource["digest"]
    except (KeyError, TypeError, ValueError) as problem:
        raise SignatureInvalid("it is not the signature of one file") from problem
    if kind != (_PREDICATE, "files", "sha256") or not isinstance(found, str) or not _DIGEST.fullmatch(found):
        raise SignatureInvalid("it is not the signature of one file by its SHA-256")
    return found


def _statement(signature: bytes) -> dict[str, Any]:
    try:
        payload = base64.b64decode(_load(signature, "a signature")["dsseEnvelope"]["payload"], validate=True)
    except (KeyError, TypeError, ValueError) as problem:
        raise SignatureInvalid("it is a bundle without a signed statement") from problem
    return _load(payload, "what it signs")


def _load(data: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise SignatureInvalid(f"{what} of this kind is JSON, and this is none") from problem
    if not isinstance(found, dict):
        raise SignatureInvalid(f"{what} of this kind is a JSON object, and this is none")
    return found
