"""PIRL: two embeddings of a sample against what the bank holds of it."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import replearn
from replearn.views import Flip, Jigsaw, MultiCrop, Pair, Same


@pytest.fixture(scope="module")
def few():
    return replearn.load_data("digits", split="train").subset(np.arange(40))


def prepared(few, **fields):
    return replearn.PIRL(encoder="cnn", batch_size=8, device="cpu", **fields).prepare(few)


def test_the_bank_moves_to_the_embedding_of_the_image(few):
    method = prepared(few, bank_momentum=0.25, views=Jigsaw(2, view=Same()))
    batch = few[np.array([5, 9, 30, 2])]
    before = method.bank_.stored.clone()
    z = F.normalize(method.head_(method.encoder_(batch)), dim=1)
    method.loss(batch)
    moved = F.normalize(0.25 * before[batch.index] + 0.75 * z, dim=1).detach()
    torch.testing.assert_close(method.bank_(batch.index), moved)
    others = np.setdiff1d(np.arange(40), batch.index)
    assert torch.equal(method.bank_.stored[others], before[others])


@pytest.mark.parametrize(("weight", "idle"), [(1.0, ["head_"]), (0.0, ["patch_", "puzzle_"]), (0.5, [])])
def test_the_weight_parts_the_loss(few, weight, idle):
    method = prepared(few, weight=weight)
    method.loss(few[np.arange(8)]).backward()
    for name in ("head_", "patch_", "puzzle_"):
        size = sum(p.grad.abs().sum().item() for p in method.modules()[name].parameters())
        assert (size == 0) == (name in idle), name


def test_heads_fit_the_number_of_parts(few):
    widths = {}
    for views in (Jigsaw(3), Jigsaw(1), Pair(Flip(), Same())):
        method = prepared(few, views=views, dim=16)
        widths[str(views)] = next(p for p in method.puzzle_.parameters() if p.ndim == 2).shape[1]
        assert method.loss(few[np.arange(8)]).isfinite()
    assert list(widths.values()) == [9 * 16, 16, 16]


def test_a_part_is_needed(few):
    with pytest.raises(ValueError, match="views of a sample and of 1 part or more"):
        prepared(few, views=MultiCrop(Same(), Same(), n_small=0, n_large=1))
    with pytest.raises(ValueError, match=r"weight in \[0, 1\]; got 4 parts, weight 1.5"):
        prepared(few, weight=1.5)
