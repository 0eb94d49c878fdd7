"""Exemplar: what makes it what it is."""

import numpy as np
import pytest
import torch

import replearn
from replearn.data.samples import Batch
from replearn.views import Chain, Salient, Shift


@pytest.fixture(scope="module")
def digits():
    return replearn.load_data("digits", split="train").subset(np.arange(300))


def test_each_seed_is_a_class_of_its_own(digits):
    method = replearn.Exemplar(encoder="cnn", device="cpu", classes=50).prepare(digits)
    seeds = method.training_samples(digits)
    assert len(seeds) == method.answers == method.logits_.out_features == 50
    batch = seeds[np.arange(50)]
    assert torch.equal(method.guess(batch)[1], torch.arange(50))
    other = replearn.Exemplar(encoder="cnn", device="cpu", classes=50, random_state=1).prepare(digits)
    assert not np.array_equal(other.training_samples(digits).index, seeds.index)


def test_of_fewer_samples_than_classes_all_are_seeds(digits):
    method = replearn.Exemplar(encoder="cnn", device="cpu").prepare(digits)
    assert method.answers == len(method.training_samples(digits)) == 300


def test_the_loss_is_that_of_the_papers_equation(digits):
    """Equation 1 with 2: - ln p(i | a distortion of seed i), mean over the batch."""
    method = replearn.Exemplar(encoder="cnn", device="cpu", classes=9).prepare(digits)
    batch = method.training_samples(digits)[np.arange(9)]
    method.encoder_.eval()
    torch.manual_seed(0)
    logits = method.logits_(method.encoder_(method.views_(batch)[0])).double()
    total = sum(float((row.exp().sum().log() - row[i]).detach()) for i, row in enumerate(logits))
    torch.manual_seed(0)
    assert float(method.loss(batch).detach()) == pytest.approx(total / 9, abs=1e-5)


def test_the_seed_is_where_gradients_are_strongest():
    rng = np.random.default_rng(0)
    x = np.zeros((4, 2, 20, 30), dtype=np.float32)
    places = [(1, 2), (10, 20), (0, 21), (9, 0)]
    for image, (top, left) in zip(x, places, strict=True):
        image[:, top : top + 8, left : left + 8] = rng.random((2, 8, 8))
    batch = Batch(torch.from_numpy(x), labels=torch.arange(4), index=torch.arange(4))
    found = Salient(0.5)(batch).x
    assert found.shape == (4, 2, 10, 10)
    for image, cut in zip(x, found, strict=True):  # all that happens lies within the square, wherever it is
        assert float(cut.sum()) == pytest.approx(float(image.sum()), rel=1e-5)


def test_a_seed_that_is_shifted_shows_what_lies_beside_it():
    x = torch.rand(3, 1, 24, 24) * 0.1
    x[..., 8:16, 8:16] += 0.5 * torch.rand(3, 1, 8, 8)
    batch = Batch(x, labels=torch.arange(3), index=torch.arange(3))
    alone = Salient(0.5)(batch).x
    rows = [
        (image[0].unfold(0, 12, 1).unfold(1, 12, 1) - cut[0]).abs().amax((2, 3))
        for image, cut in zip(x, alone, strict=True)
    ]
    assert all(float(row.min()) < 1e-5 for row in rows), "a square of the image as it is"
    torch.manual_seed(0)
    moved = Chain(Salient(0.5), Shift(0.2))(batch).x
    assert moved.shape == alone.shape
    assert bool((moved[:, :, [0, -1]].std((2, 3)) > 0).all()), "no border pixel is continued"


@pytest.mark.all
def test_it_learns_to_tell_seeds_apart(digits):
    method = replearn.Exemplar(encoder="cnn", device="cpu", classes=16, epochs=150, batch_size=16).fit(digits)
    assert method.history_.rows[-1]["pretext_accuracy"] > 0.5
    assert method.history_.rows[-1]["chance"] == pytest.approx(1 / 16)
