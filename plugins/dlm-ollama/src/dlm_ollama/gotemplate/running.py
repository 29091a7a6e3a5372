"""Nodes and data to text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .functions import FUNCTIONS, kind_of, printed, truth
from .nodes import Action, Branch, Call, Constant, Jump, Node, Operand, Pipeline, TemplateFault, Text, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Struct(dict[str, Any]):
    """A Go struct: asking for a field that it does not have is an error, as it is not for a map."""

    is_struct = True


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


def execute(nodes: Sequence[Node], data: Mapping[str, Any]) -> str:
    """What the template prints for ``data``; a key that it lacks is nil.

    Raises:
        TemplateFault: Go would stop with an error.
    """
    run = _Run(data)
    run.walk(nodes, data)
    return "".join(run.out)


class _Run:
    def __init__(self, data: Any) -> None:
        self.out: list[str] = []
        self._variables: list[tuple[str, Any]] = [("$", data)]

    def walk(self, nodes: Sequence[Node], dot: Any) -> None:
        for node in nodes:
            if isinstance(node, Text):
                self.out.append(node.text)
            elif isinstance(node, Action):
                value = self._pipeline(node.pipeline, dot)
                if not node.pipeline.declared:
                    self.out.append(printed(value))
            elif isinstance(node, Jump):
                raise _Break if node.kind == "break" else _Continue
            else:
                self._branch(node, dot)

    def _branch(self, node: Branch, dot: Any) -> None:
        mark = len(self._variables)
        try:
            if node.kind == "range":
                self._range(node, dot)
                return
            value = self._pipeline(node.pipeline, dot)
            if truth(value):
                self.walk(node.then, value if node.kind == "with" else dot)
            else:
                self.walk(node.otherwise, dot)
        finally:
            del self._variables[mark:]

    def _range(self, node: Branch, dot: Any) -> None:
        value = self._value(node.pipeline, dot)
        mark, count = len(self._variables), 0
        for key, item in _items(value):
            count += 1
            self._take(node.pipeline, key, item)
            try:
                self.walk(node.then, item)
            except _Break:
                break
            except _Continue:
                continue
            finally:
                del self._variables[mark:]
        if count == 0:
            self.walk(node.otherwise, dot)

    def _take(self, pipeline: Pipeline, key: Any, item: Any) -> None:
        """The variables of a ``range``: the item, or its key and the item."""
        values = (item,) if len(pipeline.declared) == 1 else (key, item)
        for name, value in zip(pipeline.declared, values, strict=False):
            self._set(name, value, assigns=pipeline.assigns)

    def _pipeline(self, pipeline: Pipeline, dot: Any) -> Any:
        value = self._value(pipeline, dot)
        for name in pipeline.declared:
            self._set(name, value, assigns=pipeline.assigns)
        return value

    def _value(self, pipeline: Pipeline, dot: Any) -> Any:
        value = self._operand(pipeline.commands[0], dot)
        for command in pipeline.commands[1:]:
            assert isinstance(command, Call)
            value = self._operand(Call(command.function, (*command.arguments, Constant(value))), dot)
        return value

    def _set(self, name: str, value: Any, *, assigns: bool) -> None:
        if not assigns:
            self._variables.append((name, value))
            return
        place = max(at for at, (known, _) in enumerate(self._variables) if known == name)
        self._variables[place] = (name, value)

    def _operand(self, operand: Operand, dot: Any) -> Any:
        if isinstance(operand, Constant):
            return operand.value
        if isinstance(operand, Call):
            return self._call(operand, dot)
        if isinstance(operand.of, Pipeline):
            value = self._value(operand.of, dot)
        elif isinstance(operand.of, Variable):
            name = operand.of.name
            value = next(held for known, held in reversed(self._variables) if known == name)
        else:
            value = dot
        for name in operand.names:
            value = _field(value, name)
        return value

    def _call(self, call: Call, dot: Any) -> Any:
        if call.function in ("and", "or"):
            return self._logic(call, dot)
        values = [self._operand(argument, dot) for argument in call.arguments]
        try:
            return FUNCTIONS[call.function](*values)
        except TypeError as problem:
            raise TemplateFault(f"wrong number of arguments for {call.function}: {len(values)}") from problem

    def _logic(self, call: Call, dot: Any) -> Any:
        """The first argument that decides, else the last; those behind it are not evaluated."""
        if not call.arguments:
            raise TemplateFault(f"wrong number of arguments for {call.function}: 0")
        value: Any = None
        for argument in call.arguments:
            value = self._operand(argument, dot)
            if truth(value) is (call.function == "or"):
                break
        return value


def _field(value: Any, name: str) -> Any:
    kind = kind_of(value)
    if kind == "map":
        return value.get(name)
    if kind == "struct" and name in value:
        return value[name]
    raise TemplateFault(f"can't evaluate field {name} in a {kind}")


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    """What ``range`` goes through; a map in the order of its keys."""
    if value is None:
        return iter(())
    if kind_of(value) == "map":
        return iter(sorted(value.items()))
    if kind_of(value) != "list":
        raise TemplateFault(f"range can't iterate over a {kind_of(value)}")
    return iter(enumerate(value))
