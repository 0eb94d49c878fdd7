"""Equal samples of a batch are no negatives of each other, whatever a method contrasts."""

import numpy as np
import pytest
import torch

import replearn
from replearn.methods import find_method
from replearn.objectives import nt_xent
from replearn.objectives.negatives import strangers

METHODS = ("simclr", "mocov3", "cmc", "cpc")
ROWS = np.random.default_rng(0).integers(0, 256, (8, 3, 16, 16), dtype=np.uint8)


def prepared(name, rows, **given):
    torch.manual_seed(0)
    cls = find_method(name).cls
    return cls(batch_size=8, device="cpu", random_state=0, **given).prepare(rows)


def loss_of(method, rows):
    method.encoder_.eval() if hasattr(method, "encoder_") else method.encoders_.eval()
    torch.manual_seed(1)
    return method.loss(replearn.as_samples(rows)[np.arange(len(rows))].floats())


@pytest.mark.parametrize("name", [name for name in METHODS if name != "cpc"])
def test_a_batch_of_one_sample_has_no_negatives(name):
    """Every row is told from none, so there is nothing to lose."""
    method = prepared(name, ROWS)
    same = loss_of(method, np.repeat(ROWS[:1], 8, axis=0))
    assert same.item() == pytest.approx(0, abs=1e-6)
    assert loss_of(method, ROWS).item() > 0.5


def test_patches_of_equal_samples_are_told_from_other_places_only(monkeypatch):
    method, same = prepared("cpc", ROWS), np.repeat(ROWS[:1], 8, axis=0)
    found = loss_of(method, same)
    monkeypatch.setattr(type(method), "content", lambda _, batch: torch.arange(len(batch)))
    assert 0 < found.item() < loss_of(method, same).item() - 0.1


@pytest.mark.parametrize("name", METHODS)
def test_nothing_changes_where_no_two_are_equal(name, monkeypatch):
    method = prepared(name, ROWS)
    found = loss_of(method, ROWS)
    monkeypatch.setattr(type(method), "content", lambda _, batch: torch.arange(len(batch)))
    assert torch.equal(found, loss_of(method, ROWS))


def test_pairs_of_a_repeated_text_are_masked_and_no_others():
    pytest.importorskip("tokenizers")
    texts = [
        "a red cat",
        "a blue dog",
        "a red cat",
        "one green hen",
        "the grey cow",
        "a blue dog",
        "two",
        "three",
    ]
    method = replearn.SimCSE(encoder="lstm", batch_size=8, device="cpu").prepare(texts)
    batch = replearn.as_samples(texts)[np.arange(8)]
    torch.manual_seed(0)
    found = method.loss(batch)
    torch.manual_seed(0)
    a, b = (method.head_(method.encoder_(view)) for view in method.views_(batch))
    same = torch.tensor([0, 1, 0, 3, 4, 1, 6, 7]).repeat(2)
    assert torch.equal(found, nt_xent(a, b, temperature=method.temperature, keep=same[:, None] != same))
    assert not torch.equal(found, nt_xent(a, b, temperature=method.temperature, keep=strangers(a, b)))
