"""The Modelfile: what Ollama makes a model from, as text and as facts.

What is written is what is read back, by Ollama's own rules: a value that those rules would change is refused. Creating
a model, serving it here and checking it all start from the file, so it is the only statement of what the model is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "Modelfile"
_SPACE = " \t"
_LINE = "\n"
_NUMBERS = {"temperature": float, "top_p": float, "num_ctx": int}


class Unwritable(Exception):
    """A value that a Modelfile cannot hold as it is; the message says what it cannot hold."""


@dataclass(frozen=True)
class Modelfile:
    """A model of Ollama."""

    model: str
    """File beside the Modelfile, as ``./model.gguf``."""
    adapter: str | None = None
    template: str | None = None
    stops: tuple[str, ...] = ()
    temperature: float | None = None
    top_p: float | None = None
    num_ctx: int | None = None
    system: str | None = None
    licence: str | None = None
    comments: tuple[str, ...] = ()
    """Lines at the top, each a fact about where it came from."""

    @property
    def parameters(self) -> dict[str, Any]:
        """As Ollama's API takes them."""
        values = {"temperature": self.temperature, "top_p": self.top_p, "num_ctx": self.num_ctx}
        found: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
        return {**found, **({"stop": list(self.stops)} if self.stops else {})}

    def write(self) -> str:
        """The file's text.

        Raises:
            Unwritable: reading it would give something else.
        """
        text = "\n\n".join("\n".join(block) for block in self._blocks() if block) + "\n"
        if read(text) != self:
            raise Unwritable("one of its facts has spaces around it, or a line end in it")
        return text

    def _blocks(self) -> Iterator[list[str]]:
        yield [f"# {comment}" for comment in self.comments]
        yield [f"FROM {self.model}", *([f"ADAPTER {self.adapter}"] if self.adapter else [])]
        yield [_said("TEMPLATE", self.template)] if self.template is not None else []
        yield [
            *(_said("PARAMETER stop", stop) for stop in self.stops),
            *(f"PARAMETER {name} {value}" for name, value in self.parameters.items() if name != "stop"),
        ]
        yield [_said("SYSTEM", self.system)] if self.system is not None else []
        yield [_said("LICENSE", self.licence)] if self.licence is not None else []


def read(text: str) -> Modelfile:
    """The file's facts.

    Raises:
        Unwritable: it is no Modelfile that dlm wrote.
    """
    found: dict[str, Any] = {}
    stops: list[str] = []
    comments: list[str] = []
    for command, value in _commands(text):
        if command == "#":
            comments.append(value)
        elif command == "parameter":
            name, _, setting = value.partition(" ")
            if name == "stop":
                stops.append(setting)
            elif name in _NUMBERS:
                found[name] = _NUMBERS[name](setting)
            else:
                raise Unwritable(f"the parameter {name!r} is not one that dlm writes")
        elif command in ("from", "adapter", "template", "system", "license"):
            found[{"from": "model", "license": "licence"}.get(command, command)] = value
        else:
            raise Unwritable(f"the instruction {command!r} is not one that dlm writes")
    if "model" not in found:
        raise Unwritable("it has no FROM")
    return Modelfile(**found, stops=tuple(stops), comments=tuple(comments))


def _commands(text: str) -> Iterator[tuple[str, str]]:
    """Instructions in lower case with their values; comments under ``#``.

    A value ends at the end of a line on which its quotes are closed; characters that are not printable are dropped.
    """
    lines = iter(text.split("\n"))
    for line in lines:
        if not line.strip():
            continue
        if line.lstrip().startswith("#"):
            yield "#", line.lstrip()[1:].strip()
            continue
        name, _, value = line.lstrip(_SPACE).partition(" ")
        command = name.lower()
        setting = ""
        if command == "parameter":
            setting, _, value = value.partition(" ")
        while (said := _unquoted(value.strip())) is None:
            following = next(lines, None)
            if following is None:
                raise Unwritable(f"the quotes of {name} are not closed")
            value += f"\n{following}"
        said = "".join(c for c in said if c.isprintable() or c in _SPACE or c in _LINE)
        yield command, f"{setting} {said}" if setting else said


def _unquoted(value: str) -> str | None:
    """A value without its quotes; ``None`` while they are open."""
    for quotes in ('"""', '"'):
        if value.startswith(quotes):
            closed = len(value) >= 2 * len(quotes) and value.endswith(quotes)
            return value[len(quotes) : -len(quotes)] if closed else None
    return value


def _said(instruction: str, text: str) -> str:
    """An instruction with a value in quotes that give it back."""
    line = f'{instruction} """{text}"""' if "\n" in text or text.startswith('"') else f'{instruction} "{text}"'
    try:
        (_, again), *more = _commands(line)
    except Unwritable:
        more = [("", "")]
        again = ""
    if more or (again.removeprefix("stop ") if instruction == "PARAMETER stop" else again) != text:
        raise Unwritable(f"{instruction}: {_why(text)}")
    return line


def _why(text: str) -> str:
    """Which of a text's characters a Modelfile does not keep."""
    for number, line in enumerate(text.split("\n"), start=1):
        for character in line:
            if character == "\r":
                return f"line {number} has a carriage return, which not every program keeps"
            if not (character.isprintable() or character in _SPACE):
                return f"line {number} has the character U+{ord(character):04X}, which Ollama drops"
        if line.rstrip().endswith('"""'):
            return f'line {number} ends with """, where Ollama would take it to end'
    return "Ollama would read it differently"
