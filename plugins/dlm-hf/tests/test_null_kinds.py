"""Nulls that are not random draws: the update in other places, and adapters that were trained on nothing."""

from __future__ import annotations

import math

import pytest
import torch

from dlm_hf.adapters import ADAPTER, lora_layers
from dlm_hf.scoring import HfScoring
from dlm_hf.shuffling import shuffled_adapter
from dlm_sway.errors import AdapterMismatch, NotSupported
from dlm_sway.scoring.types import BASE, FT, Item, View
from dlm_sway.spec.models import ModelSpec, SuiteDefaults
from dlm_sway.suite.target import ModelPair

ITEMS = (Item("what is the port of Kittiwake ?", "Kittiwake listens on 7413 ."), Item("hello"))


@pytest.fixture
def make(tiny_base, write_adapter, tmp_path):
    """``make(**lora)`` gives a backend with a random adapter on the tiny base."""

    def made(**keys):
        folder = write_adapter(tiny_base, tmp_path / f"adapter{len(list(tmp_path.iterdir()))}", **keys)
        spec = ModelSpec(base=str(tiny_base), adapter=folder)
        return HfScoring(ModelPair(spec.model_copy(update={"adapter": None}), spec), SuiteDefaults())

    return made


def updates(model):
    return {name: layer.get_delta_weight(ADAPTER).clone() for name, layer in lora_layers(model)}


def place_of(update, real):
    return [name for name, other in real.items() if other.shape == update.shape and torch.equal(other, update)]


def test_every_update_moves_to_another_module_and_all_come_back(make):
    model = make(rank_pattern={"o_proj": 2}, alpha_pattern={"k_proj": 3})._loaded().tuned
    real = updates(model)
    with shuffled_adapter(model, 5):
        moved = updates(model)
    came_from = {name: place_of(update, real) for name, update in moved.items()}
    assert sorted(source for sources in came_from.values() for source in sources) == sorted(real)
    assert all(sources != [name] for name, sources in came_from.items())
    assert all(torch.equal(one, real[name]) for name, one in updates(model).items())


def test_a_module_without_a_twin_gets_a_random_update_of_its_size(make):
    model = make(layers_to_transform=[0], targets=("q_proj", "down_proj"))._loaded().tuned
    real = updates(model)
    assert len({update.shape for update in real.values()}) == len(real) == 2
    with shuffled_adapter(model, 5):
        for name, update in updates(model).items():
            assert not torch.equal(update, real[name])
            torch.testing.assert_close(torch.linalg.svdvals(update), torch.linalg.svdvals(real[name]))
    assert all(torch.equal(one, real[name]) for name, one in updates(model).items())


def test_a_seed_is_an_order(make):
    backend = make()
    one, again, other = (backend.compare(ITEMS, View("shuffled", seed=seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert backend.compare(ITEMS, FT) != one


def test_a_multiple_of_the_rank_is_the_root_of_it_in_norm(make):
    backend = make()
    pair = backend._loaded()
    for kind in ("null", "shuffled"):
        with pair.viewing(View(kind, seed=3)) as model:
            once = updates(model)
        with pair.viewing(View(kind, seed=3, rank=4.0)) as model:
            for name, update in updates(model).items():
                torch.testing.assert_close(update, once[name] * math.sqrt(4.0))


def test_a_placebo_is_the_adapter_of_its_folder_on_the_same_base(make, tiny_base, write_adapter, tmp_path):
    placebo = write_adapter(tiny_base, tmp_path / "placebo", seed=8, targets=("q_proj", "o_proj"))
    backend, alone = make(), make(seed=8, targets=("q_proj", "o_proj"))
    expected = alone.compare(ITEMS, FT)
    before = [backend.compare(ITEMS, view) for view in (FT, BASE, View("null", seed=1))]
    assert backend.compare(ITEMS, View("placebo", seed=0, adapter=str(placebo))) == expected
    assert backend.compare(ITEMS, View("ft", adapter=str(placebo))) == expected
    assert [backend.compare(ITEMS, view) for view in (FT, BASE, View("null", seed=1))] == before


def test_one_load_serves_many_adapters(make, tiny_base, write_adapter, tmp_path, monkeypatch):
    from dlm_hf import pair

    loads = []
    real = pair.loading.load_base
    monkeypatch.setattr(pair.loading, "load_base", lambda *a: loads.append(1) or real(*a))
    backend = make()
    folders = [write_adapter(tiny_base, tmp_path / f"other{seed}", seed=seed) for seed in (11, 12)]
    loads.clear()
    found = [backend.compare(ITEMS, View("ft", adapter=str(folder))) for folder in (*folders, *folders)]
    assert found[:2] == found[2:]
    assert found[0] != found[1]
    assert len(loads) == 1


def test_a_placebo_that_cannot_be_is_said(make, make_base, write_adapter, tmp_path):
    backend = make()
    with pytest.raises(NotSupported, match="placebo_3 names no adapter folder"):
        backend.compare(ITEMS, View("placebo", seed=3))
    with pytest.raises(AdapterMismatch, match="no adapter_config"):
        backend.compare(ITEMS, View("placebo", adapter=str(tmp_path)))
    assert backend.compare(ITEMS, FT)[0].kl > 0


def test_labels_are_those_that_traces_have_always_had():
    views = (BASE, FT, View("scaled", scale=0.5), View("null", seed=7), View("null", seed=7, rank=2.0))
    assert [view.label for view in views] == ["base", "ft", "scaled_0.50", "null_7", "null_7_rank2.00"]
    more = (View("shuffled", seed=7), View("placebo", seed=2, adapter="/a/b"), View("ft", adapter="/a/b/"))
    assert [view.label for view in more] == ["shuffled_7", "placebo_2", "ft@b"]
