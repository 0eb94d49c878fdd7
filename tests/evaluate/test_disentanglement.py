"""Measures of disentanglement, on codes for which their definitions say the value."""

import math

import numpy as np
import pytest

from replearn.evaluate import (
    beta_vae_score,
    dci,
    disentanglement,
    explicitness,
    factor_vae_score,
    join_seeds,
    modularity,
    mutual_information_gap,
    separated_attribute_predictability,
)
from replearn.evaluate.scorecard import COLUMNS

STEPS = (3, 4, 5, 6)
FACTORS = np.tile(np.stack(np.unravel_index(np.arange(360), STEPS), axis=1), (10, 1))  # (3600, 4)
PAIR = np.tile(np.stack(np.unravel_index(np.arange(64), (8, 8)), axis=1), (40, 1))  # (2560, 2)
VOTE = 0.05  # 4 deviations of an accuracy over 2,000 votes
LINEAR = np.mean([np.mean([max(j, m - 1 - j) / (m - 1) for j in range(m)]) for m in STEPS])
AMOUNTS = tuple(range(4))


def scores(codes, factors=FACTORS, **knobs):
    return disentanglement(codes, factors, **knobs).set_index("measure")["mean"].to_dict()


PERFECT = {
    "beta-VAE score": 1,
    "FactorVAE score": 1,
    "MIG": 1,
    "DCI disentanglement": 1,
    "DCI completeness": 1,
    "DCI informativeness": 1,
    "SAP": 1,
    "modularity": 1,
    "explicitness": pytest.approx(LINEAR, abs=0.02),  # a line finds the least and the largest value only
}


@pytest.mark.parametrize(
    "codes",
    [FACTORS, FACTORS[:, [2, 0, 3, 1]], FACTORS * [-1, 1e-2, 3, 0.5] + 7],
    ids=["the factors", "permuted", "rescaled"],
)
def test_one_code_for_each_factor(codes):
    found = scores(codes, ordered=AMOUNTS, collapsed=0)
    assert found == {
        name: told if name == "explicitness" else pytest.approx(told) for name, told in PERFECT.items()
    }


def test_monotone_changes_matter_to_no_count_and_no_tree():
    found = scores(np.exp(FACTORS))
    for name in ("MIG", "modularity", "DCI disentanglement", "DCI completeness", "DCI informativeness"):
        assert found[name] == pytest.approx(1), name
    # By thresholds the best code is always right, and others as often as one value of many.
    assert found["SAP"] == pytest.approx(1 - np.mean([1 / steps for steps in STEPS]), abs=0.02)


def test_every_code_twice():
    found = scores(np.hstack([FACTORS, FACTORS]), ordered=AMOUNTS)
    assert (found["MIG"], found["SAP"]) == pytest.approx((0, 0), abs=1e-12)
    assert found["DCI completeness"] == pytest.approx(
        1 - math.log(2) / math.log(8), abs=0.03
    )  # shared by chance
    for name in ("modularity", "DCI disentanglement", "DCI informativeness", "FactorVAE score"):
        assert found[name] == pytest.approx(1), name
    assert found["beta-VAE score"] == pytest.approx(1)


def test_one_factor_twice():
    """A rival for one factor of four."""
    codes = FACTORS[:, [0, 1, 2, 3, 1]]
    assert mutual_information_gap(codes, FACTORS) == pytest.approx(3 / 4)
    assert separated_attribute_predictability(codes, FACTORS, ordered=AMOUNTS) == pytest.approx(3 / 4)


def test_turned_by_an_eighth():
    """Both codes say as much of one factor as of the other."""
    found = scores(PAIR @ [[1, 1], [1, -1]], PAIR, ordered=(0, 1))
    assert (found["MIG"], found["modularity"], found["SAP"]) == pytest.approx((0, 0, 0), abs=1e-9)
    assert found["FactorVAE score"] == pytest.approx(1 / 2, abs=VOTE)
    assert found["beta-VAE score"] == pytest.approx(1 / 2, abs=VOTE)
    assert found["DCI disentanglement"] == pytest.approx(0, abs=0.03)
    assert found["DCI completeness"] == pytest.approx(0, abs=0.03)
    line = np.mean([max(j, 7 - j) / 7 for j in range(8)])
    assert found["explicitness"] == pytest.approx(line, abs=0.02)  # a linear classifier turns them back


