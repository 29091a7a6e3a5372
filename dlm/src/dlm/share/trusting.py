"""Whether a pack may be taken, by what its signatures are worth under a policy. The one rule of verify, unpack, pull.

A signature that is wrong is an error under every policy that looks at signatures at all. A key that nobody knows is
recorded for a document only when that is asked for, and only after its signature was found to hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .._plugkit.errors import PluginError
from ..errors import SignatureInvalid, UsageProblem
from ..store.layout import home as home_of
from .keys import publics
from .sidecars import Signature, read_small, signatures
from .standing import NOT_LOOKED_AT, Checked, Policy, Rules, Standing, short
from .trust_store import FirstUse, RecordedKey, TrustedKey, read_key, record, recorded, trusted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .signer import Held, Identity, Signer

_RANK = ("trusted", "recorded", "unknown-signer", "unchecked")


@dataclass(frozen=True)
class _Known:
    """What decides whose key counts."""

    trusted: tuple[TrustedKey, ...]
    record: FirstUse | None
    asked: tuple[TrustedKey, ...]
    identity: Identity | None

    @property
    def recorded(self) -> frozenset[str]:
        return frozenset(key.fingerprint for key in self.record.keys) if self.record else frozenset()


def judge(
    pack: Path,
    sidecars: Mapping[str, Path],
    *,
    policy: Policy,
    name: str,
    home: Path | None = None,
    first_use: bool = False,
    keys: Sequence[Path] = (),
    identity: Identity | None = None,
) -> Standing:
    """What the signatures of ``pack``, of the document ``name`` (a dlm_id), are worth under :class:`.standing.Rules`;
    with ``first_use``, remember a key that nobody knew.

    Raises:
        SignatureInvalid: a signature is wrong, the document was signed by another key at first, or the policy asks
            for more than there is. Nothing was remembered.
        StoreError: what was recorded about the document cannot be read or written.
    """
    rules = Rules(policy, first_use, tuple(keys), identity)
    return remember(examine(pack, sidecars, rules, name=name, home=home), rules, name=name, home=home)


def examine(pack: Path, sidecars: Mapping[str, Path], rules: Rules, *, name: str, home: Path | None = None) -> Standing:
    """As :func:`judge`, and remembers nothing: that is :func:`remember`, once the rest of the pack was found whole."""
    asked = tuple(key for path in rules.keys for key in read_key(path))
    if rules.policy == "off":
        if asked or rules.identity:
            raise UsageProblem("a key was asked for, and with the policy off no signature is looked at: leave out one")
        return NOT_LOOKED_AT
    known = _known(home_of(home), name, asked, rules.identity)
    there = list(signatures(sidecars))
    if not there:
        return _unsigned(pack, name, rules.policy, known)
    found = [_check(pack, one, known) for one in there]
    standing = _together(pack, [one for one, _ in found], [held for _, held in found if held is not None])
    _require_asked(pack, standing, known)
    _require_same_key(pack, name, standing, known)
    _require_policy(pack, standing, rules)
    return standing


def _known(root: Path, name: str, asked: tuple[TrustedKey, ...], identity: Identity | None) -> _Known:
    """Whose keys count for what is put under ``root``. What was recorded in one's own home holds for any other place,
    too: nobody gets around it by unpacking elsewhere."""
    homes = list(dict.fromkeys((home_of(None), root)))
    keys = [key for one in homes for key in (*trusted(one)[0], *publics(one))]
    record = next((found for one in homes if (found := recorded(one, name)) is not None), None)
    return _Known(tuple(keys), record, asked, identity)


def remember(standing: Standing, rules: Rules, *, name: str, home: Path | None = None) -> Standing:
    """Where that is asked for, record the keys of a pack by an unknown signer for the document ``name``.

    Raises:
        SignatureInvalid: another process has just recorded another key for it.
    """
    holding = [one for one in standing.signatures if one.status == "unknown-signer" and one.fingerprint]
    if not rules.first_use or standing.status != "unknown-signer" or not holding:
        return standing
    keys = tuple(RecordedKey(signer=one.signer, fingerprint=one.fingerprint) for one in holding)
    now = record(home_of(home), name, keys)
    if not {key.fingerprint for key in now.keys} & {key.fingerprint for key in keys}:
        raise _changed(holding[0].file, name, now, holding[0].fingerprint)
    fingerprints = " and ".join(key.fingerprint for key in now.keys)
    told = f"from now on packs of {name} have to be signed by {fingerprints}"
    signed = tuple(replace(one, status="recorded", note="") if one in holding else one for one in standing.signatures)
    kept = tuple(note for note in standing.notes if note not in {one.note for one in holding})
    return replace(standing, status="recorded", notes=(*kept, told), signatures=signed)


def _check(pack: Path, one: Signature, known: _Known) -> tuple[Checked, Held | None]:
    """One signature against the key that it names, and that key against those that count."""
    from ..plugins import manager

    try:
        signer: Signer = manager().resolve("dlm_signers", one.signer)()
    except PluginError as problem:
        note = f"{one.path.name} cannot be checked: {'; '.join(str(problem).splitlines())}"
        return Checked(one.path, one.signer, "unchecked", note=note), None
    data = read_small(one.path)
    if signer.keyless(data):
        return _check_identity(pack, one, data, signer, known)
    mine = [key for key in known.asked if key.signer == one.signer]
    if mine:
        key = next((key for key in mine if signer.names(data, key.public)), mine[0])
        held = _held(pack, one, data, signer, key.public)
        return Checked(one.path, one.signer, "trusted", key.name, key.fingerprint, says=held.says), held
    if one.public is not None:
        return _check_beside(pack, one, one.public, data, signer, known)
    for key in known.trusted:
        if key.signer == one.signer and signer.names(data, key.public):
            held = _held(pack, one, data, signer, key.public)
            return Checked(one.path, one.signer, "trusted", key.name, key.fingerprint, says=held.says), held
    note = f"{one.path.name} is by a key that is not here: ask its maker, then `dlm trust add KEY.pub`"
    return Checked(one.path, one.signer, "unchecked", note=note), None


def _check_beside(
    pack: Path, one: Signature, place: Path, data: bytes, signer: Signer, known: _Known
) -> tuple[Checked, Held]:
    """Under the key that lies beside it, in ``place``."""
    public = read_small(place)
    held = _held(pack, one, data, signer, public)
    found = Checked(one.path, one.signer, "unknown-signer", "", signer.fingerprint(public), place, says=held.says)
    key = next((key for key in known.trusted if key.fingerprint == found.fingerprint), None)
    if key is not None:
        return replace(found, status="trusted", by=key.name), held
    if found.fingerprint in known.recorded:
        return replace(found, status="recorded"), held
    note = (
        f"nobody here has trusted the key {short(found.fingerprint)}: compare all of it with its maker's, then `dlm "
        f"trust add {place} --name WHO`"
    )
    return replace(found, note=note), held


def _check_identity(
    pack: Path, one: Signature, data: bytes, signer: Signer, known: _Known
) -> tuple[Checked, Held | None]:
    identity = known.identity
    if identity is None:
        note = f"{one.path.name} is an identity's, without a key: `dlm verify {pack} --identity WHO --issuer URL`"
        return Checked(one.path, one.signer, "unchecked", note=note), None
    held = _held_by(pack, one, lambda: signer.verify_keyless(pack, data, identity=identity))
    says = {**held.says, "issuer": identity.issuer}
    return Checked(one.path, one.signer, "trusted", identity.name, says=says), held


def _held(pack: Path, one: Signature, data: bytes, signer: Signer, public: bytes) -> Held:
    return _held_by(pack, one, lambda: signer.verify(pack, data, public=public))


def _held_by(pack: Path, one: Signature, verify: Callable[[], Held]) -> Held:
    try:
        return verify()
    except SignatureInvalid as problem:
        raise SignatureInvalid(
            f"{one.path} is not the signature of {pack}: {problem}. The pack or the signature was changed, or they do "
            "not belong together: ask for both again. Nothing was written"
        ) from problem


def _together(pack: Path, found: list[Checked], held: list[Held]) -> Standing:
    if len({one.sha256 for one in held}) > 1:
        raise SignatureInvalid(f"{pack} was changed while its signatures were checked: nothing was written")
    best = min(found, key=lambda one: _RANK.index(one.status))
    notes = tuple(one.note for one in found if one.note)
    sha256 = held[0].sha256 if held else None
    return Standing(best.status, best.by, best.fingerprint, notes, sha256, tuple(found))


def _unsigned(pack: Path, name: str, policy: Policy, known: _Known) -> Standing:
    if known.asked or known.identity:
        raise SignatureInvalid(
            f"{pack} is not signed, and a signature was asked for: ask its maker for {pack.name}.sig"
        )
    if known.record is not None:
        raise SignatureInvalid(
            f"{pack} is not signed, and {name} was, by {known.record.keys[0].fingerprint}, when it first came "
            f"({known.record.recorded_at}): ask for {pack.name}.sig, or `dlm trust remove {name}` if unsigned packs of "
            "it are fine from now on. Nothing was written"
        )
    if policy == "enforce":
        raise SignatureInvalid(
            f"{pack} is not signed, and the policy is enforce: ask its maker for {pack.name}.sig, or take it as it is "
            "with --policy warn. Nothing was written"
        )
    return Standing("unsigned", notes=("not signed: nothing says who made it",))


def _require_asked(pack: Path, standing: Standing, known: _Known) -> None:
    """See to it that a key that was asked for is among the signers."""
    wanted = {key.fingerprint for key in known.asked}
    if wanted and not wanted & {one.fingerprint for one in standing.signatures}:
        by = standing.fingerprint or "a key that is not here"
        raise SignatureInvalid(f"{pack} is signed by {by}, and not by {' or '.join(sorted(wanted))}")
    if known.identity and not any(one.status == "trusted" and not one.fingerprint for one in standing.signatures):
        raise SignatureInvalid(f"{pack} is signed with a key, and not by the identity {known.identity.name}")


def _require_same_key(pack: Path, name: str, standing: Standing, known: _Known) -> None:
    """See to it that a document keeps the keys that were recorded for it, or gets one that was trusted by hand."""
    if known.record is None or standing.status == "trusted":
        return
    if standing.status == "recorded":
        _require_each(pack, name, standing, known.record)
        return
    if standing.status == "unknown-signer":
        raise _changed(pack, name, known.record, standing.fingerprint)
    why = "; ".join(standing.notes)
    raise SignatureInvalid(
        f"{pack} is of {name}, which was signed by {known.record.keys[0].fingerprint} when it first came, and this "
        f"signature cannot be checked: {why}. Nothing was written"
    )


def _require_each(pack: Path, name: str, standing: Standing, record: FirstUse) -> None:
    """Of several keys each: one of them may be that of who passed the pack on, and put a signature beside its own."""
    signed = {one.fingerprint for one in standing.signatures}
    if missing := [key for key in record.keys if key.fingerprint not in signed]:
        raise SignatureInvalid(
            f"{pack} is of {name}, which was signed by {len(record.keys)} keys when it first came, and now lacks the "
            f"{missing[0].signer} signature by {missing[0].fingerprint}. Ask its maker which of the keys are theirs, "
            f"then `dlm trust add` one of them, or `dlm trust remove {name}` to begin anew. Nothing was written"
        )


def _changed(pack: Path, name: str, record: FirstUse, new: str) -> SignatureInvalid:
    old = "\n              and ".join(key.fingerprint for key in record.keys)
    return SignatureInvalid(
        f"THE KEY HAS CHANGED: {pack} is of {name},\n"
        f"  signed before by {old}\n"
        f"  signed now by    {new}\n"
        "Somebody else made it, or its maker has a new key. Ask the maker, by another way than this pack came, which "
        f"fingerprint is right. If it is the new one: `dlm trust remove {name}`, then run this again with "
        "--trust-on-first-use. Nothing was written"
    )


def _require_policy(pack: Path, standing: Standing, rules: Rules) -> None:
    if rules.policy != "enforce":
        return
    unchecked = next((one for one in standing.signatures if one.status == "unchecked"), None)
    if unchecked is not None:
        raise SignatureInvalid(f"{pack}: {unchecked.note}. The policy is enforce, so nothing was written")
    if standing.counts or rules.first_use:
        return
    best = next(one for one in standing.signatures if one.status == standing.status)
    raise SignatureInvalid(
        f"{pack} is signed by a key that nobody here has trusted, and the policy is enforce:\n"
        f"  {best.fingerprint}\n"
        f"Compare this with its maker's, then `dlm trust add {best.public} --name WHO`, or run this again with "
        "--trust-on-first-use. Nothing was written"
    )
