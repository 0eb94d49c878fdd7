"""For every method of ours: two processes, a restart and slices change nothing of what it computes."""

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from children import as_one_of, built, finish, fit, fit_and_die, free_port, save_gradient, start

from lanes import one_of_each
from replearn.encoders.vit import ViT
from replearn.engine.run import WEIGHTS
from replearn.engine.slices import in_slices
from replearn.engine.step import Step
from replearn.methods import Trained, registry
from replearn.methods.language.word_vectors import WordVectors

NAMES = [name for name, entry in registry().items() if issubclass(entry.cls, Trained)]
# Methods whose loops are compiled.
WORDS = [name for name, entry in registry().items() if issubclass(entry.cls, WordVectors)]
CONTRASTIVE = [name for name in NAMES if registry()[name].family in ("contrastive", "joint_embedding")]
# Of the other families, those that draw nothing between encoder and loss: slices would draw otherwise.
OTHERS = ["autoencoder", "denoisingautoencoder", "supervised"]
# Of any size of images, and without batch statistics, which are those of a slice.
POOLED = torch.nn.Sequential(torch.nn.Conv2d(1, 6, 3, padding=1), torch.nn.Tanh())
PATCHES = ViT((1, 8, 8), width=32, depth=2)
# Of those that see parts, patches, or members.
ENCODERS = {"pirl": POOLED, "ibot": PATCHES, "clip": "image=linear,text=words"}


@pytest.mark.parametrize(
    ("name", "table"),
    one_of_each(
        [(name, False) for name in NAMES]
        + [(name, True) for name in CONTRASTIVE if name not in ("ibot", "clip")]
    ),
    ids=lambda value: value if isinstance(value, str) else "table" if value else "own",
)
def test_two_processes_compute_what_one_computes(name: str, table: bool, tmp_path: Path) -> None:
    """Loss, every gradient and every buffer (banks, queues, centres, statistics), after an update too."""
    fields = {"name": name, "table": table, "dtype": torch.float64, "steps": 3}
    assert finish(save_gradient, tmp_path, **fields) == 0
    port = free_port()
    children = [start(as_one_of, 2, rank, port, save_gradient, tmp_path, **fields) for rank in range(2)]
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0, 0]
    one, *two = (torch.load(tmp_path / f"{part}.pt") for part in ("1-0", "2-0", "2-1"))
    assert any(key.startswith("grad.") for key in one)
    for key, expected in one.items():
        for found in (part[key] for part in two):
            if expected is None:
                assert found is None
                continue
            size = expected.double().norm().clamp_min(1e-3)
            assert (found.double() - expected.double()).norm() <= 1e-6 * size, key


@pytest.mark.parametrize("name", one_of_each([*NAMES, *WORDS], ["simclr", "moco", "byol", "vae"]))
def test_killed_at_a_random_instant_and_resumed_it_ends_with_the_same_bits(name: str, tmp_path: Path) -> None:
    fields = {"name": name} | ({"epochs": 12} if name in WORDS else {})  # theirs are short
    assert finish(fit, tmp_path / "whole", **fields) == 0
    at = random.randrange(20, 120)
    assert finish(fit_and_die, tmp_path / "run", at, **fields) == -9, at
    assert finish(fit, tmp_path / "run", **fields, resume=True) == 0
    assert (tmp_path / "run" / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes(), at


@pytest.mark.parametrize("name", one_of_each([*CONTRASTIVE, *OTHERS]))
def test_slices_give_the_gradient_of_the_whole_batch(name: str) -> None:
    found = []
    for size in (None, 3):
        method, samples = built(name=name, encoder=ENCODERS.get(name, "linear"))
        step = Step(method)
        step.double().train()
        batch = samples[torch.arange(16).numpy()].part_of(16, start=0)
        torch.manual_seed(1)
        with in_slices(step, size):
            sum(term() for term in method.terms(batch)).backward()
        found.append({key: p.grad for key, p in step.named_parameters() if p.grad is not None})
    whole, sliced = found
    assert whole.keys() == sliced.keys()
    for key, expected in whole.items():
        torch.testing.assert_close(sliced[key], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", one_of_each(CONTRASTIVE))
def test_slices_in_16_bits_train_as_the_whole_batch_does(name: str) -> None:
    """Their views are held in 16 bits: the first loss differs by rounding alone."""
    fields: dict[str, Any] = {"precision": "bf16-mixed", "encoder": ENCODERS.get(name, "linear")}
    if name == "nnclr":
        fields["queue"] = 1  # of several, rounding may make another the nearest
    whole, sliced = (fit(None, name=name, slice_size=size, **fields) for size in (None, 3))
    first, same = (method.history_.rows[0]["loss"] for method in (whole, sliced))
    assert same == pytest.approx(first, rel=0.02, abs=0.01)
