"""What a parsed template consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


class TemplateFault(Exception):
    """A template that Go would not parse or run."""


class Unsupported(TemplateFault):
    """A template that Go may run, and that cannot be run here."""


@dataclass(frozen=True)
class Text:
    """Printed as it stands."""

    text: str


@dataclass(frozen=True)
class Constant:
    """A string, number, truth value or ``nil``."""

    value: Any


@dataclass(frozen=True)
class Field:
    """``.A.B``, ``$x.A`` or ``(pipeline).A``; without names the thing itself."""

    of: Literal["."] | Variable | Pipeline
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Variable:
    """``$name``; ``$`` alone is what the template was given."""

    name: str


@dataclass(frozen=True)
class Call:
    """A function with its arguments."""

    function: str
    arguments: tuple[Operand, ...]


Operand = Constant | Field | Call
"""A :class:`Call` stands as an operand only for a function without arguments."""


@dataclass(frozen=True)
class Pipeline:
    """Commands whose result goes in as the last argument of the next, and the variables that take the result."""

    commands: tuple[Operand, ...]
    declared: tuple[str, ...] = ()
    assigns: bool = False
    """``=`` instead of ``:=``: the variables exist already."""


@dataclass(frozen=True)
class Action:
    """A pipeline whose value is printed, unless variables take it."""

    pipeline: Pipeline


@dataclass(frozen=True)
class Branch:
    """``if``, ``with`` or ``range``."""

    kind: Literal["if", "with", "range"]
    pipeline: Pipeline
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True)
class Jump:
    """``break`` or ``continue``."""

    kind: Literal["break", "continue"]


Node = Text | Action | Branch | Jump
