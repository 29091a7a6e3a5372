"""The tests that a marked function becomes: one a probe, one for the gate, and the function itself if it asks more.

A verdict ``fail`` is a failed test; ``error`` and ``inconclusive`` are errors, as in the JUnit report; ``skip`` is a
skipped test; ``warn`` passes with a warning. The gate decides by sway's own rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import TestCase

import pytest

from dlm_sway._plugkit.errors import PluginError
from dlm_sway.errors import SwayError
from dlm_sway.plugins import manager
from dlm_sway.result import ProbeResult
from dlm_sway.spec.load import load
from dlm_sway.suite.gate import Gate, decide

from . import words
from .mark import BadMark, Wish, read
from .shared import outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GATE = "__gate__"
SPEC = "__spec__"
"""Name of the one test of a mark or a suite that cannot be followed."""


class SwayWarning(UserWarning):
    """A probe's verdict is ``warn``."""


def replaced(node: Any) -> Iterator[Any]:
    """What stands in the place of ``node``: itself without the mark, a suite with it; both if the function has a body
    that does something."""
    mark = node.get_closest_marker("sway") if isinstance(node, pytest.Function) else None
    if mark is None:
        yield node
        return
    yield Suite.instead_of(node, mark)
    if _does_something(node):
        yield node


def refuse_other(item: pytest.Item) -> None:
    """Stop where the mark stands on what is no function, such as a method of a ``unittest.TestCase``.

    Raises:
        UsageError: it does.
    """
    case = issubclass(getattr(item, "cls", None) or object, TestCase)
    if case or not isinstance(item, (pytest.Function, _Test)):
        raise pytest.UsageError(
            f"{item.nodeid}: @pytest.mark.sway works on functions and on methods of plain classes, and this is a "
            f"{type(item).__name__}: move it to a function"
        )


def result_of(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The fixture ``sway_result``."""
    mark = request.node.get_closest_marker("sway")
    if mark is None:
        pytest.fail('sway_result needs a suite: mark the test with @pytest.mark.sway(spec="sway.yaml")', pytrace=False)
    try:
        wish = read(mark, request.config.rootpath)
    except BadMark as error:
        pytest.fail(str(error), pytrace=False)
    found = outcome(request.config, wish)
    if found.document is None:
        pytest.fail(found.failure, pytrace=False)
    return found.document


def _does_something(function: pytest.Function) -> bool:
    """Whether its body is more than ``pass``, ``...`` or a docstring."""

    def nothing() -> None:
        pass

    body = getattr(function.obj, "__code__", None)
    return body is None or bool(body.co_names) or len(body.co_code) != len(nothing.__code__.co_code)


class Suite(pytest.Collector):
    """One marked function."""

    mark: pytest.Mark
    where: tuple[Any, int | None, str]

    @classmethod
    def instead_of(cls, function: pytest.Function, mark: pytest.Mark) -> Suite:
        """Under the name of ``function``, with its other marks."""
        assert function.parent is not None
        made: Suite = cls.from_parent(function.parent, name=function.name)
        made.mark, made.where = mark, function.reportinfo()
        for own in function.own_markers:
            made.add_marker(getattr(pytest.mark, own.name)(*own.args, **own.kwargs))
        return made

    def collect(self) -> Iterator[pytest.Item]:
        """A test a probe, in the suite's order, and the gate."""
        try:
            wish = read(self.mark, self.config.rootpath)
            loaded = load(wish.spec, manager())
        except (BadMark, SwayError, PluginError) as error:
            yield Refused.make(self, SPEC, str(error))
            return
        if self.config.pluginmanager.hasplugin("xdist"):
            # With --dist loadgroup, nobody else waits for this suite.
            self.add_marker(pytest.mark.xdist_group(f"sway-{wish.key}"))
        for planned in loaded.probes:
            yield ProbeTest.make(self, planned.probe.spec.name, wish)
        yield GateTest.make(self, GATE, wish)


class _Test(pytest.Item):
    """What the tests of a suite have in common."""

    asked: Any
    """A :class:`Wish`, or the words of a refusal."""

    @classmethod
    def make(cls, suite: Suite, name: str, asked: Any) -> _Test:
        made: _Test = cls.from_parent(suite, name=name)
        made.asked = asked
        return made

    @property
    def suite(self) -> Suite:
        assert isinstance(self.parent, Suite)
        return self.parent

    def reportinfo(self) -> tuple[Path | str, int | None, str]:
        path, line, domain = self.suite.where
        return path, line, f"{domain}::{self.name}"

    def document(self) -> dict[str, Any]:
        """The result of the suite; ends the test where it could not be run."""
        found = outcome(self.config, self.asked)
        if found.document is None:
            pytest.fail(words.cannot_run(self.asked.spec, found.failure), pytrace=False)
        return found.document


class Refused(_Test):
    """The mark or the suite file has a mistake."""

    def runtest(self) -> None:
        pytest.fail(self.asked, pytrace=False)


class ProbeTest(_Test):
    """One entry of the suite."""

    found: dict[str, Any]

    def setup(self) -> None:
        """Have the suite run, if nobody has, and stop here where there is no answer to test."""
        document = self.document()
        rows = [row for row in document["probes"] if row["name"] == self.name]
        if not rows:
            pytest.fail(
                f"the result has no probe {self.name!r}: the suite file changed while the tests ran", pytrace=False
            )
        self.found = rows[0]
        self.user_properties += words.properties(self.found)
        verdict = self.found["verdict"]
        if verdict == "skip":
            pytest.skip(self.found["message"])
        if verdict not in ("pass", "fail", "warn"):
            pytest.fail(words.of_probe(self.found, document), pytrace=False)

    def runtest(self) -> None:
        if self.found["verdict"] == "fail":
            pytest.fail(words.of_probe(self.found, self.document()), pytrace=False)
        if self.found["verdict"] == "warn":
            self.warn(SwayWarning(f"{self.name}: {self.found['message']}"))


class GateTest(_Test):
    """All entries together."""

    decided: Gate

    def setup(self) -> None:
        """Decide, and stop here where nothing can be decided."""
        document = self.document()
        self.decided = decided(self.asked, document)
        self.user_properties += [("conclusion", document["conclusion"]), ("overall", document["score"]["overall"])]
        if self.decided.outcome == "could not tell":
            pytest.fail(words.of_gate(self.decided, document), pytrace=False)

    def runtest(self) -> None:
        if self.decided.outcome == "fail":
            pytest.fail(words.of_gate(self.decided, self.document()), pytrace=False)


def decided(wish: Wish, document: dict[str, Any]) -> Gate:
    """What the gate says of a result, with the mark's threshold or else the suite's."""
    results = [
        ProbeResult(
            name=row["name"],
            kind=row["kind"],
            verdict=row["verdict"],
            message=row["message"],
            score=row["score"],
            seeks=row["seeks"],
            evidence=row["evidence"],
        )
        for row in document["probes"]
    ]
    threshold = document["gate"]["threshold"] if wish.threshold is None else wish.threshold
    return decide(results, document["score"], threshold)
