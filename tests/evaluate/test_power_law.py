"""Power laws: exact where points lie on one, an interval that covers the truth, a floor only where points tell one."""

import numpy as np
import pytest

from replearn.evaluate import power_law


def test_points_on_a_line_give_it_back():
    x = np.array([125.0, 250, 1000, 4000])
    law = power_law(x, 0.4 * (x / 125) ** -0.3)
    assert law.exponent == pytest.approx(0.3)
    assert law.floor == 0
    assert law.falls()
    mean, low, high = law.at(8000)
    assert mean == pytest.approx(0.4 * 64**-0.3)
    assert low == pytest.approx(mean, rel=1e-4)
    assert high == pytest.approx(mean, rel=1e-4)


def test_a_floor_is_found_where_the_points_tell_it():
    x = np.geomspace(1, 256, 9)
    law = power_law(x, 0.05 + 0.4 * x**-0.7)
    assert (law.floor, law.exponent) == pytest.approx((0.05, 0.7), rel=1e-3)
    assert law.at(1e9)[0] == pytest.approx(0.05, rel=1e-3)
    assert power_law(x[:4], 0.05 + 0.4 * x[:4] ** -0.7).floor == 0  # too few to tell
    straight = np.exp(0.05 * np.random.default_rng(0).normal(size=9)) * 0.4 * x**-0.7
    assert power_law(x, straight).floor == 0


@pytest.mark.parametrize(("values", "seeds"), [(5, 1), (4, 3)])
def test_the_interval_covers_the_truth_as_often_as_it_says(values, seeds):
    """The interval of the exponent, and of what the law expects beyond the points."""
    draw = np.random.default_rng(1)
    x = np.repeat(2.0 ** np.arange(values), seeds)
    covered = np.zeros(2)
    for _ in range(400):
        law = power_law(x, 0.3 * x**-0.4 * np.exp(0.1 * draw.normal(size=len(x))))
        if law.floor:
            continue
        _, low, high = law.at(4 * x.max())
        covered += law.low < 0.4 < law.high, low < 0.3 * (4 * x.max()) ** -0.4 < high
    assert (covered / 400 > 0.9).all()
    assert (covered / 400 < 0.99).all()


def test_repetitions_narrow_the_interval_and_noise_hides_a_slope():
    x = np.array([1.0, 2, 4, 8])
    noise = np.array([0.02, -0.03, 0.03, -0.02])
    once = power_law(x, np.exp(noise))
    assert not once.falls()
    assert once.low < 0 < once.high
    error = np.exp(-0.5 * np.log(x) + noise)
    often = power_law(np.tile(x, 3), np.tile(error, 3))
    plain = power_law(x, error)
    assert often.high - often.low < plain.high - plain.low


@pytest.mark.parametrize(
    ("x", "error", "told"),
    [
        ([1, 2], [0.5, 0.4], "at least 3 different x; got 2"),
        ([1, 2, 4], [0.5, 0.4, 0.0], "above 0"),
        ([0, 2, 4], [0.5, 0.4, 0.3], "above 0"),
        ([1, 2, 4], [0.5, np.nan, 0.3], "finite"),
        ([1, 2, 4], [0.5, 0.3], "as many"),
    ],
)
def test_what_can_not_be_fitted(x, error, told):
    with pytest.raises(ValueError, match=told):
        power_law(np.array(x, float), np.array(error, float))
