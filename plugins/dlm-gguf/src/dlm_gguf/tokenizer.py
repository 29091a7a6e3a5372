"""A base's vocabulary as keys of a GGUF file: tokens, what each is, how they merge, and what is put around a text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlm.errors import ExportFailed, ExportRefused

from .converter import WAY_OUT, NeedsConverter
from .pretokenizers import pretokenizer_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gguf import GGUFWriter

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""What a token is."""
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
_SPACE = "▁"
_UNREACHED = -1e6
"""Score of a token that no merge makes."""


@dataclass(frozen=True)
class Vocabulary:
    """What a GGUF file says of tokens, one for every row of the embedding."""

    model: str
    """``gpt2`` for bytes and merges, ``llama`` for pieces with scores."""
    cut: str | None
    """llama.cpp's name for how text is cut before merging."""
    tokens: tuple[str, ...]
    kinds: tuple[int, ...]
    merges: tuple[str, ...]
    scores: tuple[float, ...]
    special: Mapping[str, int]
    """Ids by ``bos``, ``eos``, ``unk``, ``pad``."""
    add_bos: bool
    add_eos: bool
    space_prefix: bool
    """Whether a text gets a space in front."""
    strips_right: bool = False
    """Whether special tokens swallow spaces behind them."""

    def number_of(self, token: str) -> int | None:
        """The id of ``token``."""
        return self.tokens.index(token) if token in self.tokens else None


def read_vocabulary(folder: Path, rows: int) -> Vocabulary:
    """The tokenizer in ``folder``, for an embedding of ``rows`` rows.

    Raises:
        ExportRefused: llama.cpp would cut or merge text in another way; says what, and the way out.
        ExportFailed: a file is missing or damaged.
    """
    found = _json(folder / "tokenizer.json")
    settings = _json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    model = found["model"]
    if model.get("type") != "BPE":
        raise NeedsConverter(f"{folder}: its tokenizer is {model.get('type')}, and only BPE can be written. {WAY_OUT}")
    pieces = bool(model.get("byte_fallback"))
    cut = None if pieces else pretokenizer_of(found)
    if not pieces and cut is None:
        raise NeedsConverter(f"{folder}: its tokenizer cuts text in a way that llama.cpp has no name for. {WAY_OUT}")
    if pieces:
        _require_pieces(found, folder)
    tokens, kinds = _tokens(found, rows, folder, pieces=pieces)
    merges = [" ".join(pair) if isinstance(pair, list) else str(pair) for pair in model["merges"]]
    add_bos, add_eos = _around(found, settings)
    return Vocabulary(
        model="llama" if pieces else "gpt2",
        cut=cut,
        tokens=tokens,
        kinds=kinds,
        merges=() if pieces else tuple(merges),
        scores=_scores(tokens, model["merges"]) if pieces else (),
        special=_special(folder, settings, tokens),
        add_bos=add_bos,
        add_eos=add_eos,
        space_prefix=pieces and _prefixed(found),
        strips_right=_strips_right(found, tokens),
    )


def describe(writer: GGUFWriter, vocabulary: Vocabulary, template: str | None, end_of_turn: int | None) -> None:
    """Add the keys of the tokenizer to ``writer``."""
    writer.add_tokenizer_model(vocabulary.model)
    writer.add_tokenizer_pre(vocabulary.cut or "default")
    writer.add_token_list(list(vocabulary.tokens))
    if vocabulary.scores:
        writer.add_token_scores(list(vocabulary.scores))
    writer.add_token_types(list(vocabulary.kinds))
    if vocabulary.merges:
        writer.add_token_merges(list(vocabulary.merges))
    add = {"bos": writer.add_bos_token_id, "eos": writer.add_eos_token_id, "unk": writer.add_unk_token_id}
    for name, number in vocabulary.special.items():
        {**add, "pad": writer.add_pad_token_id}[name](number)
    if end_of_turn is not None and end_of_turn != vocabulary.special.get("eos"):
        writer.add_eot_token_id(end_of_turn)
    writer.add_add_bos_token(vocabulary.add_bos)
    writer.add_add_eos_token(vocabulary.add_eos)
    if vocabulary.model == "llama":
        writer.add_add_space_prefix(vocabulary.space_prefix)
    if template is not None:
        writer.add_chat_template(template)


