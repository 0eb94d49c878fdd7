"""Traversals, sparseness, silhouettes, layers and units: numbers known beforehand."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import silhouette_samples

from replearn.evaluate import (
    class_silhouette,
    code_grid,
    layer_probes,
    lifetime_sparseness,
    population_sparseness,
    telling_units,
    top_samples,
    traverse,
    unit_order,
)
from replearn.evaluate.traversal import typical

RNG = np.random.default_rng(0)


# Traversals


def test_latents_come_by_what_they_tell():
    codes = RNG.normal(size=(50, 3)) * [1, 3, 2]
    assert unit_order(codes).tolist() == [1, 2, 0]
    assert unit_order(codes, np.array([0.5, 0.0, 4.0])).tolist() == [2, 0, 1]
    with pytest.raises(ValueError, match="one number for each of the 3 units"):
        unit_order(codes, np.ones(2))


def test_one_latent_moves_and_the_others_stay():
    codes = RNG.normal(size=(500, 3))
    rows = traverse(codes[7], codes, np.array([2, 0]), steps=5)
    assert rows.shape == (2, 5, 3)
    np.testing.assert_array_equal(rows[0][:, :2], np.tile(codes[7, :2], (5, 1)))
    np.testing.assert_allclose(rows[0][[0, -1], 2], np.quantile(codes[:, 2], [0.02, 0.98]))
    assert (np.diff(rows[1][:, 0]) > 0).all()


def test_the_typical_code_weighs_latents_alike():
    assert typical(np.array([[-1.0, -1.0], [0.1, 0.0], [1.0, 1.0]])) == 1


def test_a_grid_follows_the_quantiles():
    codes = np.c_[np.arange(101.0), np.arange(101.0) ** 2]
    grid = code_grid(codes, side=5)
    np.testing.assert_allclose(grid[0, :, 0], [10, 30, 50, 70, 90])
    np.testing.assert_allclose(grid[::-1, 0, 1], np.array([10, 30, 50, 70, 90]) ** 2)
    assert code_grid(codes, side=5, normal=True)[2, 2].tolist() == pytest.approx([0, 0])
    with pytest.raises(ValueError, match="must have 2 units"):
        code_grid(np.eye(3))


# Sparseness, silhouettes


def test_sparseness_as_the_papers_write_it():
    rates = np.abs(RNG.normal(size=(30, 4)))
    slow = []
    for column in rates.T:
        n = len(column)
        a = (sum(column) / n) ** 2 / sum(r**2 / n for r in column)
        slow.append((1 - a) / (1 - 1 / n))
    assert lifetime_sparseness(rates) == pytest.approx(np.mean(slow))
    assert population_sparseness(rates) == pytest.approx(lifetime_sparseness(rates.T))
    assert lifetime_sparseness(rates * -3) == pytest.approx(lifetime_sparseness(rates))


def test_sparseness_at_the_ends():
    assert population_sparseness(np.eye(6)) == 1
    assert population_sparseness(np.ones((3, 6))) == 0
    assert np.isnan(lifetime_sparseness(np.zeros((3, 2))))
    assert np.isnan(population_sparseness(np.ones((3, 1))))
    dead = np.c_[np.eye(4), np.zeros(4)]
    assert lifetime_sparseness(dead) == 1


def test_silhouettes_are_of_classes():
    rows, labels = make_blobs(60, centers=3, random_state=0)
    assert class_silhouette(rows, labels) == pytest.approx(silhouette_samples(rows, labels).mean())
    assert class_silhouette(rows, RNG.permutation(labels)) < 0
    labels[:20] = -1
    assert class_silhouette(rows, labels) == pytest.approx(silhouette_samples(rows[20:], labels[20:]).mean())
    assert np.isnan(class_silhouette(rows, np.zeros(60, int)))
    assert np.isnan(class_silhouette(rows[:3], np.arange(3)))


# Layers and units


def test_each_layer_is_probed():
    labels = np.arange(80) % 2
    noise, knows = RNG.normal(size=(80, 3)), labels[:, None] + 0.1 * RNG.normal(size=(80, 1)) - 0.5
    found = layer_probes([noise[:40], knows[:40]], labels[:40], [noise[40:], knows[40:]], labels[40:])
    assert found.layer.tolist() == [1, 1, 2, 2]
    assert found.probe.tolist() == ["kNN", "linear probe"] * 2
    assert found["mean"][2:].tolist() == [1, 1]
    assert (found["mean"][:2] < 0.9).all()
    assert (found.labels == 40).all()
    with pytest.raises(ValueError, match="same layers"):
        layer_probes([noise], labels, [], labels)


def test_top_samples_of_units():
    answers = np.array([[0.0, 3.0], [5.0, 3.0], [1.0, 9.0]])
    assert top_samples(answers, count=5).tolist() == [[1, 2, 0], [2, 0, 1]]
    with pytest.raises(ValueError, match="count must be at least 1"):
        top_samples(answers, count=0)
    peaked = np.c_[np.tile([0.0, 1.0], 10), np.r_[np.zeros(19), 1], np.ones(20)]
    assert telling_units(peaked).tolist() == [1, 0, 2]
