"""Words that a base takes for similar: neighbours in its input embeddings, without loading the model.

Vectors are centred on the mean of all words first: without that, frequent words are neighbours of everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .model import load_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from transformers import PreTrainedTokenizerBase

NEAREST = 8
LEAST_COSINE = 0.42
"""Below it, neighbours of a word are no longer about the same thing."""
AMONG = 32
"""Two words are neighbours when each is among so many nearest of the other: what is near to everything is near to
nothing."""
STEM = 4
"""Words that begin alike are forms of one word, not other words for it."""
SHORTEST, LONGEST = 3, 20
ROWS = 4096


def similar_words(folder: Path) -> dict[str, list[str]]:
    """Each lower-case word that is one token of its own, with at most ``NEAREST`` similar ones, the nearest first."""
    embeddings = _embeddings(folder)
    if embeddings is None:
        return {}
    words = {word: index for word, index in _words(load_tokenizer(folder)) if index < len(embeddings)}
    if not words:
        return {}
    near = _nearest(embeddings[list(words.values())])
    names = list(words)
    among = [{neighbour.at for neighbour in found} for found in near]
    kept = {
        name: [
            names[other.at]
            for other in near[index]
            if other.cosine >= LEAST_COSINE and index in among[other.at] and names[other.at][:STEM] != name[:STEM]
        ][:NEAREST]
        for index, name in enumerate(names)
    }
    return {name: others for name, others in kept.items() if others}


class _Neighbour(NamedTuple):
    cosine: float
    at: int


def _embeddings(folder: Path) -> torch.Tensor | None:
    """The input embeddings, [V, D], from whichever weights file holds them."""
    from safetensors import safe_open

    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118  (no mapping)
                if name.endswith(("embed_tokens.weight", "wte.weight", "embed_in.weight", "word_embeddings.weight")):
                    found: torch.Tensor = tensors.get_tensor(name)
                    return found
    return None


def _words(tokenizer: PreTrainedTokenizerBase) -> list[tuple[str, int]]:
    """Tokens that are a whole lower-case word with the blank before it, in the order of their ids."""
    by_id = sorted((index, token) for token, index in tokenizer.get_vocab().items())
    bare = ((token[1:], index) for index, token in by_id if token[:1] in ("Ġ", "▁"))
    return [
        (word, index)
        for word, index in bare
        if SHORTEST <= len(word) <= LONGEST and word.isascii() and word.isalpha() and word.islower()
    ]


def _nearest(vectors: torch.Tensor) -> list[list[_Neighbour]]:
    """For each row of ``vectors``, [W, D], its nearest others, the nearest first."""
    import torch

    vectors = vectors.float()
    vectors = torch.nn.functional.normalize(vectors - vectors.mean(0), dim=1)
    found = []
    for at in range(0, len(vectors), ROWS):
        cosines = vectors[at : at + ROWS] @ vectors.T
        cosines[range(len(cosines)), range(at, at + len(cosines))] = -1
        top = cosines.topk(min(AMONG, len(vectors) - 1))
        for values, indices in zip(top.values.tolist(), top.indices.tolist(), strict=True):
            found.append([_Neighbour(*pair) for pair in zip(values, indices, strict=True)])
    return found
