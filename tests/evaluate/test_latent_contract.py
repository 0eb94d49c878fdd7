"""What scores of a code must not depend on, all of them: units of columns, their order and signs, the scale of all."""

import numpy as np
import pandas as pd
import pytest

from replearn.evaluate import disentanglement, latent_scores, scorecard

RNG = np.random.default_rng(0)
FACTORS = np.tile(np.stack(np.unravel_index(np.arange(60), (3, 4, 5)), axis=1), (12, 1))  # (720, 3)
LABELS = FACTORS[:, 0]
PERFECT = FACTORS / FACTORS.std(axis=0) + 1e-4 * RNG.normal(size=FACTORS.shape)
EIGHTH = np.array([[1, 1, 0], [1, -1, 0], [0, 0, np.sqrt(2)]]) / np.sqrt(2)
CODES = {
    "a code for each factor": PERFECT,
    "two turned by an eighth": PERFECT @ EIGHTH,
    "with noise": PERFECT + 0.3 * RNG.normal(size=PERFECT.shape),
    "single precision": (PERFECT + 0.3 * RNG.normal(size=PERFECT.shape)).astype(np.float32),
}
CHANGES = {
    "a unit": lambda z: z * np.array([100, 1, 1], dtype=z.dtype),
    "units": lambda z: z * np.array([1e-9, 1, 1e6], dtype=z.dtype),
    "scale": lambda z: z * z.dtype.type(1e-6),
    "order": lambda z: z[:, [2, 0, 1]],
    "sign": lambda z: z * np.array([1, -1, 1], dtype=z.dtype),
    "a constant": lambda z: np.hstack([z, np.full((len(z), 1), 0.1, dtype=z.dtype)]),
    "copies": lambda z: np.hstack([z, z]),
    "noise": lambda z: np.hstack([z, np.random.default_rng(1).normal(size=(len(z), 3)).astype(z.dtype)]),
}
UNITS, WIDER = {"a unit", "units"}, {"a constant", "copies", "noise"}
# What each score is changed by, and why. All else changes none.
CHANGED = {
    "beta-VAE score": set(),
    "FactorVAE score": set(),
    "MIG": {"copies"},  # a second code for each factor leaves no gap
    "DCI disentanglement": {"noise"},  # trees split by it where codes leave something to explain
    "DCI completeness": WIDER,  # the base of the entropy is the number of codes
    "DCI informativeness": {"noise"},
    "SAP": {"copies"},
    "modularity": {"noise"},  # the bias of counting has a modularity, too
    "explicitness": {"noise"},  # a linear classifier learns some of it by heart
    # Columns of a representation share a unit: what is large counts for more, by nature of a distance or a spectrum.
    "effective rank": UNITS | WIDER,
    "alpha-ReQ": UNITS | {"copies", "noise"},
    "uniformity": UNITS | {"a constant", "noise"},
    "alignment": UNITS | {"a constant", "noise"},
    "silhouette": UNITS | {"noise"},
    "cluster NMI": UNITS | {"noise"},
    "cluster ARI": UNITS | {"noise"},
    "cluster accuracy": UNITS | {"noise"},
    # Of the sizes of a sample's numbers, among as many as there are.
    "sparsity": UNITS | WIDER,
    "population sparseness": UNITS | WIDER,
    # Means over columns, each held against itself.
    "lifetime sparseness": {"a constant", "noise"},
    "dead dimensions": {"a constant", "noise"},
}
# Votes are drawn, and the bias of counting in 720 rows is that of the second best of more codes.
WITHIN = {"beta-VAE score": 0.03, "FactorVAE score": 0.04, "MIG": 0.02, "explicitness": 0.01}


def every_score(codes):
    views = (codes, codes + np.roll(codes, 1, axis=0) / 10)
    tables = [
        disentanglement(codes, FACTORS, ordered=(0, 1, 2)),
        latent_scores(codes, codes, train_labels=LABELS, test_labels=LABELS),
        scorecard(codes, None, None, None, views=views),
    ]
    return pd.concat(tables).set_index("measure")["mean"]


@pytest.fixture(scope="module")
def told():
    return {name: every_score(codes) for name, codes in CODES.items()}


def test_every_score_says_what_changes_it(told):
    for found in told.values():
        assert set(found.index) == set(CHANGED)


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("change", CHANGES)
def test_scores_depend_on_nothing_that_they_should_not(change, name, told):
    found = every_score(CHANGES[change](CODES[name]))
    wrong = {
        measure: (told[name][measure], found[measure])
        for measure, changed in CHANGED.items()
        if change not in changed
        and not np.isclose(
            told[name][measure], found[measure], atol=WITHIN.get(measure, 0.005), equal_nan=True
        )
    }
    assert not wrong


@pytest.mark.parametrize("measure", [measure for measure, changed in CHANGED.items() if changed & UNITS])
def test_what_is_said_to_depend_on_units_does(measure, told):
    """An exception that is none would hide a fault."""
    found = every_score(CHANGES["units"](CODES["with noise"]))
    assert not np.isclose(found[measure], told["with noise"][measure], atol=0.01, equal_nan=True)
