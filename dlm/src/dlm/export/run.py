"""One export from beginning to end: what is exported, whether it may be, written aside, and put in its place."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..errors import DlmError, ExportFailed, ExportRefused, ExportUnfaithful
from ..store.files import explain
from .options import ExportOptions, require_suites, settled, sink_entry
from .sink import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._plugkit.plugins import Offer
    from ..chosen import Chosen
    from ..document import Document
    from ..entries import SinkEntry
    from ..store.version import Version
    from ..training.backend import Backend
    from .certificate import Certificate
    from .manifest import ExportManifest
    from .sink import Sink, Wishes, Written


@dataclass(frozen=True)
class Exported:
    """An export that lies in its place."""

    folder: Path
    manifest: ExportManifest
    certificate: Certificate | None = None
    """``None`` where nothing was measured: nobody wanted it, or the weights are the version's own files."""
    next_steps: tuple[str, ...] = ()
    """Commands that use it, for people."""
    handed_on: tuple[str, ...] = ()
    """What was said when it was handed to whoever serves it."""


@dataclass(frozen=True)
class _Job:
    """Everything that an export needs, checked."""

    target: str
    offer: Offer
    sink: Sink
    backend: Backend
    request: Request
    final: Path
    locks: Path
    options: ExportOptions


def export_to(
    path: Path | str,
    target: str,
    *,
    home: Path | None = None,
    options: ExportOptions | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Exported:
    """Export a version of the document at ``path`` for ``target``. ``say`` hears notes worth a line.

    An earlier export of the same kind stays whole until this one is complete.

    Raises:
        DocumentError: the document cannot be read.
        NotTrained: it has no version yet.
        UsageProblem: the target cannot use what is asked for, or the place holds something else.
        ExportRefused: it would not behave like what was trained.
        ExportFailed: it cannot be written.
        StoreLocked: another process is writing the same export.
    """
    from ..document import read
    from ..store import layout
    from ..store.using import using
    from .place import alone

    options, root = options or ExportOptions(), layout.home(home)
    job = _prepare(read(Path(path)), target, root, options, say)
    with using(job.request.version), alone(job.final, job.locks):
        done = _write(job)
        _record(job, done.manifest, say)
    _told(job, done.manifest, say)
    return replace(done, handed_on=_handed_on(job))


def _prepare(document: Document, target: str, home: Path, options: ExportOptions, say: Callable[[str], None]) -> _Job:
    """Decide everything that can be decided before any work."""
    from ..store import layout
    from ..training.choose import choose
    from .place import LOCKS, require_free

    offer = sink_entry(target)
    if options.suite:
        require_suites()
    backend = choose("generate")
    request = _request(document, cast("SinkEntry", offer.entry), home, options, backend, say)
    sink: Sink = _sink(target)
    _require_architecture(sink, request, target)
    sink.check(request)
    exports = layout.store_layout(home, document.frontmatter.dlm_id).exports
    final = _absolute(options.out) if options.out else exports / sink.folder_name(request)
    require_free(final)
    return _Job(target, offer, sink, backend, request, final, exports / LOCKS, options)


def _request(
    document: Document,
    entry: SinkEntry,
    home: Path,
    options: ExportOptions,
    backend: Backend,
    say: Callable[[str], None],
) -> Request:
    """Which adapters of which version on which base, and as what; refused where that would come out wrong."""
    from ..answering import base_of, version_of
    from .safety import check_adapters, check_tokenizer, names_of

    wishes = settled(options.wishes, entry)
    version = version_of(document, home, options.version, say)
    chosen = _chosen(version, options, entry)
    for note in check_adapters(version, chosen, wishes, entry.name, whole=entry.whole_adapters):
        say(note)
    base = base_of(document, home, backend, version, say, accept=options.accept_licence, adapter=chosen.first)
    for name in names_of(version, chosen):
        check_tokenizer(version.folder_of(name), base.path)
    wishes = _with_quant(wishes, document, base.path, entry, say)
    request = Request(document, version, base, chosen, wishes, home / "cache" / "export", say)
    _warn_of_licence(request, say)
    return request


def _sink(target: str) -> Sink:
    from ..plugins import manager

    made: Sink = manager().resolve("dlm_sinks", target)()
    return made


def _chosen(version: Version, options: ExportOptions, entry: SinkEntry) -> Chosen:
    """Which adapters go in. A gate weighs them question by question, which no exported file can do."""
    from ..chosen import Wanted, choose_adapter
    from ..errors import UsageProblem

    if options.wanted.anything or len(version.adapters) < 2:
        wanted = options.wanted if options.wanted.anything or not version.adapters else Wanted(version.adapters[0])
        return choose_adapter(version, wanted)
    if entry.every_adapter:
        return replace(choose_adapter(version, Wanted(gate="off")), note="")
    names = version.adapters
    mix = ",".join(f"{name}:0.5" for name in names[:2])
    raise UsageProblem(
        f"{version.name} has the adapters {', '.join(names)}, and an export for {entry.name} is one model: choose with "
        f"--adapter {names[0]}, or sum them with --adapter-mix {mix}"
    )


def _with_quant(wishes: Wishes, document: Document, base: Path, entry: SinkEntry, say: Callable[[str], None]) -> Wishes:
    from .quants import choose_quant

    if not entry.quants:
        return wishes
    quant = choose_quant(wishes.quant, document, base, entry.quants, entry.name)
    if quant.why != "--quant":
        say(f"quant: {quant.name} ({quant.why}; --quant chooses)")
    return replace(wishes, quant=quant.name)


def _warn_of_licence(request: Request, say: Callable[[str], None]) -> None:
    from ..bases.licence import licence_name

    model = request.model
    if request.wishes.form == "merged" and model.licence is not None and not model.redistributable:
        say(
            f"note: the {licence_name(model)} licence of {model.key} limits passing its weights on, and a merged "
            f"export holds them: read {model.licence_url} before you give it away"
        )


def _require_architecture(sink: Sink, request: Request, target: str) -> None:
    from .ability import config_of

    why = sink.refuses_architecture(config_of(request.model, request.base.path) or {})
    if why is not None:
        raise ExportRefused(
            f"{target} cannot take the base {request.model.key}: {why}. `dlm base show {request.model.key}` lists the "
            "targets that can"
        )


def _absolute(out: Path) -> Path:
    """A link is followed, so that what it points to is replaced and not the link."""
    return out.expanduser().absolute().resolve()


def _write(job: _Job) -> Exported:
    """Written aside, measured there, then swapped in."""
    from .describing import describe
    from .manifest import write_manifest
    from .place import put_in_place, workplace

    with workplace(job.final) as place:
        written = _by_sink(job, place)
        certificate = _certified(job, place, written)
        manifest = describe(job.request, job.target, job.offer.source, written, place, certificate)
        write_manifest(place, manifest)
        judging = _suite(job, place, written) if job.options.suite else ()
        put_in_place(place, job.final)
    folder = shlex.quote(str(job.final))
    steps = tuple(line.replace("{folder}", folder) for line in (*written.next_steps, *judging))
    return Exported(job.final, manifest, certificate, steps)


def _by_sink(job: _Job, place: Path) -> Written:
    """What the sink writes; a disk's refusal in words."""
    try:
        return job.sink.write(job.request, place)
    except DlmError:
        raise
    except Exception as problem:
        if (text := explain(problem, place)) is None:
            raise
        raise ExportFailed(text) from problem


def _certified(job: _Job, place: Path, written: Written) -> Certificate | None:
    """What was measured, written beside the files; a failure ends the export unless somebody wants it all the same."""
    from .certificate import lines, save
    from .certifying import certify

    if not job.options.certify:
        return None
    certificate = certify(job.request, written, place, job.sink, job.backend)
    if certificate is None:
        return None
    if certificate.verdict == "failed" and not job.options.allow_lossy:
        told = "\n".join(lines(certificate))
        raise ExportUnfaithful(
            f"the export would not behave like what was trained, and was not put in place:\n{told}\n"
            "--allow-lossy keeps it all the same, marked as lossy"
        )
    save(certificate, place)
    return certificate


def _suite(job: _Job, place: Path, written: Written) -> tuple[str, ...]:
    """Write a suite, and the command that runs it. The manifest does not list it: a suite is there to be edited."""
    from ..plugins import manager

    name = manager().hook.dlm_write_suite(request=job.request, folder=place, written=written)
    if name is None or not (place / name).is_file():
        raise ExportFailed(f"no installed plugin wrote a suite for {job.target}: leave --emit-sway-json out")
    return (f"sway run {{folder}}/{name}",)


def _record(job: _Job, manifest: ExportManifest, say: Callable[[str], None]) -> None:
    """Note the export in the store's manifest. It lies in its place already, so a failure only costs the note."""
    from ..errors import StoreError
    from ..store import Store
    from .listing import entry_of

    store = Store(job.request.version.layout.root.parents[1], job.request.document.frontmatter.dlm_id)
    try:
        store.record_export(entry_of(job.final, manifest, store.layout))
    except StoreError as problem:
        say(f"note: the export is complete, but the store's manifest does not name it: {problem}")


def _handed_on(job: _Job) -> tuple[str, ...]:
    try:
        return job.sink.finish(job.request, job.final)
    except ExportFailed as problem:
        raise ExportFailed(f"{problem}\nthe files themselves are complete, in {job.final}") from problem


def _told(job: _Job, manifest: ExportManifest, say: Callable[[str], None]) -> None:
    from ..plugins import manager

    manager().notify("dlm_exported", say, folder=job.final, manifest=manifest)
