"""Pieces to nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NoReturn

from .functions import FUNCTIONS
from .lexing import Word, pieces
from .nodes import (
    Action,
    Branch,
    Call,
    Constant,
    Field,
    Jump,
    Node,
    Operand,
    Pipeline,
    TemplateFault,
    Text,
    Unsupported,
    Variable,
)

if TYPE_CHECKING:
    from .lexing import Piece

_BRANCHES: dict[str, Literal["if", "with", "range"]] = {"if": "if", "with": "with", "range": "range"}
_CLOSERS = frozenset({"else", "end"})
_LITERALS = {"true": True, "false": False, "nil": None}
_UNSUPPORTED = frozenset({"define", "block", "template"})


def parse(source: str) -> tuple[Node, ...]:
    """The template's nodes.

    Raises:
        TemplateFault: Go would refuse it, or it uses what is not supported here.
    """
    reader = _Template(list(pieces(source)))
    nodes, closer = reader.nodes(in_range=False, variables={"$"})
    if closer is not None:
        raise TemplateFault(f"unexpected {{{{ {closer[0].text} }}}}")
    return nodes


class _Template:
    def __init__(self, found: list[Piece]) -> None:
        self._pieces = found
        self._at = 0

    def nodes(self, *, in_range: bool, variables: set[str]) -> tuple[tuple[Node, ...], list[Word] | None]:
        """Nodes up to ``else`` or ``end``, and the words of that; ``None`` at the end of the template."""
        read: list[Node] = []
        while self._at < len(self._pieces):
            piece = self._pieces[self._at]
            self._at += 1
            if piece.words is None:
                read.append(Text(piece.text))
                continue
            words = _trimmed(piece.words)
            first = words[0].text if words and words[0].kind == "name" else ""
            if first in _CLOSERS:
                return tuple(read), words
            read.append(self._node(first, words, in_range, variables))
        return tuple(read), None

    def _node(self, first: str, words: list[Word], in_range: bool, variables: set[str]) -> Node:
        if first in _BRANCHES:
            return self._branch(_BRANCHES[first], words[1:], in_range, set(variables))
        if first in _UNSUPPORTED:
            raise Unsupported(f"{{{{ {first} }}}} is not supported here")
        if first in ("break", "continue") and len(words) == 1:
            if not in_range:
                raise TemplateFault(f"{{{{ {first} }}}} outside of range")
            return Jump("break" if first == "break" else "continue")
        return Action(_Pipeline(words, variables).whole())

    def _branch(
        self, kind: Literal["if", "with", "range"], words: list[Word], in_range: bool, variables: set[str]
    ) -> Branch:
        pipeline = _Pipeline(words, variables, several=kind == "range").whole()
        inside = in_range or kind == "range"
        then, closer = self.nodes(in_range=inside, variables=set(variables))
        otherwise: tuple[Node, ...] = ()
        if closer is not None and closer[0].text == "else":
            rest = _trimmed(tuple(closer[1:]))
            if rest and rest[0].kind == "name" and rest[0].text == kind and kind != "range":
                # The end of an else-if closes both.
                return Branch(kind, pipeline, then, (self._branch(kind, rest[1:], in_range, set(variables)),))
            if rest:
                raise TemplateFault(f"unexpected {rest[0].text!r} behind else")
            otherwise, closer = self.nodes(in_range=in_range, variables=set(variables))
        if closer is None or closer[0].text != "end" or len(closer) > 1:
            raise TemplateFault(f"{{{{ {kind} }}}} is not closed with {{{{ end }}}}")
        return Branch(kind, pipeline, then, otherwise)


class _Pipeline:
    """The words of one action, read from left to right."""

    def __init__(self, words: list[Word], variables: set[str], *, several: bool = False) -> None:
        self._words = words
        self._variables = variables
        self._several = several
        self._at = 0

    def whole(self) -> Pipeline:
        declared, assigns = self._declared()
        pipeline = self._commands(declared, assigns)
        if self._at < len(self._words):
            self._unexpected()
        if not assigns:
            self._variables.update(declared)
        return pipeline

    def _declared(self) -> tuple[tuple[str, ...], bool]:
        """``$x :=``, ``$i, $x :=`` or ``$x =`` at the start."""
        start, names = self._at, []
        while (word := self._next()) is not None and word.kind == "variable":
            names.append(word.text)
            mark = self._next()
            if mark is not None and mark.text in (":=", "="):
                if len(names) > (2 if self._several else 1):
                    raise TemplateFault(f"too many variables in front of {mark.text}")
                if mark.text == "=" and (unknown := [name for name in names if name not in self._variables]):
                    raise TemplateFault(f"undefined variable {unknown[0]}")
                return tuple(names), mark.text == "="
            if mark is None or mark.text != ",":
                break
        self._at = start
        return (), False

    def _commands(self, declared: tuple[str, ...] = (), assigns: bool = False) -> Pipeline:
        commands = [self._command()]
        while (word := self._peek()) is not None and word.text == "|" and word.kind == "mark":
            self._next()
            command = self._command()
            if not isinstance(command, Call):
                raise TemplateFault("what follows | must be a function")
            commands.append(command)
        return Pipeline(tuple(commands), declared, assigns)

    def _command(self) -> Operand:
        word = self._peek()
        if word is None:
            raise TemplateFault("missing value in an action")
        if word.kind == "name" and word.text not in _LITERALS:
            self._next()
            name = self._function(word.text)
            arguments = []
            while (following := self._peek()) is not None and following.text not in ("|", ")"):
                arguments.append(self._operand())
            return Call(name, tuple(arguments))
        if word.text == "nil":
            raise TemplateFault("nil is not a command")
        operand = self._operand()
        following = self._peek()
        if following is not None and following.text not in ("|", ")"):
            self._unexpected()
        return operand

    def _operand(self) -> Operand:
        word = self._next()
        if word is None:
            raise TemplateFault("missing value in an action")
        if word.kind == "constant":
            return Constant(word.value)
        if word.kind == "name":
            if word.text in _LITERALS:
                return Constant(_LITERALS[word.text])
            return Call(self._function(word.text), ())
        if word.kind == "field":
            return Field(".", (word.text[1:], *self._fields()))
        if word.kind == "dot":
            return Field(".")
        if word.kind == "variable":
            if word.text not in self._variables:
                raise TemplateFault(f"undefined variable {word.text}")
            return Field(Variable(word.text), self._fields())
        if word.text == "(":
            inner = self._commands()
            closing = self._next()
            if closing is None or closing.text != ")":
                raise TemplateFault("a parenthesis is not closed")
            return Field(inner, self._fields())
        self._at -= 1
        return self._unexpected()

    def _fields(self) -> tuple[str, ...]:
        """Names that follow without a space."""
        names = []
        while self._at < len(self._words) and self._words[self._at].kind == "field":
            names.append(self._words[self._at].text[1:])
            self._at += 1
        return tuple(names)

    def _function(self, name: str) -> str:
        if name not in FUNCTIONS:
            raise Unsupported(f"function {name!r} is not known here; known: {', '.join(sorted(FUNCTIONS))}")
        return name

    def _peek(self) -> Word | None:
        at = self._at
        while at < len(self._words) and self._words[at].kind == "space":
            at += 1
        return self._words[at] if at < len(self._words) else None

    def _next(self) -> Word | None:
        while self._at < len(self._words) and self._words[self._at].kind == "space":
            self._at += 1
        if self._at == len(self._words):
            return None
        self._at += 1
        return self._words[self._at - 1]

    def _unexpected(self) -> NoReturn:
        word = self._peek()
        raise TemplateFault(f"unexpected {word.text if word else 'end'!r} in an action")


def _trimmed(words: tuple[Word, ...]) -> list[Word]:
    kept = list(words)
    while kept and kept[0].kind == "space":
        kept.pop(0)
    while kept and kept[-1].kind == "space":
        kept.pop()
    return kept
