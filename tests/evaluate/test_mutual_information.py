"""Mutual information by counting: exact where it can be, and as biased as it says."""

import math

import numpy as np
import pytest

from replearn.evaluate.mutual_information import discretise, entropy, mutual_information

GRID = np.stack(np.unravel_index(np.arange(60), (3, 4, 5)), axis=1)


def slowly(a, b):
    """Mutual information of two columns, pair by pair."""
    n, total = len(a), 0.0
    for u in set(a):
        for v in set(b):
            both = sum((x == u) and (y == v) for x, y in zip(a, b, strict=True)) / n
            if both:
                one, other = sum(x == u for x in a) / n, sum(y == v for y in b) / n
                total += both * math.log(both / (one * other))
    return total


def test_entropy():
    assert entropy(np.repeat([2, 5, 9], 4)) == pytest.approx(math.log(3))
    assert entropy(np.array([0, 0, 0, 1])) == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    assert entropy(np.zeros(5)) == 0


def test_independent_factors_tell_nothing_and_each_tells_itself():
    told = mutual_information(GRID, GRID)
    np.testing.assert_allclose(told, np.diag(np.log([3, 4, 5])), atol=1e-12)


@pytest.mark.parametrize("spacing", ["quantile", "width"])
def test_equals_the_slow_sum(spacing):
    rng = np.random.default_rng(0)
    codes, factors = rng.normal(size=(90, 2)), rng.integers(0, 3, (90, 2))
    binned = discretise(codes, bins=4, spacing=spacing)
    told = [[slowly(code, factor) for factor in factors.T.tolist()] for code in binned.T.tolist()]
    np.testing.assert_allclose(mutual_information(codes, factors, bins=4, spacing=spacing), told, atol=1e-12)


def test_the_bias_is_what_is_said():
    rng = np.random.default_rng(0)
    n, codes, values = 4500, 40, 15
    told = mutual_information(rng.normal(size=(n, codes)), rng.integers(0, values, (n, 5)))
    assert told.mean() == pytest.approx(19 * 14 / (2 * n), rel=0.03)


def test_quantile_bins_hold_as_many_and_do_not_mind_monotone_changes():
    codes = np.random.default_rng(0).normal(size=(1000, 2))
    binned = discretise(codes, bins=8)
    assert (np.bincount(binned[:, 0]) == 125).all()
    np.testing.assert_array_equal(binned, discretise(np.exp(3 * codes), bins=8))
    np.testing.assert_array_equal(discretise(codes, bins=8, spacing="width").min(0), [0, 0])


def test_bins_of_equal_width():
    codes = np.linspace(0, 1, 101)[:, None] ** 2
    binned = discretise(codes, bins=4, spacing="width")[:, 0]
    np.testing.assert_array_equal(binned, np.minimum(np.floor(codes[:, 0] * 4), 3))


def test_few_values_keep_their_bins():
    """Of 40 values, 20 bins of two each can show ln 20; as many bins as values show all."""
    factor = np.tile(np.arange(40), 5)[:, None]
    assert mutual_information(factor, factor)[0, 0] == pytest.approx(math.log(40))
    assert mutual_information(factor, factor, bins=20)[0, 0] == pytest.approx(math.log(20))
    skewed = np.repeat([0, 1, 2], [97, 1, 2])[:, None]
    assert mutual_information(skewed, skewed)[0, 0] == pytest.approx(entropy(skewed[:, 0]))


def test_a_heap_of_equal_values_is_one_bin():
    codes = np.concatenate([np.zeros(500), np.linspace(1, 2, 500)])[:, None]
    binned = discretise(codes, bins=10)[:, 0]
    assert set(binned[:500]) == {0}
    assert binned[500] > 0
    assert 0 not in binned[501:]


@pytest.mark.parametrize(
    ("codes", "factors", "knobs", "match"),
    [
        (GRID, GRID[:9], {}, "a row for each of the 60 codes"),
        (GRID, GRID[:, 0], {}, "a row for each of the 60 codes"),
        (GRID, GRID + 0.5, {}, "whole numbers"),
        (GRID, GRID * [1, 0, 1], {}, "column 1 is always 0"),
        (GRID * np.nan, GRID, {}, "codes must be finite"),
        (GRID, GRID, {"bins": 1}, "bins must be at least 2"),
        (GRID, GRID, {"spacing": "log"}, "spacing must be"),
    ],
)
def test_bad_input(codes, factors, knobs, match):
    with pytest.raises(ValueError, match=match):
        mutual_information(codes, factors, **knobs)
