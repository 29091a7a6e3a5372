"""What sway itself offers, registered exactly as a third party would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .entries import CommandEntry, ProbeEntry, ReportEntry
from .hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from .drafts import Draft
    from .sections import SectionData
    from .suite.target import Target


@hookimpl
def dlm_sway_commands() -> Iterable[CommandEntry]:
    """The core's own subcommands."""
    yield CommandEntry(
        name="autogen",
        target="dlm_sway.cli.autogen:autogen",
        summary="Write a suite for a document or an adapter folder.",
    )
    yield CommandEntry(
        name="cache", target="dlm_sway.cli.cache:cache", summary="Show or empty what is kept between runs."
    )
    yield CommandEntry(
        name="check",
        target="dlm_sway.cli.check:check",
        summary="Judge an adapter or a document without writing a suite.",
    )
    yield CommandEntry(
        name="compare",
        target="dlm_sway.cli.compare:compare",
        summary="Compare saved results: what got worse, and is it shown?",
    )
    yield CommandEntry(
        name="diff", target="dlm_sway.cli.diff:diff", summary="Compare two adapters on one base, loaded once."
    )
    yield CommandEntry(
        name="doctor", target="dlm_sway.cli.doctor:doctor", summary="Show what is installed and what is wrong with it."
    )
    yield CommandEntry(
        name="explain",
        target="dlm_sway.cli.explain:explain",
        summary="Say what a probe asks, how it decides and what to do.",
    )
    yield CommandEntry(
        name="gate", target="dlm_sway.cli.gate:gate", summary="Run a suite; the exit code is the verdict."
    )
    yield CommandEntry(
        name="golden",
        target="dlm_sway.cli.golden:golden",
        summary="Hold a result against a stored one, number by number.",
    )
    yield CommandEntry(
        name="list-probes", target="dlm_sway.cli.list_probes:list_probes", summary="Show the probes a suite can name."
    )
    yield CommandEntry(
        name="matrix", target="dlm_sway.cli.matrix:matrix", summary="Rank several adapters on one base, loaded once."
    )
    yield CommandEntry(
        name="mine", target="dlm_sway.cli.mine:mine", summary="Find entries for a suite by asking its models."
    )
    yield CommandEntry(
        name="pack", target="dlm_sway.cli.pack:pack", summary="Pack a suite with all it needs into one file."
    )
    yield CommandEntry(name="plugin", target="dlm_sway.cli.plugin_new:plugin", summary="Start a plugin of your own.")
    yield CommandEntry(
        name="plugins", target="dlm_sway.cli.plugins:plugins", summary="Show plugins, their hooks and their failures."
    )
    yield CommandEntry(name="report", target="dlm_sway.cli.report:report", summary="Show a saved result again.")
    yield CommandEntry(name="run", target="dlm_sway.cli.run:run", summary="Run a suite and report what it found.")
    yield CommandEntry(
        name="trace", target="dlm_sway.cli.trace:trace", summary="Sum up a trace: by probe, by view, the slowest."
    )
    yield CommandEntry(
        name="unpack", target="dlm_sway.cli.pack:unpack", summary="Make a folder of a pack, ready to run."
    )
    yield CommandEntry(
        name="watch", target="dlm_sway.cli.watch:watch", summary="Judge again whenever something has changed."
    )


@hookimpl
def dlm_sway_probes() -> Iterable[ProbeEntry]:
    """The two probes every suite may need."""
    yield ProbeEntry(
        name="integrity",
        target="dlm_sway.probes.integrity:Integrity",
        summary="Is the adapter really on this base, and does it do anything?",
        category="baseline",
        needs=frozenset({"inspect"}),
        seeks="harm",
    )
    yield ProbeEntry(
        name="null_adapter",
        target="dlm_sway.probes.null_adapter:NullAdapter",
        summary="Random adapters of the same norms, to calibrate every other entry.",
        category="baseline",
        needs=frozenset({"null"}),
        seeks="neither",
    )


@hookimpl
def dlm_sway_reports() -> Iterable[ReportEntry]:
    """The formats that need nothing but the core."""
    markdown = "dlm_sway.report.markdown:render"
    offers = (
        ("json", "dlm_sway.report.json:render", "The result itself, schema version 1.", (".json",)),
        ("junit", "dlm_sway.report.junit:render", "One test case a probe, for CI.", (".xml",)),
        ("markdown", markdown, "For pull requests and wikis.", (".md", ".markdown")),
        ("md", markdown, "The same as markdown.", ()),
        ("sarif", "dlm_sway.report.sarif:render", "What to look at, for code scanning.", (".sarif", ".sarif.json")),
        ("terminal", "dlm_sway.report.terminal:render", "For reading at 80 columns.", (".txt",)),
    )
    for name, target, summary, endings in offers:
        yield ReportEntry(name=name, target=target, summary=summary, endings=endings)


@hookimpl
def dlm_sway_draft_suite(target: Target) -> Iterable[Draft]:
    """What every suite begins with."""
    from .drafts import Draft

    intent = "Is the adapter really on this base, and does it do anything?"
    yield Draft(order=10, name="integrity", kind="integrity", intent=intent)
    intent = "Random adapters of the same size: without `runs`, as many as the tests below need together."
    yield Draft(order=20, name="null_baseline", kind="null_adapter", intent=intent)


@hookimpl
def dlm_sway_read_sections(path: Path) -> Sequence[SectionData] | None:
    """Sections that some tool has written as JSON."""
    if path.suffix.lower() != ".json":
        return None
    from .section_file import load

    return load(path)
