"""Latent spaces whose numbers are known: lines, circles, perfect and empty codes."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from replearn.evaluate import (
    interpolate,
    latent_scores,
    linear_path,
    probe_space,
    spherical_path,
)
from replearn.evaluate.interpolation import draw_pairs, straightness

RNG = np.random.default_rng(0)
SHARES = np.linspace(0, 1, 7)


def circle(codes):
    return np.c_[np.cos(codes[:, 0]), np.sin(codes[:, 0])]


def itself(rows):
    return rows


# Paths


@pytest.mark.parametrize("path", [linear_path, spherical_path])
def test_paths_begin_and_end_at_the_codes(path):
    a, b = RNG.normal(size=(2, 5, 3))
    found = path(a, b, SHARES)
    assert found.shape == (5, 7, 3)
    np.testing.assert_allclose(found[:, 0], a, atol=1e-12)
    np.testing.assert_allclose(found[:, -1], b, atol=1e-12)
    np.testing.assert_allclose(path(b, a, SHARES)[:, ::-1], found, atol=1e-12)


def test_an_arc_keeps_its_distance_from_the_origin_and_its_pace():
    a, b = RNG.normal(size=(2, 20, 4))
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) * 3 for x in (a, b))
    found = spherical_path(a, b, SHARES)
    np.testing.assert_allclose(np.linalg.norm(found, axis=2), 3)
    steps = np.linalg.norm(np.diff(found, axis=1), axis=2)
    np.testing.assert_allclose(steps, steps[:, :1].repeat(6, 1))


def test_arcs_that_are_not_are_lines():
    a = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0], [2.0, 2.0]])
    b = np.array([[3.0, 0.0], [-1.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    np.testing.assert_allclose(spherical_path(a, b, SHARES), linear_path(a, b, SHARES))


def test_straightness_of_a_half_circle_is_two_over_pi():
    angle = np.linspace(0, np.pi, 1001)
    assert straightness(circle(angle[:, None])[None])[0] == pytest.approx(2 / np.pi, rel=1e-5)
    assert np.isnan(straightness(np.ones((1, 4, 2)))[0])


def test_pairs_are_of_different_samples():
    first, second = draw_pairs(5, 1000)
    assert (first != second).all()
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == {
        (i, j) for i in range(5) for j in range(5) if i != j
    }


# Interpolation


def test_a_linear_manifold_is_straight_and_near():
    weights = RNG.normal(size=(2, 6))
    codes = RNG.uniform(-1, 1, size=(3000, 2))
    rows = codes @ weights
    space = probe_space(rows[:2000], rows[2000:])
    found = interpolate(codes[2000:], lambda z: z @ weights, space)
    np.testing.assert_allclose(found.straightness, 1)
    assert 0.7 < found.distance.mean() < 1.05  # nearer than 1: less of it lies at the rim


def test_samples_themselves_are_as_near_as_samples_are():
    """A decoder that answers with other real samples, whatever it is asked."""
    rows, labels = make_blobs(3000, centers=5, n_features=10, random_state=0)
    space = probe_space(rows[:2000], rows[2000:2500], labels[:2000])
    found = interpolate(
        rows[2500:], lambda z: rows[2500:][np.random.default_rng(0).integers(0, 500, len(z))], space
    )
    assert found.distance.mean() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("labelled", [True, False])
def test_a_code_along_the_circle_beats_mixtures_of_its_points(labelled):
    angle = RNG.uniform(0, 2 * np.pi, (2400, 1))
    rows, labels = circle(angle), (angle[:, 0] // (np.pi / 3)).astype(int)
    space = probe_space(rows[:2000], rows[2000:], labels[:2000] if labelled else None)
    along = interpolate(angle[2000:], circle, space)
    across = interpolate(rows[2000:], itself, space)
    arc = interpolate(rows[2000:], itself, space, path="spherical")
    assert along.distance.mean() < 1.3
    assert arc.distance.mean() < 1.3
    assert across.distance.mean() > 3 * along.distance.mean()


def test_what_lies_between_classes_is_far_from_both():
    rows, labels = make_blobs(900, centers=4, n_features=8, cluster_std=0.5, random_state=1)
    space = probe_space(rows[:600], rows[600:], labels[:600])
    assert space.banks[0].shape == (600, 3)
    mixed = interpolate(rows[600:], itself, space).distance
    first, second = draw_pairs(300, len(mixed))
    same = labels[600:][first] == labels[600:][second]
    assert mixed[~same].mean() > 1.5 * mixed[same].mean()


def test_noise_is_far_and_held_out_samples_are_at_one():
    rows, labels = make_blobs(900, centers=4, n_features=8, random_state=1)
    space = probe_space(rows[:600], rows[600:], labels[:600])
    assert space.distances(rows[600:]).mean() == pytest.approx(1)
    assert space.distances(RNG.uniform(-30, 30, (200, 8))).mean() > 2


def test_the_larger_of_both_distances_counts():
    rows, labels = make_blobs(600, centers=4, n_features=12, random_state=2)
    space = probe_space(rows[:400], rows[400:], labels[:400])
    plain = PCA(8).fit(rows[:400])

    def larger(own):
        seen = [(space.banks[0], space.project), (plain.transform(rows[:400]), plain.transform)]
        ratios = []
        for bank, project in seen:
            near = NearestNeighbors(n_neighbors=5).fit(bank)
            far, usual = (near.kneighbors(project(x))[0].mean(axis=1) for x in (own, rows[400:]))
            ratios.append(far / usual.mean())
        return np.max(ratios, axis=0)

    others = RNG.normal(size=(30, 12)) * 8
    np.testing.assert_allclose(space.distances(others), larger(others) / larger(rows[400:]).mean())


def test_only_what_lies_between_is_measured():
    rows = RNG.normal(size=(200, 3))
    space = probe_space(rows[:100], rows[100:])
    far = np.full(3, 50.0)
    found = interpolate(
        rows[100:, :1], lambda z: np.where(np.isin(z, rows[100:, :1]), 0, far), space, steps=4
    )
    np.testing.assert_allclose(found.distance, space.distances(far[None])[0])


def test_the_centre_of_arcs_moves_with_the_codes():
    angle = RNG.uniform(0, 2 * np.pi, (400, 1))
    rows = circle(angle) + 5
    space = probe_space(rows[:200], rows[200:])
    around = interpolate(rows[200:], itself, space, path="spherical", centre=np.array([5.0, 5.0]))
    assert around.distance.mean() < 1.5
    assert interpolate(rows[200:], itself, space, path="spherical").distance.mean() > 3


def test_the_table_takes_arcs_around_the_mean_code():
    rows = circle(np.linspace(0, 2 * np.pi, 400, endpoint=False)[:, None]) + 5
    space = probe_space(rows[::2], rows[1::2])
    found = latent_scores(rows[::2], rows[1::2], decode=itself, originals=rows[1::2], space=space)
    assert found.set_index("measure")["mean"]["spherical distance"] < 1.5


def test_probe_spaces_of_poor_samples():
    flat = probe_space(np.ones((5, 3)), np.ones((2, 3)))
    assert np.isnan(flat.distances(np.zeros((2, 3)))).all()
    single = probe_space(np.eye(4), np.eye(4) * 2, np.array([0, 0, -1, -1]))
    assert single.waves is None
    with pytest.raises(ValueError, match="same columns"):
        probe_space(np.eye(4), np.eye(3))
    with pytest.raises(ValueError, match="neighbours must be at least 1"):
        probe_space(np.eye(4), np.eye(4), neighbours=0)


def test_bad_interpolations():
    space = probe_space(RNG.normal(size=(20, 3)), RNG.normal(size=(9, 3)))
    codes = RNG.normal(size=(4, 2))
    with pytest.raises(ValueError, match="at least 2 samples"):
        interpolate(codes[:1], itself, space)
    with pytest.raises(ValueError, match="path must be one of linear, spherical; got 'curved'"):
        interpolate(codes, itself, space, path="curved")
    with pytest.raises(ValueError, match="steps must be at least 3"):
        interpolate(codes, itself, space, steps=2)
    with pytest.raises(ValueError, match="the probe space and decoded rows must have the same columns"):
        interpolate(codes, itself, space)


# All in one table


def test_the_table_has_what_samples_allow():
    rows, labels = make_blobs(120, centers=3, n_features=5, random_state=0)
    space = probe_space(rows[:80], rows[80:], labels[:80])
    everything = latent_scores(
        rows[:80, :2],
        rows[80:, :2],
        train_labels=labels[:80],
        test_labels=labels[80:],
        decode=lambda z: np.c_[z, np.zeros((len(z), 3))],
        originals=rows[80:],
        space=space,
        layers=([rows[:80]], [rows[80:]]),
        factors=np.c_[labels[:80], np.arange(80) % 2],
    )
    assert not everything.duplicated("measure").any()
    assert {"silhouette", "cluster NMI", "interpolation distance", "layer 1 kNN", "MIG"} <= set(
        everything.measure
    )
    grid = np.stack(np.unravel_index(np.arange(512), (8, 8, 8)), axis=1)
    told = [
        latent_scores(grid.astype(float), grid[:4].astype(float), factors=grid, ordered=ordered)
        for ordered in ((), (0, 1, 2))
    ]
    without, with_amounts = (table.set_index("measure")["mean"]["SAP"] for table in told)
    assert with_amounts == pytest.approx(1.0)
    assert without < 0.95
    bare = latent_scores(rows[:80], rows[80:])
    assert set(bare.measure) == {"lifetime sparseness", "population sparseness"}
    with pytest.raises(ValueError, match="originals must come with a decoder"):
        latent_scores(rows[:80], rows[80:], decode=itself)


def test_reconstruction_error_is_0_of_a_copy_and_1_of_the_mean():
    rows = RNG.normal(size=(60, 3))

    def error(decode):
        found = latent_scores(rows[:30], rows[30:], decode=decode, originals=rows[30:])
        return found.set_index("measure")["mean"]["reconstruction error"]

    assert error(itself) == 0
    assert error(lambda z: np.tile(rows[30:].mean(axis=0), (len(z), 1))) == pytest.approx(1)
