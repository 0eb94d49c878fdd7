"""CPC: the past alone predicts, and the representation joins those of patches."""

import numpy as np
import pytest
import torch

import replearn
from replearn.encoders.context import Context, Forecast, directions
from replearn.views import Grid, MultiCrop, Same

PLAIN = {"encoder": "cnn", "batch_size": 8, "epochs": 1, "device": "cpu"}


@pytest.fixture(scope="module")
def few():
    return replearn.load_data("digits", split="train").subset(np.arange(40))


def test_a_context_sees_the_past_alone():
    torch.manual_seed(0)
    context, z = Context(4, 8), torch.randn(2, 5, 3, 4, requires_grad=True)
    context(z)[0, 2, 1].sum().backward()
    seen = z.grad.abs().sum(3) > 0  # (n, r, w)
    assert seen[0, :3].all()
    assert not seen[0, 3:].any()
    assert not seen[1].any()


def test_predictions_meet_what_came_so_many_rows_later(few):
    """Where the guess of a row is the one that came so many rows before, equal rows are what is told."""
    method = replearn.CPC(**PLAIN, views=Grid(4, 2), steps=2, hidden=16, dim=16).prepare(few)
    z = 30 * torch.eye(16).view(8, 1, 2, 16).repeat(1, 4, 1, 1)  # one for each sample and column
    assert method.contrast(z, [z[:, :-1], z[:, :-2]]).item() < 1e-6
    lost = z * torch.tensor([1.0, 1.0, 1.0, 0.0]).view(1, 4, 1, 1)  # the last row
    expected = 2 / 5 * np.log(16)  # of 3 + 2 pairs of rows two lead to it
    assert method.contrast(lost, [lost[:, :-1], lost[:, :-2]]).item() == pytest.approx(expected, rel=1e-5)


def test_a_grid_is_read_in_four_directions_and_a_sequence_in_two():
    z = torch.arange(6.0).view(1, 3, 2, 1)  # two columns: 0 2 4 and 1 3 5
    ways = [way[0, :, :, 0].tolist() for way in directions(z)]
    assert ways == [
        [[0, 1], [2, 3], [4, 5]],
        [[4, 5], [2, 3], [0, 1]],
        [[0, 2, 4], [1, 3, 5]],
        [[1, 3, 5], [0, 2, 4]],
    ]
    assert [way.shape for way in directions(z[:, :, :1])] == [(1, 3, 1, 1)] * 2


def test_forecasts_look_ahead_by_their_own_number_of_rows():
    torch.manual_seed(0)
    ahead = Forecast(4, 8, 2)(torch.randn(2, 5, 3, 4))
    assert [guess.shape for guess in ahead] == [(2, 4, 3, 4), (2, 3, 3, 4)]


def test_the_representation_is_that_of_all_patches(few):
    method = replearn.CPC(**PLAIN, precision="32-true").fit(few)
    rows = method.parts_.parts(few[np.arange(40)])
    with torch.inference_mode():
        each = [method.latent_(method.encoder_(row)).view(40, 4, -1) for row in rows]  # rows of (n, w, dim)
    expected = torch.stack(each, 1).flatten(1)
    assert method.representation_dim == expected.shape[1]
    torch.testing.assert_close(torch.from_numpy(method.transform(few)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("negatives", [None, 3])
def test_collapse_has_the_loss_that_it_says(few, negatives):
    method = replearn.CPC(**PLAIN, negatives=negatives).prepare(few)
    for weight in method.latent_.parameters():
        torch.nn.init.zeros_(weight)
    assert method.loss(few[np.arange(8)]).item() == pytest.approx(method.loss_at_collapse(), rel=1e-5)


def test_a_sequence_is_cut_in_segments():
    rng = np.random.default_rng(0)
    walks = rng.normal(size=(32, 30)).cumsum(1).astype(np.float32)
    method = replearn.CPC(**PLAIN | {"encoder": "mlp"}).fit(walks)
    assert method.samples_.shape == (30,)
    assert [part.shape for part in method.parts_.describe(method.samples_)] == [(5,)] * 6
    assert method.transform(walks).shape == (32, 6 * method.dim)


def test_one_row_predicts_nothing(few):
    for views in (Grid(1), MultiCrop(Same(), Same(), n_small=0, n_large=1)):
        with pytest.raises(ValueError, match="2 rows or more and at least 1 step; got 1 rows"):
            replearn.CPC(**PLAIN, views=views).prepare(few)
    with pytest.raises(ValueError, match="got 4 rows and 0"):
        replearn.CPC(**PLAIN, steps=0).prepare(few)