@pytest.mark.parametrize("degrees", [10, 30])
def test_turned_by_an_angle(degrees):
    """Squared correlations are cos² and sin², so the gap is the cosine of twice the angle."""
    turn = np.radians(degrees)
    codes = PAIR @ [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    gap = separated_attribute_predictability(codes, PAIR, ordered=(0, 1))
    assert gap == pytest.approx(np.cos(2 * turn))


def test_random_codes():
    codes = np.random.default_rng(1).normal(size=(len(FACTORS), 12))
    found = scores(codes)
    assert found["FactorVAE score"] == pytest.approx(1 / 4, abs=VOTE)
    assert found["beta-VAE score"] == pytest.approx(1 / 4, abs=VOTE)
    assert found["MIG"] == pytest.approx(0, abs=0.005)
    # Their modularity is that of the bias, (B - 1)(K - 1) / 2n.
    bias = np.mean([((steps - 1) / 5) ** 2 for steps in STEPS[:3]])
    assert found["modularity"] == pytest.approx(1 - bias, abs=0.12)
    assert found["DCI disentanglement"] == pytest.approx(0, abs=0.02)
    assert found["DCI completeness"] == pytest.approx(0, abs=0.02)
    assert found["DCI informativeness"] == pytest.approx(np.mean([1 / steps for steps in STEPS]), abs=0.03)
    assert found["SAP"] == pytest.approx(0, abs=0.02)
    assert found["explicitness"] == pytest.approx(1 / 2, abs=0.02)


def test_constant_codes():
    found = scores(np.full((len(FACTORS), 3), 0.1, dtype=np.float32))  # whose mean is rounded
    assert (found["MIG"], found["modularity"], found["SAP"], found["DCI disentanglement"]) == (0, 0, 0, 0)
    assert (found["FactorVAE score"], found["explicitness"]) == (1 / 4, 1 / 2)
    assert found["beta-VAE score"] == pytest.approx(1 / 4, abs=VOTE)


def test_all_factors_in_one_code():
    """Complete, since a factor needs one code; neither disentangled nor modular, since that code tells of both."""
    factors = np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (50, 1))
    codes = np.stack([2 * factors[:, 0] + factors[:, 1], np.zeros(200)], axis=1)
    found = dci(codes, factors)
    assert (found.disentanglement, found.completeness, found.informativeness) == pytest.approx((0, 1, 1))
    np.testing.assert_allclose(found.importance, [[1, 1], [0, 0]])
    assert modularity(codes, factors) == pytest.approx(0)
    assert mutual_information_gap(codes[:, :1], factors) == pytest.approx(1)


def test_a_factor_that_no_code_holds():
    """By what does not vary, a linear classifier finds it; a vote can't: Kim & Mnih's case for their score."""
    codes = FACTORS[:, :3]
    assert beta_vae_score(codes, FACTORS) == pytest.approx(1, abs=0.01)
    assert factor_vae_score(codes, FACTORS) == pytest.approx(3 / 4)
    assert mutual_information_gap(codes, FACTORS) == pytest.approx(3 / 4)


def test_collapsed_codes_may_be_left_out():
    codes = FACTORS * [1, 1, 1, 1e-3]
    assert factor_vae_score(codes, FACTORS) == pytest.approx(1)
    assert factor_vae_score(codes, FACTORS, collapsed=0.05) == pytest.approx(3 / 4)
    large = codes * [1, 1000, 1, 1]  # a large code makes no other small
    assert factor_vae_score(large, FACTORS, collapsed=0.05) == pytest.approx(3 / 4)


def test_dci_by_boosted_trees():
    rng = np.random.default_rng(0)
    codes = np.hstack([FACTORS[:400] + 0.3 * rng.normal(size=(400, 4)), rng.normal(size=(400, 2))])
    forest, boosted = dci(codes, FACTORS[:400]), dci(codes, FACTORS[:400], boosted=True)
    assert boosted.importance.shape == (6, 4)
    np.testing.assert_allclose(boosted.importance.sum(axis=0), 1)
    assert boosted.importance[:4].argmax(axis=0).tolist() == [0, 1, 2, 3]
    assert boosted.disentanglement != forest.disentanglement


def test_one_hot_codes_are_explicit():
    codes = np.hstack([FACTORS[:, [k]] == np.arange(steps) for k, steps in enumerate(STEPS)])
    assert explicitness(codes, FACTORS) == pytest.approx(1)
    assert modularity(codes, FACTORS) == pytest.approx(1)


def test_draws_follow_the_seed_and_nothing_else():
    codes = FACTORS + np.random.default_rng(0).normal(size=FACTORS.shape)
    np.random.seed(3)  # noqa: NPY002 - the state that must be left alone
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = disentanglement(codes, FACTORS, random_state=5)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert first.equals(disentanglement(codes, FACTORS, random_state=5))
    assert not first.equals(disentanglement(codes, FACTORS, random_state=6))


def test_the_table_is_a_scorecard():
    found = disentanglement(FACTORS, FACTORS)
    assert list(found.columns) == COLUMNS
    assert list(found["measure"]) == list(PERFECT)
    assert (found["labels"] == 3600).all()
    assert found["low"].notna().tolist() == [True, True] + [False] * 7
    joined = join_seeds([found, found.assign(mean=0.0)])
    assert joined["mean"][0] == 0.5
    assert (joined["seeds"] == 2).all()


def test_values_of_one_row_fix_nothing():
    rng = np.random.default_rng(0)
    factors = np.stack([np.arange(40) % 20, np.arange(40) % 2], axis=1)
    factors[0, 0] = 99  # alone, so that all codes would hold still with it
    assert 0.3 < factor_vae_score(rng.normal(size=(40, 3)), factors) < 0.9
    with pytest.raises(ValueError, match="factors must share values between rows"):
        factor_vae_score(rng.normal(size=(9, 2)), np.stack([np.arange(9), np.arange(9) % 2], axis=1))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: modularity(PAIR, PAIR[:, :1]), "two columns at least"),
        (
            lambda: separated_attribute_predictability(PAIR, PAIR, ordered=(2,)),
            "ordered must name columns 0 ... 1",
        ),
        (lambda: dci(PAIR[:3], PAIR[[0, 9, 18]]), "codes must have 4 rows at least"),
        (lambda: disentanglement(PAIR, PAIR[:5]), "a row for each of the 2560 codes"),
        (lambda: disentanglement(PAIR, PAIR / 2), "whole numbers"),
    ],
)
def test_bad_input(call, match):
    with pytest.raises(ValueError, match=match):
        call()