def _tokens(
    found: Mapping[str, Any], rows: int, folder: Path, *, pieces: bool
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Every row's token and what it is; rows that no token has are given a name of their own."""
    by_id = {int(number): token for token, number in found["model"]["vocab"].items()}
    kinds = {number: BYTE if pieces and _BYTE.fullmatch(token) else NORMAL for number, token in by_id.items()}
    unknown = found["model"].get("unk_token")
    for one in found.get("added_tokens", ()):
        number, token = int(one["id"]), str(one["content"])
        by_id[number] = token
        if one.get("special"):
            kinds[number] = UNKNOWN if pieces and token == unknown else CONTROL
        elif not (pieces and _SPACE in token):
            # Pieces of spaces are merged like others: as tokens of their own they would be written with their mark.
            kinds[number] = USER_DEFINED
    if most := [number for number in by_id if number >= rows]:
        raise ExportRefused(
            f"{folder}: its tokenizer has {len(by_id):,} tokens, and its embedding {rows:,} rows: token {most[0]} "
            f"({by_id[most[0]]!r}) has none. Resize the embedding of the base, or take the tokenizer it came with"
        )
    return (
        tuple(by_id.get(number, f"[PAD{number}]") for number in range(rows)),
        tuple(kinds.get(number, UNUSED) for number in range(rows)),
    )


def _scores(tokens: Sequence[str], merges: Sequence[Any]) -> tuple[float, ...]:
    """Of every piece, so that what merges first scores highest."""
    ranks: dict[str, int] = {}
    for rank, pair in enumerate(merges):
        left, right = pair if isinstance(pair, list) else str(pair).split(" ", 1)
        ranks.setdefault(left + right, rank)
    return tuple(-float(ranks[token]) if token in ranks else _UNREACHED for token in tokens)


def _require_pieces(found: Mapping[str, Any], folder: Path) -> None:
    """Refuse what changes text in other ways than marking its spaces."""
    steps = _flat(found.get("normalizer"), "normalizers")
    strange = [step["type"] for step in steps if step["type"] not in ("Prepend", "Replace", "NFC")]
    strange += [
        step["type"]
        for step in steps
        if step["type"] == "Replace" and (step.get("pattern"), step.get("content")) != ({"String": " "}, _SPACE)
    ]
    cuts = [step["type"] for step in _flat(found.get("pre_tokenizer"), "pretokenizers")]
    strange += [kind for kind in cuts if kind not in ("Metaspace", "Split")]
    if strange:
        raise NeedsConverter(
            f"{folder}: its tokenizer changes text ({', '.join(strange)}) in a way that llama.cpp does not. {WAY_OUT}"
        )


def _prefixed(found: Mapping[str, Any]) -> bool:
    steps = _flat(found.get("normalizer"), "normalizers")
    cuts = _flat(found.get("pre_tokenizer"), "pretokenizers")
    return any(step["type"] == "Prepend" for step in steps) or any(
        step["type"] == "Metaspace" and step.get("prepend_scheme", "always") != "never" for step in cuts
    )


def _flat(found: Mapping[str, Any] | None, inside: str) -> list[Mapping[str, Any]]:
    if found is None:
        return []
    if found["type"] == "Sequence":
        return [step for one in found[inside] for step in _flat(one, inside)]
    return [found]


def _around(found: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether a text gets a beginning and an end: by the settings where they say, else by what puts them there."""
    begins = ends = False
    for step in _flat(found.get("post_processor"), "processors"):
        if step["type"] == "TemplateProcessing":
            parts = ["A" if "Sequence" in part else "special" for part in step.get("single", ())]
            begins = begins or parts[:1] == ["special"]
            ends = ends or (len(parts) > 1 and parts[-1] == "special")
    bos, eos = settings.get("add_bos_token"), settings.get("add_eos_token")
    return (begins if bos is None else bool(bos), ends if eos is None else bool(eos))


def _strips_right(found: Mapping[str, Any], tokens: Sequence[str]) -> bool:
    """Whether special tokens swallow spaces behind them, as those of Phi 3 do; llama.cpp knows it of no others."""
    swallowing = any(one.get("rstrip") and one.get("special") for one in found.get("added_tokens", ()))
    return swallowing and {"<unk>", "<s>", "</s>", "<|endoftext|>"} <= set(tokens)


def _special(folder: Path, settings: Mapping[str, Any], tokens: Sequence[str]) -> dict[str, int]:
    numbers = {token: number for number, token in enumerate(tokens)}
    config = _json(folder / "config.json")
    found = {}
    for name in ("bos", "eos", "unk", "pad"):
        given = settings.get(f"{name}_token")
        token = given.get("content") if isinstance(given, dict) else given
        number = numbers.get(token) if token else config.get(f"{name}_token_id")
        if isinstance(number, list):
            number = number[0] if number else None
        if isinstance(number, int) and 0 <= number < len(tokens):
            found[name] = number
    return found


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ExportFailed(
            f"{path} cannot be read ({problem}): fetch the base again with `dlm base fetch`"
        ) from problem
    return found
