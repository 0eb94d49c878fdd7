"""A comparison says which test samples training knows already."""

import logging

import numpy as np
import pytest
from sklearn.decomposition import PCA

from replearn.comparison import compare
from replearn.comparison.copies import NEAR, together_in_training
from replearn.data.samples import ArraySamples


def samples(rows, names):
    return ArraySamples(rows.astype(np.float32), np.arange(len(rows)) % 2, classes=("a", "b"), names=names)


def test_near_copies_are_counted_named_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 6)) * [1, 1000, 1e-6, 1, 1, 1]
    train = samples(rows[:40], [f"train{i}" for i in range(40)])
    test = samples(np.concatenate([rows[40:], rows[3:5] * (1 + 1e-4)]), [f"test{i}" for i in range(22)])
    with caplog.at_level(logging.WARNING, logger="replearn"):
        facts = compare({"PCA": PCA(2)}, train, test, fractions=(1.0,)).facts[NEAR]
    assert (facts["test samples"], facts["of"]) == (2, 22)
    assert sorted(facts["pairs"]) == ["test20 = train3", "test21 = train4"]
    told = [record.getMessage() for record in caplog.records if "nearly equal" in record.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("2 of 22 test samples nearly equal a training sample")


def test_copies_in_training_stay_together() -> None:
    rows = np.random.default_rng(0).normal(size=(10, 3))
    assert together_in_training(samples(rows, None)) is None
    units = together_in_training(samples(np.concatenate([rows, rows[:2]]), None))
    assert units is not None
    assert units.tolist() == [*range(10), 0, 1]
