"""``dlm push``: a document is packed, or a pack checked, and sent. What must not be given away is refused before a byte
leaves."""

from __future__ import annotations

import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PackRefused, UsageProblem
from ..store.files import disk_errors
from ..store.layout import home as home_of
from .accepting import accept
from .frame import MAGIC
from .leftovers import PUSHING, removable, remove
from .manifest import PRIOR_FORMAT
from .packing import PackOptions, pack
from .routing import require_settings, route
from .sidecars import beside
from .signing import DEFAULT_SIGNER, prepare, sign
from .standing import Rules
from .transport import Parcel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .manifest import PackManifest
    from .transport import Progress


@dataclass(frozen=True)
class SignWith:
    """The key that signs what is sent."""

    password: Callable[[Path], str]
    """Asked for the password of a key that is locked."""
    key: str | None = None
    signer: str = DEFAULT_SIGNER


@dataclass(frozen=True)
class PushOptions:
    """What is sent, and what is said to the transport."""

    packing: PackOptions = field(default_factory=PackOptions)
    """How a document is packed; nothing of it may be asked of a pack."""
    settings: Mapping[str, str] = field(default_factory=dict)
    sign: SignWith | None = None


@dataclass(frozen=True)
class Pushed:
    """What was sent, and where it is now."""

    source: str
    """What ``dlm pull`` takes it from."""
    shown: str
    """The same without what is secret in it."""
    manifest: PackManifest
    digest: str
    size: int
    sidecars: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def push(
    path: Path,
    place: str,
    options: PushOptions,
    *,
    progress: Progress,
    say: Callable[[str], None],
    home: Path | None = None,
) -> Pushed:
    """Send the document in ``path``, with what was trained from it, or the pack in ``path``, to ``place``.

    Raises:
        UsageProblem: nothing can be sent there, or an option makes no sense.
        DocumentError, NotTrained: there is nothing to pack.
        PackRefused: something in it must not be shared.
        PackInvalid: the pack is damaged.
        TransferFailed: it broke on the way; says whether to try again.
        TransferRefused: the other side said no.
    """
    way = route(place)
    require_settings(way, options.settings)
    way.transport.check_send(place, options.settings)
    with _parcel(path, options, home_of(home)) as (parcel, notes):
        size = parcel.pack.stat().st_size
        sent = way.transport.send(parcel, place, progress=progress, say=say)
    shown = route(sent.source).shown
    return Pushed(
        sent.source, shown, parcel.manifest, parcel.digest, size, tuple(parcel.sidecars), (*notes, *sent.notes)
    )


@contextmanager
def _parcel(path: Path, options: PushOptions, root: Path) -> Iterator[tuple[Parcel, tuple[str, ...]]]:
    if not is_pack(path):
        with private_folder(root) as folder:
            made = pack(path, replace(options.packing, out=folder / f"{path.name}.pack"), home=root)
            _sign(made.path, options)
            parcel = Parcel(made.path, made.manifest, made.digest, beside(made.path), options.settings)
            yield parcel, (*made.notes, *_warned(made.manifest))
        return
    if options.packing != PackOptions():
        raise UsageProblem(f"{path} is a pack already: what goes into one is said when it is made, with `dlm pack`")
    _sign(path, options)
    # A signature that is wrong is not sent: whoever pulls it would be refused.
    found, _ = accept(path, None, rules=Rules("warn"), home=root)
    if found.format == PRIOR_FORMAT:
        raise PackRefused(
            f"{path} was made by the prior trainer, whose packs hold text that was deleted: take it in with `dlm "
            f"unpack {path}`, and push the document"
        )
    yield Parcel(path, found.manifest, found.digest, beside(path), options.settings), _warned(found.manifest)


def _sign(pack: Path, options: PushOptions) -> None:
    """Put a signature beside ``pack``, where that was asked for."""
    if options.sign is not None:
        wanted = prepare(pack, signer=options.sign.signer, key=options.sign.key)
        sign(wanted, password=options.sign.password(wanted.private) if wanted.locked else None)


def is_pack(path: Path) -> bool:
    """Whether ``path`` begins as a pack does; a document is text.

    Raises:
        UsageProblem: it cannot be read.
    """
    if path.is_dir():
        raise UsageProblem(f"{path} is a folder: name the document or the pack in it")
    if not path.exists():
        raise UsageProblem(f"there is no file {path}: name a document, or a pack")
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError as problem:
        raise UsageProblem(f"cannot read {path}: {problem.strerror or problem}") from problem


def _warned(manifest: PackManifest) -> tuple[str, ...]:
    if manifest.profile != "full":
        return ()
    return ("profile full: deleted text, older versions and logs travel, too. For others there is --profile share",)


@contextmanager
def private_folder(root: Path) -> Iterator[Path]:
    """A folder that nobody else reads, gone at the end; those of pushes that died go now."""
    from filelock import FileLock

    folder = root / PUSHING / secrets.token_hex(8)
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path, _ in removable(root):
        if path.parent == folder.parent:
            remove(path)
    with FileLock(folder.with_suffix(".lock"), timeout=1):
        with disk_errors(folder):
            folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            folder.with_suffix(".lock").unlink(missing_ok=True)
