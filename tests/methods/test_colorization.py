"""Colorization: grey is seen, colours are told; each point of the paper, and that it learns."""

import logging

import numpy as np
import pytest
import torch

import replearn
from replearn import Colorization, load_data
from replearn.encoders.colours import ColourBins, coloured, colours_of
from replearn.engine.symptoms import SYMPTOMS
from replearn.views import GreyOf, Pair, Same
from replearn.views.lab import grey, lab

QUICK = {"encoder": "cnn", "batch_size": 16, "epochs": 1, "device": "cpu", "precision": "32-true"}


@pytest.fixture(scope="module")
def emoji():
    whole = load_data("emoji").subset(np.arange(0, 1900, 19))
    x = whole[np.arange(len(whole))].x.numpy()[:, :, ::2, ::2]
    return replearn.as_samples(np.ascontiguousarray(x), whole.labels)


@pytest.fixture(scope="module")
def fitted(emoji):
    return Colorization(**QUICK).fit(emoji)


def test_colours_are_shared_by_their_five_nearest_bins_as_a_gaussian_says():
    bins = ColourBins()
    colours = torch.tensor([[3.0, -14.0], [52.0, 41.0]])
    found, shares = bins.shares(colours)
    for colour, row, parts in zip(colours.double(), found, shares.double(), strict=True):
        apart = (bins.bins.double() - colour).norm(dim=1)
        assert set(row.tolist()) == set(apart.argsort()[:5].tolist())
        assert row[0] == apart.argmin()
        weights = torch.exp(-(apart[row] ** 2) / (2 * 5.0**2))
        torch.testing.assert_close(parts, weights / weights.sum())


def test_weights_are_the_inverse_of_half_the_prior_and_half_uniform_with_mean_one():
    bins, prior = ColourBins(), torch.rand(261).softmax(0)
    prior[:50] = 0
    prior /= prior.sum()
    bins.weigh(prior, 0.5)
    assert (prior * bins.weights).sum().item() == pytest.approx(1, rel=1e-5)
    ratio = bins.weights * (0.5 * prior + 0.5 / 261)
    assert ratio.max() / ratio.min() < 1.001
    bins.weigh(prior, 1.0)
    assert bins.weights.std() < 1e-6


