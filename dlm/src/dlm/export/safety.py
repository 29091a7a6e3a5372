"""What of an adapter must not be exported as asked, found from its files alone, before any work."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ExportRefused, UsageProblem
from ..store.version import ADAPTER_FILE, CONFIG_FILE
from ..training.mixing import FULL, precision_of_base
from .quants import header

if TYPE_CHECKING:
    from pathlib import Path

    from ..chosen import Chosen
    from ..store.version import Version
    from .sink import Wishes

_VOCABULARY = ("embed_tokens", "lm_head", "wte", "embed_out")


@dataclass(frozen=True)
class AdapterFacts:
    """What an adapter's files say of it."""

    folder: Path
    kind: str
    """``LORA`` and the like."""
    dora: bool = False
    rslora: bool = False
    token_rows: int = 0
    """Rows of the vocabulary that were trained one by one."""
    saved_modules: tuple[str, ...] = ()
    """Modules that were trained whole."""
    on_vocabulary: tuple[str, ...] = ()
    """Updates of the embeddings or of the head."""

    def beyond_layers(self) -> str | None:
        """What of it is no update of a layer's matrix, and so has no place in an adapter file of most programs; in
        words, ``None`` when there is nothing."""
        if self.token_rows:
            return f"{self.token_rows} trained rows of the vocabulary"
        if self.saved_modules:
            return f"modules trained whole ({', '.join(self.saved_modules)})"
        if self.on_vocabulary:
            return f"updates of {', '.join(self.on_vocabulary)}"
        return None


def inspect(folder: Path) -> AdapterFacts:
    """Read ``adapter_config.json`` and the header of the weights in ``folder``.

    Raises:
        ExportRefused: they are missing or damaged.
    """
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ExportRefused(f"{folder / CONFIG_FILE} cannot be read ({problem}): train again") from problem
    names = [name for name in header(folder / ADAPTER_FILE) if name != "__metadata__"]
    if not isinstance(config, dict) or not names:
        raise ExportRefused(f"{folder} holds no adapter that can be read: train again with `dlm train DOC`")
    return AdapterFacts(
        folder=folder,
        kind=str(config.get("peft_type") or ""),
        dora=bool(config.get("use_dora")),
        rslora=bool(config.get("use_rslora")),
        token_rows=_rows(config.get("trainable_token_indices")),
        saved_modules=tuple(sorted(map(str, config.get("modules_to_save") or ()))),
        on_vocabulary=_on_vocabulary(names),
    )


def takes_every(version: Version, chosen: Chosen) -> bool:
    """Whether all named adapters of ``version`` go in, each for itself: nobody chose among several."""
    return chosen.by == "first" and len(version.adapters) > 1


def names_of(version: Version, chosen: Chosen) -> tuple[str | None, ...]:
    """Of every adapter that is exported; ``None`` for one without a name."""
    return version.adapters if takes_every(version, chosen) else chosen.names or (None,)


def check_adapters(version: Version, chosen: Chosen, wishes: Wishes, target: str, *, whole: bool = False) -> list[str]:
    """Refuse what would come out wrong, whatever the target's files look like; notes for people about the rest.
    ``whole``: the files hold all that PEFT saves of one adapter.

    Raises:
        StoreError: the version is damaged.
        ExportRefused: it would not behave like what was trained; names the reason and the way out.
        UsageProblem: ``--dequantize`` where nothing is quantised.
    """
    version.verify()
    names = names_of(version, chosen)
    held = {name: precision_of_base(version.facts_of(name)) for name in names}
    rounded = {name: kind for name, kind in held.items() if kind != FULL}
    if wishes.dequantize and not rounded:
        raise UsageProblem(f"{version.name} was trained on the base's full weights: leave --dequantize out")
    if wishes.form == "merged" and rounded and not wishes.dequantize:
        raise ExportRefused(_rounded(version, rounded))
    facts = [inspect(version.folder_of(name)) for name in names]
    # Only a sum of several has to be written in another way than PEFT wrote each.
    mixed = len(facts) > 1 and not takes_every(version, chosen)
    if wishes.form == "adapter" and (mixed or not whole):
        for one in facts:
            _refuse_beyond_layers(one, target)
    return [_to_be_held(version, name, kind) for name, kind in rounded.items() if wishes.form == "adapter"]


def check_tokenizer(folder: Path, base: Path) -> None:
    """Refuse an adapter in ``folder`` whose tokenizer has other tokens than that of the base in ``base``: the rows of
    the base's vocabulary would stand for other words than in training.

    Raises:
        ExportRefused: names tokens that differ.
    """
    own, theirs = folder / "tokenizer.json", base / "tokenizer.json"
    if not own.is_file() or not theirs.is_file() or own.read_bytes() == theirs.read_bytes():
        return
    trained, found = tokens_of(own), tokens_of(theirs)
    if trained == found:
        return
    grown = sorted(set(trained) - set(found))
    other = sorted(name for name in set(trained) & set(found) if trained[name] != found[name])
    gone = sorted(set(found) - set(trained))
    what = "; ".join(
        f"{word} {', '.join(map(repr, some[:3]))}{f' and {len(some) - 3} more' if len(some) > 3 else ''}"
        for word, some in (("added", grown), ("moved", other), ("removed", gone))
        if some
    )
    raise ExportRefused(
        f"the tokenizer beside the adapter has other tokens than the base's ({what}), and the base has no trained rows "
        "for them: put back the base that it was trained on, or train again with `dlm train DOC`"
    )


def tokens_of(tokenizer: Path) -> dict[str, int]:
    """Every token of a ``tokenizer.json`` with its number.

    Raises:
        ExportRefused: it cannot be read.
    """
    try:
        found = json.loads(tokenizer.read_bytes())
        model = found.get("model") or {}
        vocabulary = model.get("vocab") or {}
        if isinstance(vocabulary, list):
            vocabulary = {entry[0]: number for number, entry in enumerate(vocabulary)}
        added = {entry["content"]: entry["id"] for entry in found.get("added_tokens") or ()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as problem:
        raise ExportRefused(
            f"{tokenizer} cannot be read ({problem}): fetch the base again, or train again"
        ) from problem
    return {**vocabulary, **added}


def _rounded(version: Version, rounded: dict[str | None, str]) -> str:
    who = ", ".join(f"{name or version.name} on {kind} weights" for name, kind in rounded.items())
    return (
        f"an adapter that was trained on rounded weights also corrects their rounding, so merged into the full weights "
        f"it is off by that ({who}). Train with `adapter: lora`, or merge all the same with --dequantize: the "
        "certificate then measures what it costs"
    )


def _to_be_held(version: Version, name: str | None, kind: str) -> str:
    return (
        f"note: {name or version.name} was trained on {kind} weights and corrects their rounding: serve it on a base "
        "that is held so, on any other it is off"
    )


def _refuse_beyond_layers(facts: AdapterFacts, target: str) -> None:
    if (what := facts.beyond_layers()) is not None:
        raise ExportRefused(
            f"the adapter holds {what}, which the adapter form of {target} has no place for, and without them it "
            "would not be what was trained: export with --merged"
        )


def _rows(indices: Any) -> int:
    """PEFT writes a list, or one list a module."""
    if isinstance(indices, dict):
        return sum(len(rows) for rows in indices.values() if isinstance(rows, list))
    return len(indices) if isinstance(indices, list) else 0


def _on_vocabulary(names: list[str]) -> tuple[str, ...]:
    """Modules of the vocabulary that an update is made to."""
    found = {part for name in names if "lora_" in name for part in name.split(".") if part in _VOCABULARY}
    return tuple(sorted(found))
