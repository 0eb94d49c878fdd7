"""How well images are coloured."""

import numpy as np
import pytest
from torch import tensor

from replearn.evaluate import colour_baselines, colour_score
from replearn.objectives.colours import balanced_accuracy


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((4, 3, 8, 8)).astype(np.float32)


def test_the_truth_is_perfect_and_grey_is_found_out(images):
    truth = colour_score(images, images)
    assert (truth.balanced_accuracy, truth.chroma_ratio, truth.rmse) == (1.0, 1.0, 0.0)
    grey = np.repeat(images.mean(1, keepdims=True), 3, axis=1)
    score = colour_score(grey, images)
    assert score.chroma_ratio < 0.01
    assert score.balanced_accuracy < 0.1
    assert score.rmse == pytest.approx(colour_baselines(images, images)["grey"].rmse, abs=0.1)


def test_lightness_is_not_looked_at(images):
    dark = np.full((1, 3, 4, 4), 0.2, np.float32)
    light = np.full((1, 3, 4, 4), 0.8, np.float32)
    assert colour_score(dark, light).rmse < 0.1


def test_the_mean_colour_has_the_least_error_of_what_is_one_colour(images):
    baselines = colour_baselines(images, images)
    assert baselines["mean colour"].rmse < baselines["grey"].rmse
    assert baselines["mean colour"].chroma_ratio < 0.5


def test_rare_bins_count_as_common_ones_do():
    right = tensor([0] * 98 + [5, 7])
    assert balanced_accuracy(tensor([0] * 100), right).item() == pytest.approx(1 / 3)
    assert balanced_accuracy(right, right) == 1


def test_other_shapes_are_refused(images):
    with pytest.raises(ValueError, match=r"of one shape \(n, 3, h, w\); got \(4, 1, 8, 8\)"):
        colour_score(images[:, :1], images)
