"""An embedding model of a few words, so that these tests need none of the real ones."""

from __future__ import annotations

import pytest

from dlm_sway.scoring.types import FT, Answer
from dlm_sway.testing import ClosedForm

WORDS = (
    "w0 w1 w2 w3 w4 the pump restarts after seconds lock tide gate opens at hall bread oven bake dough nothing of that"
)
NUMBERS = [str(n) for n in range(40)]


class Scripted(ClosedForm):
    """A model that writes what it is told: ``script(prompt, tuned)``. Only the real adapter is tuned."""

    def __init__(self, script):
        super().__init__()
        self.script = script

    def generate(self, prompts, view, *, max_new_tokens):
        texts = [self.script(item.prompt, view == FT) for item in prompts]
        return [Answer(text, tuple(map(len, text.split())), True) for text in texts]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """A folder with a model in which texts are near each other as far as they share words."""
    import numpy as np
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["[UNK]", *WORDS.split(), *NUMBERS]
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    vectors = np.random.default_rng(0).standard_normal((len(words), 64)).astype("float32")
    vectors[0] = 0.0
    folder = tmp_path_factory.mktemp("embedding") / "tiny"
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=vectors)], device="cpu").save(str(folder))
    return folder


@pytest.fixture
def scripted():
    """:class:`Scripted`."""
    return Scripted
