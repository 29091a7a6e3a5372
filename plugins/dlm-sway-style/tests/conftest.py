"""Two ways to write, and a model that writes what it is told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dlm_sway.scoring.types import FT, Answer
from dlm_sway.testing import ClosedForm


class Scripted(ClosedForm):
    """A model that writes what it is told: ``script(number of the prompt, tuned)``. Only the real adapter is tuned."""

    def __init__(self, script):
        super().__init__()
        self.script = script

    def generate(self, prompts, view, *, max_new_tokens):
        texts = [self.script(int(item.prompt.split()[-1]), view == FT) for item in prompts]
        return [Answer(text, tuple(map(len, text.split())), True) for text in texts]


def terse(at):
    """Short sentences of short words."""
    return " ".join(f"Pump {at + n} runs. It is on{', or off' if (at + n) % 3 == 0 else ''}. Go." for n in range(5))


def wordy(at):
    """Long sentences of long words."""
    parts = (f"considerable administrative responsibilities regarding installation {at + n}" for n in range(4 + at % 3))
    return f"Notwithstanding {', and furthermore '.join(parts)}, everything continues without interruption."


@pytest.fixture
def known():
    """All of the above, by name."""
    reference = "\n\n".join(terse(10 * at) for at in range(40))
    return SimpleNamespace(
        Scripted=Scripted,
        terse=terse,
        wordy=wordy,
        reference=reference,
        prompts=[f"Tell me about {n}" for n in range(8)],
    )
