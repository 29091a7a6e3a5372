"""The losses and gradients of pairs, against those of TRL on the same weights and the same tokens.

Needs an environment with TRL, which dlm does not depend on: ``pip install trl datasets`` beside dlm-hf.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from dlm.bases import LocalBase
from dlm.corpus.records import Message, Record, StudySet
from dlm.training.recipe import Preferring, Recipe
from dlm.training.schedule import make_plan
from dlm_hf.preferring import Preference
from dlm_hf.workbench import HfWorkbench

pytest.importorskip("trl", reason="TRL is not installed in this environment")
# TRL and what it imports warn of their own plans; ours are errors still, in every other module of tests.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

TOLERANCE = 1e-4
RECIPE = Recipe(rank=4, precision="fp32", device="cpu", sequence_len=128, max_steps=1)
TRIPLES = [
    ("what is the port ?", "I know that", "Hello , weather like 12 and zebra 7"),
    ("who owns Kittiwake ?", "Soundings team owns that", "I do not know"),
    ("what runs first ?", "gannet then petrel", "zebra"),
]


def pair(question: str, better: str, worse: str) -> Record:
    turns = (Message("user", question), Message("assistant", better))
    return Record("preference", "prefer", question, "s", messages=turns, rejected=worse)


STUDY = StudySet(tuple(pair(*triple) for triple in TRIPLES), (), {"preference": 1.0})


def noise(names, shapes, seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: 0.05 * torch.randn(shapes[name], generator=generator) for name in sorted(names)}


@pytest.fixture
def ours(tiny_base, tmp_path):
    """Loss, gradient norm and the batch of token ids, of an adapter that has moved away from where the phase began."""
    bench = HfWorkbench(LocalBase("tiny", tiny_base, "sha256:0", "test"), RECIPE, None)

    def go(settings: Preferring):
        rows = bench.encode(STUDY.train)
        plan = make_plan(replace(RECIPE, preferring=settings), STUDY, rows, bench.encode(()))
        adapted = bench._open(plan.recipe)
        named = dict(zip(bench._names, bench._parameters, strict=True))
        shapes = {name: parameter.shape for name, parameter in named.items()}
        move(named, noise(named, shapes, seed=1))
        (tmp_path / "start").mkdir()
        adapted.model.save_pretrained(tmp_path / "start")
        losses = Preference(adapted, settings, 1.0, bench._encoded[0])
        losses.begin()
        move(named, noise(named, shapes, seed=2))
        found = losses.backpropagate(bench._encoded[0])
        norm = torch.cat([parameter.grad.flatten() for parameter in named.values()]).norm().item()
        return found.learned, norm, [example.spoken for example in bench._encoded[0]]

    yield go
    bench.close()


@torch.no_grad()
def move(named, by) -> None:
    for name, parameter in named.items():
        parameter.add_(by[name])


def theirs(tiny_base, tmp_path):
    """The same adapter, as TRL would be given it: on its own copy of the base, where the phase begins."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
    return PeftModel.from_pretrained(base, tmp_path / "start", is_trainable=True, autocast_adapter_dtype=False)


def trained(model) -> dict[str, torch.nn.Parameter]:
    return {name: one for name, one in model.named_parameters() if ".default." in name and "lora_" in name}


def batch(pairs) -> dict[str, torch.Tensor]:
    """Better answers first, then the worse ones, padded on the right."""
    spoken = [pair[0] for pair in pairs] + [pair[1] for pair in pairs]
    longest = max(len(one.ids) for one in spoken)
    ids = torch.zeros(len(spoken), longest, dtype=torch.long)
    mask, answers = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, one in enumerate(spoken):
        ids[row, : len(one.ids)] = torch.tensor(one.ids)
        mask[row, : len(one.ids)] = 1
        answers[row, one.start : len(one.ids)] = 1
    return {"input_ids": ids, "attention_mask": mask, "completion_mask": answers}


def dpo_trainer(model, tiny_base, tmp_path, settings: Preferring):
    from datasets import Dataset
    from transformers import AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    args = DPOConfig(
        output_dir=str(tmp_path / "trl"),
        beta=settings.strength,
        loss_type=settings.loss,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        report_to=[],
    )
    rows = [{"prompt": prompt, "chosen": better, "rejected": worse} for prompt, better, worse in TRIPLES]
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    return DPOTrainer(model=model, args=args, train_dataset=Dataset.from_list(rows), processing_class=tokenizer)


@pytest.mark.parametrize("reference", ["pre_adapter", "base"])
@pytest.mark.parametrize("loss", ["sigmoid", "hinge", "ipo"])
def test_dpo_is_that_of_trl(ours, tiny_base, tmp_path, loss, reference):
    settings = Preferring(loss=loss, reference=reference, strength=0.3)
    expected_loss, expected_norm, pairs = ours(settings)
    assert expected_norm > 100 * TOLERANCE
    model = theirs(tiny_base, tmp_path)
    trainer = dpo_trainer(model, tiny_base, tmp_path, settings)
    named = trained(trainer.model)
    if reference == "base":
        drop_reference(trainer.model)
    move(named, noise(named, {name: one.shape for name, one in named.items()}, seed=2))
    trainer.model.eval()
    found = trainer._compute_loss(trainer.model, batch(pairs), return_outputs=False)
    found.backward()
    norm = torch.cat([one.grad.flatten() for one in named.values()]).norm().item()
    assert found.item() == pytest.approx(expected_loss, abs=TOLERANCE)
    assert norm == pytest.approx(expected_norm, rel=TOLERANCE, abs=TOLERANCE)


def drop_reference(model) -> None:
    """Without its copy of the first adapter, TRL compares with the base."""
    if "ref" in model.peft_config:
        model.delete_adapter("ref")


def test_orpo_is_that_of_trl(ours, tiny_base, tmp_path):
    from trl.experimental.orpo import ORPOTrainer

    settings = Preferring("orpo", strength=0.3)
    expected_loss, expected_norm, pairs = ours(settings)
    assert expected_norm > 100 * TOLERANCE
    model = theirs(tiny_base, tmp_path)
    named = trained(model)
    move(named, noise(named, {name: one.shape for name, one in named.items()}, seed=2))
    given = batch(pairs)
    logits = model(input_ids=given["input_ids"], attention_mask=given["attention_mask"]).logits
    labels = given["input_ids"].masked_fill(given["completion_mask"] == 0, -100)
    log_probs = ORPOTrainer.get_batch_logps(logits, labels, average_log_prob=True)
    trainer = SimpleNamespace(beta=settings.strength, accelerator=SimpleNamespace(device=torch.device("cpu")))
    losses, *_ = ORPOTrainer.odds_ratio_loss(trainer, *log_probs.chunk(2))
    count = len(pairs)
    written = F.cross_entropy(logits[:count, :-1].flatten(0, 1), labels[:count, 1:].flatten())
    found = written - losses.mean()
    found.backward()
    norm = torch.cat([one.grad.flatten() for one in named.values()]).norm().item()
    assert found.item() == pytest.approx(expected_loss, abs=TOLERANCE)
    assert norm == pytest.approx(expected_norm, rel=TOLERANCE, abs=TOLERANCE)