def test_annealed_mean():
    bins, logits = ColourBins(), torch.randn(3, 261, dtype=torch.float64)
    p = logits.softmax(1)
    sharp = p ** (1 / 0.38)
    expected = (sharp / sharp.sum(1, keepdim=True)) @ bins.bins.double()
    torch.testing.assert_close(bins.mean(logits, 0.38).double(), expected, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(bins.mean(logits, 1e-4), bins.bins[logits.argmax(1)], atol=1e-2, rtol=0)


def slow_loss(method, batch):
    """By the paper's equation, place by place."""
    seen, colours = method.views_(batch)
    logits = method.logits(seen).double().detach()
    total, places = 0.0, 0
    for image, ab in zip(logits, colours_of(colours.x), strict=True):
        for i in range(ab.shape[1]):
            for j in range(ab.shape[2]):
                places += 1
                if not coloured(ab[None])[0]:
                    continue
                bins, shares = method.bins_.shares(ab[None, :, i, j])
                told = image[:, i, j].log_softmax(0)[bins[0]]
                rare = method.bins_.weights[bins[0, shares[0].argmax()]]
                total -= float(rare) * float((shares[0] * told).sum())
    return total / places


def test_the_loss_is_weighed_at_the_likeliest_bin_and_grey_images_are_left_out(fitted, emoji):
    batch = emoji[np.arange(6)]
    batch = batch.with_x(torch.cat([batch.floats().x[:4], grey(batch.floats().x[4:])]))
    torch.manual_seed(0)
    expected = slow_loss(fitted, batch)
    torch.manual_seed(0)
    assert fitted.loss(batch).item() == pytest.approx(expected, rel=1e-4)
    alone = batch.with_x(grey(batch.x))
    assert fitted.loss(alone).item() == 0


def test_the_prior_is_that_of_the_images_and_grey_ones_are_counted(emoji, caplog):
    x = emoji[np.arange(len(emoji))].floats().x
    x[:7] = grey(x[:7])
    with caplog.at_level(logging.INFO, logger="replearn"):
        method = Colorization(**QUICK).fit(replearn.as_samples(x.numpy()))
    grey_ones = int(
        (~coloured(colours_of(GreyOf().parts(replearn.as_samples(x.numpy())[np.arange(len(x))])[1].x))).sum()
    )
    assert grey_ones >= 7
    assert (
        f"colours: {grey_ones} of {len(x)} images are grey: they are shown, and count for nothing"
        in caplog.text
    )
    weights = method.bins_.weights
    assert weights[method.bins_.bins.norm(dim=1) == 0] == weights.min()  # grey is the commonest colour
    assert weights.max() > 5 * weights.min()


def test_weights_come_back_with_a_run(fitted, emoji, tmp_path):
    fitted.save(tmp_path / "run")
    assert torch.equal(replearn.load(tmp_path / "run").bins_.weights, fitted.bins_.weights)


def test_the_representation_knows_no_colours(fitted, emoji):
    x = emoji[np.arange(8)].floats().x
    without = replearn.as_samples(grey(x).numpy())
    np.testing.assert_allclose(
        fitted.transform(without), fitted.transform(replearn.as_samples(x.numpy())), atol=1e-3, rtol=1e-3
    )


def test_images_are_coloured_and_keep_their_lightness(fitted, emoji):
    made = torch.from_numpy(fitted.colour(emoji.subset(np.arange(5))))
    true = emoji[np.arange(5)].floats().x
    assert made.shape == true.shape
    torch.testing.assert_close(
        lab(fitted.coloured_in(emoji[np.arange(5)]))[:, 1:].mean(), lab(made)[:, 1:].mean()
    )
    exhibit = fitted.exhibit(emoji[np.arange(20)])
    assert list(exhibit.pictures) == ["grey", "predicted", "true"]
    errors = [float(said.split()[1]) for said in exhibit.said]
    assert errors == sorted(errors)
    assert len(errors) == 12


def test_all_grey_one_channel_and_other_views_are_refused(emoji):
    with pytest.raises(ValueError, match=r"must have colours .* all 20 .* are grey\. Give others"):
        Colorization(**QUICK).fit(np.full((20, 3, 8, 8), 99, np.uint8))
    with pytest.raises(ValueError, match=r"three channels; got 1\. Give colour images, or .* ContextEncoder"):
        Colorization(**QUICK).fit(np.zeros((20, 1, 8, 8), np.uint8))
    with pytest.raises(ValueError, match=r"GreyOf\(\.\.\.\); got Pair"):
        Colorization(**QUICK, views=Pair(Same())).fit(emoji)
    with pytest.raises(ValueError, match=r"uniform must be a share in \(0, 1\]; got 0"):
        Colorization(**QUICK, uniform=0.0).fit(emoji)
    with pytest.raises(ValueError, match="must end in a map"):
        Colorization(**QUICK | {"encoder": "mlp"}).fit(emoji)


def test_predicting_grey_raises_an_alarm():
    assert SYMPTOMS["chroma_ratio"].shows(1000, 0.05)
    assert not SYMPTOMS["chroma_ratio"].shows(1000, 0.9)


@pytest.mark.all
def test_it_learns_colours(emoji):
    """Of emoji: more bins than chance, as colourful as the truth, and better than grey."""
    method = Colorization(**QUICK | {"epochs": 25}, width=32).fit(emoji)
    last = method.history_.rows[-1]
    assert method.history_.alarms == []
    assert last["balanced_accuracy"] > 10 * last["chance"]
    assert 0.5 < last["chroma_ratio"] < 1.5
    assert last["colour_error"] < 0.95 * last["grey_error"]
