"""Which rows a comparison has: each network before training once, nothing made by hand twice, all checked first."""

import numpy as np
import pytest

from replearn.comparison import WORDS, compare, cut_short, untrained_encoders
from replearn.data import as_samples, load_data
from replearn.methods import BYOL, Autoencoder, BagOfVisualWords, Colorization, Rotation, SimCLR, Supervised
from replearn.methods.classical import NMF, PCA, KMeans

TINY = {"epochs": 1, "batch_size": 32, "precision": "32-true"}


@pytest.fixture(scope="module")
def digits():
    samples = load_data("digits8x8", split="train")
    return samples.subset(np.arange(60)), samples.subset(np.arange(60, 90))


def names(methods, parts):
    return [row.name for row in untrained_encoders(methods, *parts)]


def test_one_row_per_network(digits):
    simclr, byol = SimCLR(encoder="mlp", **TINY), BYOL(encoder="mlp", **TINY)
    assert names({"SimCLR": simclr, "BYOL": byol, "PCA": PCA(2)}, digits) == ["untrained encoder"]
    code = Autoencoder(encoder="mlp", dim=3, **TINY)
    assert names({"Autoencoder": code, "SimCLR": simclr, "BYOL": byol}, digits) == [
        "untrained Autoencoder",
        "untrained SimCLR, BYOL",
    ]
    other = SimCLR(encoder="cnn", **TINY)
    assert names({"SimCLR": simclr, "SimCLR encoder=cnn": other}, digits) == [
        "untrained SimCLR",
        "untrained SimCLR encoder=cnn",
    ]


def test_each_row_is_of_the_network_that_it_names(digits):
    methods = {
        "Autoencoder": Autoencoder(encoder="mlp", dim=3, **TINY),
        "SimCLR": SimCLR(encoder="mlp", **TINY),
    }
    for row, (name, method) in zip(untrained_encoders(methods, *digits), methods.items(), strict=True):
        assert row.name == f"untrained {name}"
        np.testing.assert_array_equal(row.test, method.prepare(digits[0]).transform(digits[1]))


def test_nothing_made_by_hand_is_there_twice():
    digits = load_data("digits", split="train")
    parts = digits.subset(np.arange(60)), digits.subset(np.arange(60, 90))
    own = compare({"own": BagOfVisualWords(random_state=3)}, *parts, fractions=(1.0,), draws=1)
    assert [row.name for row in own.rows] == ["raw input", "own"]
    other = compare({"own": BagOfVisualWords(words=16)}, *parts, fractions=(1.0,), draws=1)
    assert [row.name for row in other.rows] == ["raw input", WORDS, "own"]


@pytest.mark.parametrize(
    "wrong",
    [
        PCA(9),
        KMeans(n_clusters=99),
        NMF(n_components=-1),
        SimCLR(encoder="cnn"),
        Supervised(),
        SimCLR(epochs=0),
    ],
    ids=["pca", "kmeans", "nmf", "images", "labels", "field"],
)
def test_what_can_not_learn_is_told_before_anything_is_fitted(wrong, tmp_path):
    table = as_samples(np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32))
    methods = {"first": Autoencoder(dim=3, **TINY), "second": PCA(2), "wrong one": wrong}
    with pytest.raises(ValueError, match="wrong one can't learn from these samples; nothing was fitted"):
        compare(methods, table, table, runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_the_check_refuses_nothing_that_learns():
    """More components than the few rows by which an estimator is tried."""
    rng = np.random.default_rng(0)
    table = as_samples(rng.normal(size=(400, 90)).astype(np.float32))
    made = compare(
        {"PCA": PCA(90), "mle": PCA("mle")}, table.subset(np.arange(300)), table.subset(np.arange(9))
    )
    assert [row.train.shape[1] for row in made.rows][:2] == [90, 90]


def test_a_training_that_the_clock_ended_tells_the_epochs_that_it_had():
    """Not those that it might have had."""
    from types import SimpleNamespace

    from replearn.comparison import extended
    from replearn.engine.extension import Extension

    row = {"step": 30.0, "planned": 1000.0, "seconds": 61.0}
    history = SimpleNamespace(rows=[row], alarms=[])
    method = SimpleNamespace(
        history_=history, epochs=100, max_minutes=1, extensions_=[Extension(1.0, 10, 20.0)]
    )
    assert extended(method) == "1 + 2 epochs"
    method.max_minutes = None
    assert extended(method) == "1 + 99 epochs"


def test_what_sees_something_else_of_a_sample_has_a_row_of_its_own():
    x = np.random.default_rng(0).integers(0, 256, (40, 3, 16, 16), dtype=np.uint8)
    parts = as_samples(x[:30]), as_samples(x[30:])
    methods = {
        "Rotation": Rotation(encoder="cnn", **TINY),
        "Colorization": Colorization(encoder="cnn", **TINY),
    }
    expected = ["untrained Rotation", "untrained Colorization"]
    assert names(methods, parts) == expected
    assert names(dict(reversed(methods.items())), parts) == expected[::-1]


def test_a_plan_without_an_end_is_not_told():
    class Cut:
        max_minutes = 1.0

    row = {"step": 40.0, "planned": 400_000.0, "seconds": 60.0, "samples_per_second": 1.0}
    assert cut_short([row], Cut()) == "40 steps"
    assert cut_short([row | {"planned": 400.0}], Cut()) == "40 of 400 steps"
