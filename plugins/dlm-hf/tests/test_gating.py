"""The gate's own arithmetic, on readings made up for the purpose and on a tiny model's."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from dlm.errors import AdapterMismatch, StoreError
from dlm.training.gating import GateSettings
from dlm_hf.gating import _fitted, _Set, readings, weights_of
from dlm_hf.model import load_base, load_tokenizer
from dlm_hf.render import Renderer

CPU = torch.device("cpu")
SETTINGS = GateSettings(steps=150, learning_rate=3e-3)
WIDTH = 24


def made(groups, seed=0):
    """Readings of ``(owner, question, count)``: some directions tell the owner, another, much stronger, the kind."""
    generator = torch.Generator().manual_seed(seed)
    features, owners, questions = [], [], []
    for owner, question, count in groups:
        rows = torch.randn(count, WIDTH, generator=generator) * 0.3
        rows[:, :6] += 0.5 if owner else -0.5
        rows[:, 6] += 10.0 if question else -10.0
        features.append(rows)
        owners += [owner] * count
        questions += [question] * count
    return _Set(torch.cat(features), torch.tensor(owners), torch.tensor(questions))


def asked(gate, tmp_path, read):
    (tmp_path / "gate.safetensors").write_bytes(gate.weights)
    return [max(range(len(row)), key=row.__getitem__) for row in weights_of(tmp_path / "gate.safetensors", read)]


def test_what_a_gate_was_not_trained_on_is_told_apart(tmp_path) -> None:
    known = made([(0, True, 60), (1, True, 60)])
    gate = _fitted(known, [at % 5 for at in range(120)], 2, SETTINGS)
    assert sum(gate.right) > 110
    unseen = made([(0, True, 50), (1, True, 50)], seed=1)
    hits = [found == own for found, own in zip(asked(gate, tmp_path, unseen.features), unseen.owners, strict=True)]
    assert sum(hits) > 90


def test_labels_by_chance_are_judged_as_chance(tmp_path) -> None:
    known = made([(0, True, 200)])
    luck = torch.randint(0, 2, (200,), generator=torch.Generator().manual_seed(3))
    gate = _fitted(_Set(known.features, luck, known.questions), [at % 5 for at in range(200)], 2, SETTINGS)
    assert 70 < sum(gate.right) < 130


def test_an_adapter_with_more_text_is_not_told_by_the_looks_of_text(tmp_path) -> None:
    """One adapter is mostly text, the other mostly questions: a question of the first still goes to the first."""
    known = made([(0, True, 10), (0, False, 90), (1, True, 90), (1, False, 10)])
    gate = _fitted(known, [None] * 200, 2, SETTINGS)
    unseen = made([(0, True, 50), (1, True, 50)], seed=1)
    found = asked(gate, tmp_path, unseen.features)
    assert sum(one == 0 for one in found[:50]) > 45
    assert sum(one == 1 for one in found[50:]) > 45


def test_a_small_adapter_weighs_as_much_as_a_large_one(tmp_path) -> None:
    known = made([(0, True, 190), (1, True, 10)])
    gate = _fitted(known, [None] * 200, 2, SETTINGS)
    unseen = made([(1, True, 50)], seed=1)
    assert sum(asked(gate, tmp_path, unseen.features)) > 45


def test_entropy_keeps_weights_apart_from_0_and_1(tmp_path) -> None:
    known = made([(0, True, 60), (1, True, 60)])
    sharpest = []
    for entropy in (0.0, 1.0):
        gate = _fitted(known, [None] * 120, 2, GateSettings(steps=400, learning_rate=3e-3, entropy=entropy))
        (tmp_path / "gate.safetensors").write_bytes(gate.weights)
        rows = weights_of(tmp_path / "gate.safetensors", known.features)
        sharpest.append(sum(map(max, rows)) / len(rows))
    assert sharpest[0] > sharpest[1] + 0.02


@pytest.mark.parametrize(("rate", "reading"), [(1.0, 0.3), (3e-4, float("nan"))])
def test_training_that_goes_wrong_gives_no_gate_and_says_so(rate, reading) -> None:
    known = made([(0, True, 40), (1, True, 40)])
    known.features[3, 5] = reading
    gate = _fitted(known, [0, 1] * 40, 2, GateSettings(steps=3, learning_rate=rate, hidden=512))
    assert (gate.weights, gate.right) == (b"", ())
    assert "nats, where weighing all alike has 0.693: lower training.gate.lr" in gate.diverged


def test_a_gate_of_another_base_and_a_damaged_one_are_refused(tmp_path) -> None:
    gate = _fitted(made([(0, True, 8), (1, True, 8)]), [None] * 16, 2, GateSettings(steps=5))
    path = tmp_path / "gate.safetensors"
    path.write_bytes(gate.weights)
    assert set(load_file(path)) >= {"question_mean", "spread", "in_weight", "out_weight"}
    with pytest.raises(AdapterMismatch, match=f"a base with {WIDTH} features, and this one has 8"):
        weights_of(path, torch.zeros(1, 8))
    for content in (b"nonsense", b""):
        path.write_bytes(content)
        with pytest.raises(StoreError, match=r"gate.safetensors is damaged .*--adapter NAME"):
            weights_of(path, torch.zeros(1, WIDTH))


def test_texts_read_together_are_read_as_alone(tiny_base) -> None:
    model, renderer = load_base(tiny_base, torch.float32, CPU), Renderer(load_tokenizer(tiny_base))
    texts = ["hello zebra", "what is the port of Kittiwake", "a", "", "apples and weather like " * 300]
    together = readings(model, renderer, texts, CPU, rows=4)
    alone = torch.stack([readings(model, renderer, [text], CPU)[0] for text in texts])
    assert together.shape == (len(texts), 64)
    assert (together - alone).abs().max() < 1e-4
    assert (alone[0] - alone[1]).abs().max() > 0.1
    cut = readings(model, renderer, ["apples and weather like " * 400], CPU)
    assert torch.equal(cut[0], alone[4]), "of a long text the beginning is read"
