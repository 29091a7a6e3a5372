"""What of an adapter must not be exported as asked, found from its files alone, before any work."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ExportRefused, UsageProblem
from ..store.version import ADAPTER_FILE, CONFIG_FILE
from ..training.mixing import FULL, Mix, precision_of_base
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


def folders_of(chosen: Chosen) -> tuple[Path, ...]:
    """Of every adapter that is exported."""
    adapter = chosen.adapter
    if isinstance(adapter, Mix):
        return tuple(part.folder for part in adapter.parts)
    return () if adapter is None else (adapter,)


def names_of(chosen: Chosen) -> tuple[str | None, ...]:
    """As :func:`folders_of`; ``None`` for one without a name."""
    return chosen.names or (None,)


def check_adapters(
    version: Version, chosen: Chosen, wishes: Wishes, target: str, *, whole: bool = False
) -> tuple[AdapterFacts, ...]:
    """Refuse what would come out wrong, whatever the target's files look like. ``whole``: they hold all that PEFT saves
    of one adapter.

    Raises:
        StoreError: the version is damaged.
        ExportRefused: it would not behave like what was trained; names the reason and the way out.
        UsageProblem: ``--dequantize`` where nothing is quantised.
    """
    version.verify()
    held = {name: precision_of_base(version.facts_of(name)) for name in names_of(chosen)}
    rounded = {name: kind for name, kind in held.items() if kind != FULL}
    if wishes.dequantize and not rounded:
        raise UsageProblem(f"{version.name} was trained on the base's full weights: leave --dequantize out")
    if wishes.form == "merged" and rounded and not wishes.dequantize:
        raise ExportRefused(_rounded(version, rounded))
    facts = tuple(inspect(folder) for folder in folders_of(chosen))
    if wishes.form == "adapter" and not (whole and len(facts) == 1):
        for one in facts:
            _refuse_beyond_layers(one, target)
    return facts


def _rounded(version: Version, rounded: dict[str | None, str]) -> str:
    who = ", ".join(f"{name or version.name} on {kind} weights" for name, kind in rounded.items())
    return (
        f"an adapter that was trained on rounded weights also corrects their rounding, so merged into the full weights "
        f"it is off by that ({who}). Export with --unmerged, train with `adapter: lora`, or merge all the same with "
        "--dequantize; the certificate then measures what it costs"
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
