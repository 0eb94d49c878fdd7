"""Geometry against closed forms and slow references."""

import itertools
import math

import numpy as np
import pytest

from replearn.evaluate import (
    alignment,
    alpha_req,
    dead_dimensions,
    effective_rank,
    geometry,
    singular_values,
    sparsity,
    uniformity,
)

RNG = np.random.default_rng(0)
CLOUD = RNG.normal(size=(200, 12))


@pytest.mark.parametrize("shape", [(50, 8), (8, 50)])
@pytest.mark.parametrize("centre", [False, True])
def test_singular_values_equal_those_of_the_decomposition(shape, centre):
    rows = RNG.normal(size=shape) + 3
    expected = np.linalg.svd(rows - rows.mean(axis=0) * centre, compute_uv=False)
    np.testing.assert_allclose(singular_values(rows, centre=centre), expected, atol=1e-6)


def test_effective_rank():
    assert effective_rank(np.eye(7)) == pytest.approx(7)
    assert effective_rank(np.outer(CLOUD[:, 0], np.ones(5))) == pytest.approx(1)
    assert effective_rank(np.zeros((4, 3))) == 0
    assert effective_rank(CLOUD * 100) == pytest.approx(effective_rank(CLOUD))
    assert 11 < effective_rank(CLOUD) < 12
    assert effective_rank(np.diag([3.0, 1.0])) == pytest.approx(
        math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    )


def test_centring_leaves_out_the_mean():
    moved = CLOUD + 1000
    assert effective_rank(moved) < 1.2
    assert effective_rank(moved, centre=True) == pytest.approx(
        effective_rank(CLOUD - CLOUD.mean(axis=0)), rel=1e-6
    )


@pytest.mark.parametrize("alpha", [0.0, 0.5, 2.0])
def test_alpha_of_an_exact_power_law(alpha):
    roots = np.arange(1, 40) ** (-alpha / 2)
    rows = np.concatenate([np.diag(roots), -np.diag(roots)])
    assert alpha_req(rows) == pytest.approx(alpha, abs=1e-9)
    turn = np.linalg.qr(RNG.normal(size=(39, 39)))[0]
    assert alpha_req(rows @ turn) == pytest.approx(alpha, abs=1e-6)


def test_alpha_needs_directions():
    assert math.isnan(alpha_req(np.ones((10, 4))))


def test_alignment():
    assert alignment(CLOUD, CLOUD * 5) == pytest.approx(0)
    assert alignment(CLOUD, -CLOUD) == pytest.approx(4)
    assert alignment(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])) == pytest.approx(2)
    assert alignment(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), power=1.0) == pytest.approx(math.sqrt(2))
    with pytest.raises(ValueError, match="same samples row by row; got 200 and 100"):
        alignment(CLOUD, CLOUD[:100])


@pytest.mark.parametrize("chunk", [7, 1024])
def test_uniformity_equals_a_double_loop(chunk, monkeypatch):
    monkeypatch.setattr(geometry, "CHUNK", chunk)
    unit = CLOUD[:40] / np.linalg.norm(CLOUD[:40], axis=1, keepdims=True)
    energies = [math.exp(-3 * ((a - b) ** 2).sum()) for a, b in itertools.combinations(unit, 2)]
    assert uniformity(CLOUD[:40], scale=3.0) == pytest.approx(math.log(np.mean(energies)))


def test_uniformity_of_known_points():
    assert uniformity(np.ones((5, 3))) == pytest.approx(0)
    assert uniformity(np.eye(6)) == pytest.approx(-4)  # all squared distances are 2
    corners = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    assert uniformity(corners) == pytest.approx(math.log((2 * math.exp(-4) + math.exp(-8)) / 3))
    with pytest.raises(ValueError, match="at least 2 rows"):
        uniformity(np.ones((1, 3)))


def test_uniformity_of_a_sample_is_near_that_of_all():
    cloud = RNG.normal(size=(3000, 5))
    assert uniformity(cloud, samples=1000) == pytest.approx(uniformity(cloud), abs=0.03)
    assert uniformity(cloud, samples=500) == uniformity(cloud, samples=500)
    assert uniformity(cloud, samples=500) != uniformity(cloud, samples=500, random_state=1)


def test_sparsity():
    assert sparsity(np.eye(9)) == pytest.approx(1)
    assert sparsity(-np.ones((2, 9))) == pytest.approx(0)
    assert sparsity(np.array([[3.0, 4.0]])) == pytest.approx((math.sqrt(2) - 7 / 5) / (math.sqrt(2) - 1))
    assert sparsity(np.concatenate([np.eye(4), np.zeros((4, 4))])) == pytest.approx(1)
    assert math.isnan(sparsity(np.zeros((2, 2))))


def test_dead_dimensions():
    rows = CLOUD.copy()
    rows[:, :3] = 7
    assert dead_dimensions(rows) == pytest.approx(0.25)
    assert dead_dimensions(CLOUD) == 0
    assert dead_dimensions(np.ones((3, 2))) == 1


@pytest.mark.parametrize("measure", [effective_rank, alpha_req, uniformity, sparsity, dead_dimensions])
def test_rows_that_are_not_finite_are_counted(measure):
    rows = CLOUD.copy()
    rows[[3, 5]] = np.inf
    with pytest.raises(ValueError, match="2 of 200 rows hold NaN or infinity"):
        measure(rows)
