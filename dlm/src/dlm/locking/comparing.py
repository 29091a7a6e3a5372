"""What differs between the lock of a version and what a training would be made of now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .table import Rule, Severity, rule_for

if TYPE_CHECKING:
    from .models import Lock

FAMILIES = ("sources", "lora", "recipe", "asked", "pinned_versions", "determinism_flags")
"""Keys whose values are maps, compared entry by entry; an entry that is missing counts as none."""
_MAJOR = re.compile(r"\d+")
_DIGEST = re.compile(r"(?:sha256:)?[0-9a-f]{40,64}")


@dataclass(frozen=True)
class Difference:
    """One key that is not as it was locked."""

    key: str
    severity: Severity
    name: str
    """How messages call it."""
    was: Any
    now: Any
    effect: str
    """What it changes in the result."""
    back: str
    """How to have it as it was; empty where there is no one way."""

    @property
    def change(self) -> str:
        """What was locked and what is now."""
        if _is_digest(self.was) and _is_digest(self.now):
            return f"{self.name} changed ({_spoken(self.was)} to {_spoken(self.now)})"
        return f"{self.name} was {_spoken(self.was)} and is {_spoken(self.now)}"

    def __str__(self) -> str:
        return f"{self.change}: {self.effect}" + (f"; as it was: {self.back}" if self.back else "")

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {
            "key": self.key,
            "severity": self.severity,
            "locked": self.was,
            "now": self.now,
            "effect": self.effect,
            "back": self.back or None,
        }


def differences(locked: Lock, now: Lock) -> tuple[Difference, ...]:
    """Every difference that the table knows, the gravest first, then in the table's order of keys."""
    before, after = _flat(locked), _flat(now)
    found = []
    for key in sorted(before.keys() | after.keys()):
        rule = rule_for(key)
        if rule is None or not _comparable(key, locked, now, before, after):
            continue
        if (was := before.get(key)) != (current := after.get(key)):
            found.append(_difference(rule, key, was, current))
    grave = {"error": 0, "warn": 1, "allow": 2}
    return tuple(sorted(found, key=lambda one: (grave[one.severity], one.key)))


def _flat(lock: Lock) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in lock.model_dump(mode="json").items():
        if key in FAMILIES or key == "license_acceptance":
            flat |= {f"{key}.{name}": item for name, item in (value or {}).items()}
        elif key == "adapters":
            flat |= {f"{key}.{name}.{one}": item for name, own in value.items() for one, item in own.items()}
        else:
            flat[key] = value
    return flat


def _comparable(key: str, locked: Lock, now: Lock, before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether both sides know ``key``: what one of them could not know is no difference."""
    if key == "dlm_sha256":
        return locked.prior
    family, _, rest = key.partition(".")
    if family == "adapters":
        # Which ones there are, and which are taken over, is the document's and the command's to say.
        name = rest.partition(".")[0]
        return name in locked.adapters and name in now.adapters
    if (family == "lora" or key == "recipe.learning_rate") and bool(locked.adapters) != bool(now.adapters):
        return False
    if family == "pinned_versions":
        # The prior trainer pinned libraries that this one does not use, and left out some that it does.
        return not (locked.prior or now.prior) or (key in before and key in after)
    if family == "determinism_flags":
        return key in before and key in after
    if family == "license_acceptance":
        return True
    if family in FAMILIES:
        return not locked.prior
    if key == "warm_from":
        return not locked.prior
    return before.get(key) is not None and after.get(key) is not None


def _difference(rule: Rule, key: str, was: Any, now: Any) -> Difference:
    last = key.partition(".")[2]
    severity = rule.severity
    if rule.major is not None and _major(was) != _major(now) and None not in (_major(was), _major(now)):
        severity = rule.major
    name = rule.name.format(last.replace("_", " "))
    back = "" if was is None else rule.back.format(was=was, name=last)
    return Difference(key, severity, name, was, now, rule.effect, back)


def _major(version: Any) -> str | None:
    found = _MAJOR.match(version) if isinstance(version, str) else None
    return found[0] if found else None


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _spoken(value: Any) -> str:
    if value is None:
        return "none"
    if _is_digest(value):
        return str(value).removeprefix("sha256:")[:12]
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
