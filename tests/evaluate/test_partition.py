"""The partition function: exact sums, and annealed importance sampling within its own error of them."""

import math
from itertools import product

import numpy as np
import pytest

from replearn.evaluate import exact_log_partition, log_partition


def machine(hidden, visible, *, seed=0, size=1.0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, size, (hidden, visible)), rng.normal(0, size, visible), rng.normal(0, size, hidden)


def slow(weight, b, c):
    total = 0.0
    for v in product((0, 1), repeat=len(b)):
        for h in product((0, 1), repeat=len(c)):
            total += math.exp(b @ np.array(v) + c @ np.array(h) + np.array(h) @ weight @ np.array(v))
    return math.log(total)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (1, 1), (4, 4)])
def test_exact_sum_is_that_of_all_joint_states(shape):
    assert exact_log_partition(*machine(*shape)) == pytest.approx(slow(*machine(*shape)), rel=1e-12)


def test_sums_of_many_states_are_taken_in_parts():
    weight, b, c = machine(13, 30, size=0.3)
    whole = exact_log_partition(weight, b, c)
    split = [exact_log_partition(weight[1:], b + on * weight[0], c[1:]) + on * c[0] for on in (0, 1)]
    assert whole == pytest.approx(np.logaddexp(*split), rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("informed", [False, True])
def test_sampling_comes_within_its_error_of_the_exact_value(seed, informed):
    parts = machine(10, 20, seed=seed, size=0.7)
    rates = np.random.default_rng(seed).uniform(0.2, 0.8, 20) if informed else None
    exact = exact_log_partition(*parts)
    found = log_partition(*parts, rates=rates, chains=200, temperatures=600, random_state=seed)
    assert found.low < exact < found.high
    assert found.high - found.low < 0.3
    assert found.value == pytest.approx(exact, abs=0.15)


def test_estimates_of_z_have_no_bias_however_few_temperatures():
    """Their mean is right, though each is far off; the error that is told is large."""
    parts = machine(6, 8, seed=1, size=0.6)
    few = log_partition(*parts, chains=20_000, temperatures=4)
    many = log_partition(*parts, chains=100, temperatures=400)
    exact = exact_log_partition(*parts)
    assert few.low < exact < few.high
    assert few.value == pytest.approx(exact, abs=0.1)
    one = log_partition(*parts, chains=100, temperatures=4)
    assert one.high - one.low > 3 * (many.high - many.low)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"weight": np.zeros((4, 3))}, "Transpose"),
        ({"hidden_bias": np.array([0, np.nan, 0])}, "finite"),
        ({"chains": 1}, "at least 2"),
        ({"temperatures": 1}, "2 temperatures"),
        ({"rates": np.full(4, 1.5)}, r"\[0, 1\]"),
        ({"rates": np.full(3, 0.5)}, "4 numbers"),
    ],
)
def test_bad_arguments_are_told_in_one_line(given, says):
    whole = {"weight": np.zeros((3, 4)), "visible_bias": np.zeros(4), "hidden_bias": np.zeros(3)} | given
    with pytest.raises(ValueError, match=says) as error:
        log_partition(**whole)
    assert len(str(error.value).splitlines()) == 1


def test_a_large_machine_is_not_summed_up():
    with pytest.raises(ValueError, match="at most 20 units"):
        exact_log_partition(np.zeros((21, 21)), np.zeros(21), np.zeros(21))
