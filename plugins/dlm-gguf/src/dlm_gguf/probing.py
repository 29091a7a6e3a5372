"""Whether llama.cpp makes the same tokens of a text as the tokenizer that a version was trained with.

The rules by which text is cut are named in a file and not held in it, so a name that fits must be tried on text. Needs
llama.cpp; without it the certificate's own prompts are the only trial.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from dlm.errors import ExportFailed

from .library import Model, installed

if TYPE_CHECKING:
    from pathlib import Path

PROBES = (
    "Hello, world! It's 17:30 on 2026-11-23; isn't that LATE?",
    "0 12 345 6789 1234567 3.14159 1,000,000 v2.41.7",
    "  two spaces,   three,\ttab\n\nnew lines\r\n \n  end  ",
    "def f(x: int) -> str:\n    return f'{x!r}'  # ~~~ $PATH && ./run.sh --flag=1 || exit 1",
    "Größe naïve café Ελλάδα Привет мир שלום مرحبا 你好世界 こんにちは 한국어 ไทย हिन्दी",
    "🙂👍🏽 👩‍👩‍👧 ½ ² € … – — “quoted” ‘single’ «guillemets»",
    "WE'LL They'd I'M you'Re don't DON'T rock'n'roll",
    "aaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbb.......... ---------- ====",
    "https://example.org/a/b?c=d&e=%20f#g user@example.org C:\\Users\\x",
)


def possible() -> bool:
    """Whether both tokenizers are installed here."""
    return installed() is not None and find_spec("tokenizers") is not None


def compare(path: Path, folder: Path) -> int:
    """How many texts became the same tokens in the file ``path`` and in the base in ``folder``, which is all of them.

    Raises:
        ExportFailed: one did not; shows it.
    """
    from tokenizers import Tokenizer

    own = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = Model(path, vocabulary_only=True)
    try:
        for text in PROBES:
            wanted = own.encode(text, add_special_tokens=False).ids
            found = model.tokenize(text, start=False)
            if wanted != found:
                raise ExportFailed(_differing(text, wanted, found))
    finally:
        model.close()
    return len(PROBES)


def _differing(text: str, wanted: list[int], found: list[int]) -> str:
    same = next((at for at, pair in enumerate(zip(wanted, found, strict=False)) if pair[0] != pair[1]), 0)
    return (
        f"llama.cpp makes other tokens of {text!r} than the base's tokenizer, from the {same + 1}. on: "
        f"{found[same : same + 5]} instead of {wanted[same : same + 5]}. The export would misread what it is asked, so "
        "it is not written; serve the version with a target that takes the tokenizer as it is: --target vllm"
    )
