"""What the contracts share."""

from __future__ import annotations


def forbid_overrides(mine: type, contract: type) -> None:
    """Fail when a contract test is replaced by anything but an ``xfail`` that gives a reason."""
    for name in (name for name in dir(contract) if name.startswith("test_")):
        test = getattr(mine, name)
        if test is getattr(contract, name):
            continue
        marks = getattr(test, "pytestmark", [])
        assert any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks), (
            f"{name} is overridden without xfail(reason=...)"
        )
